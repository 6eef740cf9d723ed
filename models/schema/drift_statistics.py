"""How far each feature was from what a model was used to on an event day, on the topic `drift-statistics`."""

import msgspec

from models.schema.field_types import Count, Version1, version_1


class FeatureStatistics(msgspec.Struct, frozen=True):
    """One feature, or the score, beside the limits from which on the watch warns.

    Attributes
    ----------
    feature: the feature, or `score`.
    stability_index: population stability index over the window; null until the window is full.
    stability_limit: its limit, by the budget of false alarms for all features together.
    missing_share: share of the day's values that are unknown.
    missing_limit: its limit.
    unseen_rows: values of the day that the reference does not hold; their limit is that of the record.
    """

    feature: str
    stability_index: float | None
    stability_limit: float
    missing_share: float
    missing_limit: float
    unseen_rows: Count


class DayEstimate(msgspec.Struct, frozen=True):
    """What the scores alone lead to expect before any label is there; see `EstimatedFigures`.

    Attributes
    ----------
    frauds, frauds_flagged: expected among the day's rows, and among its alerts.
    average_precision: expected over the window; null until the window is full.
    usual_average_precision, average_precision_limit: of the reference, and below which the watch warns.
    """

    frauds: float
    frauds_flagged: float
    average_precision: float | None
    usual_average_precision: float
    average_precision_limit: float


class DriftStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the warning tests of one model version computed when an event day closed, found or not.

    Attributes
    ----------
    as_of: event time of the midnight that closed the day, ms.
    event_day: the day that closed, as days since 1970-01-01; a `DriftEvent` of the same midnight has the next one.
    window_days: event days of this version that the stability index and the estimate are taken over.
    rows: the version's transactions of the day.
    least_rows, most_rows: limits of their number, by the weekday.
    alerts: those sent to review or declined, or let pass as control.
    unseen_limit: limit of each feature's `unseen_rows`.
    features: in the order of the feature set; the score is the last.
    estimated: what the scores promise.
    reference: which rows it was compared with.
    table_versions: the archive's tables that it was read from.
    """

    model_version: str
    as_of: int
    event_day: int
    window_days: Count
    rows: Count
    least_rows: float
    most_rows: float
    alerts: Count
    unseen_limit: float
    features: list[FeatureStatistics]
    estimated: DayEstimate
    reference: str
    table_versions: dict[str, int]
    schema_version: Version1 = msgspec.field(default_factory=version_1)
