"""Messages of the feature log turned into pairs: what two models said of the same transactions."""

import logging
import math
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from confluent_kafka import Message

from models.manifest import Thresholds
from models.release.pairs import Pairs
from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader, FeatureRows, decode_feature_batch
from models.schema.hashing import hash64_column
from models.schema.money import default_reporting_currency
from models.schema.shadow_scores import shadow_scores_of
from models.scorer import APPROVE, DECLINE, REVIEW

log = logging.getLogger(__name__)

_FEW: Final = 101
"""A moment is the median of so many rows: one transaction that comes a day late, or from the future, moves no stage."""


class Judged(NamedTuple):
    """A model and its thresholds."""

    version: str
    thresholds: Thresholds


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What one message brought."""

    partition: int
    offset: int
    pairs: Pairs


class PairedRows:
    """The rows of a stage, or the latest of them.

    Parameters
    ----------
    model, baseline: the two that are compared.
    positions: by partition the offset that comes first.
    window_rows: how many rows are kept; None for all.
    """

    def __init__(
        self, model: Judged, baseline: Judged, positions: Mapping[int, int], window_rows: int | None = None
    ) -> None:
        self._model = model
        self._baseline = baseline
        self._window_rows = window_rows
        self._chunks: deque[_Chunk] = deque()
        self._kept = 0
        self._batches = 0
        self._first: list[int] = []
        self._last: deque[int] = deque(maxlen=_FEW)
        self._canary_first: list[int] = []
        self._next = dict(positions)
        self.rows = 0
        self.unpaired = 0
        self.unasked = 0
        self.canary_rows = 0

    @property
    def since(self) -> int | None:
        """Event time of the first rows, ms; None before them."""
        return _median(self._first)

    @property
    def as_of(self) -> int:
        """Event time of the latest transactions, ms; 0 before the first."""
        return _median(self._last) or 0

    @property
    def canary_since(self) -> int | None:
        """Event time of the first rows from the canary's first on, ms."""
        return _median(self._canary_first)

    def pairs(self) -> Pairs:
        """Return the rows that are kept."""
        return Pairs.concat([chunk.pairs for chunk in self._chunks])

    def positions(self) -> dict[int, int]:
        """Return from where the rows that are kept can be read again."""
        oldest: dict[int, int] = {}
        for chunk in self._chunks:
            oldest.setdefault(chunk.partition, chunk.offset)
        return self._next | oldest

    def take(self, messages: Sequence[Message]) -> int:
        """Add messages and return how many transactions they brought, paired or not."""
        before = self.rows + self.unpaired
        for message in messages:
            self._take(message)
        return self.rows + self.unpaired - before

    @staticmethod
    def moment(messages: Sequence[Message]) -> int | None:
        """Return the event time of the last message that can be read, ms: the median of its rows; None without one."""
        for message in reversed(messages):
            with suppress(FeatureBatchError):
                rows = decode_feature_batch(message.value() or b"")
                if len(rows):
                    return _median(rows.numpy("event_time").tolist())
        return None

    def _take(self, message: Message) -> None:
        partition, offset = message.partition() or 0, message.offset() or 0
        self._next[partition] = offset + 1
        try:
            header = FeatureBatchHeader.decode(_headers(message))
            rows = decode_feature_batch(message.value() or b"")
        except FeatureBatchError as error:
            # The archive buries it; here it is a batch that says nothing of either model.
            log.warning(
                "feature batch %d of partition %d is passed over: %s", offset, partition, error,
                extra={"partition": partition, "offset": offset},
            )  # fmt: skip
            return
        if header.recomputed or not len(rows):
            return
        self._last.extend(rows.numpy("event_time")[-_FEW:].tolist())
        pairs = self._paired(rows, header)
        self.rows += len(pairs)
        self.unpaired += len(rows) - len(pairs)
        if len(pairs):
            self._keep(_Chunk(partition, offset, pairs))

    def _paired(self, rows: FeatureRows, header: FeatureBatchHeader) -> Pairs:
        deciding = rows.strings("model_version")
        asked, score = _said(rows, deciding, self._model.version)
        baseline_asked, baseline = _said(rows, deciding, self._baseline.version)
        canary = _equals(rows.strings("role"), "canary") & _equals(deciding, self._model.version)
        amounts = default_reporting_currency().column(rows.numpy("amount_minor").tolist(), rows.strings("currency"))
        self._batches += 1
        self.unasked += int(np.sum(~asked))
        return Pairs(
            score=score,
            baseline_score=baseline,
            decision=_decisions(score, self._model.thresholds),
            baseline_decision=_decisions(baseline, self._baseline.thresholds),
            amount=np.asarray(amounts, np.int64),
            card=hash64_column(rows.strings("card_id")),
            event_time=rows.numpy("event_time"),
            canary=canary,
            us=_times(header, self._model.version, len(rows)),
            baseline_us=_times(header, self._baseline.version, len(rows)),
            batch=np.full(len(rows), self._batches, np.int64),
        ).take(asked & baseline_asked)

    def _keep(self, chunk: _Chunk) -> None:
        times = chunk.pairs.event_time
        self._first += times[: _FEW - len(self._first)].tolist()
        if self.canary_rows or chunk.pairs.canary.any():
            start = 0 if self.canary_rows else int(chunk.pairs.canary.argmax())
            self.canary_rows += len(chunk.pairs) - start
            self._canary_first += times[start : start + _FEW - len(self._canary_first)].tolist()
        self._chunks.append(chunk)
        self._kept += len(chunk.pairs)
        while self._window_rows is not None and self._kept - len(self._chunks[0].pairs) >= self._window_rows:
            self._kept -= len(self._chunks.popleft().pairs)


def _headers(message: Message) -> list[tuple[str, bytes]]:
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [(name, value) for name, value in pairs if isinstance(value, bytes)]


def _equals(names: Sequence[str], name: str) -> npt.NDArray[np.bool_]:
    return np.array([each == name for each in names], np.bool_)


def _said(
    rows: FeatureRows, deciding: Sequence[str], version: str
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float32]]:
    """Whether a model was asked about each row, and its score, NaN where it gave none."""
    asked = _equals(deciding, version)
    scores = np.where(asked, rows.numpy("score"), np.float32(np.nan)).astype(np.float32)
    beside, shadow = shadow_scores_of(rows.table.column("shadow_scores"), version)
    asked[beside], scores[beside] = True, shadow
    return asked, scores


def _decisions(scores: npt.NDArray[np.float32], thresholds: Thresholds) -> npt.NDArray[np.uint8]:
    decisions = np.full(len(scores), APPROVE, np.uint8)
    decisions[scores >= np.float32(thresholds.review)] = REVIEW
    if thresholds.decline is not None:
        decisions[scores >= np.float32(thresholds.decline)] = DECLINE
    return decisions


def _times(header: FeatureBatchHeader, version: str, rows: int) -> npt.NDArray[np.float32]:
    return np.full(rows, header.model_us.get(version, math.nan), np.float32)


def _median(times: Sequence[int] | deque[int]) -> int | None:
    return int(np.median(list(times))) if times else None
