"""How much of the truth is in: the share of frauds that are known by a certain age, by who states them."""

from collections.abc import Iterable, Mapping
from typing import Final, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.metrics.scored_rows import ScoredRows
from models.schema.label import LabelSource
from models.schema.topics import DAY_MS

_FEWEST_STATEMENTS: Final = 50
"""A curve from fewer frauds of a source would be moved by a single one."""


class MaturityError(FraudstreamError):
    """Raised for a curve that does not rise to 1."""


class CompletenessCurve(msgspec.Struct, frozen=True):
    """Share of a source's statements that have come by a certain age of the transaction.

    Attributes
    ----------
    share: how many of all frauds the source states, relative to the other sources.
    days: ages, growing; nothing comes before the first, and between two the curve is straight.
    known: share that has come by each, never falling, 1 at the last.

    Raises
    ------
    MaturityError: when it is no such curve.
    """

    share: float
    days: list[float]
    known: list[float]

    def __post_init__(self) -> None:
        """Refuse what is no curve."""
        if len(self.days) != len(self.known) or not self.days or self.known[-1] != 1.0:
            raise MaturityError(f"a completeness curve {self.known} over {self.days} days: end it with a share of 1")
        if np.any(np.diff(self.days) <= 0) or np.any(np.diff(self.known) < 0) or self.known[0] < 0:
            raise MaturityError(f"a completeness curve {self.known} over {self.days} days must rise: sort its points")

    def at(self, age_days: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the share that has come by each age."""
        return np.interp(age_days, self.days, self.known, left=0.0)


Curves = Mapping[LabelSource, CompletenessCurve]

HANDBOOK: Final[Curves] = {"chargeback": CompletenessCurve(1.0, [7.0], [1.0])}
"""The Fraud Detection Handbook's world: everything is known on day 7 and nothing before."""

DEFAULT: Final[Curves] = {
    "customer_report": CompletenessCurve(
        0.45, [0, 1, 2, 3, 5, 7, 10, 14, 30], [0, 0.18, 0.36, 0.5, 0.71, 0.84, 0.93, 0.98, 1]
    ),
    "issuer_report": CompletenessCurve(0.25, [1, 2, 3, 5, 7, 10, 14, 30], [0, 0.04, 0.15, 0.39, 0.6, 0.8, 0.93, 1]),
    "analyst": CompletenessCurve(0.20, [0, 0.25, 0.5, 1, 3], [0, 0.47, 0.79, 0.97, 1]),
    "chargeback": CompletenessCurve(0.10, [30, 45, 60, 90, 120], [0, 0.34, 0.7, 0.96, 1]),
}
"""What the simulated bank's reports do: analysts answer within hours, customers and issuers within days, and one fraud
in ten comes as a chargeback after 30 to 120 days. To be replaced by a bank's own, see `estimate`."""


def completeness(rows: ScoredRows, curves: Curves = DEFAULT) -> float:
    """Expected share of the rows' frauds that are known by `rows.as_of`, 0 to 1; 1 without rows.

    Every row is taken to be a fraud with the same chance, so the figure does not depend on the scores.
    """
    if not len(rows):
        return 1.0
    return float(np.mean(known_share((rows.as_of - rows.event_time) / DAY_MS, curves)))


def known_share(age_days: npt.NDArray[np.float64], curves: Curves = DEFAULT) -> npt.NDArray[np.float64]:
    """Share of all frauds of each age that are known, whoever states them.

    Examples
    --------
    >>> known_share(np.array([6.9, 7.0]), HANDBOOK).tolist()
    [0.0, 1.0]
    """
    whole = sum(curve.share for curve in curves.values())
    known = [curve.share * curve.at(age_days) for curve in curves.values()]
    return np.asarray(np.clip(np.sum(known, axis=0) / whole, 0.0, 1.0))


def estimate(parts: Iterable[ScoredRows], fallback: Curves = DEFAULT) -> Curves:
    """Estimate the curves from the frauds stated so far.

    Recent transactions can show short delays only: their frauds that are stated late are not there yet, and the plain
    distribution of delays would come out too quick. So the share within t days is put together backwards: among the
    statements within t days of transactions that are at least t days old, those of day t itself are the chance that a
    delay of at most t days is exactly t. Nothing can be said of delays beyond the oldest transaction: the curve ends
    there.

    Parameters
    ----------
    parts: rows of any days, as of any moments.
    fallback: stays in place for a source with fewer than 50 frauds stated, its share with it.

    References
    ----------
    Lagakos, Barraj, De Gruttola (1988): Nonparametric analysis of truncated survival data, with application to AIDS.
    """
    delays, limits, sources = _stated_frauds(parts)
    curves: dict[LabelSource, CompletenessCurve] = dict(fallback)
    for place, source in enumerate(get_args(LabelSource), start=1):
        mine = sources == place
        if mine.sum() >= _FEWEST_STATEMENTS:
            known, share = _reversed_hazards(delays[mine], limits[mine])
            curves[source] = CompletenessCurve(share / len(delays), list(map(float, range(len(known)))), known)
    return curves


def _stated_frauds(parts: Iterable[ScoredRows]) -> tuple[npt.NDArray[np.int64], ...]:
    """Delay and age in whole days, and the source, of every fraud that was stated in time for its age."""
    columns: list[tuple[npt.NDArray[np.int64], ...]] = []
    for rows in parts:
        frauds = rows.is_fraud & rows.stated
        made = rows.event_time[frauds]
        delay = -((made - rows.stated_at[frauds]) // DAY_MS)
        age = (rows.as_of - made) // DAY_MS
        within = delay <= age
        columns.append((delay[within], age[within], rows.label_source[frauds][within].astype(np.int64)))
    if not columns:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.int64)
    return tuple(np.concatenate(column) for column in zip(*columns, strict=True))


def _reversed_hazards(delays: npt.NDArray[np.int64], ages: npt.NDArray[np.int64]) -> tuple[list[float], float]:
    """Return the share known by each day from 0 on, and how many frauds there are once all are known."""
    longest = int(delays.max())
    on_day = np.bincount(delays, minlength=longest + 1)
    too_young = np.cumsum(np.bincount(np.minimum(ages, longest + 1), minlength=longest + 2))
    younger = np.concatenate(([0], too_young[:longest]))
    at_risk = np.cumsum(on_day) - younger
    kept = 1.0 - on_day / np.maximum(at_risk, 1)
    known = np.append(np.cumprod(kept[:0:-1])[::-1], 1.0)
    seen = np.interp(ages, np.arange(longest + 1), known)
    return known.tolist(), float(np.sum(1.0 / np.maximum(seen, 1.0 / len(delays))))
