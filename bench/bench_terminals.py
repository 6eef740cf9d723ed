"""Ten thousand and a hundred thousand terminals: what their profiles cost the scorer and the profile keeper.

The scorer: resident bytes a terminal, CPU time an event to look profiles up; for a step in which every terminal changed
the CPU time to prepare it, in slices between which scoring goes on, and how long scoring stands still while it is
applied; the bytes of such a step on the topic. The keeper: resident bytes for
each transaction that it stores (the last maturity + 30 days of all of them), and CPU time to close a step. Each number
of terminals has a process of its own; the baseline is the smaller number.
"""

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import psutil

from models.features.feature_set import DEFAULT
from models.features.profile_keeper import MATURITY_MS, STEP_MS, ProfileCounts
from models.features.profile_table import ProfileTable, StepArrays
from models.schema import wire
from models.schema.columns import TransactionColumns
from models.schema.hashing import hash64_column
from models.schema.terminal_profile import TerminalProfile
from models.schema.topics import DAY_MS

START_MS: Final = 70_488 * STEP_MS
WINDOW_MS: Final = MATURITY_MS + 30 * DAY_MS
"""What the keeper stores."""
BATCH: Final = 500
LOOKED_UP: Final = 200_000
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class ScorerSide:
    """What profiles cost a scoring worker; `step_bytes` are the values of a step's records for each terminal."""

    bytes_per_terminal: float
    fill_us: float
    prepare_ms: float
    apply_ms: float
    step_bytes: float


@dataclass(frozen=True, slots=True)
class KeeperSide:
    """What they cost the keeper; `close_us` is CPU time of a step for each transaction stored."""

    bytes_per_transaction: float
    add_us: float
    close_ms: float
    close_us: float
    profiles: int


def scorer_side(terminals: int) -> ScorerSide:
    """Apply steps and look terminals up."""
    chance = np.random.default_rng(1)
    _warm(ProfileTable(DEFAULT), chance)
    before, table = _resident(), ProfileTable(DEFAULT)
    table.apply_counts(1, *_step(terminals, 1))
    held = _resident() - before
    prepared, applied = [], []
    for as_of in range(2, 2 + ROUNDS):
        records = {profile.terminal_id: profile for profile in _profiles(terminals, as_of)}
        began_s = time.process_time()
        step = StepArrays.of(records)
        prepared.append(time.process_time() - began_s)
        table.apply_counts(as_of, *step)
        applied.append(time.process_time() - began_s - prepared[-1])
    values = [wire.encode(one) for one in _profiles(1_000, START_MS)]
    return ScorerSide(
        held / terminals,
        statistics.median(_fill_us(table, terminals, chance) for _ in range(ROUNDS)),
        statistics.median(prepared) * 1e3,
        statistics.median(applied) * 1e3,
        sum(map(len, values)) / len(values),
    )


def keeper_side(terminals: int, stored: int) -> KeeperSide:
    """Store transactions of all windows and close the steps of five days."""
    chance = np.random.default_rng(1)
    _filled(ProfileCounts(), 1_000, 100, chance).close_step(START_MS + WINDOW_MS)
    before, counts = _resident(), ProfileCounts()
    began_s = time.process_time()
    _filled(counts, stored, terminals, chance)
    add_s = time.process_time() - began_s
    held = _resident() - before
    closed, profiles = [], 0
    for number in range(ROUNDS):
        began_s = time.process_time()
        profiles = len(counts.close_step(START_MS + WINDOW_MS + number * STEP_MS).changed)
        closed.append(time.process_time() - began_s)
    close_s = statistics.median(closed)
    return KeeperSide(held / stored, add_s / stored * 1e6, close_s * 1e3, close_s / stored * 1e6, profiles)


def _filled(counts: ProfileCounts, stored: int, terminals: int, chance: np.random.Generator) -> ProfileCounts:
    times = np.sort(chance.integers(0, WINDOW_MS, stored)) + START_MS
    for start in range(0, stored, BATCH):
        rows = times[start : start + BATCH]
        names = [f"terminal-{number}" for number in chance.integers(0, terminals, len(rows))]
        no = np.zeros(len(rows), np.bool_)
        counts.add_scored(rows, names, [f"{start + row}" for row in range(len(rows))], no, no)
    return counts


def _fill_us(table: ProfileTable, terminals: int, chance: np.random.Generator) -> float:
    names = hash64_column([f"terminal-{number}" for number in range(terminals)])
    drawn = names[chance.integers(0, terminals, LOOKED_UP)]
    nothing = np.zeros(BATCH, np.uint64)
    batches = [
        TransactionColumns.from_arrays(
            np.zeros(BATCH, np.int64), np.ones(BATCH, np.int64), nothing, drawn[start : start + BATCH], nothing
        )
        for start in range(0, LOOKED_UP, BATCH)
    ]
    out = np.empty((BATCH, len(DEFAULT)), np.float32)
    began_s = time.process_time()
    for batch in batches:
        table.fill(batch, out)
    return (time.process_time() - began_s) / LOOKED_UP * 1e6


def _warm(table: ProfileTable, chance: np.random.Generator) -> None:
    table.apply_counts(1, *_step(100, 1))
    _fill_us(table, 100, chance)


def _profiles(terminals: int, as_of: int) -> list[TerminalProfile]:
    return [
        TerminalProfile(f"terminal-{number}", as_of, [3, 20, 40, 90], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], as_of)
        for number in range(terminals)
    ]


def _step(terminals: int, as_of: int) -> StepArrays:
    return StepArrays.of({profile.terminal_id: profile for profile in _profiles(terminals, as_of)})


def _resident() -> int:
    return int(psutil.Process().memory_info().rss)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--terminals", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--stored", type=int, default=3_000_000, help="transactions that the keeper holds")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    found: dict[str, dict[str, dict[str, float]]] = {}
    for terminals in arguments.terminals:
        with ProcessPoolExecutor(1, spawn) as pool:
            scorer = pool.submit(scorer_side, terminals).result()
        with ProcessPoolExecutor(1, spawn) as pool:
            keeper = pool.submit(keeper_side, terminals, arguments.stored).result()
        found[str(terminals)] = {"scorer": asdict(scorer), "keeper": asdict(keeper)}
    if arguments.json:
        print(json.dumps({"stored": arguments.stored, "terminals": found}))
        return
    print("\n".join(_lines(found, arguments.terminals)))


def _lines(found: dict[str, dict[str, dict[str, float]]], terminals: Sequence[int]) -> list[str]:
    lines = [f"{'':<32}" + "".join(f"{number:>12,}" for number in terminals)]
    for side, field in (
        *(("scorer", name) for name in ScorerSide.__dataclass_fields__),
        *(("keeper", name) for name in KeeperSide.__dataclass_fields__),
    ):
        row = "".join(f"{found[str(number)][side][field]:>12,.2f}" for number in terminals)
        lines.append(f"{side + ' ' + field:<32}{row}")
    return lines


if __name__ == "__main__":
    main()
