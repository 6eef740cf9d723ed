"""Where producers put their records: a Kafka producer that loses nothing in silence."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from models.access.kafka_refusal import KafkaRefusal, silence
from models.access.kafka_settings import confluent_settings, settings_error
from models.errors import FraudstreamError

ANSWER_S: Final = 10.0
"""How long a broker may take to answer before it counts as unreachable."""
DELIVERY_S: Final = 30.0
"""How long a record may wait for its acknowledgement; longer, and the command ends."""
_LOOK_S: Final = 0.5
"""How long one look for a broker waits before what the client was told meanwhile is heard."""
_POLL_EVERY: Final = 1000
_FULL_POLL_S: Final = 0.05
_FLUSH_POLL_S: Final = 0.5

_SETTINGS: Final = {
    # Java's partitioner: librdkafka's own would put a card on another partition than every other client does.
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 5,
    "batch.size": 1 << 20,
    "queue.buffering.max.messages": 500_000,
    "delivery.timeout.ms": int(DELIVERY_S * 1000),
}

logger = logging.getLogger(__name__)
logger.addHandler(logging.NullHandler())


class BrokerUnreachableError(FraudstreamError):
    """Raised when no broker answers at the address."""


class BrokerRefusedError(FraudstreamError):
    """Raised when a broker answers and refuses this process: its password, its certificate or its protocol."""


class UnknownTopicError(FraudstreamError):
    """Raised when the broker has no topic of the name."""


class DeliveryError(FraudstreamError):
    """Raised when the broker did not take a record."""


class Outbox:
    """An idempotent producer whose failed deliveries raise, and which can say where its records ended up.

    Records carry the wall clock as their timestamp, never event time, which retention would delete or refuse.

    Parameters
    ----------
    broker: address as HOST:PORT.
    topics: full names of the topics that must be there.
    tracks_offsets: whether `ends` is kept, at 1 us a record.

    Raises
    ------
    BrokerUnreachableError: when the broker does not answer within ANSWER_S.
    BrokerRefusedError: when it refuses this process.
    UnknownTopicError: when it has not all the topics.
    """

    def __init__(self, broker: str, topics: Sequence[str], *, tracks_offsets: bool = False) -> None:
        self._broker = broker
        self._ends: defaultdict[str, dict[int, int]] = defaultdict(dict)
        self._failure: DeliveryError | None = None
        self._failed = 0
        self._sent = 0
        self._handing_over = self._interrupted = False
        report = self._track if tracks_offsets else self._note_failure
        refusal = KafkaRefusal()
        settings = {
            **_SETTINGS,
            **confluent_settings(broker),
            "delivery.report.only.error": not tracks_offsets,
            "on_delivery": report,
            "error_cb": refusal,
        }
        try:
            self._producer = Producer(settings, logger=logger)
        except KafkaException as error:
            raise settings_error(error.args[0].str()) from None
        _require_topics(self._producer, broker, topics, refusal)

    @property
    def delivered(self) -> int:
        """Records that the broker has acknowledged."""
        return self._sent - self._failed - len(self._producer)

    def ends(self, topic: str) -> dict[int, int]:
        """Return, by partition, the offset behind the last record delivered to a topic by this outbox."""
        return dict(self._ends[topic])

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        """Queue one record."""
        self.send_all(topic, [key], [value])

    def send_all(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes]) -> None:
        """Queue records in order, waiting while the local queue is full.

        Raises
        ------
        DeliveryError: when the broker did not take an earlier record.
        KeyboardInterrupt: `interrupt` was called meanwhile.
        """
        for start in range(0, len(values), _POLL_EVERY):
            stop = start + _POLL_EVERY
            self._handing_over = True
            try:
                self._hand_over(topic, keys[start:stop], values[start:stop])
            finally:
                self._handing_over = False
            if self._interrupted:
                raise KeyboardInterrupt
            self._poll(0)

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt, at once or behind the records that are being queued: for a signal handler.

        Raised between a record and its count it would make `give_up` say one too few.
        """
        if not self._handing_over:
            raise KeyboardInterrupt
        self._interrupted = True

    def _hand_over(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes]) -> None:
        produce = self._producer.produce
        for key, value in zip(keys, values, strict=True):
            while True:
                try:
                    produce(topic, value, key)
                    break
                except BufferError:
                    self._poll(_FULL_POLL_S)
                except KafkaException as error:
                    raise self._delivery_error(topic, error.args[0]) from None
            self._sent += 1

    def flush(self) -> None:
        """Wait until every queued record is acknowledged.

        Raises
        ------
        DeliveryError: when one was not.
        """
        while self._producer.flush(_FLUSH_POLL_S):
            self._raise_failure()
        self._raise_failure()

    def give_up(self, within_s: float = ANSWER_S) -> int:
        """Wait a while for what is queued, drop the rest, and return how many records were delivered in all."""
        until = time.monotonic() + within_s
        while self._producer.flush(_FLUSH_POLL_S) and self._failure is None and time.monotonic() < until:
            pass
        delivered = self.delivered
        self._producer.purge()
        self._producer.flush(0)
        return delivered

    def poll(self) -> None:
        """Take note of deliveries while there is nothing to send.

        Raises
        ------
        DeliveryError: when the broker did not take an earlier record.
        """
        self._poll(0)

    def _poll(self, timeout_s: float) -> None:
        self._producer.poll(timeout_s)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _note_failure(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failed += 1
            self._failure = self._failure or self._delivery_error(message.topic() or "?", error)

    def _track(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._note_failure(error, message)
        else:
            # A delivered record has all three, whatever the types say of other messages.
            topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
            self._ends[topic][partition] = offset + 1

    def _delivery_error(self, topic: str, error: KafkaError) -> DeliveryError:
        return DeliveryError(
            f"{self._broker} did not take a record for {topic}: {error.str()}; is the broker up and the topic there?"
        )


def _require_topics(producer: Producer, broker: str, topics: Sequence[str], refusal: KafkaRefusal) -> None:
    until_s = time.monotonic() + ANSWER_S
    while True:
        try:
            present = producer.list_topics(timeout=max(0.01, min(_LOOK_S, until_s - time.monotonic()))).topics
            break
        except KafkaException as error:
            reason = error.args[0].str()
        producer.poll(0)
        if refusal.text is not None:
            raise BrokerRefusedError(f"the Kafka broker at {broker} is not to be used so: {refusal.text}")
        if time.monotonic() >= until_s:
            raise BrokerUnreachableError(silence(broker, ANSWER_S, reason))
    missing = [topic for topic in topics if topic not in present]
    if missing:
        raise UnknownTopicError(
            f"{broker} has no topic {missing[0]}; create it with `fraudstream stack topics`, or check --topic-prefix"
        )
