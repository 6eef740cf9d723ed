"""Feature rows on their way to the log: those of small batches travel in one message.

A message costs the same whether it holds one row or a hundred: made for each batch of a dozen, it took more than
scoring them did. Nobody waits for it; the scores go out at once. What a crash keeps from the log is computed again.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.schema.feature_batch import MOST_ROWS, ScoredColumns
from models.schema.shadow_scores import ShadowScores
from models.schema.transaction_fields import TransactionFields


@dataclass(frozen=True, slots=True)
class LoggedRows:
    """The rows of one message, or of a part of one: some of those that were scored together.

    Attributes
    ----------
    taken: fields of the transactions that were scored together.
    scored: what scoring found for them.
    first, last: offsets that the message covers.
    model_seconds: by version what a model took for these rows, NaN where it failed.
    part: which of them these rows are, None for all. They are cut out when the message is made, not for each batch.
    """

    taken: TransactionFields
    scored: ScoredColumns
    first: int
    last: int
    model_seconds: Mapping[str, float]
    part: slice | None = None

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.taken) if self.part is None else self.part.stop - self.part.start


Together = Sequence[LoggedRows]
"""What travels in one message, in order: `joined` makes one of it."""


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

    def add(self, rows: LoggedRows) -> list[Together]:
        """Take the rows of one batch; return what is to go out now, in order."""
        out: list[Together] = []
        if self._held and (not _fit(self._held[0], rows) or self._count + len(rows) > MOST_ROWS):
            out += self.take()
        if not self._held:
            self._since_s = self._clock()
        self._held.append(rows)
        self._count += len(rows)
        return out + self.take() if self._count >= self._rows or self.due() else out

    def due(self) -> bool:
        """Whether the first of what is held back has waited long enough."""
        return bool(self._held) and self._clock() - self._since_s >= self._longest_s

    def take(self) -> list[Together]:
        """Return what is held back as the rows of one message; nothing where there is none."""
        held, self._held, self._count = self._held, [], 0
        return [held] if held else []


def _fit(held: LoggedRows, rows: LoggedRows) -> bool:
    """Whether one message can say for both what it says once for all rows."""
    ours, theirs = held.scored, rows.scored
    return ours.profiles_as_of == theirs.profiles_as_of and _models(ours) == _models(theirs)


def _models(scored: ScoredColumns) -> Sequence[str] | None:
    return None if scored.shadow_scores is None else scored.shadow_scores.versions


def joined(held: Together) -> LoggedRows:
    """Return the rows of one message as one."""
    if len(held) == 1 and held[0].part is None:
        return held[0]
    cuts = [slice(0, len(rows.taken)) if rows.part is None else rows.part for rows in held]
    batches = [rows.scored for rows in held]
    seconds: dict[str, float] = {}
    for rows in held:
        for version, took_s in rows.model_seconds.items():
            seconds[version] = seconds.get(version, 0.0) + took_s
    first = batches[0]
    shadows = [
        each.shadow_scores.slice(cut) for each, cut in zip(batches, cuts, strict=True) if each.shadow_scores is not None
    ]
    scored = ScoredColumns(
        source_offset=_cut([each.source_offset for each in batches], cuts),
        score=_cut([each.score for each in batches], cuts),
        decision=_cut([each.decision for each in batches], cuts),
        values=_cut([each.values for each in batches], cuts),
        writer=first.writer,
        epoch=first.epoch,
        role=_names([each.role for each in batches], cuts),
        model_version=_names([each.model_version for each in batches], cuts),
        profiles_as_of=first.profiles_as_of,
        recomputed=first.recomputed,
        verified=_column([each.verified for each in batches], cuts),
        control=_column([each.control for each in batches], cuts),
        pass_probability=_column([each.pass_probability for each in batches], cuts),
        shadow_scores=ShadowScores.joined(shadows),
    )
    taken = TransactionFields.joined([rows.taken for rows in held], cuts)
    return LoggedRows(taken, scored, held[0].first, held[-1].last, seconds)


def _cut(batches: Sequence[NDArray[Any]], cuts: Sequence[slice]) -> NDArray[Any]:
    """Those rows of all batches; of a single one without a copy."""
    parts = [batch[cut] for batch, cut in zip(batches, cuts, strict=True)]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _names(batches: Sequence[Sequence[str] | str], cuts: Sequence[slice]) -> Sequence[str] | str:
    first = batches[0]
    if isinstance(first, str) and all(batch == first for batch in batches):
        return first
    names: list[str] = []
    for batch, cut in zip(batches, cuts, strict=True):
        names += [batch] * (cut.stop - cut.start) if isinstance(batch, str) else batch[cut]
    return names


def _column(batches: Sequence[Any], cuts: Sequence[slice]) -> NDArray[Any] | Any:
    """Rows of arrays, and of constants that stand for one; a constant where all are the same."""
    first = batches[0]
    if not any(isinstance(batch, np.ndarray) for batch in batches) and all(batch == first for batch in batches):
        return first
    pairs = zip(batches, cuts, strict=True)
    return np.concatenate(
        [batch[cut] if isinstance(batch, np.ndarray) else np.full(cut.stop - cut.start, batch) for batch, cut in pairs]
    )
