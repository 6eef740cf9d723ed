"""All benches, one after the other: `python -m bench`; with `--json` one object of all their figures.

The end-to-end bench gives `throughput`, `cpu`, `cpu_without_jit`, `memory`, `ratio`, `latency_ms`, `swap`, `history`,
`spread`, `rounds`, `machine`; each hot path is an entry of `hot_paths`, and each other bench what it prints, under its
name in `others`.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

FIRST: Final = "end_to_end"
SLOW: Final = (
    FIRST,
    "archive",
    "beside",
    "console",
    "flat",
    "restart",
    "retrain",
    "rollback",
    "scaling",
    "soak",
    "state",
    "terminals",
)
"""Those with a broker of their own, or with millions of rows."""


def names() -> list[str]:
    """Return all benches, that of the whole path first."""
    found = (path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    return sorted(found, key=lambda name: (name != FIRST, name))


def merged(figures: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Put what each bench printed into one object.

    Examples
    --------
    >>> merged([("decoding", {"hot_paths": {"decode": {"ratio": 2.0}}}), ("soak", {"restarts": 0})])
    {'hot_paths': {'decode': {'ratio': 2.0}}, 'others': {'soak': {'restarts': 0}}}
    """
    whole: dict[str, Any] = {"hot_paths": {}, "others": {}}
    for name, found in figures:
        rest = dict(found)
        whole["hot_paths"] |= rest.pop("hot_paths", {})
        if name == FIRST:
            whole |= rest
        elif rest:
            whole["others"][name] = rest
    return whole


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=names(), help="these alone")
    parser.add_argument("--short", action="store_true", help="the hot paths alone, in minutes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    chosen = arguments.only or [name for name in names() if not arguments.short or name not in SLOW]
    figures, failed = [], 0
    for name in chosen:
        print(f"bench: {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"bench.bench_{name}"]
        if not arguments.json:
            failed |= subprocess.run(command, check=False).returncode
            continue
        done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, text=True, check=False)
        failed |= done.returncode
        if done.stdout.strip():
            figures.append((name, json.loads(done.stdout)))
    if arguments.json:
        print(json.dumps(merged(figures)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
