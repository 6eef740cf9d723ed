"""False alarms and power of the drift tests over labelled tables, on seeded synthetic ones.

Run as `python bench/drift_tables.py REFERENCE_ROWS SEEDS`. Prints the rows of the table in docs/drift.md.
"""

import sys
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.drift.reference import FalseAlarmBudget
from models.drift.tables.battery import Battery, BatteryResult
from models.drift.tables.blocks import Blocks, cut_blocks
from models.drift.tables.labelled_table import LabelledTable

_NAMES: Final = ["a", "b", "c", "d", "e"]
_STATIONARY: Final[dict[str, dict[str, Any]]] = {
    "independent rows, half of either class": {},
    "a tenth of one class": {"balance": 0.1},
    "3 % of one class": {"balance": 0.03},
    "labels that are easy to tell": {"clarity": 4.0},
    "labels that are hard to tell": {"clarity": 0.15},
    "inputs that hang on to each other (autocorrelation .9 a row)": {"inertia": 0.9},
    "and an unseen cause that hangs on (.99 a row) in the labels": {"inertia": 0.9, "unseen_inertia": 0.99},
}
_CHANGED: Final[dict[str, dict[str, Any]]] = {
    "one input moves by .3 deviations": {"shift": 0.3},
    "one input moves by .5 deviations": {"shift": 0.5},
    "one input moves by one deviation": {"shift": 1.0},
    "the rule turns by .3 radians": {"turn": 0.3},
    "the rule turns by .6 radians": {"turn": 0.6},
    "the rule turns by one radian": {"turn": 1.0},
    "the same, gradually over half a reference": {"turn": 1.0, "gradual": 0.5},
    "the same, a tenth of one class": {"turn": 1.0, "balance": 0.1},
    "the same, autocorrelation .9 a row": {"turn": 1.0, "inertia": 0.9},
    "a tenth of the labels become random": {"random_labels": 0.1},
    "three tenths of the labels become random": {"random_labels": 0.3},
}
_EPISODE_BLOCKS: Final = 8


def _slow(values: npt.NDArray[np.float64], inertia: float) -> npt.NDArray[np.float64]:
    """Make each row hang on to the one before; the variance stays 1."""
    out = values.copy()
    for row in range(1, len(values)):
        out[row] = inertia * out[row - 1] + np.sqrt(1.0 - inertia**2) * values[row]
    return out


def table(seed: int, rows: int, change: int, reference: int, case: Mapping[str, Any]) -> LabelledTable:
    """Five inputs, of which three decide the label; what `case` names changes from row `change` on."""
    random = np.random.default_rng(seed)
    inputs = random.normal(size=(rows, len(_NAMES)))
    if "inertia" in case:
        inputs = _slow(inputs, case["inertia"])
    width = max(1.0, case.get("gradual", 0.0) * reference)
    changed = random.random(rows) < np.clip((np.arange(rows) - change + 1) / width, 0.0, 1.0)
    inputs[:, 0] += np.where(changed, case.get("shift", 0.0), 0.0)
    angle = np.where(changed, case.get("turn", 0.0), 0.0)
    rule = 1.5 * (inputs[:, 0] * np.cos(angle) + inputs[:, 3] * np.sin(angle))
    odds = case.get("clarity", 1.0) * (rule + inputs[:, 1] + 0.7 * inputs[:, 0] * inputs[:, 2])
    if "unseen_inertia" in case:
        odds += 0.7 * _slow(random.normal(size=rows), case["unseen_inertia"])
    odds -= np.quantile(odds[:reference], 1.0 - case.get("balance", 0.5))
    label = random.random(rows) < 1.0 / (1.0 + np.exp(-3.0 * odds))
    at_random = changed & (random.random(rows) < case.get("random_labels", 0.0))
    label = np.where(at_random, random.random(rows) < 0.5, label)
    return LabelledTable(_NAMES, inputs.astype(np.float32), {}, label.astype(np.int64), ["no", "yes"])


def run(rows: LabelledTable, reference: int) -> tuple[Blocks, BatteryResult]:
    """Go through one table with the defaults."""
    blocks = cut_blocks(len(rows), reference, None)
    return blocks, Battery(rows, blocks, FalseAlarmBudget(), 0, 1, lambda _: None).run()


def _false_alarms(name: str, case: Mapping[str, Any], reference: int, seeds: int) -> None:
    alarms = warnings = tested = 0
    for seed in range(seeds):
        _, result = run(table(100 + seed, 5 * reference, 5 * reference, reference, case), reference)
        at = [one.block for one in result.alarms]
        alarms += int(bool(at)) + sum(after - before > _EPISODE_BLOCKS for before, after in pairwise(at))
        warnings += len(result.warnings)
        tested += sum(one.end_block - one.start_block for one in result.stretches)
    budget = f"{tested / 730:.1f} and {tested / 90:.0f}"
    print(f"| {name} | {reference:,} | {tested:,} | {alarms} | {warnings} | {budget} |", flush=True)


def _power(name: str, case: Mapping[str, Any], reference: int, seeds: int) -> None:
    change, delays, before = 2 * reference, [], 0
    for seed in range(seeds):
        blocks, result = run(table(500 + seed, 3 * reference, change, reference, case), reference)
        rows = [blocks[one.block].stop - 1 for one in result.alarms]
        before += any(row < change for row in rows)
        delays += [min(row for row in rows if row >= change) - change] if any(row >= change for row in rows) else []
    median = f"{np.median(delays):,.0f}" if delays else ""
    print(f"| {name} | {reference:,} | {len(delays)} of {seeds} | {median} | {before} |", flush=True)


def main() -> None:
    """Print both tables."""
    reference, seeds = int(sys.argv[1]), int(sys.argv[2])
    for name, case in _STATIONARY.items():
        _false_alarms(name, case, reference, seeds)
    for name, case in _CHANGED.items():
        _power(name, case, reference, seeds)


if __name__ == "__main__":
    main()
