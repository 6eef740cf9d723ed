"""Reads `drift-events`, `retrain-requests` and, if wished, `drift-statistics` as one stream, each event once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import TopicNames
from stream_app.topic_admin import describe_topics

Drift = DriftEvent | RetrainRequest | DriftStatistics

_POLL_S: Final = 0.2
_SILENCE_S: Final = 15.0
_AT_ONCE: Final = 500


class DriftStreamError(FraudstreamError):
    """Raised when the topics cannot be read."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event with its context."""

    context: CloudEvent
    record: Drift


class DriftStream:
    """What was found and what is asked for, from the beginning.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    statistics: whether what was computed each day is told too, found or not.

    Raises
    ------
    BrokerUnreachableError, UnknownTopicError: naming the address or the topic.
    """

    def __init__(self, broker: str, topics: TopicNames, *, statistics: bool = False) -> None:
        self._records: dict[str, type[Drift]] = {
            topics.drift_events: DriftEvent,
            topics.retrain_requests: RetrainRequest,
        }
        if statistics:
            self._records[topics.drift_statistics] = DriftStatistics
        described = describe_topics(broker, self._records)
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": "fraudstream-drift",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
            }
        )
        partitions = [(topic, number) for topic, found in described.items() for number in range(found.partitions)]
        self._consumer.assign([TopicPartition(*partition, OFFSET_BEGINNING) for partition in partitions])
        self._unread = set(partitions)
        self._seen: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def past(self) -> list[Told]:
        """All there is now, by event time; what was found stands before what it made somebody ask for."""
        found: list[Told] = []
        until_s = time.monotonic() + _SILENCE_S
        while self._unread:
            # A call ends when so many have come or the time is up: a short one is asked for again.
            messages = self._consumer.consume(_AT_ONCE, _POLL_S)
            if messages:
                until_s = time.monotonic() + _SILENCE_S
            elif time.monotonic() > until_s:
                raise DriftStreamError(f"the broker has not answered for {_SILENCE_S:g} s; is it up?")
            found += self._take(messages)
        return sorted(found, key=_place)

    def to_come(self, until: Callable[[], bool] = lambda: False) -> Iterator[Told]:
        """What comes from now on, as it comes; `until` is asked now and then whether to end."""
        while not until():
            yield from sorted(self._take(self._consumer.consume(_AT_ONCE, _POLL_S)), key=_place)

    def _take(self, messages: list[Message]) -> list[Told]:
        found = []
        for message in messages:
            error, topic = message.error(), message.topic() or ""
            if error is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                    raise DriftStreamError(f"reading {topic}: {error.str()}")
                self._unread.discard((topic, message.partition() or 0))
                continue
            headers = dict(message.headers() or ())
            told = Told(CloudEvent.read(headers.items()), wire.decode(self._records[topic], message.value() or b""))
            if told.context.id not in self._seen:
                self._seen.add(told.context.id)
                found.append(told)
        return found


def _place(told: Told) -> tuple[int, bool]:
    return told.record.as_of, isinstance(told.record, RetrainRequest)
