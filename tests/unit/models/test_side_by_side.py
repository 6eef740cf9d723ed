"""Independent pieces of work run at once, each on one thread, and come back in order."""

import os
import threading
from functools import partial

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from models.families.catalogue import FAMILIES
from models.side_by_side import own_cores, side_by_side


def test_pieces_come_back_in_order() -> None:
    assert side_by_side(partial(int, number) for number in range(20)) == list(range(20))
    assert side_by_side([]) == []


@pytest.mark.skipif(own_cores() < 2, reason="one core runs one piece at a time")
def test_pieces_run_at_once() -> None:
    meeting = threading.Barrier(2, timeout=30)
    assert sorted(side_by_side([meeting.wait, meeting.wait])) == [0, 1]


def test_the_error_of_a_piece_is_raised() -> None:
    def fail() -> int:
        raise ValueError("no fraud")

    with pytest.raises(ValueError, match="no fraud"):
        side_by_side([fail, lambda: 1])


def test_a_piece_has_one_thread_and_the_caller_keeps_its_own() -> None:
    def threads() -> list[int]:
        return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"]

    with threadpool_limits(limits=2, user_api="openmp"):
        before = threads()
        assert set(side_by_side([threads])[0]) == {1}
        assert threads() == before


@pytest.mark.parametrize("name", FAMILIES)
def test_a_fit_beside_others_is_the_fit_alone(name: str) -> None:
    random = np.random.default_rng(3)
    values = random.random((2_000, 5)).astype(np.float32)
    is_fraud = values[:, 0] * values[:, 1] > random.random(2_000)

    def fit() -> bytes:
        family = FAMILIES[name]
        return bytes(family.to_onnx(family.fit(values, is_fraud, None, 1), 5).SerializeToString())

    assert len({*side_by_side([fit] * 3), *side_by_side([fit])}) == 1
    assert own_cores() <= (os.cpu_count() or 1)
