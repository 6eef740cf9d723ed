"""Compiled kernels: none is served from a store that does not know all its sources."""

import pytest
from numba.core.caching import NullCache
from numba.core.dispatcher import Dispatcher

from models.features import (
    card_blocks,
    card_measures,
    card_pool,
    card_windows,
    hash_index,
    kernel_sources,
    profile_table,
    terminal_counts,
)

SELF_CONTAINED = {hash_index}
MODULES = (card_blocks, card_measures, card_pool, card_windows, hash_index, profile_table, terminal_counts)


def stored_kernels(module):
    kernels = [each for each in vars(module).values() if isinstance(each, Dispatcher)]
    own = [kernel for kernel in kernels if kernel.py_func.__module__ == module.__name__]
    return [kernel for kernel in own if not isinstance(vars(kernel)["_cache"], NullCache)]


@pytest.mark.parametrize("module", [module for module in MODULES if module not in SELF_CONTAINED])
def test_a_stored_kernel_is_stored_under_the_number_of_its_sources(module):
    for kernel in stored_kernels(module):
        assert kernel.py_func.__defaults__ == (kernel_sources.SOURCES,), kernel.py_func.__name__


def test_kernels_are_stored_where_they_are_called_from_outside():
    stored = {kernel.py_func.__name__ for module in MODULES for kernel in stored_kernels(module)}
    assert {"advance_cards", "_gather", "_fill", "_count", "_look_up"} <= stored
    assert stored_kernels(card_measures) == []
