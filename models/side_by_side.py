"""Independent work on all cores of this process, each piece on one thread."""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")


def side_by_side(work: Iterable[Callable[[], T]]) -> list[T]:
    """Return what each piece of work returns, in the order of the pieces.

    A piece has one thread, and so has every fit in it: sums come out the same however many cores there are, and where
    other processes take a core away one piece is late, while the threads of one fit would all wait for each other.

    Parameters
    ----------
    work: without arguments; Python itself runs one piece at a time, so most of each should be spent in compiled code.

    Raises
    ------
    Exception: the first one that a piece raises; pieces that have not begun are then dropped.

    Examples
    --------
    >>> side_by_side(lambda number=number: number**2 for number in range(4))
    [0, 1, 4, 9]
    """
    pieces = list(work)
    if not pieces:
        return []
    libraries = ThreadpoolController()
    # OpenMP keeps the number for each calling thread by itself, a BLAS one for the process.
    one_thread = partial(libraries.limit, limits=1, user_api="openmp")
    pool = ThreadPoolExecutor(min(len(pieces), own_cores()), initializer=one_thread)
    with libraries.limit(limits=1, user_api="blas"), pool:
        return list(pool.map(lambda piece: piece(), pieces))


def own_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
