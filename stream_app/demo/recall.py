"""How much of the fraud was flagged, by the simulator's truth: per event day, and before, during and after a change."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from models.schema.hashing import hash64_column
from stream_app.demo.bank import Fraud
from stream_app.demo.ledger import Ledger


class Recall(msgspec.Struct, frozen=True):
    """Share of the frauds that were sent to review or declined, all tactics together; None where there was none.

    Attributes
    ----------
    before: on days behind the first model's training data, until the new tactic began.
    during: from its beginning until a retrained model was promoted.
    after: from then until a bad model was pushed.
    """

    before: float | None
    during: float | None
    after: float | None


class DayOfFrauds(NamedTuple):
    """The frauds of one event day that were scored, and how many of them were flagged."""

    day: int
    frauds: int
    flagged: int


class FraudsSeen(NamedTuple):
    """One row per fraud that has a score: its day, when the score came (ms), and whether it was flagged."""

    day: npt.NDArray[np.int64]
    received_at: npt.NDArray[np.float64]
    flagged: npt.NDArray[np.bool_]
    new: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, ledger: Ledger, frauds: Mapping[str, Fraud], new_tactic: str) -> "FraudsSeen":
        """Look the frauds up among the scores; `new` are those of one tactic."""
        ids = hash64_column(list(frauds))
        order = np.argsort(ids)
        day = np.array([fraud.day for fraud in frauds.values()], np.int64)[order]
        new = np.array([fraud.tactic == new_tactic for fraud in frauds.values()], np.bool_)[order]
        scores = np.concatenate([rows for _, rows in ledger.pairs()])
        place = np.minimum(np.searchsorted(ids[order], scores["id"]), len(ids) - 1)
        chosen = ids[order][place] == scores["id"]
        place = place[chosen]
        return cls(day[place], scores["received_at"][chosen], scores["flagged"][chosen], new[place])

    def recall(self, trained_until: int, tactic_day: int, promoted_ms: float | None, bad_ms: float) -> Recall:
        """Return the three figures.

        Parameters
        ----------
        trained_until, tactic_day: last day of the first model's training data, and first one of the new tactic.
        promoted_ms, bad_ms: when a retrained model and when the bad one was promoted; the first None if none was.
        """
        old = (self.day > trained_until) & (self.day < tactic_day)
        until_ms = bad_ms if promoted_ms is None else promoted_ms
        since, upright = self.day >= tactic_day, self.received_at < bad_ms
        return Recall(
            before=self._share(old),
            during=self._share(since & (self.received_at < until_ms)),
            after=self._share(since & upright & (self.received_at >= until_ms)),
        )

    def by_day(self, first_day: int) -> list[DayOfFrauds]:
        """Return the days from one on, in order."""
        days = [int(day) for day in np.unique(self.day) if day >= first_day]
        return [
            DayOfFrauds(day, int((self.day == day).sum()), int(self.flagged[self.day == day].sum())) for day in days
        ]

    def _share(self, chosen: npt.NDArray[np.bool_]) -> float | None:
        return round(float(self.flagged[chosen].mean()), 4) if chosen.any() else None
