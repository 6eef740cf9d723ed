"""Drift of each feature over the last weeks, those farthest beyond their limit first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from models.schema.drift_statistics import DriftStatistics, FeatureStatistics
from models.schema.topics import DAY_MS
from stream_app.console.health.dates import day as date
from stream_app.console.health.figures import percent, significant
from stream_app.console.health.records import HealthRecords
from stream_app.console.health.words import in_words

SHOWN_DAYS: Final = 91
"""A quarter: a shift of today is told from one that comes every month."""


@dataclass(frozen=True, slots=True)
class FeatureDay:
    """A feature on a closed event day, of the version that decided on most of it."""

    at_ms: int
    version: str
    index: float | None
    limit: float


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One small multiple.

    Attributes
    ----------
    name, words: of the feature.
    days: in order.
    last: the last known stability index; None while no window was full.
    last_ms: the midnight that closed the day that it is of.
    last_version: the model whose tests it is of.
    limit: from which on the index warns.
    over: how far the worst of the feature's tests is, in times its limit; 1 and more is beyond.
    since_ms: beginning of the first of the days beyond the limit that have lasted up to the last; None when it is not.
    others: what else is beyond its limit, in words: gaps, values never seen.
    """

    name: str
    words: str
    days: list[FeatureDay]
    last: float | None
    last_ms: int
    last_version: str
    limit: float
    over: float
    since_ms: int | None
    others: list[str]

    @property
    def beyond(self) -> bool:
        """Whether it is beyond a limit."""
        return self.over >= 1.0

    @property
    def sentence(self) -> str:
        """Where it stands."""
        if self.last is None:
            said = "no stability index yet: the model has not seen seven days"
        else:
            where = "beyond" if self.last >= self.limit else "within"
            said = f"stability index {significant(self.last)}, {where} the limit of {significant(self.limit)}"
            said += f" on {date(self.last_ms - DAY_MS)}"
            if self.last_version != self.days[-1].version:
                said += f" with {self.last_version}; {self.days[-1].version} has not seen seven days"
        since = "" if self.since_ms is None else f", beyond since {date(self.since_ms)}"
        return "; ".join([said + since, *self.others])


def features_of(records: HealthRecords) -> list[FeatureDrift]:
    """Return the features that the last champion's tests look at, the farthest beyond its limit first."""
    days = [day[0] for day in records.days][-SHOWN_DAYS:]
    if not days:
        return []
    by_day = [{one.feature: one for one in record.features} for record in days]
    found = [_drift(feature, days, by_day) for feature in days[-1].features]
    return sorted(found, key=lambda one: -one.over)


def _drift(
    last: FeatureStatistics, records: Sequence[DriftStatistics], by_day: Sequence[dict[str, FeatureStatistics]]
) -> FeatureDrift:
    days = [
        FeatureDay(record.as_of, record.model_version, found.stability_index, found.stability_limit)
        for record, features in zip(records, by_day, strict=True)
        if (found := features.get(last.feature)) is not None
    ]
    known = next((day for day in reversed(days) if day.index is not None), None)
    index, limit = (None, last.stability_limit) if known is None else (known.index, known.limit)
    ratios, others = _others(last, records[-1])
    return FeatureDrift(
        name=last.feature,
        words=in_words(last.feature),
        days=days,
        last=index,
        last_ms=(known or days[-1]).at_ms,
        last_version=(known or days[-1]).version,
        limit=limit,
        over=max(0.0 if index is None else index / max(limit, 1e-12), *ratios),
        since_ms=_since(days),
        others=others,
    )


def _since(days: Sequence[FeatureDay]) -> int | None:
    since = None
    for day in days:
        if day.index is not None:
            since = None if day.index < day.limit else since if since is not None else day.at_ms - DAY_MS
    return since


def _others(last: FeatureStatistics, record: DriftStatistics) -> tuple[tuple[float, float], list[str]]:
    gaps = last.missing_share / max(last.missing_limit, 1e-12)
    strange = last.unseen_rows / max(record.unseen_limit, 1e-12)
    said = []
    if gaps >= 1.0:
        said.append(f"missing in {percent(last.missing_share, 1)} of the day, limit {percent(last.missing_limit, 1)}")
    if strange >= 1.0:
        said.append(f"{last.unseen_rows:,} values never seen before, limit {record.unseen_limit:,.0f}")
    return (gaps, strange), said
