"""The simulator's small parts: named random streams, weighted groups, opaque ids."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from producers.simulator.identifiers import opaque_ids
from producers.simulator.random_streams import mix64, stream_key, substream
from producers.simulator.weighted_groups import WeightedGroups


def test_streams_of_different_purposes_are_different_and_repeat() -> None:
    assert substream(1, "a", 2).random() == substream(1, "a", 2).random()
    draws = [substream(*path).random() for path in ((1, "a"), (2, "a"), (1, "b"), (1, "a", 0), (1, "a", 1))]
    assert len(set(draws)) == len(draws)


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=200), st.integers(0, 2**32))
def test_mixing_keeps_different_numbers_different(numbers: list[int], seed: int) -> None:
    mixed = mix64(np.array(numbers, np.uint64), stream_key(seed, "test"))
    assert len(set(mixed.tolist())) == len(numbers)


@given(st.lists(st.integers(0, 2**64 - 1), unique=True, min_size=1, max_size=200))
def test_ids_are_unique_and_their_digits_never_run_long(numbers: list[int]) -> None:
    ids = opaque_ids(np.array(numbers, np.uint64), b"x", 13).tolist()
    assert len(set(ids)) == len(numbers)
    assert all(len(text) == 14 and text[:2].isalpha() for text in ids)


def test_members_are_drawn_by_weight_from_their_own_group() -> None:
    groups = WeightedGroups.build(np.array([1, 0, 1, 3, -1]), np.array([1.0, 2.0, 3.0, 1.0, 9.0]), groups=4)
    rng = np.random.default_rng(1)
    drawn = groups.draw(np.full(4000, 1), rng.random(4000))
    assert set(drawn.tolist()) == {0, 2}
    assert 0.7 < (drawn == 2).mean() < 0.8
    assert groups.draw(np.array([0, 3]), np.array([0.0, 0.999999999])).tolist() == [1, 3]
    assert [groups.of(group).tolist() for group in range(4)] == [[1], [0, 2], [], [3]]


def test_a_draw_at_the_very_edge_stays_in_its_group() -> None:
    groups = WeightedGroups.build(np.repeat(np.arange(5000), 2), np.ones(10_000), groups=5000)
    edge = np.nextafter(1.0, 0.0)
    assert groups.draw(np.arange(5000), np.full(5000, edge)).tolist() == list(range(1, 10_000, 2))
