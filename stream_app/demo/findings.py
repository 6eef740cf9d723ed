"""What the watch has published so far: drift events, retrain requests and weeks of performance."""

from collections.abc import Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from models.errors import FraudstreamError
from models.schema import wire
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import TopicNames

Finding = DriftEvent | RetrainRequest | Performance

_AT_ONCE = 100


class FindingsError(FraudstreamError):
    """Raised when the topics can no longer be read."""


class Findings:
    """Reads the three topics from their beginning, whenever it is asked.

    Attributes
    ----------
    events, requests, weeks
        All that was read, each event once.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.events: list[DriftEvent] = []
        self.requests: list[RetrainRequest] = []
        self.weeks: list[Performance] = []
        self._types: Mapping[str, type[Finding]] = {
            topics.drift_events: DriftEvent,
            topics.retrain_requests: RetrainRequest,
            topics.performance: Performance,
        }
        self._seen: set[str] = set()
        self._consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": "fraudstream-demo",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
            }
        )
        self._consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in self._types])

    def close(self) -> None:
        """End the connection."""
        self._consumer.close()

    def new(self) -> list[Finding]:
        """Return what has come since the last time, without waiting; an alarm stands before its request."""
        found: list[Finding] = []
        for message in self._consumer.consume(_AT_ONCE, 0):
            error, topic = message.error(), message.topic() or ""
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                    continue
                raise FindingsError(f"reading {topic}: {error.str()}; is the broker still up?")
            context = CloudEvent.read(dict(message.headers() or ()).items())
            if context.id not in self._seen:
                self._seen.add(context.id)
                found.append(wire.decode(self._types[topic], message.value() or b""))
        for one in found:
            self._keep(one)
        return sorted(found, key=lambda one: (one.as_of, isinstance(one, RetrainRequest)))

    def _keep(self, found: Finding) -> None:
        if isinstance(found, DriftEvent):
            self.events.append(found)
        elif isinstance(found, RetrainRequest):
            self.requests.append(found)
        else:
            self.weeks.append(found)
