"""How long this process has stood still: after a gap, another worker may own what it has in hand."""

import time


class Lease:
    """Time since the process was last seen running.

    CLOCK_BOOTTIME goes on while the process is stopped and while the machine sleeps; a monotonic clock only in the
    first case.

    Parameters
    ----------
    longest_gap_s:
        A gap above it has lapsed: half the session time-out, so that the group cannot have given the partitions away
        before.
    """

    def __init__(self, longest_gap_s: float) -> None:
        self._longest_gap_s = longest_gap_s
        self._renewed_at = time.clock_gettime(time.CLOCK_BOOTTIME)

    def renew(self) -> None:
        """The process runs, and what it holds is its own."""
        self._renewed_at = time.clock_gettime(time.CLOCK_BOOTTIME)

    def lapsed(self) -> bool:
        """Whether the gap since the last renewal is too long."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self._renewed_at > self._longest_gap_s
