"""The rounds of the end-to-end bench: medians with their spread, as JSON and as tables with the ratios first."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from bench.latency import Percentiles
from bench.peers.catalogue import FLOOR, OURS
from bench.swap import RATE, Swaps
from bench.worker import Round

_NAME: Final = 28


@dataclass(slots=True)
class Rounds:
    """What was measured so far: by peer, one entry a round; latencies by rate and peer."""

    throughput: dict[str, list[Round]] = field(default_factory=dict)
    latency: dict[int, dict[str, list[Percentiles]]] = field(default_factory=dict)
    swaps: list[Swaps] = field(default_factory=list)

    def figures(self) -> dict[str, Any]:
        """Medians, and under `spread` the least and the most of the rounds."""
        swap = {} if not self.swaps else {"rate": RATE, **_each(self.swaps, statistics.median)}
        return {
            "throughput": self._median(lambda one: one.events_per_s),
            "cpu": self._median(lambda one: one.events_per_cpu_s),
            "memory": self._median(lambda one: one.memory_mb),
            "latency_ms": self._latency(statistics.median),
            "swap": swap,
            "rounds": max([*map(len, self.throughput.values()), len(self.swaps)]),
            "spread": {
                "throughput": _by_peer(self.throughput, lambda one: one.events_per_s, _spread),
                "cpu": _by_peer(self.throughput, lambda one: one.events_per_cpu_s, _spread),
                "latency_ms": self._latency(_spread),
                "swap": _each(self.swaps, _spread),
            },
        }

    def _median(self, figure: Callable[[Round], float]) -> dict[str, float]:
        return _by_peer(self.throughput, figure, statistics.median)

    def _latency(self, of: Callable[[list[float]], Any]) -> dict[str, dict[str, dict[str, Any]]]:
        return {
            str(rate): {
                name: {each: of([getattr(one, each) for one in found]) for each in Percentiles._fields}
                for name, found in by_peer.items()
            }
            for rate, by_peer in self.latency.items()
        }

    def table(self) -> Iterable[str]:
        """Lines to print."""
        if self.throughput:
            yield from self._throughput_table()
        for rate, by_peer in self.latency.items():
            yield from _latency_table(rate, by_peer)
        if self.swaps:
            yield from _swap_table(self.swaps)

    def _throughput_table(self) -> Iterable[str]:
        speed, cpu = self._median(lambda one: one.events_per_s), self._median(lambda one: one.events_per_cpu_s)
        memory = self._median(lambda one: one.memory_mb)
        head = f"{'ours/its':>10}{'per CPU s':>11}{'events/s':>11}{'spread':>20}{'events/CPU s':>14}{'MB':>7}"
        yield f"{'one worker, real broker':<{_NAME}}{head}"
        for name, rounds in self.throughput.items():
            ratios = f"{speed[OURS] / speed[name]:>10.2f}{cpu[OURS] / cpu[name]:>11.2f}" if OURS in speed else " " * 21
            least, most = _spread([one.events_per_s for one in rounds])
            figures = (
                f"{speed[name]:>11,.0f}{f'{least:,.0f} to {most:,.0f}':>20}{cpu[name]:>14,.0f}{memory[name]:>7,.0f}"
            )
            yield f"{name:<{_NAME}}{ratios}{figures}"


def _latency_table(rate: int, by_peer: Mapping[str, Sequence[Percentiles]]) -> Iterable[str]:
    title = f"latency at {rate:,}/s, ms"
    yield ""
    yield f"{title:<{_NAME}}{'p99/floor':>10}{'p50':>9}{'p99':>9}{'p99.9':>9}   spread of p99"
    medians = {name: _median_of(found) for name, found in by_peer.items()}
    for name, found in by_peer.items():
        p50, p99, p999 = medians[name]
        ratio = f"{p99 / medians[FLOOR].p99:>10.2f}" if FLOOR in medians else " " * 10
        least, most = _spread([one.p99 for one in found])
        yield f"{name:<{_NAME}}{ratio}{p50:>9.1f}{p99:>9.1f}{p999:>9.1f}   {least:.1f} to {most:.1f}"


def _swap_table(swaps: Sequence[Swaps]) -> Iterable[str]:
    found = _each(swaps, statistics.median)
    yield ""
    yield f"{'hot swap, ms':<{_NAME}}{'p99 ratio':>10}{'p99':>9}{'around':>9}{'gap':>9}{'around':>9}{'took':>9}"
    gaps = f"{found['gap_ms']:>9.1f}{found['gap_around_ms']:>9.1f}{found['took_ms']:>9.0f}"
    yield f"{OURS:<{_NAME}}{found['ratio']:>10.2f}{found['p99_ms']:>9.1f}{found['p99_around_ms']:>9.1f}{gaps}"
    yield f"{'longest gap of all rounds':<{_NAME}}{'':>28}{max(one.gap_ms for one in swaps):>9.1f}"


def _by_peer(
    rounds: Mapping[str, Sequence[Round]], figure: Callable[[Round], float], of: Callable[[list[float]], Any]
) -> dict[str, Any]:
    return {name: of([figure(one) for one in found]) for name, found in rounds.items()}


def _each(swaps: Sequence[Swaps], of: Callable[[list[float]], Any]) -> dict[str, Any]:
    if not swaps:
        return {}
    rows = [{**asdict(one), "ratio": one.ratio} for one in swaps]
    return {name: of([row[name] for row in rows]) for name in rows[0]}


def _median_of(found: Sequence[Percentiles]) -> Percentiles:
    return Percentiles(*(statistics.median(column) for column in zip(*found, strict=True)))


def _spread(figures: list[float]) -> list[float]:
    return [min(figures), max(figures)]
