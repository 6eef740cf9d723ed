"""All that the page Health shows, from the records."""

from dataclasses import dataclass
from typing import Final

from models.schema.topics import DAY_MS
from stream_app.console.health.accuracy import Week, weeks_of
from stream_app.console.health.chart import Chart, chart_of
from stream_app.console.health.estimates import Estimate, estimates_of
from stream_app.console.health.features import FeatureDrift, features_of
from stream_app.console.health.headline import Headline, headline_of
from stream_app.console.health.marks import Incident, Mark, incidents_of, marks_of
from stream_app.console.health.maturity import stretches_of
from stream_app.console.health.records import HealthRecords
from stream_app.console.health.small_multiple import SmallMultiple, small_multiple

FIRST_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class HealthView:
    """What the template is given.

    Attributes
    ----------
    now_ms: event time up to which days have closed; 0 before the first.
    headline: how things stand.
    weeks: newest first, for the table.
    estimates: of the days behind the last measured week.
    chart: for the script.
    marks, incidents: newest first.
    features: small multiples, the farthest beyond its limit first; as many as are to be shown.
    drifts: all features, for the table.
    version: the champion of the last closed day.
    """

    now_ms: int
    headline: Headline
    weeks: list[Week]
    estimates: list[Estimate]
    chart: Chart
    marks: list[Mark]
    incidents: list[Incident]
    features: list[SmallMultiple]
    drifts: list[FeatureDrift]
    version: str | None

    @property
    def beyond_count(self) -> int:
        """How many features are beyond a limit."""
        return sum(one.beyond for one in self.drifts)

    @property
    def last_day_ms(self) -> int:
        """Beginning of the last closed day."""
        return self.now_ms - DAY_MS


def health_view(records: HealthRecords, features_shown: int | None = FIRST_SHOWN) -> HealthView:
    """Return the page; `features_shown` None is all of them."""
    weeks, marks, drifts = weeks_of(records), marks_of(records), features_of(records)
    estimates, incidents = estimates_of(records), incidents_of(records)
    return HealthView(
        now_ms=records.now_ms,
        headline=headline_of(records, weeks, drifts),
        weeks=weeks[::-1],
        estimates=estimates,
        chart=chart_of(weeks, estimates, stretches_of(records, weeks), marks, incidents),
        marks=marks[::-1],
        incidents=incidents[::-1],
        features=[small_multiple(one, marks) for one in drifts[:features_shown]],
        drifts=drifts,
        version=records.days[-1][0].model_version if records.days else None,
    )
