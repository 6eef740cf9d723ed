"""Single transactions out of the topics: a place by halving, an identifier by a bounded look back."""

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.decoding import decode_transactions
from models.schema.feature_batch import FeatureBatchHeader, decode_feature_batch
from models.schema.money import default_reporting_currency
from models.schema.score import Score
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from stream_app.console.records.place import Place
from stream_app.console.transaction.decision import Decision, FeatureRecord
from stream_app.topic_admin import describe_topics

GROUP: Final = "fraudstream-console-transaction"
REQUEST_S: Final = 4.0
"""A page waits for it: a broker that is away is told of soon."""
LOOK_BACK: Final = 100_000
"""Scores of each partition that are looked through for an identifier: a second or two."""
LONGEST_S: Final = 8.0
_NEAR: Final = 200
"""A record that was sent again lies near the first: so far around a place is looked."""
_MOST_EPOCHS: Final = 10
_BATCH: Final = 5_000
_READ_S: Final = 0.3

Key = tuple[int, int]


class TopicSearchError(FraudstreamError):
    """Raised when the broker does not answer."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """How far a look back came: `since_ms` is the wall time of the oldest score that was looked at, None of none."""

    place: Place | None
    looked_at: int
    since_ms: int | None
    complete: bool


class TopicSearch:
    """Every call connects for itself and may run on any thread.

    Parameters
    ----------
    broker: Kafka's address.
    topics: their names.
    look_back: scores of each partition that an identifier is looked for in.
    """

    def __init__(
        self,
        broker: str,
        topics: TopicNames,
        look_back: int = LOOK_BACK,
        longest_s: float = LONGEST_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._look_back = look_back
        self._longest_s = longest_s
        self._clock_s = clock_s

    def find(self, transaction_id: str) -> Scanned:
        """Look for the first score of an identifier among the last ones of each partition."""
        until_s = self._clock_s() + self._longest_s
        marker = wire.encode(transaction_id)
        looked_at, since_ms, complete, found = 0, None, True, None
        with self._reader() as reader:
            for partition in range(self._partitions()):
                low, high = reader.edges(self._topics.scores, partition)
                start = max(low, high - self._look_back)
                complete &= start == low
                for message in reader.forward(self._topics.scores, partition, start, high):
                    looked_at += 1
                    since_ms = min(message.timestamp()[1], since_ms or message.timestamp()[1])
                    value = message.value() or b""
                    if found is None and marker in value:
                        found = _place_of(value, partition, transaction_id)
                    if self._clock_s() > until_s:
                        return Scanned(found, looked_at, since_ms, complete=False)
                if found is not None:
                    break
        return Scanned(found, looked_at, since_ms, complete)

    def find_offset(self, partition: int, source_offset: int) -> Place | None:
        """The place of an offset of `transactions` in the newest epoch that has it."""
        with self._reader() as reader:
            epochs = self._last_epoch(reader, partition)
            for epoch in range(epochs, max(-1, epochs - _MOST_EPOCHS), -1):
                place = Place(partition, epoch, source_offset)
                if self._score(reader, place) is not None:
                    return place
        return None

    def decision(self, place: Place) -> Decision | None:
        """Everything the topics still have of a place; None where its score is gone, or never was."""
        with self._reader() as reader:
            if place.partition >= self._partitions():
                return None
            score = self._score(reader, place)
            if score is None:
                return None
            feature = self._feature(reader, place, score.writer)
            return Decision(place, score, feature, self._sent(reader, place, score.transaction_id), "the topics")

    def transaction(self, place: Place, transaction_id: str) -> Transaction | None:
        """The payment at a place; None where it is gone, or where another lies since the topic was created again."""
        with self._reader() as reader:
            return self._sent(reader, place, transaction_id)

    def _score(self, reader: "_Reader", place: Place) -> Score | None:
        wanted = (place.epoch, place.source_offset)
        for message in reader.around(self._topics.scores, place.partition, wanted, _score_key):
            if _score_key(message) == wanted:
                return wire.decode(Score, message.value() or b"")
        return None

    def _feature(self, reader: "_Reader", place: Place, writer: str) -> FeatureRecord | None:
        wanted = (place.epoch, place.source_offset)
        again: FeatureRecord | None = None
        for message in reader.around(self._topics.features, place.partition, wanted, _last_covered):
            header = FeatureBatchHeader.decode(message.headers() or ())  # type: ignore[arg-type]  # bytes, as written
            covers = header.epoch == place.epoch and header.first_offset <= place.source_offset <= header.last_offset
            if not covers or not (header.writer == writer or header.recomputed):
                continue
            rows = decode_feature_batch(message.value() or b"")
            at = rows.numpy("source_offset").tolist()
            if place.source_offset in at:
                record = FeatureRecord.of_message(rows, at.index(place.source_offset))
                if record.writer == writer and not record.recomputed:
                    return record
                again = again or record
        return again

    def _sent(self, reader: "_Reader", place: Place, transaction_id: str) -> Transaction | None:
        low, high = reader.edges(self._topics.transactions, place.partition)
        if not low <= place.source_offset < high:
            return None
        end = place.source_offset + 1
        for message in reader.forward(self._topics.transactions, place.partition, place.source_offset, end):
            good, _, _ = decode_transactions([message.value()], default_reporting_currency())
            if good and message.offset() == place.source_offset and good[0].transaction_id == transaction_id:
                return good[0]
        return None

    def _last_epoch(self, reader: "_Reader", partition: int) -> int:
        low, high = reader.edges(self._topics.scores, partition)
        start = max(low, high - _NEAR)
        keys = [_score_key(message) for message in reader.forward(self._topics.scores, partition, start, high)]
        return max((epoch for epoch, _ in keys), default=-1)

    def _partitions(self) -> int:
        return describe_topics(self._broker, [self._topics.scores])[self._topics.scores].partitions

    @contextlib.contextmanager
    def _reader(self) -> "Iterator[_Reader]":
        consumer = Consumer(
            {
                **confluent_settings(self._broker),
                "group.id": GROUP,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,
            }
        )
        try:
            yield _Reader(consumer)
        except KafkaException as error:
            raise TopicSearchError(f"the broker at {self._broker} does not answer: {error.args[0].str()}") from error
        finally:
            consumer.close()


class _Reader:
    """Reads pieces of partitions with one consumer."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer

    def edges(self, topic: str, partition: int) -> tuple[int, int]:
        """First offset and end of a partition."""
        found: Sequence[int] | None = self._consumer.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=REQUEST_S
        )
        low, high = found or (0, 0)
        return low, high

    def forward(self, topic: str, partition: int, start: int, end: int, at_once: int = _BATCH) -> Iterator[Message]:
        """Yield the records from an offset up to another, which are there or were."""
        if start >= end:
            return
        self._consumer.assign([TopicPartition(topic, partition, start)])
        until_s = time.monotonic() + REQUEST_S
        while time.monotonic() < until_s:
            for message in self._consumer.consume(min(at_once, end - start), _READ_S):
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                        return
                    raise TopicSearchError(f"reading {topic}: {error.str()}")
                if (message.offset() or 0) >= end:
                    return
                yield message
                if (message.offset() or 0) == end - 1:
                    return
        raise TopicSearchError(f"{topic} {partition} could not be read from {start} to {end} in {REQUEST_S:g} s")

    def around(self, topic: str, partition: int, wanted: Key, key: Callable[[Message], Key]) -> Iterator[Message]:
        """Yield the records near the place where keys reach one that is looked for."""
        low, high = first, end = self.edges(topic, partition)
        while low < high:
            middle = (low + high) // 2
            at = next(self.forward(topic, partition, middle, end, at_once=1), None)
            found = None if at is None else key(at)
            if found is None or found >= wanted:
                high = middle
            else:
                low = max(middle, (at.offset() or 0) if at is not None else 0) + 1
        yield from self.forward(topic, partition, max(first, low - _NEAR), min(end, low + _NEAR))


def _score_key(message: Message) -> Key:
    score = wire.decode(Score, message.value() or b"")
    return score.epoch, score.source_offset


def _last_covered(message: Message) -> Key:
    header = FeatureBatchHeader.decode(message.headers() or ())  # type: ignore[arg-type]  # bytes, as written
    return header.epoch, header.last_offset


def _place_of(value: bytes, partition: int, transaction_id: str) -> Place | None:
    score = wire.decode(Score, value)
    matches = score.transaction_id == transaction_id
    return Place(partition, score.epoch, score.source_offset) if matches else None
