"""A past played day by day: features, scores, decisions, labels as they come, and the drift watch at each midnight."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from models.drift.watch import ClosedDay, DriftWatch
from models.errors import FraudstreamError
from models.features.batch import FeatureReplay
from models.features.feature_set import DEFAULT
from models.features.history import NO_LABEL
from models.metrics.scored_rows import DECLINE, ScoredRows
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.backtest.champion import Champion, ChampionRecipe, train_champion
from stream_app.backtest.report import BacktestReport, found, reference_of, request_of, weeks_of
from stream_app.backtest.world import World

FROM_DAY: Final = 77
"""By then there are four whole weeks for the reference, after every window has filled and mature."""
_SCORE_ROWS: Final = 50_000


class BacktestError(FraudstreamError):
    """Raised for days that cannot be played."""


@dataclass(frozen=True, slots=True)
class BacktestPlan:
    """What is played.

    Parameters
    ----------
    from_day: first day that is scored; the first model knows what was known by then.
    to_day: first day that is not played; None plays all.
    maturity_days: age at which labels count as complete.
    declines: whether what the model declines is refused, so that nobody ever states what it was.
    recipe: of the first model.
    """

    from_day: int = FROM_DAY
    to_day: int | None = None
    maturity_days: int = 7
    declines: bool = False
    recipe: ChampionRecipe = field(default_factory=ChampionRecipe)

    @property
    def maturity_ms(self) -> int:
        """The maturity in milliseconds."""
        return self.maturity_days * DAY_MS


class Backtest:
    """Plays one world.

    Parameters
    ----------
    world: what happened.
    plan: which days, and how.
    report: told what is done.
    champion: a model that was trained on the same past already; None trains it.
    """

    def __init__(
        self, world: World, plan: BacktestPlan, report: Callable[[str], None], champion: Champion | None = None
    ) -> None:
        self.to_day: Final = min(world.days, world.days if plan.to_day is None else plan.to_day)
        if not plan.from_day < self.to_day:
            raise BacktestError(
                f"nothing lies between --from-day {plan.from_day} and day {self.to_day}; {world.source} has "
                f"{world.days} days"
            )
        self.champion = champion
        self.scores: Final = np.full(len(world.history), np.nan, np.float32)
        self.decisions: Final = np.zeros(len(world.history), np.uint8)
        self.events: list[DriftEvent] = []
        self.requests: list[RetrainRequest] = []
        self._world = world
        self._plan = plan
        self._report = report
        self.replay: Final = FeatureReplay(world.history, DEFAULT, plan.maturity_ms)
        self._watch = DriftWatch(lambda _: self.champion.reference if self.champion else None, plan.maturity_days)
        self._closed = plan.from_day

    def run(self) -> BacktestReport:
        """Play all days and return what was found."""
        started_s = time.monotonic()
        world, first = self._world, self._world.first_day
        self._report(f"computing features of {len(world.history):,} transactions")
        for step in self.replay.steps():
            day = step.as_of // DAY_MS - first
            if day >= self.to_day:
                break
            if day >= self._plan.from_day:
                self._begin_day(day)
                self._score(step.rows)
        self._begin_day(self.to_day)
        assert self.champion is not None
        reference = reference_of(self.champion, first)
        return BacktestReport(
            source=world.source,
            from_day=self._plan.from_day,
            to_day=self.to_day,
            transactions=int(np.isfinite(self.scores).sum()),
            weeks=weeks_of(world, self.scores, [self.champion], self._plan.from_day, self.to_day),
            alarms=found(self.events, "alarm", first),
            warnings=found(self.events, "warning", first),
            recoveries=found(self.events, "recovery", first),
            retrain_requests=[request_of(request, first) for request in self.requests],
            promotions=[],
            rejections=[],
            first_model=reference,
            last_model=reference,
            elapsed_s=round(time.monotonic() - started_s, 1),
        )

    def _begin_day(self, day: int) -> None:
        """Close what lies before a day; train the first model where there is none yet."""
        if self.champion is None:
            self.champion = train_champion(
                self._world, self.replay.values, day, self._plan.recipe, self._plan.maturity_ms, self._report
            )
        while self._closed < day:
            self._close(self._closed)
            self._closed += 1

    def _score(self, rows: slice) -> None:
        assert self.champion is not None
        model = self.champion.model
        for start in range(rows.start, rows.stop, _SCORE_ROWS):
            part = slice(start, min(start + _SCORE_ROWS, rows.stop))
            self.scores[part] = model.score(self.replay.values[part])
        if self._plan.declines:
            self.decisions[rows] = model.decide(self.scores[rows])
            self.replay.declined[rows] = self.decisions[rows] == DECLINE
            self.replay.unheard[rows] = self.replay.declined[rows]

    def _close(self, day: int) -> None:
        if day % 7 == 0:
            self._report(f"day {day} of {self.to_day}: {len(self.requests)} retrain requests so far")
        as_of = (self._world.first_day + day + 1) * DAY_MS
        matured = day - self._plan.maturity_days
        findings = self._watch.close_day(
            ClosedDay(
                day=self._world.first_day + day,
                arrived=[self._rows(day, as_of)],
                matured=[self._rows(matured, as_of)] if matured >= self._plan.from_day else [],
            )
        )
        self.events += findings.events
        self.requests += findings.requests

    def _rows(self, day: int, as_of: int) -> ScoredRows:
        """Return a day's rows with what is known of them at a moment."""
        assert self.champion is not None
        world, columns = self._world, self._world.history.columns
        start = (world.first_day + day) * DAY_MS
        rows = slice(*np.searchsorted(columns.event_time, (start, start + DAY_MS)))
        labelled_at = world.history.labelled_at[rows]
        stated = (labelled_at != NO_LABEL) & (labelled_at <= as_of) & ~self.replay.unheard[rows]
        n = rows.stop - rows.start
        return ScoredRows(
            event_time=columns.event_time[rows],
            transaction=columns.transaction[rows],
            card=columns.card[rows],
            terminal=columns.terminal[rows],
            amount_minor=columns.amount[rows],
            score=self.scores[rows],
            decision=self.decisions[rows],
            control=np.zeros(n, np.bool_),
            pass_probability=np.where(self.decisions[rows] == DECLINE, 0, 1).astype(np.float32),
            values=self.replay.values[rows],
            is_fraud=world.history.is_fraud[rows] & stated,
            stated_at=np.where(stated, labelled_at, NO_LABEL),
            label_source=np.zeros(n, np.uint8),
            latency_ms=np.full(n, np.nan, np.float32),
            model_version=self.champion.model.version,
            as_of=as_of,
        )
