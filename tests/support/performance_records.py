"""Records of `performance` made up for tests of what shows them."""

from models.schema.performance import EstimatedFigures, Figure, Figures, Performance, State
from models.schema.topics import DAY_MS

FIRST_DAY = 17_700
"""An event day of June 2018."""


def around(value: float | None, reach: float = 0.05) -> Figure:
    """A figure with limits on both sides."""
    return Figure(None) if value is None else Figure(value, max(value - reach, 0.0), min(value + reach, 1.0))


def record(
    week: int,
    *,
    version: str = "m-1",
    recall: float | None = 0.6,
    state: State = "mature",
    revision: int = 1,
    maturity: float = 0.9,
    as_of_day: int | None = None,
    estimated: EstimatedFigures | None = None,
) -> Performance:
    """One week; precision is a little above its recall and average precision a little below."""
    from_day = FIRST_DAY + 7 * week
    precision = None if recall is None else min(recall + 0.15, 1.0)
    return Performance(
        event_id=f"{version}/{week}/{revision}",
        model_version=version,
        week=week,
        from_day=from_day,
        to_day=from_day + 7,
        as_of=(from_day + 14 if as_of_day is None else as_of_day) * DAY_MS,
        state=state,
        revision=revision,
        restates=f"{version}/{week}/{revision - 1}" if revision > 1 else None,
        maturity=maturity,
        labels_hash=f"{revision:016x}",
        tables={"scores": 3, "labels": 4},
        rows=67_000,
        alerts=350,
        declines=40,
        alert_rate=350 / 67_000,
        counted_rows=66_900,
        counted_alerts=330,
        frauds=560,
        figures=Figures(
            precision=around(precision),
            recall=around(recall),
            average_precision=around(None if recall is None else recall - 0.08),
            auc=around(0.9, 0.01),
            card_precision_100=around(0.31),
            false_positives_per_fraud=around(0.4, 0.1),
            value_detection_rate=around(0.7),
            expected_to_confirmed_ratio=around(1.02, 0.1),
            calibration_error=Figure(0.002),
            log_loss=around(0.016, 0.001),
        ),
        segments=[],
        corrected=None,
        estimated=estimated,
    )
