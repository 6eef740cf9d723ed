"""Sends past transactions in steps of event time, with the labels that fall due."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.errors import FraudstreamError
from models.schema.label import LabelSource
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from models.schema.wire import encode
from producers.history import HistoryBatch
from producers.label_queue import LabelQueue, label_of
from producers.lockstep import Lockstep, moment
from producers.pace import Pace, Unpaced
from producers.record_sink import RecordSink

STEP_MS: Final = 6 * 3600 * 1000
"""A step ends at 0, 6, 12 and 18 h UTC, as the profile keeper's do."""
_CHUNK_ROWS: Final = 5000
_PAUSE_S: Final = 0.005


class ReplayError(FraudstreamError):
    """Raised when a lockstep replay meets a transaction of a step that has ended."""


@dataclass(frozen=True, slots=True)
class LabelRule:
    """When and by whom the frauds of a file become known.

    Attributes
    ----------
    delay_ms: from the transaction to its label.
    source: who states it.
    starts_at: event time at which the replay starts. Labels of earlier frauds that were due by then are left out: a
        replay of the days before has sent them.
    """

    delay_ms: int
    source: LabelSource
    starts_at: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A step that has been sent: everything before as_of.

    Attributes
    ----------
    as_of: event time, ms.
    transactions, labels: sent in all, up to the end of this step.
    """

    as_of: int
    transactions: int
    labels: int


class Replay:
    """Sends batches of transactions, in order, in steps.

    Parameters
    ----------
    history: the transactions, encoded.
    outbox: where they go.
    topics: names of the topics.
    pace: how fast; as fast as possible by default.
    labels: when the frauds become known; None sends no labels.
    lockstep: waits for the scorers after each step; None does not.
    ends_at: event time up to which steps are closed, also when the transactions end earlier.
    clock_s, sleep: the clock.

    Examples
    --------
    ::

        replay = Replay(History(path, HANDBOOK), outbox, topics, labels=rule, lockstep=lockstep)
        for step in replay.steps():
            if step.as_of == first_test_day:
                registry.promote(...)
    """

    def __init__(
        self,
        history: Iterable[HistoryBatch],
        outbox: RecordSink,
        topics: TopicNames,
        *,
        pace: Pace | None = None,
        labels: LabelRule | None = None,
        lockstep: Lockstep | None = None,
        ends_at: int | None = None,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._history = history
        self._outbox = outbox
        self._topics = topics
        self._pace = pace or Unpaced()
        self._rule = labels
        self._queue = LabelQueue()
        self._lockstep = lockstep
        self._ends_at = ends_at
        self._clock_s = clock_s
        self._sleep = sleep
        self._started_s = 0.0
        self._reached = 0
        self._as_of: int | None = None
        self.transactions = 0
        self.labels = 0

    @property
    def labels_waiting(self) -> int:
        """Labels that are not due yet."""
        return len(self._queue)

    @property
    def event_time(self) -> int:
        """Largest event time sent, ms; 0 before the first."""
        return self._reached

    def run(self) -> None:
        """Send everything."""
        for _ in self.steps():
            pass

    def steps(self) -> Iterator[Step]:
        """Send step after step; what the caller does between two of them happens between them in event time."""
        if self._lockstep is not None:
            self._lockstep.require_worker()
        self._started_s = self._clock_s()
        for batch in self._history:
            self._queue_labels(batch.frauds)
            yield from self._batch_steps(batch)
        if self._as_of is not None:
            yield self._close(self._as_of)
            while self._as_of < (self._ends_at or 0):
                self._as_of += STEP_MS
                yield self._close(self._as_of)
        self._outbox.flush()

    def _batch_steps(self, batch: HistoryBatch) -> Iterator[Step]:
        if not len(batch):
            return
        if self._as_of is None:
            self._as_of = (int(batch.event_time[0]) // STEP_MS + 1) * STEP_MS
        reached = np.maximum.accumulate(np.maximum(batch.event_time, self._reached))
        row = 0
        while row < len(batch):
            stop = int(np.searchsorted(reached, self._as_of))
            self._send(batch, row, stop)
            row = stop
            if row < len(batch):
                yield self._close(self._as_of)
                self._as_of += STEP_MS

    def _send(self, batch: HistoryBatch, row: int, stop: int) -> None:
        self._refuse_late(batch, row, stop)
        while row < stop:
            ready = self._pace.ready(batch.event_time[row:stop], self.transactions, self._clock_s() - self._started_s)
            end = row + min(ready, _CHUNK_ROWS)
            if end == row:
                self._outbox.poll()
                self._sleep(_PAUSE_S)
                continue
            self._outbox.send_all(self._topics.transactions, batch.keys[row:end], batch.values[row:end])
            self._reached = max(self._reached, int(batch.event_time[row:end].max()))
            self.transactions += end - row
            self._send_labels(self._reached)
            row = end

    def _refuse_late(self, batch: HistoryBatch, row: int, stop: int) -> None:
        if self._lockstep is None or row == stop or self._as_of is None:
            return
        earliest = int(batch.event_time[row:stop].min())
        if earliest < self._as_of - STEP_MS:
            raise ReplayError(
                f"a transaction of {moment(earliest)} follows one of {moment(self._as_of - STEP_MS)} or later, whose "
                "step has ended; sort the file by event time, or give --sort"
            )

    def _close(self, as_of: int) -> Step:
        self._send_labels(as_of)
        if self._lockstep is not None:
            self._lockstep.close_step(as_of)
        return Step(as_of, self.transactions, self.labels)

    def _queue_labels(self, frauds: list[Transaction]) -> None:
        rule = self._rule
        if rule is None:
            return
        for fraud in frauds:
            if fraud.event_time >= rule.starts_at or fraud.event_time + rule.delay_ms > rule.starts_at:
                self._queue.add(label_of(fraud, rule.delay_ms, rule.source))

    def _send_labels(self, until_ms: int) -> None:
        labels = self._queue.due(until_ms)
        if labels:
            keys = [label.card_id.encode() for label in labels]
            self._outbox.send_all(self._topics.labels, keys, list(map(encode, labels)))
            self.labels += len(labels)
