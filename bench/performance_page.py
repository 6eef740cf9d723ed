"""The page of results, docs/performance.md with its pictures, from what the benches print with `--json`.

`make bench JSON=1 > FILE`, then `python -m bench.performance_page FILE`. Parts may have been measured in runs of their
own: of several files the later one counts where both have a figure. All must be of one machine.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from bench.markdown import table
from bench.peers.catalogue import OURS
from bench.plots import draw_latency, draw_ratios, draw_throughput

DOCS: Final = Path(__file__).parents[1] / "docs"
Figures = Mapping[str, Any]
_numbers = partial(table, numbers=True)

_HEAD: Final = """# Performance

Made by `python -m bench.performance_page` from what `make bench JSON=1` printed; nothing here is written by hand.

{machine}

Broker, sender, reader and the one worker under measurement share the machine, so events a second are those of all
together, and events per CPU second of the worker, user and system time of its whole process tree, compare best. Rounds
of all kinds take turns, each beginning with another. Figures are medians of the rounds with the least and the most in
brackets; ratios are taken round by round.

All do the same job: 70 features, the same ONNX model of 120 trees, a score record for each transaction, feature rows.
`fraudstream` is `fraudstream score` with all defaults: exactly once for whoever reads, checkpoints, feature log, reason
codes, dead letters. The others leave out some of it, to their advantage ([job.py](../bench/peers/job.py)). The raw
aiokafka loop computes nothing: it decodes each transaction and writes a score.

