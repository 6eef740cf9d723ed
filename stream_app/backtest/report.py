"""What a backtest found, week by week and day by day; days count from the world's first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from models.metrics.handbook import HANDBOOK, HandbookFigures, assess
from models.metrics.ranking import UndefinedMetricError
from models.metrics.scored_rows import APPROVE, DECLINE
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.backtest.champion import Champion
from stream_app.backtest.played import Played
from stream_app.backtest.releases import BacktestReleases
from stream_app.backtest.retrains import BacktestRetrains, Tried
from stream_app.backtest.world import World

_GAINS: Final = ("average_precision_since_change", "average_precision")


class AllRows(msgspec.Struct, frozen=True):
    """Figures over every row of a week."""

    ap: float
    auc: float
    cp100: float


class Week(msgspec.Struct, frozen=True):
    """A week's figures by the handbook's protocol, over all rows, and what the decisions were.

    Attributes
    ----------
    recall: share of all frauds, by the truth, that the model's thresholds decline or send to review.
    declined: transactions that they decline.
    control: those of them that were let pass, where the backtest plays declines.
    version: of the model that scored most of it.
    """

    from_day: int
    ap: float
    auc: float
    cp100: float
    all_rows: AllRows
    frauds: int
    recall: float
    declined: int
    control: int
    version: str


class Found(msgspec.Struct, frozen=True):
    """A warning or an alarm, and the day on whose first moment it was known."""

    day: int
    kind: str
    feature: str
    since_day: int
    summary: str


class Request(msgspec.Struct, frozen=True):
    """A retrain that was asked for."""

    day: int
    cause: str
    number: int
    frauds_since_change: int
    reason: str


class Reference(msgspec.Struct, frozen=True):
    """What a model's drift tests compared with."""

    version: str
    from_day: int
    description: str | None
    first_day: int | None
    last_day: int | None
    rows: int
    frauds: int
    tests: int


class Verdict(msgspec.Struct, frozen=True):
    """What came of one try of a retrain request.

    Attributes
    ----------
    day: on whose first moment it was tried.
    verdict: of the gate, or "error".
    recipe: in words.
    frauds: that decided.
    gain: difference in average precision on the rows that decide, None where they do not define it.
    reasons: why it did not pass.
    version: of what passed.
    """

    day: int
    cause: str
    verdict: str
    recipe: str | None
    frauds: int
    gain: float | None
    reasons: list[str]
    version: str | None


class Release(msgspec.Struct, frozen=True):
    """A model that came into use or was taken back, on which day, after which, and why."""

    day: int
    version: str
    before: str | None
    kind: str
    cause: str


