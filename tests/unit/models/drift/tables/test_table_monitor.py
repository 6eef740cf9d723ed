"""Rises too small for a week of blocks, and rises that ADWIN sees before the misses confirm them."""

import numpy as np
import pytest

from models.drift.day_counts import MissCounts, PopulationCounts
from models.drift.reference import FalseAlarmBudget
from models.drift.tables.block_counts import BlockCounts
from models.drift.tables.blocks import cut_blocks
from models.drift.tables.labelled_table import LabelledTable
from models.drift.tables.table_model import given_scores
from models.drift.tables.table_monitor import TableFinding, TableMonitor
from models.drift.tables.table_reference import TableReference, build_table_reference

ROWS, REFERENCE = 10_000, 5_600


@pytest.fixture(scope="module")
def reference() -> TableReference:
    """Of 56 blocks of 100 rows, with the chances that made the labels as scores."""
    random = np.random.default_rng(1)
    values = random.normal(size=(ROWS, 2)).astype(np.float32)
    chance = (1.0 / (1.0 + np.exp(-3.0 * values.sum(axis=1)))).astype(np.float32)
    label = (random.random(ROWS) < chance).astype(np.int64)
    table = LabelledTable(["size", "age"], values, {}, label, ["no", "yes"], score=chance)
    blocks = cut_blocks(ROWS, REFERENCE, None)
    scored = given_scores(table).take(blocks.rows(0, blocks.reference))
    return build_table_reference(table, blocks, 0, blocks.reference, scored, FalseAlarmBudget(), seed=1)


class Play:
    """A monitor whose windows are full of usual blocks; misses come as the usual ones times a factor, in all cells."""

    def __init__(self, reference: TableReference) -> None:
        self.monitor, self.reference = TableMonitor(reference), reference
        self.arrived = PopulationCounts(100, np.array(reference.population.shares) * 100)
        for block in range(-21, 0):
            self.monitor.take_untested(block, self.arrived, self.misses(1.0))

    def misses(self, factor: float) -> MissCounts:
        of_all = self.reference.misses
        misses, squares = (np.array(sums) * factor / of_all.days for sums in (of_all.misses, of_all.squares))
        return MissCounts(100, 0, 0.0, misses, squares)

    def alarms(self, block: int, factor: float, loss: float | None = None) -> list[TableFinding]:
        losses = np.full(100, self.reference.losses.mean if loss is None else loss)
        return self.monitor.close(block, self.arrived, BlockCounts(self.arrived, self.misses(factor), losses)).alarms


def first_alarm(reference: TableReference, factor: float) -> TableFinding | None:
    play = Play(reference)
    return next((found[0] for found in (play.alarms(block, factor) for block in range(30)) if found), None)


def test_usual_misses_alarm_never(reference: TableReference) -> None:
    assert first_alarm(reference, 1.0) is None


def test_a_small_rise_that_lasts_is_found_over_two_or_three_weeks(reference: TableReference) -> None:
    first = first_alarm(reference, 1.35)
    assert first is not None
    assert (first.kind, first.feature) == ("performance", "performance")
    assert first.limit == reference.lasting_limit
    assert 7 < first.block < 21
    assert first.block - first.since_block in {13, 20}


def test_a_large_rise_is_found_at_once(reference: TableReference) -> None:
    first = first_alarm(reference, 5.0)
    assert first is not None
    assert (first.block, first.since_block) == (0, 0)


def test_a_rise_of_the_losses_is_confirmed_by_the_misses_of_the_blocks_after(reference: TableReference) -> None:
    play = Play(reference)
    assert play.alarms(0, 1.0, loss=0.9) == []
    first = next(found[0] for found in (play.alarms(block, 1.7) for block in range(1, 8)) if found)
    assert (first.kind, first.limit) == ("concept", reference.confirming_limit)
    assert first.observed > first.expected
