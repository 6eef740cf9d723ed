"""What a version's warning tests computed for an event day, as the record that is published."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.drift.monitor import ModelMonitor
from models.drift.population import PopulationDay
from models.drift.reference import DriftReference
from models.metrics.performance import alerts
from models.metrics.scored_rows import ScoredRows
from models.schema.drift_statistics import DayEstimate, DriftStatistics, FeatureStatistics
from models.schema.topics import DAY_MS


def day_statistics(
    day: int, rows: ScoredRows, monitor: ModelMonitor, table_versions: Mapping[str, int]
) -> DriftStatistics:
    """Return the figures of the day that the monitor has just taken.

    Parameters
    ----------
    day: the event day that closed.
    rows: all of the version's rows of that day, at least one.
    monitor: of the version; `arrived` was called with these rows.
    table_versions: what they were read from.
    """
    computed, flagged = monitor.population.last, alerts(rows)
    assert computed is not None
    reference = monitor.reference
    return DriftStatistics(
        model_version=rows.model_version,
        as_of=(day + 1) * DAY_MS,
        event_day=day,
        window_days=computed.window_days,
        rows=len(rows),
        least_rows=computed.volume[0],
        most_rows=computed.volume[1],
        alerts=int(flagged.sum()),
        unseen_limit=computed.unseen_limit,
        features=_features(reference, computed),
        estimated=_estimate(rows.score, flagged, monitor),
        reference=reference.description,
        table_versions=dict(table_versions),
    )


def _features(reference: DriftReference, computed: PopulationDay) -> list[FeatureStatistics]:
    columns, limits = reference.bins.columns, reference.population
    stability = [None] * len(columns) if computed.stability is None else computed.stability.tolist()
    missing, unseen = computed.missing.tolist(), computed.unseen.tolist()
    return [
        FeatureStatistics(
            feature=column.name,
            stability_index=stability[at],
            stability_limit=limits.psi_limits[at],
            missing_share=missing[at],
            missing_limit=limits.missing_limits[at],
            unseen_rows=int(unseen[at]),
        )
        for at, column in enumerate(columns)
    ]


def _estimate(score: npt.NDArray[np.floating], flagged: npt.NDArray[np.bool_], monitor: ModelMonitor) -> DayEstimate:
    chance, usual = monitor.reference.calibration.chance(score), monitor.reference.estimate
    return DayEstimate(
        frauds=float(chance.sum()),
        frauds_flagged=float(chance[flagged].sum()),
        average_precision=monitor.estimate.estimate,
        usual_average_precision=usual.average_precision,
        average_precision_limit=usual.limit,
    )
