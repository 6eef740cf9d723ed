"""One model version's week, measured: everything that a record of `performance` says."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from models.metrics import performance, segments, selection
from models.metrics.estimated import estimate
from models.metrics.ledger_settings import LedgerSettings
from models.metrics.maturity import completeness
from models.metrics.scored_rows import DECLINE, ScoredRows
from models.schema.cloud_event import event_id
from models.schema.performance import EstimatedFigures, Performance, SegmentFigures, State


class Revision(NamedTuple):
    """Which of the records of a version and week this one is; the fields are those of `Performance`."""

    event_id: str
    state: State
    revision: int
    restates: str | None
    labels_hash: str


def labels_hash(rows: ScoredRows, counts: npt.NDArray[np.bool_]) -> str:
    """Hash what is known of the rows: 16 hex digits that change when a row's label does or when it begins to count."""
    digest = xxhash.xxh3_64(rows.transaction.tobytes())
    digest.update(np.packbits(counts).tobytes())
    digest.update(np.packbits(rows.is_fraud & counts).tobytes())
    return digest.hexdigest()


def week_record(
    rows: ScoredRows,
    counts: npt.NDArray[np.bool_],
    week: int,
    revision: Revision,
    tables: Mapping[str, int],
    settings: LedgerSettings,
) -> Performance:
    """Measure a week.

    Parameters
    ----------
    rows: all of the version's rows in the week, at least one.
    counts: bool[n] those that the figures rest on.
    week: its number.
    revision: which record this is.
    tables: version of each table that the rows were read from.
    settings: of the ledger.
    """
    # Equal for all revisions of a week, so that its limits move with its labels and not with the draw.
    seed = int(event_id(rows.model_version, week)[:8], 16)
    parts = list(segments.segments(rows, settings.feature_names, settings.home_country))
    rows = replace(rows, values=np.zeros((len(rows), 0), np.float32))  # read no more, and slow to copy
    judged, flagged = rows.take(counts), performance.alerts(rows)
    return Performance(
        event_id=revision.event_id,
        model_version=rows.model_version,
        week=week,
        from_day=settings.first_day(week),
        to_day=settings.first_day(week + 1),
        as_of=rows.as_of,
        state=revision.state,
        revision=revision.revision,
        restates=revision.restates,
        maturity=completeness(rows, settings.curves),
        labels_hash=revision.labels_hash,
        tables=dict(tables),
        rows=len(rows),
        alerts=int(flagged.sum()),
        declines=int(np.sum(rows.decision == DECLINE)),
        alert_rate=float(flagged.mean()) if len(rows) else None,
        counted_rows=len(judged),
        counted_alerts=int(np.sum(flagged & counts)),
        frauds=int(judged.is_fraud.sum()),
        figures=performance.measure(judged, seed=seed, resamples=settings.resamples),
        segments=_segments(rows, parts, settings, seed),
        corrected=selection.correct(rows, settings.maturity_ms, seed=seed, resamples=settings.resamples),
        estimated=_estimated(rows, settings),
    )


def _segments(
    rows: ScoredRows, parts: Iterable[segments.Segment], settings: LedgerSettings, seed: int
) -> list[SegmentFigures]:
    resamples = settings.resamples // 2  # there are some thirty groups, and they take most of the time
    return [segments.measure(rows, segment, settings.maturity_ms, seed=seed, resamples=resamples) for segment in parts]


def _estimated(rows: ScoredRows, settings: LedgerSettings) -> EstimatedFigures | None:
    young = ~performance.mature(rows, settings.maturity_ms)
    calibration = settings.calibration_of(rows.model_version)
    return estimate(rows.take(young), calibration) if calibration is not None and young.any() else None
