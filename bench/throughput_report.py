"""Rounds of throughput: medians, their spread, and ours over each of the others round by round."""

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from bench.peers.catalogue import OURS
from bench.worker import Round

Rounds = Mapping[str, Sequence[Round]]
"""By peer, one entry a round."""
Figure = Callable[[Round], float]
FIGURES: Final[dict[str, Figure]] = {
    "throughput": lambda one: one.events_per_s,
    "cpu": lambda one: one.events_per_cpu_s,
    "cpu_without_jit": lambda one: one.events_per_cpu_s_without_jit,
    "memory": lambda one: one.memory_mb,
}
RATIOS: Final = ("throughput", "cpu", "cpu_without_jit")
NAME_WIDTH: Final = 30


def medians(rounds: Rounds) -> dict[str, Any]:
    """Return each figure by peer, and `ratio`: ours over theirs of all but memory."""
    return _each(rounds, statistics.median)


def spreads(rounds: Rounds) -> dict[str, Any]:
    """Return the same, each as the least and the most of the rounds."""
    return _each(rounds, spread)


def spread(figures: Sequence[float]) -> list[float]:
    """Return the least and the most."""
    return [min(figures), max(figures)]


def table(title: str, rounds: Rounds) -> Iterable[str]:
    """Yield the lines of a table, the ratios first."""
    if not rounds:
        return
    found, spans = medians(rounds), spreads(rounds)
    ratios = f"{'ours/its':>10}{'per CPU s':>11}{'spread':>18}{'no JIT':>8}"
    yield f"{title:<{NAME_WIDTH}}{ratios}{'events/s':>11}{'spread':>20}{'events/CPU s':>14}{'MB':>7}"
    for name in rounds:
        ratios = " " * 47
        if name in found["ratio"]["cpu"]:
            least, most = spans["ratio"]["cpu"][name]
            by_time, by_cpu, without_jit = (found["ratio"][figure][name] for figure in RATIOS)
            ratios = f"{by_time:>10.2f}{by_cpu:>11.2f}{f'{least:.2f} to {most:.2f}':>18}{without_jit:>8.2f}"
        least, most = spans["throughput"][name]
        speed, cpu, memory = (found[figure][name] for figure in ("throughput", "cpu", "memory"))
        span = f"{least:,.0f} to {most:,.0f}"
        yield f"{name:<{NAME_WIDTH}}{ratios}{speed:>11,.0f}{span:>20}{cpu:>14,.0f}{memory:>7,.0f}"


def _each(rounds: Rounds, of: Callable[[list[float]], Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {
        name: {peer: of([figure(one) for one in found]) for peer, found in rounds.items()}
        for name, figure in FIGURES.items()
    }
    ours = rounds.get(OURS, ())
    figures["ratio"] = {
        name: {
            peer: of([FIGURES[name](mine) / FIGURES[name](one) for mine, one in zip(ours, found, strict=True)])
            for peer, found in rounds.items()
            if ours and peer != OURS
        }
        for name in RATIOS
    }
    return figures
