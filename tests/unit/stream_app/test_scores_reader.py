"""The reader's rule, and how it survives a restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_app.scores_reader import LastSeen


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9))))
def test_every_record_is_above_all_that_were_kept_before_it(places: list[tuple[int, int]]) -> None:
    last = LastSeen()
    kept = [place for place in places if last.is_new(0, *place)]
    assert kept == sorted(set(kept))
    assert max(places, default=None) == max(kept, default=None)


def test_partitions_do_not_know_of_each_other() -> None:
    last = LastSeen()
    assert [last.is_new(partition, 0, 7) for partition in (0, 1, 0, 1)] == [True, True, False, False]


def test_offsets_begin_again_in_a_new_epoch_and_the_old_one_is_over() -> None:
    last = LastSeen()
    assert [last.is_new(0, *place) for place in [(0, 50), (1, 0), (0, 51), (1, 1)]] == [True, True, False, True]


@given(st.integers(0, 5), st.integers(0, 2**62), st.text())
def test_commit_metadata_restores_the_last_seen_whatever_a_client_reads_behind_its_end(
    epoch: int, source_offset: int, behind: str
) -> None:
    before, after = LastSeen(), LastSeen()
    before.is_new(3, epoch, source_offset)
    after.restore(3, before.metadata(3) + behind)
    assert not after.is_new(3, epoch, source_offset)
    assert after.is_new(3, epoch, source_offset + 1)


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[1]", '"epoch"', "7", "not ours", '{"epoch": null, "source_offset": 1}']
)
def test_metadata_of_another_writer_means_that_nothing_was_seen(text: str | None) -> None:
    last = LastSeen()
    last.is_new(0, 4, 4)
    last.restore(0, text)
    assert last.is_new(0, 0, 0)
