"""The page of results comes whole from the figures of the benches."""

from pathlib import Path
from typing import Any

import pytest

from bench.end_to_end_report import Rounds
from bench.latency import Percentiles
from bench.peers.catalogue import FLOOR, OURS
from bench.performance_page import draw, merged, one_machine, page
from bench.swap import Swaps
from bench.worker import Round

MACHINE = {
    "processor": "a processor", "cores": 2, "memory_gb": 24, "system": "Linux x86_64", "python": "3.11.7",
    "java": "17.0.1", "kafka": "4.1.1", "load_before": 0.1,
}  # fmt: skip
DURABLE = "Kafka Streams, durable"


@pytest.fixture
def figures() -> dict[str, Any]:
    rounds = Rounds(
        throughput={
            OURS: [Round(40_000.0, 60_000.0, 300.0, 60_000.0), Round(50_000.0, 50_000.0, 310.0, 50_000.0)],
            FLOOR: [Round(80_000.0, 90_000.0, 80.0, 90_000.0), Round(50_000.0, 100_000.0, 80.0, 100_000.0)],
        },
        latency={1_000: {OURS: [Percentiles(5.0, 9.0, 20.0)], FLOOR: [Percentiles(2.0, 4.0, 9.0)]}},
        swaps=[Swaps(6, 20.0, 10.0, 400.0, 30.0, 20.0)],
        history={
            OURS: [Round(40_000.0, 60_000.0, 300.0, 60_000.0), Round(40_000.0, 50_000.0, 300.0, 50_000.0)],
            DURABLE: [Round(40_000.0, 30_000.0, 1_900.0, 30_000.0), Round(40_000.0, 40_000.0, 1_900.0, 40_000.0)],
        },
    )
    return {**rounds.figures(), "machine": MACHINE}


def test_ratios_are_taken_round_by_round(figures: dict[str, Any]) -> None:
    assert figures["ratio"]["throughput"] == {FLOOR: pytest.approx(0.75)}
    assert figures["spread"]["ratio"]["throughput"] == {FLOOR: [0.5, 1.0]}
    assert figures["history"]["ratio"]["cpu"] == {DURABLE: pytest.approx((2.0 + 1.25) / 2)}
    assert figures["rounds"] == {"throughput": 2, "latency_ms": 1, "swap": 1, "history": 2}


def test_the_page_names_the_machine_and_puts_ratios_first(figures: dict[str, Any]) -> None:
    text = page(figures)
    assert text.index("a processor, 2 cores") < text.index("## Ratios") < text.index("## Throughput")
    assert f"| {DURABLE} | 1.62 (1.25 to 2.00) | 1.62 (1.25 to 2.00) | 1.00 (1.00 to 1.00) |" in text
    assert "| fraudstream | 5.0 | 9.0 | 20.0 | 9.0 to 9.0 |" in text


def test_what_was_not_measured_has_no_section(figures: dict[str, Any]) -> None:
    text = page({**figures, "swap": {}, "history": {}})
    assert "Hot swap" not in text
    assert "of history per card" not in text


def test_the_same_figures_give_the_same_pictures(figures: dict[str, Any], tmp_path: Path) -> None:
    for name in ("first", "again"):
        draw(figures, tmp_path / name)
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert set(drawn) == {"ratios.svg", "throughput.svg", "latency.svg"}
    assert drawn == {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()}


def test_parts_of_several_runs_make_one_page_if_the_machine_is_the_same(figures: dict[str, Any]) -> None:
    throughput = Rounds(throughput={OURS: [Round(1.0, 1.0, 1.0, 1.0)]}).figures()
    later = {"machine": {**MACHINE, "load_before": 0.9}, **throughput}
    one_machine([figures, later])
    both = merged([figures, later])
    assert both["throughput"][OURS] == 1.0
    assert both["history"] == figures["history"]
    with pytest.raises(ValueError, match="one machine"):
        one_machine([figures, {"machine": {**MACHINE, "cores": 64}}])
