"""The weeks: what was measured, how sure it is, and what was said first where a week was restated."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from models.schema.performance import Figure, Performance, State
from models.schema.topics import DAY_MS
from stream_app.console.health.records import HealthRecords

FIGURES: Final = ("recall", "precision", "average_precision", "value_detection_rate")
"""Fields of `Figures` that the page draws."""
ESTIMATED: Final = ("recall", "precision", "average_precision")
"""Those that scores alone promise something of."""


@dataclass(frozen=True, slots=True)
class Week:
    """One version's week as it is known now.

    Attributes
    ----------
    from_ms, to_ms: event time.
    champion: whether the version decided on most of the week's transactions.
    figures: newest, by name.
    first: by name what was published first with the week's last day mature, where it has changed since.
    estimated: by name what scores promise of its rows that are not mature; empty where all are.
    revision, published_ms: of the newest record; when it was stated, event time.
    counted: mature transactions whose label is known; the figures are theirs.
    """

    version: str
    champion: bool
    from_ms: int
    to_ms: int
    state: State
    revision: int
    published_ms: int
    maturity: float
    rows: int
    alerts: int
    alert_rate: float | None
    counted: int
    frauds: int
    figures: dict[str, Figure]
    first: dict[str, float]
    estimated: dict[str, float | None]

    @property
    def middle_ms(self) -> int:
        """Where its points lie."""
        return (self.from_ms + self.to_ms) // 2

    def value(self, name: str) -> float | None:
        """Return a figure without its interval."""
        return self.figures[name].value


def weeks_of(records: HealthRecords) -> list[Week]:
    """Return each version's weeks in the order of time, the champion of a week before the others."""
    revisions: dict[tuple[int, str], list[Performance]] = {}
    for record in sorted(records.performance, key=lambda one: one.revision):
        revisions.setdefault((record.from_day, record.model_version), []).append(record)
    weeks = [_week(found, records.champions) for found in revisions.values()]
    return sorted(weeks, key=lambda week: (week.from_ms, not week.champion, week.version))


def champions_of(weeks: Iterable[Week]) -> list[Week]:
    """Return one week of event time after another, each with the version that decided on most of it."""
    return [week for week in weeks if week.champion]


def _week(revisions: list[Performance], champions: dict[int, str]) -> Week:
    newest = revisions[-1]
    published = next((record for record in revisions if record.state != "provisional"), newest)
    promised = newest.estimated
    figures: dict[str, Figure] = {name: getattr(newest.figures, name) for name in FIGURES}
    before: dict[str, float | None] = {name: getattr(published.figures, name).value for name in FIGURES}
    return Week(
        version=newest.model_version,
        champion=champions[newest.from_day] == newest.model_version,
        from_ms=newest.from_day * DAY_MS,
        to_ms=newest.to_day * DAY_MS,
        state=newest.state,
        revision=newest.revision,
        published_ms=newest.as_of,
        maturity=newest.maturity,
        rows=newest.rows,
        alerts=newest.alerts,
        alert_rate=newest.alert_rate,
        counted=newest.counted_rows,
        frauds=newest.frauds,
        figures=figures,
        estimated={} if promised is None else {name: getattr(promised, name) for name in ESTIMATED},
        first={name: value for name, value in before.items() if value is not None and value != figures[name].value},
    )
