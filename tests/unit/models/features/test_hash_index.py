"""The hash index: stable numbers for keys, whatever the batches and the collisions."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.features.hash_index import HashIndex

KEYS = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 5) | st.integers(0, 5).map(lambda n: n << 40), max_size=60)


@given(st.lists(KEYS, max_size=6))
def test_keys_are_numbered_in_the_order_in_which_they_first_come(batches):
    index = HashIndex()
    numbers: dict[int, int] = {}
    for batch in batches:
        expected = [numbers.setdefault(key, len(numbers)) for key in batch]
        assert index.add(np.array(batch, np.uint64)).tolist() == expected
    assert index.count == len(numbers)
    assert index.look_up(np.array([*numbers], np.uint64)).tolist() == [*numbers.values()]


def test_numbers_survive_growth():
    keys = np.random.default_rng(3).integers(0, 2**64, 100_000, np.uint64)
    index = HashIndex()
    assert index.add(keys).tolist() == list(range(100_000))
    assert index.look_up(keys).tolist() == list(range(100_000))
    assert index.nbytes / index.count <= 48


def test_an_unknown_key_has_no_number():
    assert HashIndex().look_up(np.array([0, 1], np.uint64)).tolist() == [-1, -1]
