"""Requests that cannot be read, or have failed too often, on the topic `dead-letter`."""

from typing import Final

from models.schema.dead_letter import DeadLetter
from models.schema.decoding import Rejection
from models.schema.topics import TopicNames
from stream_app.acknowledged_producer import AcknowledgedProducer

ANSWER_S: Final = 30.0


class Graveyard:
    """Sends a dead letter and waits for its acknowledgement.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self._topics = topics
        self._producer = AcknowledgedProducer(broker, ANSWER_S)

    def bury(self, offset: int, key: bytes | None, value: bytes | None, reason: str) -> None:
        """Bury the request that lies at an offset; raises DeliveryError without an answer."""
        rejection = Rejection.of(0, reason, value)
        letter = DeadLetter.of(rejection, self._topics.retrain_requests, 0, offset, key)
        self._producer.send(self._topics.dead_letter, letter.value, letter.key, letter.headers)
        self._producer.settle()
