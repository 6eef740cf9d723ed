"""How long a partition waited when the model changed, beside how long it waits between any two scores."""

from collections.abc import Sequence

import msgspec
import numpy as np

from stream_app.demo.accounting import Period
from stream_app.demo.journal import Rows
from stream_app.demo.ledger import Ledger


class Swap(msgspec.Struct, frozen=True):
    """A change of model; `gap_ms` is the longest of the partitions' gaps.

    A partition's gap is the time between the last score of the old version and the first of the new one, as a reader
    receives them.
    """

    version: str
    gap_ms: float


def swaps(ledger: Ledger, versions: Sequence[str]) -> list[Swap]:
    """Return the gap of each swap; `versions` were promoted one after the other, the first one included.

    A partition that saw nothing of a version, because it was quiet in between, says nothing of that swap.
    """
    numbers = [ledger.versions.index(version) if version in ledger.versions else -1 for version in versions]
    gaps: list[list[float]] = [[] for _ in versions[1:]]
    for rows in ledger.scores:
        # A canary decides for some cards before it is champion.
        _add_gaps(rows.rows[~rows.rows["canary"]], numbers, gaps)
    return [Swap(version, round(max(found, default=0.0), 2)) for version, found in zip(versions[1:], gaps, strict=True)]


def _add_gaps(scores: Rows, numbers: Sequence[int], gaps: list[list[float]]) -> None:
    changes = np.flatnonzero(np.diff(scores["model"])) + 1
    place = 0
    for change in changes.tolist():
        to = int(scores["model"][change])
        while place < len(gaps) and numbers[place + 1] != to:
            place += 1
        if place == len(gaps):
            return
        gaps[place].append(float(scores["received_at"][change] - scores["received_at"][change - 1]))
        place += 1


def usual_gap_ms(ledger: Ledger, period: Period) -> float:
    """Return the 99th percentile of the time between two batches of scores on one partition, in a period."""
    found = []
    for _, scores in ledger.pairs():
        received_at = scores["received_at"]
        inside = received_at[(received_at >= period.start_ms) & (received_at < period.end_ms)]
        gaps = np.diff(inside)
        # Scores that came together have no gap between them.
        found.append(gaps[gaps > 0])
    gaps = np.concatenate(found)
    return round(float(np.percentile(gaps, 99)), 2) if len(gaps) else 0.0
