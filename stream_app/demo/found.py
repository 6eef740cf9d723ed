"""What the report says of the watch: what was found when, and how soon after the new tactic began."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from models.drift.words import date
from models.schema.drift_event import DriftEvent, DriftKind, DriftLevel
from models.schema.model_event import ModelEvent
from models.schema.retrain_request import RetrainCause, RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.demo.plan import MATURITY_DAYS


class DriftFound(msgspec.Struct, frozen=True):
    """A drift event; it was found at the midnight on which its day begins."""

    day: int
    level: DriftLevel
    kind: DriftKind
    feature: str
    summary: str

    @classmethod
    def of(cls, event: DriftEvent, first_day: int) -> "DriftFound":
        """Count the days of an event from `first_day`, which is one since 1970."""
        return cls(event.day - first_day, event.level, event.kind, event.feature, event.summary)


class RetrainAsked(msgspec.Struct, frozen=True):
    """A request for a new model, and how many known frauds since the change it can learn from."""

    day: int
    cause: RetrainCause
    frauds_since_change: int

    @classmethod
    def of(cls, request: RetrainRequest, first_day: int) -> "RetrainAsked":
        """Count the days of a request from `first_day`, which is one since 1970."""
        return cls(request.as_of // DAY_MS - first_day, request.cause, request.frauds_since_change)


class Promotion(msgspec.Struct, frozen=True):
    """A retrained model that the release loop made champion; `before` was it until then."""

    version: str
    before: str | None
    cause: str
    day: int

    @classmethod
    def of(cls, event: ModelEvent, first_day: int) -> "Promotion":
        """Count the days of an event from `first_day`, which is one since 1970."""
        return cls(event.version, event.before, event.cause, event.as_of // DAY_MS - first_day)


class RollBack(msgspec.Struct, frozen=True):
    """A model that the release loop took back: `version` is champion again, `before` is the bad one.

    `seconds` and `transactions` are from the bad model's promotion to the roll-back, and that it decided on.
    """

    version: str
    before: str | None
    cause: str
    day: int
    seconds: float
    transactions: int

    @classmethod
    def of(cls, event: ModelEvent, first_day: int, seconds: float, transactions: int) -> "RollBack":
        """Count the days of an event from `first_day`, which is one since 1970."""
        day = event.as_of // DAY_MS - first_day
        return cls(event.version, event.before, event.cause, day, round(seconds, 2), transactions)


@dataclass(frozen=True, slots=True)
class Tactic:
    """The new tactic as it went.

    Attributes
    ----------
    first_day: the bank's day 0, as days since 1970.
    day: on which it began.
    payments, flagged: how many there were until a retrained model was promoted, and how many of them were flagged.
    payments_after, flagged_after: the same from then until the bad model was pushed.
    last_day: last day that the watch could look at.
    """

    first_day: int
    day: int
    payments: int
    flagged: int
    payments_after: int
    flagged_after: int
    last_day: int

    @property
    def known_from(self) -> int:
        """The day at whose beginning its first labels are mature."""
        return self.day + MATURITY_DAYS + 1

    def alarm(self, events: Sequence[DriftFound]) -> DriftFound | None:
        """Return the first alarm since it began."""
        return next((one for one in events if one.level == "alarm" and one.day > self.day), None)

    def in_words(self, events: Sequence[DriftFound]) -> tuple[str, str]:
        """Return the day of the first alarm since it began, and how late that is; or that there was none, and why."""
        alarm = self.alarm(events)
        if alarm is not None:
            after = (
                f"{alarm.day - self.day} event days after the tactic began, {alarm.day - self.known_from} after the "
            )
            return self.date(alarm.day), f"{after}first moment at which labels can tell. {_sentence(alarm.summary)}"
        if self.last_day < self.known_from:
            return (
                "none",
                f"labels can tell from {self.date(self.known_from)} on; the run ended on {self.date(self.last_day)}",
            )
        return "none", f"though labels could tell from {self.date(self.known_from)} on; see the logs with --data"

    def date(self, day: int) -> str:
        """Return the date of one of the bank's days."""
        return date((self.first_day + day) * DAY_MS)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
