"""The page on capacity: its tables are those of the figures beside it, and what is reckoned holds together."""

from pathlib import Path

import msgspec
import pytest

from bench.capacity import DRAWING, KEPT, PAGE, rewritten, tables_of
from bench.capacity_chart import chart
from bench.capacity_figures import Figures
from bench.capacity_needs import CHAIN_S, LEASE_S, Assumptions, Capacity
from stream_app.scoring.settings import ScoringSettings


@pytest.fixture(scope="module")
def capacity() -> Capacity:
    return Capacity(msgspec.json.decode(KEPT.read_bytes(), type=Figures), Assumptions())


def test_the_page_and_its_drawing_are_those_of_the_figures_beside_it(capacity: Capacity) -> None:
    remedy = "run python -m bench.capacity"
    assert rewritten(PAGE.read_text(), tables_of(capacity)) == PAGE.read_text(), remedy
    assert chart(capacity.ends()) == DRAWING.read_text(), remedy


def test_ten_times_the_rate_needs_ten_times_the_state(capacity: Capacity) -> None:
    one, ten = capacity.needs(1_000), capacity.needs(10_000)
    for name in ("cards", "card_state_gb", "checkpoint_gb", "broker_disk_tb", "keeper_memory_gb"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_a_worker_reads_its_cards_back_in_the_time_allowed(capacity: Capacity) -> None:
    needs = capacity.needs(10_000)
    cards = needs.card_state_gb * 1e9 / capacity.figures.largest_cards.resident_bytes / needs.workers
    assert cards <= capacity.cards_a_take_over


def test_a_part_ends_where_its_need_is_what_there_is(capacity: Capacity) -> None:
    ends, given = capacity.ends(), capacity.assumptions
    rate = ends["profile keeper: transactions of 37 days in memory"]
    assert capacity.needs(rate).keeper_memory_gb == pytest.approx(given.busy * given.memory_gb)
    assert list(ends.values()) == sorted(ends.values())


def test_it_reckons_with_the_workers_defaults() -> None:
    settings = ScoringSettings("", "", Path(), "", Path())
    assert settings.session_timeout_s / 2 == LEASE_S
    assert settings.checkpoint_interval_s * (settings.checkpoint_increments + 1) == CHAIN_S


def test_a_table_without_a_place_on_the_page_is_refused() -> None:
    with pytest.raises(ValueError, match="no place for the table needs"):
        rewritten("a page", {"needs": "| |"})
