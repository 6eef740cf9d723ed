"""Which weeks to publish at the close of an event day, and which to restate because later statements changed them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from models.metrics import performance
from models.metrics.ledger_settings import WEEK_DAYS, LedgerError, LedgerSettings
from models.metrics.scored_rows import ScoredRows
from models.metrics.week_record import Revision, labels_hash, week_record
from models.schema.cloud_event import event_id
from models.schema.performance import Performance, State
from models.schema.topics import DAY_MS

Load = Callable[[int, int, int], Sequence[ScoredRows]]
"""Called with the first event day, the one after the last and a moment in ms; gives one ScoredRows per version."""


class Published(msgspec.Struct, frozen=True):
    """What a ledger remembers of the newest record of a version and week."""

    event_id: str
    as_of: int
    state: State
    revision: int
    restates: str | None
    labels_hash: str


class LedgerState(msgspec.Struct):
    """What a ledger knows between two closes.

    Attributes
    ----------
    closed_day: the last event day that closed.
    mature_week: the newest week that was published as mature, or was due and had no rows.
    changed_weeks: mature weeks that later statements have changed and that are not restated yet.
    published: by model version and week.
    """

    closed_day: int | None = None
    mature_week: int | None = None
    changed_weeks: set[int] = msgspec.field(default_factory=set)
    published: dict[str, dict[int, Published]] = msgspec.field(default_factory=dict)


class PerformanceLedger:
    """Publishes each week when its last day is mature, and again when a statement that came later changes it.

    The same closes with the same rows give the same records with the same ids, so a caller that crashed closes the day
    again and publishes what comes out. A caller that keeps the state keeps it after the records are published.

    Parameters
    ----------
    settings: see there.
    state: to go on from; empty by default. It is changed in place.
    """

    def __init__(self, settings: LedgerSettings, state: LedgerState | None = None) -> None:
        self.settings = settings
        self.state = state or LedgerState()

    def recall(self, records: Iterable[Performance]) -> None:
        """Take up records that were published before, in the order of their topic, instead of a state that was kept.

        What they cannot tell: which changed weeks were still waiting under `restate_every_days`.
        """
        for record in records:
            self._remember(record)
            self.state.closed_day = _later(self.state.closed_day, record.as_of // DAY_MS - 1)
            if record.state != "provisional":
                self.state.mature_week = _later(self.state.mature_week, record.week)

    def close_day(
        self,
        day: int,
        load: Load,
        changed_days: Collection[int] = (),
        tables: Mapping[str, int] | None = None,
    ) -> list[Performance]:
        """Return the records that are to be published now that event day `day` has closed.

        Parameters
        ----------
        day: not before the last one closed; closing that one again gives its records again.
        load: gives the rows of some days, from the same tables.
        changed_days: event days of the transactions that statements since the last close are about; days too many cost
            time and change nothing.
        tables: version of each table that `load` reads.

        Raises
        ------
        LedgerError: for a day before the last one closed.
        """
        if self.state.closed_day is not None and day < self.state.closed_day:
            raise LedgerError(f"day {day} closes after day {self.state.closed_day}: close days in order")
        records = []
        for week in self._due(day, changed_days):
            first = self.settings.first_day(week)
            for rows in load(first, min(first + WEEK_DAYS, day + 1), (day + 1) * DAY_MS):
                record = self._record(week, rows, tables or {}) if len(rows) else None
                if record is not None:
                    self._remember(record)
                    records.append(record)
        self.state.closed_day = day
        self.state.mature_week = self.settings.mature_week(day)
        return records

    def _due(self, day: int, changed_days: Collection[int]) -> list[int]:
        """Weeks to look at, oldest first."""
        settings, state = self.settings, self.state
        newest = settings.mature_week(day)
        before = state.mature_week if state.mature_week is not None else settings.week_of(day) - 1
        if settings.matures_on(newest) == day:
            before = min(before, newest - 1)  # also when the day is closed again
        state.changed_weeks |= {week for week in map(settings.week_of, changed_days) if week <= before}
        restated = {week for week in state.changed_weeks if self._may_restate(week, day)}
        state.changed_weeks -= restated
        last = settings.week_of(day) if settings.provisional else newest
        return [*sorted(restated), *range(before + 1, last + 1)]

    def _may_restate(self, week: int, day: int) -> bool:
        return (day - self.settings.matures_on(week)) % self.settings.restate_every_days == 0

    def _record(self, week: int, rows: ScoredRows, tables: Mapping[str, int]) -> Performance | None:
        """Measure a version's week; None when nothing has changed since its newest record."""
        counts = performance.counted(rows, self.settings.maturity_ms)
        revision = self._revision(week, rows, labels_hash(rows, counts))
        return None if revision is None else week_record(rows, counts, week, revision, tables, self.settings)

    def _revision(self, week: int, rows: ScoredRows, labels: str) -> Revision | None:
        before = self.state.published.get(rows.model_version, {}).get(week)
        identity = event_id("performance", rows.model_version, week, rows.as_of)
        if before is None:
            return Revision(identity, self._state(week, rows.as_of), 1, None, labels)
        if before.event_id == identity:
            return Revision(identity, before.state, before.revision, before.restates, labels)
        state = self._state(week, rows.as_of)
        if state == "mature" and before.state != "provisional":
            if before.labels_hash == labels:
                return None
            state = "restated"
        return Revision(identity, state, before.revision + 1, before.event_id, labels)

    def _state(self, week: int, as_of: int) -> State:
        return "mature" if as_of > self.settings.matures_on(week) * DAY_MS else "provisional"

    def _remember(self, record: Performance) -> None:
        self.state.published.setdefault(record.model_version, {})[record.week] = Published(
            record.event_id, record.as_of, record.state, record.revision, record.restates, record.labels_hash
        )


def _later(known: int | None, other: int) -> int:
    return other if known is None else max(known, other)
