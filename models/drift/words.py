"""Findings in the words of a fraud analyst."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from models.drift.bins import MISSING, UNSEEN, Column
from models.drift.concept import Change
from models.drift.misses import TOTAL, MissFinding
from models.drift.population import PopulationFinding
from models.features.feature_set import FEATURE_SETS
from models.features.merchant_groups import GROUP_NAMES
from models.schema.columns import CHANNEL_NUMBERS, ENTRY_MODE_NUMBERS
from models.schema.iso_codes import COUNTRY_NUMBERS
from models.schema.topics import DAY_MS

PERFORMANCE: Final = "performance"
LATENCY: Final = "latency"
_CODES: Final[dict[str, dict[int, str]]] = {
    "channel": {0: "unknown", **{number: name for name, number in CHANNEL_NUMBERS.items()}},
    "entry_mode": {0: "unknown", **{number: name for name, number in ENTRY_MODE_NUMBERS.items()}},
    "merchant_group": dict(enumerate(GROUP_NAMES)),
    "country": {0: "unknown", **{number: name for name, number in COUNTRY_NUMBERS.items()}},
}
_DESCRIPTIONS: Final = {
    feature.name: feature.description for features in FEATURE_SETS.values() for feature in features.features
}


def date(event_time: int) -> str:
    """Return the UTC date of a moment in ms."""
    return datetime.fromtimestamp(event_time / 1000, UTC).date().isoformat()


def where(column: Column, cell: int) -> str:
    """Return which values a cell holds.

    Examples
    --------
    >>> where(Column("channel", [1.0, 2.0], codes=True), 1)
    'ecommerce'
    >>> where(Column("amount", [0.99, 5.0]), 0)
    'at most 0.99'
    """
    if column.codes and cell < len(column.edges):
        return _CODES.get(column.name, {}).get(int(column.edges[cell]), column.cell_text(cell))
    return column.cell_text(cell)


def misses_sentence(findings: Sequence[MissFinding], columns: Sequence[Column], matured_day: int) -> str:
    """Say which fraud the model misses since when."""
    first = findings[0]
    since = date((matured_day - first.since_days + 1) * DAY_MS)
    days = f"in {first.window_days} days" if first.window_days > 1 else "in one day"
    counts = f"{first.observed:.1f} {days} where {first.expected:.1f} are usual"
    if first.column == TOTAL:
        return f"the model misses more fraud since {since}: {counts} (cards and terminals counted once a day)"
    column = columns[first.column]
    others = sorted({columns[one.column].name for one in findings if one.column != TOTAL} - {column.name})
    beside = f"; also seen in {', '.join(others)}" if others else ""
    # A code's description lists all codes; the one that is meant follows.
    what = "" if column.codes else f" ({_DESCRIPTIONS.get(column.name, column.name)})"
    return (
        f"the model misses more fraud since {since} where {column.name}{what} is {where(column, first.cell)}: "
        f"{counts} (cards and terminals counted once a day){beside}"
    )


def change_sentence(change: Change, since: int) -> str:
    """Say that the mean loss rose and that matured misses confirm it."""
    return (
        f"the model's mean loss rose from {change.before:.5f} to {change.after:.5f} since {date(since)}, "
        "and the matured misses confirm it"
    )


def estimate_sentence(estimate: float, usual: float) -> str:
    """Say that the scores promise less than they used to."""
    return (
        f"the scores of the last week promise an average precision of {estimate:.2f}, usual are {usual:.2f}: the model "
        "is less sure of what it flags (an estimate; labels are not there yet)"
    )


def latency_sentence(half_ms: float, most_ms: float) -> str:
    """Say that scores came late."""
    return f"scores came late: half of the day's within {half_ms:,.0f} ms, 99 of 100 within {most_ms:,.0f} ms"


def population_sentence(findings: Sequence[PopulationFinding], columns: Sequence[Column]) -> str:
    """Say what came otherwise than in the reference."""
    first = findings[0]
    if first.kind == "volume":
        return f"{first.observed:,.0f} transactions in a day where about {first.expected:,.0f} are usual"
    column = columns[first.column]
    others = sorted({columns[one.column].name for one in findings if one.column >= 0} - {column.name})
    beside = f"; so did {', '.join(others)}" if others else ""
    if first.cell == UNSEEN:
        return f"{column.name} had {first.observed:,.0f} values in a day that the model never saw{beside}"
    if first.cell == MISSING:
        return f"{column.name} is missing in {first.observed:.1%} of a day, usual are {first.expected:.1%}{beside}"
    return (
        f"{column.name} moved (stability index {first.statistic:.2f} over a week): {where(column, first.cell)} is now "
        f"{first.observed:.1%} of the transactions, usual are {first.expected:.1%}{beside}"
    )
