"""How far the event time of the topic `transactions` has come."""

import re
from collections.abc import Iterable
from types import TracebackType
from typing import Final, Self

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from models.access.kafka_settings import confluent_settings
from producers.kafka_client import ANSWER_S, BrokerUnreachableError, logger

_TAIL_RECORDS: Final = 1000
_BATCH: Final = 5000
_WAIT_S: Final = 0.2
_EVENT_TIME = re.compile(rb'"event_time"\s*:\s*(\d{1,15})')


class SecondLargest:
    """The second largest number seen: one transaction far ahead of all others does not move it.

    Examples
    --------
    >>> clock = SecondLargest()
    >>> clock.add([10, 99, 11]), clock.add([12]), clock.add([100])
    (11, 12, 99)
    """

    def __init__(self) -> None:
        self._two = (0, 0)

    def add(self, numbers: Iterable[int]) -> int:
        """Take in numbers and return the second largest of all so far, 0 before there are two."""
        largest = sorted((*self._two, *numbers))
        self._two = (largest[-2], largest[-1])
        return self._two[0]


class TransactionClock:
    """Reads the last transactions of every partition, then follows.

    Parameters
    ----------
    broker: address as HOST:PORT.
    topic: full name of the topic `transactions`.
    """

    def __init__(self, broker: str, topic: str) -> None:
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": "fraudstream-label-clock",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
            },
            logger=logger,
        )
        self._second_largest = SecondLargest()
        try:
            self._consumer.assign([self._near_end(topic, number) for number in self._partitions(topic)])
        except KafkaException as error:
            raise BrokerUnreachableError(f"{broker} does not answer: {error.args[0].str()}; check --broker") from None

    def advance(self) -> int:
        """Read what has come and return the event time reached, ms."""
        values = [message.value() for message in self._consumer.consume(_BATCH, _WAIT_S) if message.error() is None]
        found = [_EVENT_TIME.search(value) for value in values if value is not None]
        return self._second_largest.add([int(match[1]) for match in found if match is not None])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._consumer.close()

    def _partitions(self, topic: str) -> list[int]:
        return list(self._consumer.list_topics(topic, timeout=ANSWER_S).topics[topic].partitions)

    def _near_end(self, topic: str, number: int) -> TopicPartition:
        first, end = self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_S)
        near = max(first, end - _TAIL_RECORDS)
        return TopicPartition(topic, number, near if near > 0 else OFFSET_BEGINNING)
