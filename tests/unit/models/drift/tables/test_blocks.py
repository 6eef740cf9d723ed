"""Blocks end with the reference; days play themselves where they hold enough."""

import numpy as np
import pytest

from models.drift.tables.blocks import cut_blocks
from models.drift.tables.labelled_table import TableError
from models.schema.topics import DAY_MS


def every(rows_a_day: int, rows: int) -> np.ndarray:
    return np.arange(rows) * (DAY_MS // rows_a_day)


def test_equal_blocks_of_a_reference_end_with_its_last_row() -> None:
    for reference_rows in (700, 1_999, 2_000, 50_000):
        blocks = cut_blocks(3 * reference_rows, reference_rows, None)
        assert blocks.rows(0, blocks.reference).stop == reference_rows
        assert blocks.reference % 7 == 0
        assert blocks.reference >= 28


def test_days_are_the_blocks_where_each_holds_enough_rows() -> None:
    blocks = cut_blocks(6_000, 4_000, every(100, 6_000))
    assert blocks.unit == "day"
    assert blocks.typical_rows == 100
    assert blocks.rows(0, blocks.reference) == slice(500, 4_000)


def test_days_with_few_rows_give_way_to_equal_blocks() -> None:
    assert cut_blocks(6_000, 3_000, every(40, 6_000)).unit == "rows"


def test_a_day_without_rows_gives_way_to_equal_blocks() -> None:
    times = every(100, 6_000)
    assert cut_blocks(6_000, 3_000, np.where(times >= 20 * DAY_MS, times + DAY_MS, times)).unit == "rows"


def test_the_next_reference_is_half_as_long_and_never_below_four_weeks() -> None:
    assert cut_blocks(20_000, 10_000, None).next_reference == 28
    assert cut_blocks(1_500, 700, None).next_reference == 28
    assert cut_blocks(30_000, 20_000, every(100, 30_000)).next_reference == 98


def test_a_short_reference_is_refused_with_the_rows_it_needs() -> None:
    with pytest.raises(TableError, match=r"a reference of 699 rows .* give --reference 700 or more"):
        cut_blocks(10_000, 699, None)


def test_a_table_that_ends_with_its_reference_is_refused() -> None:
    with pytest.raises(TableError, match="give a smaller --reference"):
        cut_blocks(2_000, 2_000, None)
