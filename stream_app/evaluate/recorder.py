"""Reads back what the stream made of each transaction: its score, the feature values as used, and what labels said."""

import threading
import time
from typing import Self, cast

import msgspec
import numpy as np
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.features.history import NO_LABEL
from models.schema.feature_batch import FeatureBatchHeader, decode_feature_batch
from models.schema.label import Label
from models.schema.topics import TopicNames
from stream_app.evaluate.truth import Truth
from stream_app.scores_reader import LastSeen
from stream_app.watch.profiles.source_positions import SourcePositions

_BATCH = 5000
_POLL_S = 0.1


class RecordingError(FraudstreamError):
    """Raised when what came back does not fit the file, or does not come."""


class _SeenScore(msgspec.Struct, frozen=True, gc=False):
    """The fields of a score that are looked at; the worker has validated the rest."""

    transaction_id: str
    score: float
    model_version: str
    source_offset: int
    epoch: int


class Recorder:
    """Follows `scores`, `features` and `labels` in a thread of its own; its arrays have one row per transaction.

    Attributes
    ----------
    scores: float32, NaN where there is none yet.
    scored: how often a score came, by the reader's rule.
    model: number of the model that scored it, in `versions`; -1 for none.
    values: float32[n, F], the feature values as used.
    has_values: whether they came.
    profiles_as_of: the profile step that they were computed with.
    labelled_at: when a label said that it was fraud; NO_LABEL where none did.
    """

    def __init__(self, broker: str, topics: TopicNames, partitions: int, truth: Truth, features: int) -> None:
        self.scores = np.full(len(truth), np.nan, np.float32)
        self.scored = np.zeros(len(truth), np.uint8)
        self.model = np.full(len(truth), -1, np.int16)
        self.versions: list[str] = []
        self.values = np.zeros((len(truth), features), np.float32)
        self.has_values = np.zeros(len(truth), np.bool_)
        self.profiles_as_of = np.zeros(len(truth), np.int64)
        self.labelled_at = np.full(len(truth), NO_LABEL, np.int64)
        self.labels = 0
        self._truth = truth
        self._topics = topics
        self._last_score, self._feature_rows = LastSeen(), SourcePositions(partitions)
        self._decode_scores = msgspec.json.Decoder(list[_SeenScore]).decode
        self._decode_labels = msgspec.json.Decoder(list[Label]).decode
        self._consumer = Consumer(
            {**confluent_settings(broker), "group.id": "evaluate", "enable.auto.commit": False, "fetch.wait.max.ms": 50}
        )
        names = (topics.scores, topics.features, topics.labels)
        self._consumer.assign([TopicPartition(name, p, 0) for name in names for p in range(partitions)])
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._follow, name="recorder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._consumer.close()

    def wait_for(self, rows: int, labels: int, patience_s: float) -> None:
        """Wait until the first rows of the file and so many labels have come back, as long as anything moves.

        What never comes is not waited for for ever: it is counted as lost.
        """
        seen, moved_s = -1, time.monotonic()
        while True:
            self.check()
            complete = bool(self.scored[:rows].all() and self.has_values[:rows].all()) and self.labels >= labels
            now = int(self.scored[:rows].sum()) + int(self.has_values[:rows].sum()) + self.labels
            if complete or time.monotonic() - moved_s > patience_s:
                return
            if now != seen:
                seen, moved_s = now, time.monotonic()
            time.sleep(0.01)

    def check(self) -> None:
        """Raise what ended the thread, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _follow(self) -> None:
        try:
            while not self._stopping.is_set():
                self._take(self._consumer.consume(_BATCH, _POLL_S))
        except BaseException as error:  # noqa: BLE001  handed over to the thread that waits
            self._failure = error

    def _take(self, messages: list[Message]) -> None:
        scores: dict[int, list[bytes]] = {}
        labels = []
        for message in messages:
            error, topic, value = message.error(), message.topic(), message.value()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  librdkafka's public name for it
                    continue
                raise RecordingError(f"reading {topic} back: {error.str()}")
            if topic == self._topics.scores:
                scores.setdefault(message.partition() or 0, []).append(value or b"")
            elif topic == self._topics.features:
                self._take_features(message)
            else:
                labels.append(value or b"")
        for partition, values in scores.items():
            self._take_scores(partition, self._decode_scores(_joined(values)))
        self._take_labels(self._decode_labels(_joined(labels)))

    def _take_scores(self, partition: int, scores: list[_SeenScore]) -> None:
        kept = [s for s in scores if self._last_score.is_new(partition, s.epoch, s.source_offset)]
        rows = self._rows([s.transaction_id for s in kept])
        np.add.at(self.scored, rows, 1)
        self.scores[rows] = [s.score for s in kept]
        self.model[rows] = [self._version(s.model_version) for s in kept]

    def _take_features(self, message: Message) -> None:
        header = FeatureBatchHeader.decode(cast("list[tuple[str, bytes]]", message.headers() or []))
        batch = decode_feature_batch(message.value() or b"")
        new = self._feature_rows.new_rows(message.partition() or 0, header.epoch, batch.numpy("source_offset"))
        rows = self._rows(batch.strings("transaction_id"))[new]
        self.values[rows] = batch.values[new]
        self.profiles_as_of[rows] = batch.numpy("profiles_as_of")[new]
        self.has_values[rows] = True

    def _take_labels(self, labels: list[Label]) -> None:
        rows = self._rows([label.transaction_id for label in labels])
        self.labelled_at[rows] = [label.labelled_at if label.is_fraud else NO_LABEL for label in labels]
        self.labels += len(labels)

    def _version(self, version: str) -> int:
        if version not in self.versions:
            self.versions.append(version)
        return self.versions.index(version)

    def _rows(self, transaction_ids: list[str]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
        rows = self._truth.rows_of(transaction_ids)
        if len(rows) and rows.min() < 0:
            raise RecordingError(
                f"{transaction_ids[int(rows.argmin())]} came back but is not in the file: is somebody else sending?"
            )
        return rows


def _joined(values: list[bytes]) -> bytes:
    return b"[" + b",".join(values) + b"]"