The Kafka Streams app ([sources](../bench/peers/kafka_streams)) is held equal to ours row by row
(`python -m bench.peers.parity`) and leaves out reason codes, the search for card numbers, dead letters, profiles, swaps
and signatures. Its cards lie on the heap, or in RocksDB (block cache of 256 MB, bloom filters, a record cache of 256 MB
before it) with a changelog topic, committed every 5 s, or every 100 ms with exactly_once_v2. It scores in batches, on
two stream threads, and has scored 500,000 transactions or more before any counts; what the JVM's compilers still take
then counts in the CPU seconds, and ratios without it stand beside."""


def merged(files: Sequence[Figures]) -> dict[str, Any]:
    """Put the figures of several runs together.

    Examples
    --------
    >>> merged([{"cpu": {"a": 1.0}, "swap": {"ratio": 1.5}}, {"cpu": {"a": 2.0, "b": 3.0}, "swap": {}}])
    {'cpu': {'a': 2.0, 'b': 3.0}, 'swap': {'ratio': 1.5}}
    """
    whole: dict[str, Any] = {}
    for figures in files:
        for name, found in figures.items():
            both = isinstance(found, Mapping) and isinstance(whole.get(name), Mapping)
            whole[name] = merged([whole[name], found]) if both else found
    return whole


def page(figures: Figures) -> str:
    """Return the page as Markdown."""
    parts = [_HEAD.format(machine=_machine(figures["machine"]))]
    if figures.get("throughput"):
        parts += _throughput(figures)
    if figures.get("history"):
        parts += _history(figures)
    if figures.get("latency_ms"):
        parts += _latency(figures)
    if figures.get("swap"):
        parts += _swap(figures)
    if figures.get("hot_paths"):
        parts += _hot_paths(figures["hot_paths"])
    return "\n\n".join(parts) + "\n"


def draw(figures: Figures, folder: Path) -> None:
    """Write the pictures of the page."""
    folder.mkdir(exist_ok=True)
    if figures.get("throughput"):
        draw_ratios(figures, folder / "ratios.svg")
        draw_throughput(figures, folder / "throughput.svg")
    if figures.get("latency_ms"):
        draw_latency(figures, folder / "latency.svg")


def _machine(machine: Figures) -> str:
    return (
        f"**Machine**: {machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GiB, "
        f"{machine['system']}; Python {machine['python']}, Java {machine['java']}, Kafka {machine['kafka']}."
    )


def _throughput(figures: Figures) -> Iterator[str]:
    yield f"## Ratios\n\n{OURS} over each; rounds: {figures['rounds']['throughput']}."
    yield _ratios(figures["ratio"], figures["spread"]["ratio"])
    yield "![events per CPU second, ours over each](performance/ratios.svg)"
    yield "## Throughput, CPU and memory"
    yield _throughputs(figures, figures["spread"])
    yield "![throughput](performance/throughput.svg)"


def _history(figures: Figures) -> Iterator[str]:
    found, spread, rounds = figures["history"], figures["spread"]["history"], figures["rounds"]["history"]
    yield f"## With {found['per_card']:g} transactions of history per card, durable state on both sides"
    yield f"Rounds: {rounds}; the history is scored by the same process before what counts."
    yield _ratios(found["ratio"], spread["ratio"])
    yield _throughputs(found, spread)


def _latency(figures: Figures) -> Iterator[str]:
    yield "## Latency"
    yield (
        "From the moment a transaction is due to the receipt of its score, at fixed rates, ms; before each rate all "
        "that was written is on the disk ([decision 32](decisions/0032-the-broker-beside-the-worker.md)); "
        f"rounds: {figures['rounds']['latency_ms']}."
    )
    for rate, by_peer in figures["latency_ms"].items():
        spread = figures["spread"]["latency_ms"][rate]
        rows = (
            [name, *(f"{found[each]:,.1f}" for each in ("p50", "p99", "p999")), _span(spread[name]["p99"], ",.1f")]
            for name, found in by_peer.items()
        )
        yield _numbers([f"{int(rate):,} events/s", "p50", "p99", "p99.9", "p99, least to most"], rows)
    yield "![latency](performance/latency.svg)"


def _swap(figures: Figures) -> Iterator[str]:
    found, spread = figures["swap"], figures["spread"]["swap"]
    yield f"## Hot swap at {found['rate']:,} events/s"
    named = {
        "ratio": ("p99 in the seconds of a swap over all others", ".2f"),
        "p99_ms": ("p99 in the seconds of a swap, ms", ".1f"),
        "p99_around_ms": ("p99 in all others, ms", ".1f"),
        "gap_ms": ("longest time without a score of a partition in those seconds, ms", ".1f"),
        "gap_around_ms": ("in all others, ms", ".1f"),
        "took_ms": ("promotion to the first score by the promoted model, longest, ms", ".0f"),
    }
    rows = ([text, f"{found[key]:{form}}", _span(spread[key], form)] for key, (text, form) in named.items())
    yield _numbers([f"rounds: {figures['rounds']['swap']}, {found['swaps']:g} swaps each", "median", "spread"], rows)


def _hot_paths(paths: Figures) -> Iterator[str]:
    yield "## Hot paths\n\nCPU microseconds, each beside a baseline measured in turn with it."
    rows = (
        [name, _times(one["ratio"]), f"{one['us_per_event']:,.2f}", f"{one['baseline_us_per_event']:,.2f}",
         one["baseline"], one["event"]]
        for name, one in paths.items()
    )  # fmt: skip
    yield _numbers(["path", "times", "us", "baseline, us", "baseline", "for each"], rows)


def _ratios(ratio: Figures, spread: Figures) -> str:
    columns = ("cpu", "cpu_without_jit", "throughput")
    rows = (
        [name, *(f"{_times(ratio[figure][name])} ({_span(spread[figure][name], '.2f')})" for figure in columns)]
        for name in ratio["cpu"]
    )
    return _numbers(
        [f"{OURS} over", "events per CPU second", "the same without JIT compilers", "events a second"], rows
    )


def _throughputs(found: Figures, spread: Figures) -> str:
    rows = (
        [name, *(f"{found[figure][name]:,.0f} ({_span(spread[figure][name], ',.0f')})" for figure in
                 ("cpu", "throughput", "memory"))]
        for name in found["throughput"]
    )  # fmt: skip
    return _numbers(["", "events per CPU second", "events a second", "memory, MB"], rows)


def _times(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"


def _span(spread: Sequence[float], form: str) -> str:
    least, most = spread
    return f"{least:{form}} to {most:{form}}"


def one_machine(files: Sequence[Figures]) -> None:
    """Raise ValueError if the figures are of more than one."""
    names = {_machine(figures["machine"]) for figures in files if "machine" in figures}
    if len(names) != 1:
        raise ValueError(f"figures of one machine are needed, not of {len(names)}: {sorted(names)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="JSON of the benches")
    parser.add_argument("--docs", type=Path, default=DOCS, help="folder that gets performance.md and performance/")
    arguments = parser.parse_args()
    files = [json.loads(path.read_text()) for path in arguments.files]
    one_machine(files)
    figures = merged(files)
    draw(figures, arguments.docs / "performance")
    (arguments.docs / "performance.md").write_text(page(figures))


if __name__ == "__main__":
    main()
