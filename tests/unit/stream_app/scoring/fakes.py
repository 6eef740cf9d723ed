"""Fakes for the scoring core: a model that can be computed in the head, and batches of records."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.control_group import ControlGroup
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.release.placement import Placement
from models.schema import wire
from models.schema.money import default_reporting_currency
from models.schema.transaction import Transaction
from stream_app.scoring.feature_buffer import FeatureBuffer
from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.record_batch import RecordBatch, Scored

AMOUNT = DEFAULT.index("amount")
REVIEW_AT = 0.5
DECLINE_AT = 0.75


class AmountModel:
    """Scores by the amount alone: 200 and more is certain fraud."""

    feature_set = DEFAULT

    def __init__(self, version: str = "m-amount") -> None:
        self.version = version

    def score(self, values: np.ndarray) -> np.ndarray:
        """The amount over 200."""
        return np.minimum(values[:, AMOUNT] / 200, 1).astype(np.float32)

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Review from a half."""
        return (scores >= REVIEW_AT).astype(np.uint8)

    def explain(self, values: np.ndarray, top: int) -> list[list[tuple[int, float]]]:
        """The amount did it."""
        return [[(AMOUNT, 1.0)][:top] for _ in values]


class DivisorModel(AmountModel):
    """Scores by the amount over another figure than 200."""

    def __init__(self, version: str, over: float) -> None:
        super().__init__(version)
        self._over = over

    def score(self, values: np.ndarray) -> np.ndarray:
        """The amount over that figure."""
        return np.minimum(values[:, AMOUNT] / self._over, 1).astype(np.float32)


class FailingModel(AmountModel):
    """Raises where a graph gives what is no number."""

    def __init__(self, version: str, error: Exception) -> None:
        super().__init__(version)
        self.error = error

    def score(self, values: np.ndarray) -> np.ndarray:
        """Never."""
        raise self.error


class DecliningModel(AmountModel):
    """Declines from 150 on."""

    def decide(self, scores: np.ndarray) -> np.ndarray:
        """Review from a half, decline from three quarters."""
        return super().decide(scores) + (scores >= DECLINE_AT).astype(np.uint8)


def lineup(champion: AmountModel, *beside: AmountModel, reserve: AmountModel | None = None, **placement: Any) -> Lineup:
    """A champion and what is placed beside it; all of that is in shadow but the canary that `placement` names."""
    versions = [model.version for model in beside if model.version != placement.get("canary")]
    placed = Placement(**{"sequence": 1, "shadow": tuple(versions), **placement}) if beside else Placement()
    models: Any = {model.version: model for model in beside}
    fakes: Any = (champion, reserve)
    return Lineup(fakes[0], models, placed, fakes[1])


def lane(
    start: LaneStart | None = None,
    partitions: int = 1,
    partition: int = 0,
    writer: str = "w",
    control: ControlGroup | None = None,
    log: FeatureBuffer | None = None,
) -> Lane:
    """A lane with nothing in its windows."""
    identity = LaneIdentity(partition, partitions, "topic-id", 0, writer)
    return Lane(identity, start or LaneStart(0, 0), CardState(DEFAULT), control, log)


def scoring(clock: Callable[[], float] = time.perf_counter) -> JointScoring:
    """What a worker scores with, without a terminal profile."""
    return JointScoring(DEFAULT, ProfileTable(DEFAULT), default_reporting_currency(), 4, clock)


def score_alone(one: Lane, records: RecordBatch, models: Lineup, *, stale: bool = False, now_ms: int = 1) -> Scored:
    """Advance one lane."""
    return score_together([(one, records)], models, stale=stale, now_ms=now_ms)[0]


def score_together(
    turns: Sequence[tuple[Lane, RecordBatch]],
    models: Lineup,
    together: JointScoring | None = None,
    *,
    stale: bool = False,
    now_ms: int = 1,
) -> list[Scored]:
    """Advance some lanes and make their feature messages."""
    together = together or scoring()
    found = together.score(turns, models, stale=stale, now_ms=now_ms)
    together.log([(one, scored) for (one, _), scored in zip(turns, found, strict=True)])
    return found


def batch(records: Sequence[Transaction | bytes | None], offsets: Sequence[int] | None = None) -> RecordBatch:
    """Records at consecutive offsets from 0, or at the given ones."""
    places = np.arange(len(records)) if offsets is None else np.array(offsets, np.int64)
    values = [wire.encode(one) if isinstance(one, Transaction) else one for one in records]
    return RecordBatch(0, 0, places, [None] * len(values), values)
