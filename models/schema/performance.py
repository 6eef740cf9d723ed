"""How well a model did in a week of event time, on the topic `performance`, keyed by model_version."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from models.schema.field_types import Count, Identifier, TimeMs, Version1, version_1

State = Literal["provisional", "mature", "restated"]
Share = Annotated[float, Meta(ge=0, le=1)]


class Figure(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval; null where the rows do not define it.

    Attributes
    ----------
    value: the figure.
    low, high: limits of the interval.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


class Figures(msgspec.Struct, frozen=True):
    """What is measured on mature rows whose label is known; every formula is in docs/contracts/metrics.md."""

    precision: Figure
    recall: Figure
    average_precision: Figure
    auc: Figure
    card_precision_100: Figure
    false_positives_per_fraud: Figure
    value_detection_rate: Figure
    expected_to_confirmed_ratio: Figure
    calibration_error: Figure
    log_loss: Figure


class SegmentFigures(msgspec.Struct, frozen=True):
    """The same of a part of the rows: `group` of `segment`, as `ecommerce` of `channel`.

    With too few frauds the counts stand alone and the figures are null.
    """

    segment: str
    group: str
    rows: Count
    alerts: Count
    frauds: Count
    precision: Figure | None = None
    recall: Figure | None = None
    average_precision: Figure | None = None
    value_detection_rate: Figure | None = None


class CorrectedFigures(msgspec.Struct, frozen=True):
    """Figures with the declines put back: each control row stands for those that were declined in its place.

    Attributes
    ----------
    control_rows: control rows whose label is known.
    effective_control_rows: rows of equal weight that would say as much about the declined, by Kish.
    effective_alerts: the same of all alerts, those that were never declined included.
    weight_cap: largest weight of a row.
    declines_not_represented: declines that could not have passed, so that no control row speaks for them.
    """

    control_rows: Count
    effective_control_rows: float
    effective_alerts: float
    weight_cap: float
    declines_not_represented: Count
    precision: Figure
    recall: Figure
    average_precision: Figure


class EstimatedFigures(msgspec.Struct, frozen=True):
    """What calibrated scores alone lead to expect of the rows that are not mature.

    Attributes
    ----------
    rows: rows that are not mature.
    alerts: those of them that were flagged.
    frauds, frauds_flagged: expected numbers.
    """

    rows: Count
    alerts: Count
    frauds: float
    frauds_flagged: float
    precision: float | None
    recall: float | None
    average_precision: float | None


class Performance(msgspec.Struct, frozen=True):
    """Figures of one model version in one week, as of a moment.

    A week is published when its last day is mature and again whenever a statement that came later changes it; both
    records stay, and the later one names the earlier.

    Attributes
    ----------
    event_id: id of the event that carries the record.
    week: number of the week.
    from_day, to_day: event days (UTC days since 1970) from the first to the one after the last.
    as_of: event time up to which statements are known, ms.
    state: `provisional` until the last day is mature, then `mature`, `restated` from the second mature one on.
    revision: 1 for the first record of this version and week, then one more each time.
    restates: event_id of the record that this one replaces.
    maturity: expected share of the rows' fraud labels that are known, 0 to 1.
    labels_hash: of the labels that the figures rest on; equal hashes give equal figures.
    tables: version of each table that the rows were read from.
    rows: all rows of the version in the week.
    alerts: those sent to review or declined, or let pass as control.
    declines: those declined.
    alert_rate: alerts / rows.
    counted_rows: mature rows whose label is known; the figures are theirs.
    counted_alerts: alerts among them.
    frauds: frauds among them.
    figures: see there.
    segments: the same by part of the rows.
    corrected: with the declines put back; null without a control row.
    estimated: of the rows that are not mature; null when there are none or no calibration map is known.
    """

    event_id: Identifier
    model_version: Identifier
    week: int
    from_day: int
    to_day: int
    as_of: TimeMs
    state: State
    revision: Annotated[int, Meta(ge=1)]
    restates: Identifier | None
    maturity: Share
    labels_hash: str
    tables: dict[str, Count]
    rows: Count
    alerts: Count
    declines: Count
    alert_rate: float | None
    counted_rows: Count
    counted_alerts: Count
    frauds: Count
    figures: Figures
    segments: list[SegmentFigures]
    corrected: CorrectedFigures | None
    estimated: EstimatedFigures | None
    schema_version: Version1 = msgspec.field(default_factory=version_1)
