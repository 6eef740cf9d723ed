"""Where a partition begins and ends, asked until the broker knows."""

import time
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from models.errors import FraudstreamError

ANSWER_S: Final = 30.0
_AGAIN_S: Final = 0.05
_SOON: Final = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})


class NoAnswerError(FraudstreamError):
    """Raised when the broker does not say where a partition ends."""


def watermarks(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """Return first and end offset; a partition that has just been created, or moved, may not answer for some moments.

    Raises
    ------
    NoAnswerError: it has not answered within ANSWER_S.
    """
    until_s = time.monotonic() + ANSWER_S
    while True:
        try:
            return consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=ANSWER_S)
        except KafkaException as error:
            reason = error.args[0]
            code = reason.code() if isinstance(reason, KafkaError) else None
            if code not in _SOON or time.monotonic() > until_s:
                raise NoAnswerError(f"{topic} {partition} does not say where it ends: {error}; is Kafka up?") from error
            time.sleep(_AGAIN_S)
