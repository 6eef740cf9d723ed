"""How soon the guardrails find bad models, and how often they take an honest one for bad, on seeded made rows.

Run as `python -m bench.release_guardrails SEEDS`. Prints the rows of the tables in docs/release.md.
"""

import sys
from collections.abc import Iterator
from typing import Final

import numpy as np

from models.release.guardrails import Guardrails
from models.release.limits import Limits
from models.release.pairs import Pairs
from tests.support.made_pairs import BAD, expectation, honest

ROWS: Final = 20_000
_FIRST: Final = 50
_GROWTH: Final = 1.05
_HONEST: Final[dict[str, dict[str, float]]] = {
    "nine tenths alike, four tenths in the bulk": {"alike": 0.9},
    "seven tenths alike, nothing in the bulk": {"alike": 0.7, "bulk": 0.0},
    "nearly equal": {"alike": 0.97, "bulk": 0.9},
    "20 % more alerts": {"alike": 0.8, "wanted": 1.2},
    "20 % fewer alerts": {"alike": 0.8, "wanted": 0.8},
}


def looks(rows: int = ROWS) -> Iterator[int]:
    """How many rows there are at each look: a twentieth more each time."""
    at = float(_FIRST)
    while at < rows:
        yield int(at)
        at *= _GROWTH
    yield rows


def found_at(pairs: Pairs, limits: Limits) -> tuple[int, str] | None:
    """Return the rows at the first look that finds something broken, and what; None when none does."""
    guardrails = Guardrails(limits)
    for rows in looks(len(pairs)):
        broken = [check.name for check in guardrails.examine(pairs.take(slice(rows))) if check.verdict == "broken"]
        if broken:
            return rows, broken[0]
    return None


def main(arguments: list[str]) -> None:
    """Print both tables."""
    seeds = int(arguments[0]) if arguments else 20
    for title, limits in (("hold-out", Limits.expecting(expectation())), ("defaults", Limits())):
        print(f"\n| bad model ({title}) | found | rows, median | largest | first to break |\n|---|---|---|---|---|")
        for name, spoil in BAD.items():
            runs = [found_at(spoil(honest(ROWS, seed), np.random.default_rng(seed)), limits) for seed in range(seeds)]
            found = [run for run in runs if run is not None]
            rows = sorted(run[0] for run in found) or [0]
            first = max({run[1] for run in found}, key=[run[1] for run in found].count) if found else ""
            print(f"| {name} | {len(found)} of {seeds} | {rows[len(rows) // 2]:,} | {rows[-1]:,} | {first} |")
    print("\n| honest pair | hold-out: broken | defaults: broken |\n|---|---|---|")
    for name, how in _HONEST.items():
        broken = []
        for limits in (Limits.expecting(expectation(**how)), Limits()):
            runs = [found_at(honest(ROWS, 1000 + seed, **how), limits) for seed in range(seeds)]
            broken.append([run for run in runs if run is not None])
        print(f"| {name} | {len(broken[0])} of {seeds} | {len(broken[1])} of {seeds} |")


if __name__ == "__main__":
    main(sys.argv[1:])
