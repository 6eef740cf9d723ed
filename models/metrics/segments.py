"""Parts of a set of rows that are measured by themselves: channel, entry mode, merchant, amount, home or abroad."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from models.metrics import performance
from models.metrics.intervals import RESAMPLES
from models.metrics.scored_rows import ScoredRows
from models.schema.field_types import Channel, EntryMode
from models.schema.performance import SegmentFigures

FEWEST_FRAUDS: Final = 10
"""With fewer the interval of a recall spans more than half of all there is, so counts say it all."""

_CODES: Final = {
    "channel": ("unknown", *get_args(Channel)),
    "entry_mode": ("unknown", *get_args(EntryMode)),
    "merchant_group": (
        "unknown",
        "everyday",
        "services",
        "health",
        "fuel",
        "retail",
        "travel",
        "resale",
        "digital",
        "cash",
        "gambling",
    ),
}
"""Features whose value is a code, and the name of each code from 0 on."""
_AMOUNT_LIMITS_MINOR: Final = (1_000, 5_000, 20_000, 100_000)
_AMOUNT_BANDS: Final = ("below 10", "10 to 50", "50 to 200", "200 to 1,000", "1,000 and more")


class Segment(NamedTuple):
    """One group of a segment and the rows that belong to it."""

    segment: str
    group: str
    rows: npt.NDArray[np.bool_]


def segments(rows: ScoredRows, feature_names: Sequence[str], home_country: int | None = None) -> Iterator[Segment]:
    """Yield every group that has rows; the groups of one segment share no row.

    Parameters
    ----------
    rows: any rows.
    feature_names: names of the columns of `rows.values`; segments whose feature is not there are left out.
    home_country: ISO 3166 numeric code; None takes the country with most rows.
    """
    columns = dict(zip(feature_names, rows.values.T, strict=False))
    for name, groups in _CODES.items():
        if name in columns:
            yield from _groups(name, groups, columns[name].astype(np.int64))
    yield from _groups("amount", _AMOUNT_BANDS, np.searchsorted(_AMOUNT_LIMITS_MINOR, rows.amount_minor, side="right"))
    if "country" in columns and len(rows):
        country = columns["country"].astype(np.int64)
        home = int(np.bincount(country).argmax()) if home_country is None else home_country
        abroad = np.where(country == 0, 0, np.where(country == home, 1, 2))
        yield from _groups("country", ("unknown", "home", "abroad"), abroad)


def measure(
    rows: ScoredRows, segment: Segment, maturity_ms: int, *, seed: int = 0, resamples: int = RESAMPLES
) -> SegmentFigures:
    """Return a segment's counts, and its figures when it holds at least 10 frauds.

    Rows and alerts are all of the segment, the frauds and figures those of rows that count.
    """
    judged = rows.take(segment.rows & performance.counted(rows, maturity_ms))
    flagged = int(np.sum(performance.alerts(rows) & segment.rows))
    counts = SegmentFigures(
        segment.segment, segment.group, int(segment.rows.sum()), flagged, int(judged.is_fraud.sum())
    )
    if counts.frauds < FEWEST_FRAUDS:
        return counts
    ranked = performance.ranking(judged)
    point, drawn = ranked.tally(), ranked.resampled(resamples, seed)
    return SegmentFigures(
        counts.segment,
        counts.group,
        counts.rows,
        counts.alerts,
        counts.frauds,
        precision=performance.precision(ranked, point, drawn),
        recall=performance.recall(ranked, point, drawn),
        average_precision=performance.figure("average_precision", point, drawn),
        value_detection_rate=performance.figure("value_detection_rate", point, drawn),
    )


def _groups(segment: str, names: Sequence[str], place: npt.NDArray[np.int64]) -> Iterator[Segment]:
    for at, name in enumerate(names):
        rows = place == at
        if rows.any():
            yield Segment(segment, name, rows)
