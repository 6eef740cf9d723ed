"""Reads a few records from chosen places, and nothing beyond: there may be 10,000 a second behind them."""

import time
from collections.abc import Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError

ANSWER_S: Final = 5.0
_FETCH_BYTES: Final = 64 * 1024
"""Of a partition at once: the client reads ahead, and what it reads in vain costs the broker all the same."""


class TopicSilentError(FraudstreamError):
    """Raised when Kafka does not answer a look."""


class TailReader:
    """A consumer that belongs to no group's work and commits nothing.

    Parameters
    ----------
    broker: Kafka's address.
    """

    def __init__(self, broker: str) -> None:
        self._consumer = Consumer(
            {
                **confluent_settings(broker),
                "group.id": "fraudstream-top",  # asked for by the client; nothing is committed
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "queued.min.messages": 1,
                "queued.max.messages.kbytes": 1024,
                "fetch.message.max.bytes": _FETCH_BYTES,
                "fetch.wait.max.ms": 10,
            }
        )

    def ends(self, topic: str, partitions: int) -> dict[int, tuple[int, int]]:
        """Return first and end offset of each partition; raises TopicSilentError."""
        try:
            return {
                number: self._consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=ANSWER_S)
                for number in range(partitions)
            }
        except KafkaException as error:
            raise TopicSilentError(f"Kafka does not say where {topic} ends: {error.args[0]}") from None

    def read(self, topic: str, places: Mapping[int, tuple[int, int]]) -> list[Message]:
        """Return the records of some ranges, by partition from an offset up to another; what is gone is left out.

        Raises
        ------
        TopicSilentError: Kafka has not answered within ANSWER_S.
        """
        wanted = {number: end for number, (begin, end) in places.items() if end > begin}
        if not wanted:
            return []
        self._consumer.assign([TopicPartition(topic, number, places[number][0]) for number in wanted])
        found: list[Message] = []
        until_s = time.monotonic() + ANSWER_S
        while wanted:
            for message in self._consumer.consume(1000, 0.1):
                found += self._take(topic, message, wanted)
            if wanted and time.monotonic() > until_s:
                raise TopicSilentError(f"Kafka has not given the end of {topic} within {ANSWER_S:g} s")
        self._consumer.unassign()
        return found

    def _take(self, topic: str, message: Message, wanted: dict[int, int]) -> list[Message]:
        number, error = message.partition() or 0, message.error()
        end = wanted.get(number)
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                raise TopicSilentError(f"reading {topic}: {error.str()}")
            wanted.pop(number, None)
            return []
        if end is None:
            return []
        offset = message.offset() or 0
        if offset + 1 >= end:
            del wanted[number]
        return [message] if offset < end else []

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
