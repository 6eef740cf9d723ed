"""Says when a worker is above its capacity, and when it has caught up."""

import logging

from stream_app.scoring.record_batch import RecordBatch

log = logging.getLogger(__name__)

CAUGHT_UP_S = 5.0
"""Time without an overdue batch after which the worker counts as having caught up."""


class OverdueNotice:
    """One log line when batches begin to be overdue, one when they have not been for a while.

    Parameters
    ----------
    limit_s: the age from which on a batch is overdue, seconds.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._last_s: float | None = None

    def see(self, batch: RecordBatch, now_s: float) -> None:
        """Take note of a scored batch."""
        if batch.overdue:
            if self._last_s is None:
                log.warning(
                    "partition %d: transactions wait longer than %g s: they are scored without reason codes and marked "
                    "degraded until the worker has caught up; if that lasts, start more workers",
                    batch.partition,
                    self._limit_s,
                    extra={"partition": batch.partition},
                )
            self._last_s = now_s
        elif self._last_s is not None and now_s - self._last_s > CAUGHT_UP_S:
            log.info("caught up: no transaction has waited longer than %g s for %g s", self._limit_s, CAUGHT_UP_S)
            self._last_s = None
