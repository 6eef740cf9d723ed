"""The rounds of the end-to-end bench: medians with their spread, as JSON and as tables with the ratios first."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.history import TRANSACTIONS_PER_CARD
from bench.latency import Percentiles
from bench.peers.catalogue import FLOOR, OURS
from bench.swap import RATE, Swaps
from bench.throughput_report import NAME_WIDTH, medians, spread, spreads, table
from bench.worker import Round


@dataclass(slots=True)
class Rounds:
    """What was measured so far: by peer, one entry a round; latencies by rate and peer."""

    throughput: dict[str, list[Round]] = field(default_factory=dict)
    latency: dict[int, dict[str, list[Percentiles]]] = field(default_factory=dict)
    swaps: list[Swaps] = field(default_factory=list)
    history: dict[str, list[Round]] = field(default_factory=dict)

    def figures(self) -> dict[str, Any]:
        """Medians, and under `spread` the least and the most of the rounds."""
        swap = {} if not self.swaps else {"rate": RATE, **_each(self.swaps, statistics.median)}
        history = {} if not self.history else {"per_card": TRANSACTIONS_PER_CARD, **medians(self.history)}
        return {
            **medians(self.throughput),
            "latency_ms": self._latency(statistics.median),
            "swap": swap,
            "history": history,
            "rounds": {part: count for part, count in self._counts().items() if count},
            "spread": {
                **spreads(self.throughput),
                "latency_ms": self._latency(spread),
                "swap": _each(self.swaps, spread),
                "history": spreads(self.history) if self.history else {},
            },
        }

    def table(self) -> Iterable[str]:
        """Lines to print."""
        yield from table("one worker, real broker", self.throughput)
        for rate, by_peer in self.latency.items():
            yield from _latency_table(rate, by_peer)
        if self.swaps:
            yield from _swap_table(self.swaps)
        if self.history:
            yield ""
            yield from table(f"{TRANSACTIONS_PER_CARD:g} before per card", self.history)

    def _counts(self) -> dict[str, int]:
        """Rounds of each part."""
        latency = [found for by_peer in self.latency.values() for found in by_peer.values()]
        return {
            "throughput": max(map(len, self.throughput.values()), default=0),
            "latency_ms": max(map(len, latency), default=0),
            "swap": len(self.swaps),
            "history": max(map(len, self.history.values()), default=0),
        }

    def _latency(self, of: Callable[[list[float]], Any]) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            str(rate): {
                name: {each: of([getattr(one, each) for one in found]) for each in Percentiles._fields}
                for name, found in by_peer.items()
            }
            for rate, by_peer in self.latency.items()
        }


def _latency_table(rate: int, by_peer: Mapping[str, Sequence[Percentiles]]) -> Iterable[str]:
    title = f"latency at {rate:,}/s, ms"
    yield ""
    yield f"{title:<{NAME_WIDTH}}{'p99/floor':>10}{'p50':>9}{'p99':>9}{'p99.9':>9}   spread of p99"
    found_by_peer = {name: _median_of(found) for name, found in by_peer.items()}
    for name, found in by_peer.items():
        p50, p99, p999 = found_by_peer[name]
        ratio = f"{p99 / found_by_peer[FLOOR].p99:>10.2f}" if FLOOR in found_by_peer else " " * 10
        least, most = spread([one.p99 for one in found])
        yield f"{name:<{NAME_WIDTH}}{ratio}{p50:>9.1f}{p99:>9.1f}{p999:>9.1f}   {least:.1f} to {most:.1f}"


def _swap_table(swaps: Sequence[Swaps]) -> Iterable[str]:
    found = _each(swaps, statistics.median)
    yield ""
    yield f"{'hot swap, ms':<{NAME_WIDTH}}{'p99 ratio':>10}{'p99':>9}{'around':>9}{'gap':>9}{'around':>9}{'took':>9}"
    gaps = f"{found['gap_ms']:>9.1f}{found['gap_around_ms']:>9.1f}{found['took_ms']:>9.0f}"
    yield f"{OURS:<{NAME_WIDTH}}{found['ratio']:>10.2f}{found['p99_ms']:>9.1f}{found['p99_around_ms']:>9.1f}{gaps}"
    yield f"{'longest gap of all rounds':<{NAME_WIDTH}}{'':>28}{max(one.gap_ms for one in swaps):>9.1f}"


def _each(swaps: Sequence[Swaps], of: Callable[[list[float]], Any]) -> dict[str, Any]:
    if not swaps:
        return {}
    rows = [{**asdict(one), "ratio": one.ratio} for one in swaps]
    return {name: of([row[name] for row in rows]) for name in rows[0]}


def _median_of(found: Sequence[Percentiles]) -> Percentiles:
    return Percentiles(*(statistics.median(column) for column in zip(*found, strict=True)))
