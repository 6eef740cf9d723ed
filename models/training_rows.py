"""The rows that models are trained and judged on."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.families.base import Values
from models.features.feature_set import WARM_UP_DAYS
from models.features.history import NO_LABEL, History
from models.manifest import TrainingData
from models.schema.topics import DAY_MS


class TrainingError(FraudstreamError):
    """Raised for rows that a model cannot be trained or judged on."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingRows:
    """Mature rows: every label that is still to come is so late that it is taken as never coming.

    Parameters
    ----------
    values
        float32 [n, F]
    is_fraud
        bool [n]
    event_time
        int64 [n], ms
    card
        [n], any id of the card; it names the cards of card precision.
    description
        Where the rows come from, for the manifest.
    weight
        float64 [n], or None when all rows weigh alike.
    table_versions
        Version of each table that was read.
    terminal
        uint64 [n], or None: without it there is no drift reference.
    labelled_at
        int64 [n], ms at which the label was stated, -1 without one; or None, as above.
    reference_days
        First event day, and the one after the last, on which every window was full and all labels are mature; or None.
    """

    values: Values
    is_fraud: npt.NDArray[np.bool_]
    event_time: npt.NDArray[np.int64]
    card: npt.NDArray[np.generic]
    description: str
    weight: npt.NDArray[np.float64] | None = None
    table_versions: Mapping[str, int] = field(default_factory=dict)
    terminal: npt.NDArray[np.uint64] | None = None
    labelled_at: npt.NDArray[np.int64] | None = None
    reference_days: tuple[int, int] | None = None

    def __len__(self) -> int:
        """How many rows."""
        return len(self.values)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "TrainingRows":
        """Return the chosen rows."""
        columns = ("values", "is_fraud", "event_time", "card", "weight", "terminal", "labelled_at")
        held = ((name, getattr(self, name)) for name in columns)
        taken: dict[str, Any] = {name: None if column is None else column[chosen] for name, column in held}
        return replace(self, **taken)

    def weighted(self, weight: npt.NDArray[np.float64]) -> "TrainingRows":
        """Return the rows with other weights [n]."""
        return replace(self, weight=weight)

    def summary(self) -> TrainingData:
        """Return what the manifest says of these rows."""
        return TrainingData(
            description=self.description,
            from_event_time=int(self.event_time.min()),
            to_event_time=int(self.event_time.max()),
            rows=len(self),
            frauds=int(self.is_fraud.sum()),
            table_versions=dict(self.table_versions),
            sha256=self._sha256(),
        )

    def _sha256(self) -> str:
        digest = hashlib.sha256()
        for column in (self.values, self.is_fraud, self.weight):
            if column is not None:
                digest.update(np.ascontiguousarray(column).data)
        return digest.hexdigest()


def mature_rows(
    history: History, values: Values, *, from_day: int, as_of: int, maturity_ms: int, source: str
) -> TrainingRows:
    """Return what could be trained on at a moment: rows old enough, with the labels known by then.

    Parameters
    ----------
    history: transactions in order of event time; later ones are not looked at.
    values: float32[n, F] of at least the rows before `as_of`.
    from_day: first day that is taken, counted from that of the first transaction.
    as_of: event time, ms.
    maturity_ms: age at which a transaction's labels count as complete.
    source: in words.

    Raises
    ------
    TrainingError: no row is old enough.
    """
    times = history.columns.event_time
    start = int(times[0]) // DAY_MS if len(times) else 0
    chosen = np.flatnonzero((times >= (start + from_day) * DAY_MS) & (times <= as_of - maturity_ms))
    if not len(chosen):
        raise TrainingError(
            f"no row of {source} is from day {from_day} on and {maturity_ms / DAY_MS:g} days old "
            f"on day {as_of // DAY_MS - start}; lower --from-day or give more days"
        )
    stated = (history.labelled_at[chosen] != NO_LABEL) & (history.labelled_at[chosen] <= as_of)
    return TrainingRows(
        values=values[chosen],
        is_fraud=history.is_fraud[chosen] & stated,
        event_time=times[chosen],
        card=history.columns.card[chosen],
        description=f"{source}, days {from_day} to {(as_of - maturity_ms) // DAY_MS - start}, labels as of day "
        f"{as_of // DAY_MS - start}",
        terminal=history.columns.terminal[chosen],
        labelled_at=np.where(stated, history.labelled_at[chosen], NO_LABEL),
        reference_days=(start + max(from_day, WARM_UP_DAYS), (as_of - maturity_ms) // DAY_MS),
    )


def thinned(
    rows: TrainingRows, most_genuine: int, seed: int, among: npt.NDArray[np.bool_] | None = None
) -> TrainingRows:
    """Return all frauds and a draw of the genuine rows, which weigh as much as all: a fit takes a fraction of the time.

    What is drawn weighs 1 on average, so that a family's penalties mean the same for every draw.

    Parameters
    ----------
    most_genuine: how many genuine rows to keep, about.
    seed: of the draw.
    among: bool[n] rows that count at all; None are all of them. Only those that are kept are copied.
    """
    counted = np.ones(len(rows), np.bool_) if among is None else among
    share = most_genuine / max(1, int((counted & ~rows.is_fraud).sum()))
    if share >= 1.0:
        return rows if among is None else rows.take(among)
    drawn = np.zeros(len(rows), np.bool_)
    drawn[counted] = np.random.default_rng(seed).random(int(counted.sum())) < share
    few = rows.take(counted & (rows.is_fraud | drawn))
    weight = np.ones(len(few)) if few.weight is None else few.weight
    weight = weight / np.where(few.is_fraud, 1.0, share)
    return few.weighted(weight * (len(few) / weight.sum()))
