"""Sends labels when the event time of the transactions has reached them."""

import time
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from models.schema.field_types import LATEST_MS
from models.schema.label import Label
from models.schema.topics import TopicNames
from models.schema.wire import encode
from producers.label_queue import LabelQueue
from producers.record_sink import RecordSink

_AT_ONCE: Final = 10_000


class EventClock(Protocol):
    """Tells how far event time has come."""

    def advance(self) -> int:
        """Wait a moment for news and return the event time reached, ms; 0 when nothing has been seen."""
        ...


class LateLabels:
    """Holds labels back until they are due.

    Parameters
    ----------
    labels: what will be stated, in any order.
    outbox: where labels go.
    topics: names of the topics.
    """

    def __init__(self, labels: Iterable[Label], outbox: RecordSink, topics: TopicNames) -> None:
        self._queue = LabelQueue(labels)
        self._outbox = outbox
        self._topic = topics.labels
        self.sent = 0

    @property
    def waiting(self) -> int:
        """Labels that are not due yet."""
        return len(self._queue)

    def send_due(self, event_time: int) -> None:
        """Send the labels known at an event time."""
        labels = self._queue.due(event_time)
        for start in range(0, len(labels), _AT_ONCE):
            part = labels[start : start + _AT_ONCE]
            self._outbox.send_all(self._topic, [label.card_id.encode() for label in part], list(map(encode, part)))
            self.sent += len(part)

    def send_all(self) -> None:
        """Send every label, whatever the event time."""
        self.send_due(LATEST_MS)

    def follow(
        self, clock: EventClock, idle_s: float | None = None, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Send labels as event time goes on, until none is left.

        Parameters
        ----------
        idle_s: end as well when event time has stood still for so long; None waits for ever.
        """
        reached, moved_s = 0, clock_s()
        while self.waiting:
            event_time = clock.advance()
            if event_time > reached:
                reached, moved_s = event_time, clock_s()
                self.send_due(event_time)
            elif idle_s is not None and clock_s() - moved_s > idle_s:
                break
            self._outbox.poll()
        self._outbox.flush()
