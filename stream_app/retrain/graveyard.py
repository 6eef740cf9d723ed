"""Requests that cannot be read, or have failed too often, on the topic `dead-letter`."""

import logging
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from models.errors import FraudstreamError
from models.schema.card_numbers import mask
from models.schema.dead_letter import DeadLetter
from models.schema.decoding import Rejection
from models.schema.topics import TopicNames

log = logging.getLogger(__name__)

ANSWER_S: Final = 30.0


class BurialError(FraudstreamError):
    """Raised when the broker has not acknowledged a dead letter."""


class Graveyard:
    """Sends a dead letter and waits for its acknowledgement.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._broker = broker
        self._topics = topics
        self._producer = Producer(
            {"bootstrap.servers": broker, "enable.idempotence": True, "linger.ms": 0, "partitioner": "murmur2_random"},
            logger=log,
        )
        self._failures: list[KafkaError] = []

    def bury(self, offset: int, key: bytes | None, value: bytes | None, reason: str) -> None:
        """Bury the request that lies at an offset; raises BurialError without an answer."""
        rejection = Rejection(0, reason, b"" if value is None else mask(value))
        letter = DeadLetter.of(rejection, self._topics.retrain_requests, 0, offset, key)
        self._producer.produce(
            self._topics.dead_letter,
            letter.value,
            letter.key,
            headers=list(letter.headers),
            on_delivery=self._delivered,
        )
        waiting = self._producer.flush(ANSWER_S)
        if waiting or self._failures:
            reason = self._failures[0].str() if self._failures else f"nothing within {ANSWER_S:g} s"
            raise BurialError(f"{self._broker} has not acknowledged a dead letter: {reason}")

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._failures.append(error)
