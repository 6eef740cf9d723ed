"""Records of `drift-statistics` made up for tests of what shows them."""

from models.schema.drift_statistics import DayEstimate, DriftStatistics, FeatureStatistics
from models.schema.topics import DAY_MS


def feature(
    name: str, index: float | None, limit: float = 0.1, *, missing: float = 0.0, unseen: int = 0
) -> FeatureStatistics:
    """A feature whose gaps warn from 2 % of a day on."""
    return FeatureStatistics(name, index, limit, missing, 0.02, unseen)


def statistics(
    day: int,
    *,
    version: str = "m-1",
    amount: float | None = 0.01,
    others: tuple[FeatureStatistics, ...] = (),
    rows: int = 10_000,
    frauds: float = 80.0,
    caught: float = 60.0,
    average_precision: float | None = 0.7,
) -> DriftStatistics:
    """A day on which the amount and the score are known, and what else is given."""
    return DriftStatistics(
        model_version=version,
        as_of=(day + 1) * DAY_MS,
        event_day=day,
        window_days=7,
        rows=rows,
        least_rows=7_000.0,
        most_rows=13_000.0,
        alerts=rows // 100,
        unseen_limit=20.0,
        features=[feature("amount", amount), *others, feature("score", 0.02, 0.2)],
        estimated=DayEstimate(frauds, caught, average_precision, 0.72, 0.6),
        reference="four weeks",
        table_versions={"scores": 3},
    )
