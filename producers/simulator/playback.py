"""Sends simulated days at a pace, their labels when event time has come to them."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models.schema.topics import TopicNames
from models.schema.wire import encode
from producers.label_queue import LabelQueue
from producers.pace import Pace
from producers.simulator.simulated_day import SimulatedDay
from producers.simulator.statements import statements
from producers.simulator.summary import TrafficSummary
from producers.simulator.truth import TruthFile

CHUNK = 1000
"""Transactions encoded and sent at once: labels and the progress line are at most so far behind."""
LOOK_AGAIN_S = 0.005


class Sender(Protocol):
    """Takes records in order, such as `producers.kafka_client.Outbox`."""

    def send_all(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes]) -> None:
        """Queue records."""
        ...

    def poll(self) -> None:
        """Raise what has gone wrong since."""
        ...


@dataclass
class Playback:
    """One run of the simulated bank.

    Parameters
    ----------
    sender
        Where records go.
    topics
        The topics' names.
    pace
        How fast.
    labels_seed
        Seed of the statements about transactions; None sends no labels.
    truth
        Where the ground truth of what was sent goes.
    on_progress
        Called after each chunk.
    clock, sleep
        Time in seconds, and how to let it pass.
    """

    sender: Sender
    topics: TopicNames
    pace: Pace
    labels_seed: int | None = None
    truth: TruthFile | None = None
    on_progress: Callable[["Playback"], None] = lambda _playback: None
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    sent: TrafficSummary = field(default_factory=TrafficSummary)
    labels_sent: int = 0
    _labels: LabelQueue = field(default_factory=LabelQueue)
    _started_at: float | None = None
    _stopped: bool = False

    @property
    def labels_waiting(self) -> int:
        """Labels whose time has not come."""
        return len(self._labels)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the first day was there."""
        return 0.0 if self._started_at is None else self.clock() - self._started_at

    def run(self, days: Iterable[SimulatedDay]) -> None:
        """Send all days, or as many as come before `stop`."""
        for day in days:
            if self._stopped:
                return
            if self._started_at is None:
                self._started_at = self.clock()
            if self.labels_seed is not None:
                for label in statements(day, self.labels_seed):
                    self._labels.add(label)
            self._send_day(day)

    def stop(self) -> None:
        """End the run behind the chunk that is being sent."""
        self._stopped = True

    def _send_day(self, day: SimulatedDay) -> None:
        position = 0
        while position < len(day) and not self._stopped:
            upcoming = day.event_time[position : position + CHUNK]
            ready = self.pace.ready(upcoming, self.sent.transactions, self.elapsed_s)
            if not ready:
                self.sender.poll()
                self.sleep(LOOK_AGAIN_S)
                continue
            self._send_part(day.part(position, position + ready))
            position += ready

    def _send_part(self, part: SimulatedDay) -> None:
        records = part.encoded()
        self.sender.send_all(self.topics.transactions, [key for key, _ in records], [value for _, value in records])
        self.sent.add(part)
        if self.truth is not None:
            self.truth.add(part)
        self._send_labels(int(part.event_time[-1]))
        self.on_progress(self)

    def _send_labels(self, now_ms: int) -> None:
        due = self._labels.due(now_ms)
        if due:
            keys = [label.card_id.encode("ascii") for label in due]
            self.sender.send_all(self.topics.labels, keys, list(map(encode, due)))
            self.labels_sent += len(due)
