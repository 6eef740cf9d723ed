"""What has been published so far: drift events, retrain requests, weeks of performance, and what became of models."""

from collections.abc import Mapping
from typing import NamedTuple

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.model_event import MOVES, ModelEvent, ModelEventKind
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import TopicNames

Finding = DriftEvent | RetrainRequest | Performance | ModelEvent

_AT_ONCE = 100


class Published(NamedTuple):
    """An event of the release loop or the gate, and when it was published (ms)."""

    event: ModelEvent
    at_ms: float


class FindingsError(FraudstreamError):
    """Raised when the topics can no longer be read."""


class Findings:
    """Reads the four topics from their beginning, whenever it is asked.

    Attributes
    ----------
    events, requests, weeks, models
        All that was read, each event once.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.events: list[DriftEvent] = []
        self.requests: list[RetrainRequest] = []
        self.weeks: list[Performance] = []
        self.models: list[Published] = []
        self._types: Mapping[str, type[Finding]] = {
            topics.drift_events: DriftEvent,
            topics.retrain_requests: RetrainRequest,
            topics.performance: Performance,
            topics.model_events: ModelEvent,
        }
        self._seen: set[str] = set()
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": "fraudstream-demo",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._types])

    def close(self) -> None:
        """End the connection."""
        self._consumer.close()

    def new(self) -> list[Finding]:
        """Return what has come since the last time, without waiting: an alarm, its request, what became of it."""
        found: list[DriftEvent | RetrainRequest | Performance] = []
        models: list[ModelEvent] = []
        for message in self._consumer.consume(_AT_ONCE, 0):
            error, topic = message.error(), message.topic() or ""
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                    continue
                raise FindingsError(f"reading {topic}: {error.str()}; is the broker still up?")
            context = CloudEvent.read(dict(message.headers() or ()).items())
            if context.id in self._seen:
                continue
            self._seen.add(context.id)
            one = wire.decode(self._types[topic], message.value() or b"")
            if isinstance(one, ModelEvent):
                self.models.append(Published(one, message.timestamp()[1]))
                models.append(one)
            else:
                self._keep(one)
                found.append(one)
        return [*sorted(found, key=lambda one: (one.as_of, isinstance(one, RetrainRequest))), *models]

    def last(self, *kinds: ModelEventKind) -> Published | None:
        """Return the last event of some kinds, None before the first."""
        return next((one for one in reversed(self.models) if one.event.kind in kinds), None)

    @property
    def moves(self) -> list[Published]:
        """All moves of the champion, in order."""
        return [one for one in self.models if one.event.kind in MOVES]

    def _keep(self, found: DriftEvent | RetrainRequest | Performance) -> None:
        if isinstance(found, DriftEvent):
            self.events.append(found)
        elif isinstance(found, RetrainRequest):
            self.requests.append(found)
        else:
            self.weeks.append(found)
