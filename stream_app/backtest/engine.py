"""A past played day by day: scores, decisions, labels as they come, drift, retrains and releases."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from models.control_group import ControlGroup, ControlPolicy
from models.drift.reference import DriftReference
from models.drift.watch import DriftWatch
from models.errors import FraudstreamError
from models.features.batch import FeatureReplay
from models.features.feature_set import DEFAULT
from models.release.matured import MaturedRows
from models.release.plan import ReleasePlan
from models.retraining.evidence import control_weights
from models.retraining.plan import RetrainPlan
from models.retraining.retrainer import Retrainer
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.backtest.champion import Champion, ChampionRecipe, train_champion
from stream_app.backtest.drawn import DrawnRows
from stream_app.backtest.played import Played
from stream_app.backtest.releases import BacktestReleases
from stream_app.backtest.report import BacktestReport, Run, report_of
from stream_app.backtest.retrains import BacktestRetrains
from stream_app.backtest.world import World
from stream_app.watch.history.schedule import RetrainSchedule

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
    control_share: of the declines, let pass at random.
    retrains: whether requests are followed; else they are only written down.
    retrain_every_days: period of scheduled requests; None makes none.
    recipe: of the first model.
    retrain, release: how later ones are made and brought into use.
    """

    from_day: int = FROM_DAY
    to_day: int | None = None
    maturity_days: int = 7
    declines: bool = False
    control_share: float = 0.05
    retrains: bool = True
    retrain_every_days: int | None = None
    recipe: ChampionRecipe = field(default_factory=ChampionRecipe)
    retrain: RetrainPlan = field(default_factory=RetrainPlan)
    release: ReleasePlan = field(default_factory=ReleasePlan)

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
        """The model that served first."""
        self.events: list[DriftEvent] = []
        self.requests: list[RetrainRequest] = []
        self._world = world
        self._plan = plan
        self._report = report
        self.replay: Final = FeatureReplay(world.history, DEFAULT, plan.maturity_ms)
        self.played: Final = Played(world, self.replay)
        self.releases: BacktestReleases | None = None
        retrainer = Retrainer(plan.retrain)
        self.retrains: Final = BacktestRetrains(world, self.replay, self.played, retrainer, plan.maturity_ms, report)
        self._watch = DriftWatch(self._reference, plan.maturity_days)
        self._schedule = RetrainSchedule(plan.retrain_every_days)
        control = ControlPolicy(share=plan.control_share, seed=plan.recipe.seed.to_bytes(16, "big"))
        self._control = ControlGroup(control, control.day_cap)
        self._closed = plan.from_day

    @property
    def scores(self) -> np.ndarray:
        """Score that decided on each row, float32[n], NaN before the first scored day."""
        return self.played.scores

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
        assert self.releases is not None
        run = Run(
            world, self.to_day, self.played, self.champion, self.releases, self.retrains, self.events, self.requests
        )
        return report_of(run, self._plan.from_day, round(time.monotonic() - started_s, 1))

    def _reference(self, version: str) -> DriftReference | None:
        if self.releases is not None and version in self.releases.models:
            return self.releases.models[version].reference
        return None

    def _begin_day(self, day: int) -> None:
        """Close what lies before a day; train the first model where there is none yet."""
        if self.champion is None:
            self.champion = train_champion(
                self._world, self.replay.values, day, self._plan.recipe, self._plan.maturity_ms, self._report
            )
        if self.releases is None:
            self.releases = BacktestReleases(self.champion, self._plan.release, self._report)
        while self._closed < day:
            self._close(self._closed)
            self._closed += 1

    def _score(self, rows: slice) -> None:
        assert self.releases is not None
        times = self._world.history.columns.event_time
        for hour in self.releases.parts(rows, times):
            for start in range(hour.start, hour.stop, _SCORE_ROWS):
                self._score_part(slice(start, min(start + _SCORE_ROWS, hour.stop)))

    def _score_part(self, part: slice) -> None:
        assert self.releases is not None
        releases, played = self.releases, self.played
        values, columns = self.replay.values[part], self._world.history.columns.slice(part.start, part.stop)
        model, compared = releases.champion.model, releases.compared()
        scored_by = {one.version: one for one in (model, *(compared or ()))}
        score = {version: one.score(values) for version, one in scored_by.items()}
        canary = releases.canary()
        on_canary = np.zeros(len(values), np.bool_) if canary is None else releases.on_canary(columns.card)
        played.scores[part] = score[model.version]
        played.version[part] = played.number_of(model)
        decisions = model.decide(score[model.version])
        if canary is not None:
            played.scores[part] = np.where(on_canary, score[canary.version], score[model.version])
            played.version[part] = np.where(on_canary, played.number_of(canary), played.number_of(model))
            decisions = np.where(on_canary, canary.decide(score[canary.version]), decisions)
        played.asked[part] = decisions
        if self._plan.declines:
            self._decide(part, decisions)
        if compared is not None:
            candidate, baseline = (score[one.version] for one in compared)
            if releases.state.stage == "watch":
                played.beside[part] = baseline
            releases.observe(columns, candidate, baseline, on_canary)

    def _decide(self, part: slice, asked: np.ndarray) -> None:
        played, columns = self.played, self._world.history.columns
        drawn = self._control.draw(
            asked.astype(np.uint8), played.scores[part], columns.amount[part], DrawnRows(columns, part.start)
        )
        played.decisions[part] = drawn.decision
        played.control[part] = drawn.control
        played.pass_probability[part] = drawn.pass_probability
        played.refuse_declined(part)

    def _close(self, day: int) -> None:
        assert self.releases is not None
        if day % 7 == 0:
            self._report(f"day {day} of {self.to_day}: {len(self.requests)} retrain requests so far")
        matured = day - self._plan.maturity_days
        played_day = matured if matured >= self._plan.from_day else None
        findings = self._watch.close_day(self.played.closed_day(day, played_day))
        as_of = (self._world.first_day + day + 1) * DAY_MS
        incident = self._watch.incidents.open is not None
        champion = self.releases.champion
        scheduled = self._schedule.close_day(self._world.first_day + day, champion.model.version, {}, incident=incident)
        requests = [*findings.requests, *scheduled]
        self.events += findings.events
        self.requests += requests
        if self._plan.retrains:
            self._mature(as_of)
            self.releases.pass_time(as_of)
            passed = self.retrains.close_day(requests, self.releases.champion, as_of)
            if passed is not None:
                why_not = self.releases.offer(passed.champion, passed.candidate)
                if why_not is not None:
                    self._report(why_not)

    def _mature(self, as_of: int) -> None:
        """Hold the labels of a watch against the model before: rows of it that both have scored."""
        assert self.releases is not None
        state = self.releases.state
        if state.stage not in {"watch", "maturing"} or state.promoted_at is None or state.version is None:
            return
        times = self._world.history.columns.event_time
        first, stop = np.searchsorted(times, (state.promoted_at, as_of - self._plan.maturity_ms))
        rows = np.arange(first, max(first, stop))
        played = self.played
        number = played.versions.index(state.version) if state.version in played.versions else -2
        rows = rows[(played.version[rows] == number) & np.isfinite(played.beside[rows])]
        stated = played.stated(rows, as_of)
        heard = ~self.replay.declined[rows] | stated
        rows, stated = rows[heard], stated[heard]
        if len(rows):
            self.releases.mature(
                MaturedRows(
                    score=played.scores[rows],
                    previous_score=played.beside[rows],
                    is_fraud=self._world.history.is_fraud[rows] & stated,
                    card=self._world.history.columns.card[rows],
                    weight=control_weights(
                        self.replay.declined[rows],
                        played.pass_probability[rows],
                        self._plan.retrain.largest_weight,
                    ),
                )
            )