class BacktestReport(msgspec.Struct, frozen=True):
    """The whole run; `promotions` leave out the first model, `rejections` are verdicts that failed or an error."""

    source: str
    from_day: int
    to_day: int
    transactions: int
    weeks: list[Week]
    alarms: list[Found]
    warnings: list[Found]
    recoveries: list[Found]
    retrain_requests: list[Request]
    promotions: list[Release]
    rejections: list[Verdict]
    rollbacks: list[Release]
    gate_verdicts: list[Verdict]
    first_model: Reference
    last_model: Reference
    elapsed_s: float

    def json(self) -> str:
        """One JSON object."""
        return msgspec.json.format(msgspec.json.encode(self)).decode()


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What a backtest leaves behind: what was played and decided, by whom, and what was found and done."""

    world: World
    to_day: int
    played: Played
    first: Champion
    releases: BacktestReleases
    retrains: BacktestRetrains
    events: Sequence[DriftEvent]
    requests: Sequence[RetrainRequest]


def report_of(run: Run, from_day: int, elapsed_s: float) -> BacktestReport:
    """Return what a backtest found."""
    world, first = run.world, run.world.first_day
    verdicts = [verdict_of(tried, first) for tried in run.retrains.tried]
    return BacktestReport(
        source=world.source,
        from_day=from_day,
        to_day=run.to_day,
        transactions=int(np.isfinite(run.played.scores).sum()),
        weeks=weeks_of(world, run.played, from_day, run.to_day),
        alarms=found(run.events, "alarm", first),
        warnings=found(run.events, "warning", first),
        recoveries=found(run.events, "recovery", first),
        retrain_requests=[request_of(request, first) for request in run.requests],
        promotions=_releases(run.releases, "promoted", first),
        rejections=[one for one in verdicts if one.verdict in {"fail", "error"}],
        rollbacks=_releases(run.releases, "rolled back", first),
        gate_verdicts=verdicts,
        first_model=reference_of(run.first, first),
        last_model=reference_of(run.releases.champion, first),
        elapsed_s=elapsed_s,
    )


def weeks_of(world: World, played: Played, from_day: int, to_day: int) -> list[Week]:
    """Return the figures of every whole week from a day on; one without a fraud has none and is left out."""
    weeks = []
    days, card = world.day, world.history.columns.card
    for start in range(from_day, to_day - HANDBOOK.test_days + 1, HANDBOOK.test_days):
        chosen = slice(*np.searchsorted(days, (HANDBOOK.known_from_day(start), start + HANDBOOK.test_days)))
        try:
            report = assess(days[chosen], card[chosen], world.is_fraud[chosen], played.scores[chosen], start)
        except UndefinedMetricError:
            continue
        protocol, everything = report.protocol, report.all_rows
        in_week = slice(*np.searchsorted(days, (start, start + HANDBOOK.test_days)))
        fraud, asked = world.is_fraud[in_week], played.asked[in_week]
        weeks.append(
            Week(
                from_day=start,
                ap=protocol.ap,
                auc=protocol.auc,
                cp100=protocol.cp100,
                all_rows=_all_rows(everything),
                frauds=int(fraud.sum()),
                recall=float((asked[fraud] != APPROVE).mean()),
                declined=int((asked == DECLINE).sum()),
                control=int(played.control[in_week].sum()),
                version=played.versions[int(np.bincount(played.version[in_week]).argmax())],
            )
        )
    return weeks


def verdict_of(tried: Tried, first_day: int) -> Verdict:
    """Return what came of a request in the report's terms."""
    day, cause = tried.request.as_of // DAY_MS - first_day, tried.request.cause
    if tried.retrained is None:
        return Verdict(day, cause, "error", None, 0, None, [tried.error or ""], None)
    gate, bundle = tried.retrained.gate, tried.retrained.bundle
    gains = [one.figure for one in gate.checks if one.name in _GAINS]
    return Verdict(
        day=day,
        cause=cause,
        verdict=gate.verdict,
        recipe=tried.retrained.choice.recipe.title,
        frauds=gate.deciding_frauds,
        gain=gains[0] if gains else None,
        reasons=gate.reasons,
        version=None if bundle is None else bundle.version,
    )


def _releases(releases: BacktestReleases, kind: str, first_day: int) -> list[Release]:
    return [
        Release(event.as_of // DAY_MS - first_day, event.version, event.before, event.kind, event.cause)
        for event in releases.events
        if event.kind == kind
    ]


def _all_rows(figures: HandbookFigures) -> AllRows:
    return AllRows(figures.ap, figures.auc, figures.cp100)


def found(events: Sequence[DriftEvent], level: str, first_day: int) -> list[Found]:
    """Return the events of a level; an alarm once for each feature that its evidence names, a warning once."""
    return [
        Found(event.day - first_day, event.kind, feature, event.since // DAY_MS - first_day, event.summary)
        for event in events
        if event.level == level
        for feature in _features(event)
    ]


def _features(event: DriftEvent) -> Iterable[str]:
    if event.level != "alarm":
        return [event.feature]
    return dict.fromkeys((event.feature, *(one.feature for one in event.evidence)))


def request_of(request: RetrainRequest, first_day: int) -> Request:
    """Return a request in the report's terms."""
    day = request.as_of // DAY_MS - first_day
    return Request(day, request.cause, request.number, request.frauds_since_change, request.reason)


def reference_of(champion: Champion, first_day: int) -> Reference:
    """Return what a model's reference is."""
    reference, version = champion.reference, champion.model.version
    if reference is None:
        return Reference(version, champion.from_day, None, None, None, 0, 0, 0)
    first, last = (moment // DAY_MS - first_day for moment in (reference.from_event_time, reference.to_event_time))
    return Reference(
        version,
        champion.from_day,
        reference.description,
        first,
        last,
        reference.rows,
        reference.frauds,
        reference.tests,
    )
