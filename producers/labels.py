"""The labels of a file's frauds, each with the source that reports it and when it becomes known."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, get_args

import numpy as np

from models.schema.label import Label, LabelSource
from producers.column_mapping import ColumnMapping
from producers.column_reader import ColumnReader
from producers.label_delays import DEFAULT_SOURCES, HOUR_MS, DelayDistribution, LabelDelayError, LabelDelays

_FIELDS: Final = ("transaction_id", "event_time", "card_id", "terminal_id", "is_fraud")
_UNITS_MS: Final = {"m": HOUR_MS // 60, "h": HOUR_MS, "d": 24 * HOUR_MS}
_DELAY = re.compile(r"^(?P<low>\d+(?:\.\d+)?)(?P<low_unit>[mhd])(?:\.\.(?P<high>\d+(?:\.\d+)?)(?P<high_unit>[mhd]))?$")
_MEAN_AT = 0.3
"""Where between its limits the mean of a delay lies when only the limits are given."""


def read_labels(path: Path, mapping: ColumnMapping, delays: LabelDelays) -> list[Label]:
    """Return a label for every fraud of a file.

    Raises
    ------
    MappingError: when the mapping has no column for is_fraud.
    HistoryFileError: when the file cannot be read.
    """
    mapping.require_labels()
    labels: list[Label] = []
    for chunk in ColumnReader(path, mapping, _FIELDS).chunks():
        rows = np.flatnonzero(chunk.flags("is_fraud"))
        sources, delays_ms = delays.draw(len(rows))
        times = chunk.event_times()[rows]
        labels.extend(
            Label(transaction_id, card_id, terminal_id, event_time, True, source, labelled_at)
            for transaction_id, card_id, terminal_id, event_time, source, labelled_at in zip(
                chunk.texts("transaction_id", rows),
                chunk.texts("card_id", rows),
                chunk.texts("terminal_id", rows),
                times.tolist(),
                sources,
                (times + delays_ms).tolist(),
                strict=True,
            )
        )
    return labels


def parse_sources(delays: Sequence[str], shares: Sequence[str]) -> dict[LabelSource, DelayDistribution]:
    """Return the default sources with some delays and shares given otherwise.

    Parameters
    ----------
    delays: each as SOURCE=30d..120d, or SOURCE=8h for a delay of exactly that.
    shares: each as SOURCE=0.2. When any is given, sources that are not named have none.

    Raises
    ------
    LabelDelayError: naming the text that cannot be read.

    Examples
    --------
    >>> parse_sources(["analyst=1h..5h"], ["analyst=1"])["analyst"].longest_ms
    18000000
    """
    sources = dict(DEFAULT_SOURCES)
    given = dict(_named(text, "--share") for text in shares)
    for source, distribution in DEFAULT_SOURCES.items():
        share = _number(given[source]) if source in given else 0.0 if given else distribution.share
        sources[source] = _changed(distribution, share=share)
    for text in delays:
        source, delay = _named(text, "--delay")
        sources[source] = _changed(sources[source], limits=_limits(delay))
    return sources


def _changed(
    distribution: DelayDistribution, share: float | None = None, limits: tuple[int, int] | None = None
) -> DelayDistribution:
    shortest, longest = limits or (distribution.shortest_ms, distribution.longest_ms)
    mean = distribution.mean_ms if limits is None else shortest + round(_MEAN_AT * (longest - shortest))
    return DelayDistribution(
        distribution.share if share is None else share, shortest, mean, longest, distribution.shape
    )


def _named(text: str, option: str) -> tuple[LabelSource, str]:
    name, _, value = text.partition("=")
    by_name: Mapping[str, LabelSource] = {source: source for source in get_args(LabelSource)}
    if name not in by_name or not value:
        raise LabelDelayError(f"{option} {text!r} is not SOURCE=VALUE with a source of: {', '.join(by_name)}")
    return by_name[name], value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise LabelDelayError(f"a share of {text!r} is no number") from None


def _limits(text: str) -> tuple[int, int]:
    match = _DELAY.match(text)
    if match is None:
        raise LabelDelayError(f"a delay of {text!r} cannot be read; write 8h, or 30d..120d, with m, h or d")
    low = round(float(match["low"]) * _UNITS_MS[match["low_unit"]])
    high = low if match["high"] is None else round(float(match["high"]) * _UNITS_MS[match["high_unit"]])
    return low, high
