"""A Kafka producer for few records, each of which must have arrived before anything else is done."""

import logging
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, Message, Producer

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from stream_app.telemetry.traces import sending, trace_headers

log = logging.getLogger(__name__)

_POLL_S: Final = 1.0


class DeliveryError(FraudstreamError):
    """Raised when the broker has not acknowledged what was sent."""


class AcknowledgedProducer:
    """Sends and waits.

    Parameters
    ----------
    broker: Kafka's address.
    answer_s: how long the broker may take to acknowledge.
    """

    def __init__(self, broker: str, answer_s: float) -> None:
        self._broker = broker
        self._answer_s = answer_s
        self._producer = Producer(
            {**confluent_settings(broker), "enable.idempotence": True, "linger.ms": 0, "partitioner": "murmur2_random"},
            logger=log,
        )
        self._failure: KafkaError | None = None

    def send(self, topic: str, value: bytes | None, key: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
        """Hand over a record; `settle` waits for it."""
        with sending(topic):
            self._hand_over(topic, value, key, [*headers, *trace_headers()])

    def _hand_over(
        self, topic: str, value: bytes | None, key: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        while True:
            try:
                self._producer.produce(topic, value, key, headers=list(headers), on_delivery=self._delivered)
                break
            except BufferError:
                self._producer.poll(_POLL_S)
        self._producer.poll(0)

    def settle(self) -> None:
        """Wait until all that was sent is acknowledged; raises DeliveryError when something was not."""
        waiting = self._producer.flush(self._answer_s)
        if self._failure is not None or waiting:
            reason = f"{waiting} records" if self._failure is None else self._failure.str()
            raise DeliveryError(
                f"the broker at {self._broker} has not acknowledged within {self._answer_s:g} s: {reason}"
            )

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._failure = self._failure or error
