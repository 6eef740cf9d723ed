"""Feature rows on their way to the log: those of small batches travel in one message.

A message costs the same whether it holds one row or a hundred: made for each batch of a dozen, it took more than
scoring them did. Nobody waits for it; the scores go out at once. What a crash keeps from the log is computed again.
"""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.schema.feature_batch import MOST_ROWS, ScoredColumns
from models.schema.shadow_scores import ShadowScores
from models.schema.transaction_fields import TransactionFields


class LoggedRows(NamedTuple):
    """The rows of one message.

    Attributes
    ----------
    taken: fields of the n transactions.
    scored: what scoring found.
    first, last: offsets that the message covers.
    model_seconds: by version what a model took for all n, NaN where it failed.
    """

    taken: TransactionFields
    scored: ScoredColumns
    first: int
    last: int
    model_seconds: Mapping[str, float]


class FeatureBuffer:
    """Holds the feature rows of one partition back until there are enough of them, or the first has waited.

    Parameters
    ----------
    rows: from how many on they go out; 1 holds none back.
    longest_s: how long the first may wait.
    clock: seconds that only grow.
    """

    def __init__(self, rows: int = 1, longest_s: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._rows, self._longest_s, self._clock = rows, longest_s, clock
        self._held: list[LoggedRows] = []
        self._count = 0
        self._since_s = 0.0

    def __len__(self) -> int:
        """Return how many batches are held back."""
        return len(self._held)

    def add(self, rows: LoggedRows) -> list[LoggedRows]:
        """Take the rows of one batch; return what is to go out now, in order."""
        out = []
        if self._held and (not _fit(self._held[0], rows) or self._count + len(rows.taken) > MOST_ROWS):
            out += self.take()
        if not self._held:
            self._since_s = self._clock()
        self._held.append(rows)
        self._count += len(rows.taken)
        return out + self.take() if self._count >= self._rows or self.due() else out

    def due(self) -> bool:
        """Whether the first of what is held back has waited long enough."""
        return bool(self._held) and self._clock() - self._since_s >= self._longest_s

    def take(self) -> list[LoggedRows]:
        """Return what is held back as the rows of one message; nothing where there is none."""
        held, self._held, self._count = self._held, [], 0
        return [_joined(held)] if held else []


def _fit(held: LoggedRows, rows: LoggedRows) -> bool:
    """Whether one message can say for both what it says once for all rows."""
    ours, theirs = held.scored, rows.scored
    return ours.profiles_as_of == theirs.profiles_as_of and _models(ours) == _models(theirs)


def _models(scored: ScoredColumns) -> Sequence[str] | None:
    return None if scored.shadow_scores is None else scored.shadow_scores.versions


def _joined(held: list[LoggedRows]) -> LoggedRows:
    if len(held) == 1:
        return held[0]
    taken = TransactionFields.joined([rows.taken for rows in held])
    lengths = [len(rows.taken) for rows in held]
    parts = [rows.scored for rows in held]
    seconds: dict[str, float] = {}
    for rows in held:
        for version, took_s in rows.model_seconds.items():
            seconds[version] = seconds.get(version, 0.0) + took_s
    first = parts[0]
    scored = ScoredColumns(
        source_offset=np.concatenate([part.source_offset for part in parts]),
        score=np.concatenate([part.score for part in parts]),
        decision=np.concatenate([part.decision for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        writer=first.writer,
        epoch=first.epoch,
        role=_names([part.role for part in parts], lengths),
        model_version=_names([part.model_version for part in parts], lengths),
        profiles_as_of=first.profiles_as_of,
        recomputed=first.recomputed,
        verified=_column([part.verified for part in parts], lengths),
        control=_column([part.control for part in parts], lengths),
        pass_probability=_column([part.pass_probability for part in parts], lengths),
        shadow_scores=ShadowScores.joined([part.shadow_scores for part in parts if part.shadow_scores is not None]),
    )
    return LoggedRows(taken, scored, held[0].first, held[-1].last, seconds)


def _names(parts: Sequence[Sequence[str] | str], lengths: Sequence[int]) -> Sequence[str] | str:
    first = parts[0]
    if isinstance(first, str) and all(part == first for part in parts):
        return first
    rows = (itertools.repeat(p, n) if isinstance(p, str) else p for p, n in zip(parts, lengths, strict=True))
    return list(itertools.chain.from_iterable(rows))


def _column(parts: Sequence[Any], lengths: Sequence[int]) -> NDArray[Any] | Any:
    first = parts[0]
    arrays = sum(isinstance(part, np.ndarray) for part in parts)
    if arrays == len(parts):
        return np.concatenate(parts)
    if not arrays and all(part == first for part in parts):
        return first
    return np.concatenate([np.broadcast_to(part, (n,)) for part, n in zip(parts, lengths, strict=True)])
