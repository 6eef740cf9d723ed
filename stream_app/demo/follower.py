"""Reads `transactions` and `scores` from their beginning into a ledger, in a thread of its own."""

import threading
import time
from collections import defaultdict, deque
from typing import Self

import msgspec
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.demo.ledger import Flagged, Ledger, SeenScore, SeenTransaction

_POLL_S = 0.1
_BATCH = 10_000
_FLAGGED_KEPT = 200

_SETTINGS = {
    "group.id": "fraudstream-demo",  # asked for by the client; nothing is committed
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
    # Otherwise a full local queue keeps it from fetching for a second.
    "fetch.queue.backoff.ms": 5,
}


class FollowerError(FraudstreamError):
    """Raised when the topics can no longer be read, or hold what nobody sent."""


class Follower:
    """Fills a ledger until it is told to stop.

    The moment of a score is when the client has handed it over. `flagged` holds the latest flagged scores.
    """

    def __init__(self, broker: str, topics: TopicNames, partitions: int) -> None:
        self.ledger = Ledger(partitions)
        self.flagged: deque[Flagged] = deque(maxlen=_FLAGGED_KEPT)
        self._topics = topics
        self._consumer = Consumer({**confluent_settings(broker), **_SETTINGS})
        names = (topics.transactions, topics.scores)
        self._consumer.assign([TopicPartition(name, p, 0) for name in names for p in range(partitions)])
        self._decode_transactions = msgspec.json.Decoder(list[SeenTransaction]).decode
        self._decode_scores = msgspec.json.Decoder(list[SeenScore]).decode
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _follow(self) -> None:
        try:
            while not self._stopping.is_set():
                # `consume` waits until it has as many as it was asked for; `poll` returns with the first.
                first = self._consumer.poll(_POLL_S)
                if first is not None:
                    messages = [first, *self._consumer.consume(_BATCH, 0)]
                    self._take(messages, time.time_ns() / 1e6)
        except BaseException as error:  # noqa: BLE001  handed over to the thread that waits
            self._failure = error

    def _take(self, messages: list[Message], received_at: float) -> None:
        by_place: defaultdict[tuple[str | None, int], list[Message]] = defaultdict(list)
        for message in messages:
            error = message.error()
            if error is None:
                by_place[message.topic(), message.partition() or 0].append(message)
            elif error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's public name for it
                raise FollowerError(f"reading {message.topic()}: {error.str()}; is the broker still up?")
        for (topic, partition), records in by_place.items():
            if topic == self._topics.scores:
                self._take_scores(partition, records, received_at)
            else:
                self._take_transactions(partition, records)

    def _take_transactions(self, partition: int, records: list[Message]) -> None:
        self.ledger.add_transactions(
            partition,
            [record.offset() or 0 for record in records],
            [record.timestamp()[1] for record in records],
            self._decode_transactions(_joined(records)),
        )

    def _take_scores(self, partition: int, records: list[Message], received_at: float) -> None:
        scores = self._decode_scores(_joined(records))
        self.ledger.add_scores(partition, scores, received_at)
        self.flagged.extend(
            Flagged(partition, one.source_offset, one.score, record.value() or b"")
            for one, record in zip(scores, records, strict=True)
            if one.flagged
        )


def _joined(records: list[Message]) -> bytes:
    return b"[" + b",".join([record.value() or b"null" for record in records]) + b"]"
