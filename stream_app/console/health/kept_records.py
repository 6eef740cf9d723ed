"""What the feed has read for the page, decoded once and not anew for everybody who looks."""

import threading
from typing import Any, Final, Generic, TypeVar

import msgspec

from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.model_event import ModelEvent
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from stream_app.console.feed.feed import Feed
from stream_app.console.feed.journal import Journal
from stream_app.console.health.records import HealthRecords
from stream_app.console.health.view import HealthView, health_view

_R = TypeVar("_R", bound=msgspec.Struct)

_MOST: Final = 2_000
"""Of a kind: more than 400 days of it bring."""


class KeptRecords(Generic[_R]):
    """The records of a journal, each event once; asked by one thread at a time.

    Parameters
    ----------
    journal: where they come in.
    record: what they are.
    """

    def __init__(self, journal: Journal, record: type[_R]) -> None:
        self._journal = journal
        self._record = record
        self._records: dict[str, _R] = {}
        self._generation, self._number = journal.generation, 0

    @property
    def place(self) -> tuple[int, int]:
        """What changes whenever the records do."""
        return self._journal.generation, self._journal.number

    def all(self) -> tuple[_R, ...]:
        """Return them in the order in which they were published."""
        if self._journal.generation != self._generation:
            self._records, self._generation, self._number = {}, self._journal.generation, 0
        for entry in self._journal.after(self._number):
            self._number = entry.number
            self._records.setdefault(entry.data["event"]["id"], msgspec.convert(entry.data, self._record))
        while len(self._records) > _MOST:
            self._records.pop(next(iter(self._records)))
        return tuple(self._records.values())


class HealthDesk:
    """Gives the page as the feed knows it; asked from any thread.

    Parameters
    ----------
    feed: read by this process.
    """

    def __init__(self, feed: Feed) -> None:
        self._performance = KeptRecords(feed.journal("performance"), Performance)
        self._statistics = KeptRecords(feed.journal("statistics"), DriftStatistics)
        self._events = KeptRecords(feed.journal("drift"), DriftEvent)
        self._requests = KeptRecords(feed.journal("request"), RetrainRequest)
        self._models = KeptRecords(feed.journal("model"), ModelEvent)
        self._lock = threading.Lock()
        self._places: tuple[Any, ...] = ()
        self._views: dict[int | None, HealthView] = {}

    def view(self, features_shown: int | None) -> HealthView:
        """Return the page; the same one until something new has come."""
        with self._lock:
            kept = (self._performance, self._statistics, self._events, self._requests, self._models)
            places = tuple(one.place for one in kept)
            if places != self._places:
                self._places, self._views = places, {}
            if features_shown not in self._views:
                records = HealthRecords(
                    self._performance.all(),
                    self._statistics.all(),
                    self._events.all(),
                    self._requests.all(),
                    self._models.all(),
                )
                self._views[features_shown] = health_view(records, features_shown)
            return self._views[features_shown]
