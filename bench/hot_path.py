"""One hot path: CPU microseconds per event, beside a baseline that is measured in turn with it."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

Batch = TypeVar("Batch")
Other = TypeVar("Other")
ROUNDS: Final = 7


@dataclass(frozen=True, slots=True)
class HotPath:
    """What one costs.

    Attributes
    ----------
    name: of the path.
    us_per_event: CPU microseconds, median of the rounds.
    baseline: what else could be done.
    baseline_us_per_event: what that costs.
    event: what is counted.
    """

    name: str
    us_per_event: float
    baseline: str
    baseline_us_per_event: float
    event: str = "transaction"

    @property
    def ratio(self) -> float:
        """How many times the baseline costs as much."""
        return self.baseline_us_per_event / self.us_per_event

    def figures(self) -> dict[str, float | str]:
        """As in the JSON of `make bench`."""
        return {
            "us_per_event": self.us_per_event,
            "baseline": self.baseline,
            "baseline_us_per_event": self.baseline_us_per_event,
            "ratio": self.ratio,
            "event": self.event,
        }


def in_turn(
    name: str,
    work: Callable[[Any], object],
    rounds: Sequence[Sequence[Batch]],
    baseline: str,
    other: Callable[[Any], object],
    other_rounds: Sequence[Sequence[Other]],
    *,
    events: Callable[[Any], int] = len,
    event: str = "transaction",
) -> HotPath:
    """Measure a path and its baseline, a round of each in turn, behind one uncounted batch of each.

    Parameters
    ----------
    name, baseline: what they are called.
    work, other: what is done with a batch.
    rounds, other_rounds: the batches of each round; no two rounds should have the same.
    events: how many events a batch has.
    event: what they are.
    """
    work(rounds[0][0])
    other(other_rounds[0][0])
    ours, others = [], []
    for mine, its in zip(rounds, other_rounds, strict=True):
        others.append(_us_per_event(other, its, events))
        ours.append(_us_per_event(work, mine, events))
    return HotPath(name, statistics.median(ours), baseline, statistics.median(others), event)


def _us_per_event(work: Callable[[Batch], object], batches: Sequence[Batch], events: Callable[[Any], int]) -> float:
    started = time.process_time()
    for batch in batches:
        work(batch)
    return (time.process_time() - started) / sum(map(events, batches)) * 1e6


def batches_of(rows: Sequence[Batch], size: int, rounds: int, per_round: int) -> list[list[Sequence[Batch]]]:
    """Cut rows into rounds of batches, none of them twice; works on arrays too.

    Examples
    --------
    >>> batches_of(range(8), size=2, rounds=2, per_round=2)
    [[range(0, 2), range(2, 4)], [range(4, 6), range(6, 8)]]
    """
    assert len(rows) >= size * rounds * per_round, f"{len(rows)} rows are too few"
    starts = range(0, size * rounds * per_round, size)
    cut = [rows[start : start + size] for start in starts]
    return [cut[at : at + per_round] for at in range(0, len(cut), per_round)]


def run(description: str | None, measure: Callable[[int], Iterable[HotPath]]) -> None:
    """The command of a bench file: measure in so many rounds and print, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = list(measure(arguments.rounds))
    if arguments.json:
        print(json.dumps({"hot_paths": {one.name: one.figures() for one in found}}))
        return
    for one in found:
        print(line(one))


def line(one: HotPath) -> str:
    """One line of a table, the ratio first."""
    its = f"{one.baseline} {one.baseline_us_per_event:,.2f}"
    return f"{one.name:<36}{one.ratio:>8.1f} x {one.us_per_event:>12,.2f} us a {one.event:<12} {its} us"
