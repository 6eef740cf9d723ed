"""What a backtest found, week by week and day by day; days count from the world's first."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from models.metrics.handbook import HANDBOOK, HandbookFigures, assess
from models.metrics.ranking import UndefinedMetricError
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from stream_app.backtest.champion import Champion
from stream_app.backtest.world import World


class AllRows(msgspec.Struct, frozen=True):
    """Figures over every row of a week."""

    ap: float
    auc: float
    cp100: float


class Week(msgspec.Struct, frozen=True):
    """A week's figures by the handbook's protocol, and over all rows; `version` scored it."""

    from_day: int
    ap: float
    auc: float
    cp100: float
    all_rows: AllRows
    frauds: int
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


class BacktestReport(msgspec.Struct, frozen=True):
    """The whole run; `promotions` and `rejections` belong to retraining and are empty without it."""

    source: str
    from_day: int
    to_day: int
    transactions: int
    weeks: list[Week]
    alarms: list[Found]
    warnings: list[Found]
    recoveries: list[Found]
    retrain_requests: list[Request]
    promotions: list[dict[str, object]]
    rejections: list[dict[str, object]]
    first_model: Reference
    last_model: Reference
    elapsed_s: float

    def json(self) -> str:
        """One JSON object."""
        return msgspec.json.format(msgspec.json.encode(self)).decode()


def weeks_of(world: World, scores: np.ndarray, scored_by: Sequence[Champion], from_day: int, to_day: int) -> list[Week]:
    """Return the figures of every whole week from a day on; one without a fraud has none and is left out."""
    weeks = []
    days, card = world.day, world.history.columns.card
    for start in range(from_day, to_day - HANDBOOK.test_days + 1, HANDBOOK.test_days):
        chosen = slice(*np.searchsorted(days, (HANDBOOK.known_from_day(start), start + HANDBOOK.test_days)))
        try:
            report = assess(days[chosen], card[chosen], world.is_fraud[chosen], scores[chosen], start)
        except UndefinedMetricError:
            continue
        protocol, everything = report.protocol, report.all_rows
        in_week = (days >= start) & (days < start + HANDBOOK.test_days)
        weeks.append(
            Week(
                from_day=start,
                ap=protocol.ap,
                auc=protocol.auc,
                cp100=protocol.cp100,
                all_rows=_all_rows(everything),
                frauds=int(world.is_fraud[in_week].sum()),
                version=[one for one in scored_by if one.from_day <= start][-1].model.version,
            )
        )
    return weeks


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
