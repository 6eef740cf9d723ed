"""What a ledger of performance is told once, and how it counts weeks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from models.errors import FraudstreamError
from models.metrics import maturity
from models.metrics.calibration import CalibrationMap
from models.metrics.intervals import RESAMPLES
from models.schema.topics import DAY_MS

WEEK_DAYS: Final = 7


class LedgerError(FraudstreamError):
    """Raised for days that are closed out of order and for settings that cannot be."""


def uncalibrated(_model_version: str) -> CalibrationMap | None:
    """Know no calibration map of any version: nothing is estimated before labels."""
    return None


@dataclass(frozen=True, slots=True)
class LedgerSettings:
    """What a ledger is told once.

    Parameters
    ----------
    maturity_days: age from which an approved transaction without a statement counts as genuine.
    anchor_day: event day on which week 0 starts.
    provisional: whether weeks that are not mature yet are published too, at each close.
    restate_every_days: how often a mature week may be restated: 1 at any close, 7 on the weekday on which it matured.
    curves: completeness of labels by source, for the maturity that each record states.
    feature_names: names of the columns of `ScoredRows.values`; without them only segments of the amount are measured.
    home_country: ISO 3166 numeric code; None takes the country with most rows.
    resamples: behind each interval; 0 leaves the limits out.
    calibration_of: the calibration map of a model version, None where there is none.
    """

    maturity_days: int = 7
    anchor_day: int = 0
    provisional: bool = False
    restate_every_days: int = 1
    curves: maturity.Curves = field(default_factory=lambda: maturity.DEFAULT)
    feature_names: tuple[str, ...] = ()
    home_country: int | None = None
    resamples: int = RESAMPLES
    calibration_of: Callable[[str], CalibrationMap | None] = uncalibrated

    def __post_init__(self) -> None:
        """Refuse what no day can close under."""
        if self.maturity_days < 0 or self.restate_every_days < 1:
            raise LedgerError(
                f"maturity of {self.maturity_days} days must not be negative and restating every "
                f"{self.restate_every_days} days must be at least 1"
            )

    @property
    def maturity_ms(self) -> int:
        """The same age in ms."""
        return self.maturity_days * DAY_MS

    def week_of(self, day: int) -> int:
        """Week that an event day lies in."""
        return (day - self.anchor_day) // WEEK_DAYS

    def first_day(self, week: int) -> int:
        """First event day of a week."""
        return self.anchor_day + WEEK_DAYS * week

    def matures_on(self, week: int) -> int:
        """Event day at whose close the last day of a week is mature."""
        return self.first_day(week + 1) + self.maturity_days - 1

    def mature_week(self, day: int) -> int:
        """Newest week whose days are all mature once event day `day` has closed."""
        return self.week_of(day - self.maturity_days + 1) - 1
