"""Each feature row counts once, whatever is sent again."""

import numpy as np
import numpy.typing as npt
import pytest

from stream_app.watch.profiles.source_positions import SourcePositions, UnknownPartitionError


def offsets(*values: int) -> npt.NDArray[np.int64]:
    return np.array(values, np.int64)


def test_a_repeated_batch_counts_only_what_is_new() -> None:
    sources = SourcePositions(1)
    assert sources.new_rows(0, 0, offsets(0, 1, 2)).tolist() == [True, True, True]
    assert sources.new_rows(0, 0, offsets(1, 2, 3)).tolist() == [False, False, True]


def test_a_row_repeated_within_a_batch_counts_once() -> None:
    assert SourcePositions(1).new_rows(0, 0, offsets(4, 4, 3, 5)).tolist() == [True, False, False, True]


def test_partitions_are_counted_apart() -> None:
    sources = SourcePositions(2)
    sources.new_rows(0, 0, offsets(9))
    assert sources.new_rows(1, 0, offsets(0)).tolist() == [True]


def test_a_new_epoch_starts_again_and_the_old_one_is_over() -> None:
    sources = SourcePositions(1)
    sources.new_rows(0, 0, offsets(100))
    sources.scan(0, 0, 100)
    assert sources.new_rows(0, 1, offsets(0, 1)).tolist() == [True, True]
    sources.scan(0, 1, 1)
    assert sources.new_rows(0, 0, offsets(101)).tolist() == [False]
    assert sources.next_offsets() == {0: 2}


def test_the_position_covers_rejected_records_and_never_goes_back() -> None:
    sources = SourcePositions(2)
    sources.scan(1, 0, 41)
    sources.scan(1, 0, 20)
    assert sources.next_offsets() == {0: 0, 1: 42}


def test_restored_positions_drop_what_was_counted_before() -> None:
    sources, restored = SourcePositions(1), SourcePositions(1)
    sources.new_rows(0, 3, offsets(7))
    sources.scan(0, 3, 7)
    restored.restore(sources.snapshot())
    assert restored.new_rows(0, 3, offsets(7, 8)).tolist() == [False, True]
    assert restored.next_offsets() == {0: 8}


def test_an_added_partition_asks_for_a_restart() -> None:
    with pytest.raises(UnknownPartitionError, match="partition 1 of features is new"):
        SourcePositions(1).scan(1, 0, 0)
