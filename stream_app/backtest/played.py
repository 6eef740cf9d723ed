"""What a backtest has decided so far, one entry per transaction of its world."""

import numpy as np

from models.drift.watch import ClosedDay
from models.features.batch import FeatureReplay
from models.features.history import NO_LABEL
from models.metrics.scored_rows import DECLINE, ScoredRows
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from stream_app.backtest.world import World


class Played:
    """Scores and decisions, and the rows of a day with what is known of them at a moment.

    Parameters
    ----------
    world: what happened.
    replay: its features; told which rows were declined, and whose label nobody will state.

    Attributes
    ----------
    scores: float32[n] that decided, NaN before the first scored day.
    asked: uint8[n] decision by the model's thresholds.
    decisions: uint8[n] what was done: nothing is declined or reviewed unless the backtest plays declines.
    control: bool[n] declines that were let pass.
    pass_probability: float32[n].
    version: int16[n] place of the deciding model in `versions`, -1 before the first scored day.
    beside: float32[n] score of the model that the deciding one was compared with, NaN where there was none.
    """

    def __init__(self, world: World, replay: FeatureReplay) -> None:
        n = len(world.history)
        self.scores = np.full(n, np.nan, np.float32)
        self.asked = np.zeros(n, np.uint8)
        self.decisions = np.zeros(n, np.uint8)
        self.control = np.zeros(n, np.bool_)
        self.pass_probability = np.ones(n, np.float32)
        self.version = np.full(n, -1, np.int16)
        self.beside = np.full(n, np.nan, np.float32)
        self.versions: list[str] = []
        self._world = world
        self._replay = replay

    def number_of(self, model: LoadedModel) -> int:
        """Return a model's place in `versions`."""
        if model.version not in self.versions:
            self.versions.append(model.version)
        return self.versions.index(model.version)

    def refuse_declined(self, rows: slice) -> None:
        """Take declines as refused: nobody will ever state what they were."""
        self._replay.declined[rows] = self.decisions[rows] == DECLINE
        self._replay.unheard[rows] = self._replay.declined[rows]

    def stated(self, rows: slice | np.ndarray, as_of: int) -> np.ndarray:
        """Return for which rows somebody has made a statement by a moment, bool."""
        labelled_at = self._world.history.labelled_at[rows]
        return np.asarray((labelled_at != NO_LABEL) & (labelled_at <= as_of) & ~self._replay.unheard[rows])

    def day_rows(self, day: int) -> slice:
        """Return the rows of a day, counted from the world's first."""
        start = (self._world.first_day + day) * DAY_MS
        return slice(*np.searchsorted(self._world.history.columns.event_time, (start, start + DAY_MS)))

    def closed_day(self, day: int, matured: int | None) -> ClosedDay:
        """Return a day as its close finds it, and the older one that is mature by that; None for none."""
        as_of = (self._world.first_day + day + 1) * DAY_MS
        return ClosedDay(
            day=self._world.first_day + day,
            arrived=self._by_version(day, as_of),
            matured=[] if matured is None else self._by_version(matured, as_of),
        )

    def _by_version(self, day: int, as_of: int) -> list[ScoredRows]:
        rows = self.day_rows(day)
        of_day = self.version[rows]
        found = [version for version in np.unique(of_day) if version >= 0]
        found.sort(key=lambda version: -int(np.sum(of_day == version)))
        return [self._scored(np.arange(rows.start, rows.stop)[of_day == version], as_of) for version in found]

    def _scored(self, rows: np.ndarray, as_of: int) -> ScoredRows:
        history = self._world.history
        columns, stated = history.columns, self.stated(rows, as_of)
        return ScoredRows(
            event_time=columns.event_time[rows],
            transaction=columns.transaction[rows],
            card=columns.card[rows],
            terminal=columns.terminal[rows],
            amount_minor=columns.amount[rows],
            score=self.scores[rows],
            decision=self.decisions[rows],
            control=self.control[rows],
            pass_probability=self.pass_probability[rows],
            values=self._replay.values[rows],
            is_fraud=history.is_fraud[rows] & stated,
            stated_at=np.where(stated, history.labelled_at[rows], NO_LABEL),
            label_source=np.zeros(len(rows), np.uint8),
            latency_ms=np.full(len(rows), np.nan, np.float32),
            model_version=self.versions[self.version[rows[0]]],
            as_of=as_of,
        )
