"""A gap in which the process stood still is noticed."""

import pytest

from stream_app.scoring.lease import Lease


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_a_lease_lapses_only_after_a_longer_gap_and_is_good_again_once_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("time.clock_gettime", lambda _clock: clock())
    lease = Lease(longest_gap_s=3)
    clock.now_s += 3
    assert not lease.lapsed()
    clock.now_s += 0.1
    assert lease.lapsed()
    lease.renew()
    assert not lease.lapsed()
