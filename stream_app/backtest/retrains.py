"""Retrain requests in event time: which rows are there, what came of each request, what waits."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from models.drift.watch import reference_in
from models.errors import FraudstreamError
from models.features.batch import FeatureReplay
from models.features.feature_set import WARM_UP_DAYS
from models.features.history import NO_LABEL
from models.manifest import Lineage
from models.metrics.scored_rows import DECLINE
from models.release.state import Candidate
from models.retraining.evidence import Evidence, control_weights
from models.retraining.retrainer import Retrained, Retrainer
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from models.training import Provenance
from models.training_rows import TrainingError, TrainingRows
from stream_app.backtest.champion import WARM_UP_ROWS_FROM_DAY, Champion
from stream_app.backtest.played import Played
from stream_app.backtest.world import World


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """A candidate that the gate let pass."""

    champion: Champion
    candidate: Candidate


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A request, what came of it, and the error that ended it, if one did."""

    request: RetrainRequest
    retrained: Retrained | None
    error: str | None


class BacktestRetrains:
    """Trains for the latest request; one that stays undecided is tried again on the next day.

    Parameters
    ----------
    world, replay, played: what happened, its features, and what was decided.
    retrainer: makes the fits.
    maturity_ms: age at which labels count as complete.
    report: told what is done.
    """

    def __init__(
        self,
        world: World,
        replay: FeatureReplay,
        played: Played,
        retrainer: Retrainer,
        maturity_ms: int,
        report: Callable[[str], None],
    ) -> None:
        self.tried: list[Tried] = []
        self._world, self._replay, self._played = world, replay, played
        self._retrainer = retrainer
        self._maturity_ms = maturity_ms
        self._report = report
        self._waiting: RetrainRequest | None = None
        self._key = SigningKey.generate()

    def close_day(self, requests: list[RetrainRequest], champion: Champion, as_of: int) -> Passed | None:
        """Try the newest request of the day, or the one that waits; return what may be released."""
        if requests:
            self._waiting = requests[-1]
        if self._waiting is None:
            return None
        request, self._waiting = msgspec.structs.replace(self._waiting, as_of=as_of), None
        day = as_of // DAY_MS - self._world.first_day
        self._report(f"day {day}: retraining ({request.cause})")
        try:
            retrained = self._retrain(request, champion, as_of)
        except FraudstreamError as error:
            self._report(f"day {day}: no model: {error}")
            self.tried.append(Tried(request, None, str(error)))
            return None
        self.tried.append(Tried(request, retrained, None))
        if retrained.gate.verdict == "undecided":
            self._waiting = request
        if retrained.bundle is None:
            return None
        model = LoadedModel.load(retrained.bundle, AllowedSigners.of([self._key.public_key]))
        made = Champion(day, model, reference_in(model.manifest.reference))
        offered = Candidate(
            version=model.version,
            request_id=request.request_id,
            incident=request.incident,
            expected=retrained.gate.expected_pairing,
        )
        return Passed(made, offered)

    def _retrain(self, request: RetrainRequest, champion: Champion, as_of: int) -> Retrained:
        parent = champion.model.version
        provenance = Provenance(as_of, "", Lineage(request.request_id, parent))
        evidence = self._evidence(as_of)
        return self._retrainer.retrain(
            request, evidence, champion.model, self._maturity_ms, provenance, self._key, self._report
        )

    def _evidence(self, as_of: int) -> Evidence:
        """Return what is mature and known at a moment."""
        world, played = self._world, self._played
        columns, first = world.history.columns, world.first_day
        begin = (first + WARM_UP_ROWS_FROM_DAY) * DAY_MS
        mature = np.flatnonzero((columns.event_time >= begin) & (columns.event_time <= as_of - self._maturity_ms))
        stated = played.stated(mature, as_of)
        declined = played.decisions[mature] == DECLINE
        chosen = ~self._replay.declined[mature] | stated
        mature, stated, declined = mature[chosen], stated[chosen], declined[chosen]
        if not len(mature):
            raise TrainingError(f"no row of {world.source} is mature on day {as_of // DAY_MS - first}; wait")
        chance = played.pass_probability[mature]
        rows = TrainingRows(
            values=self._replay.values[mature],
            is_fraud=world.history.is_fraud[mature] & stated,
            event_time=columns.event_time[mature],
            card=columns.card[mature],
            description=f"{world.source}, labels as of day {as_of // DAY_MS - first}",
            weight=control_weights(declined, chance, self._retrainer.plan.largest_weight),
            terminal=columns.terminal[mature],
            labelled_at=np.where(stated, world.history.labelled_at[mature], NO_LABEL),
            reference_days=(
                first + max(WARM_UP_ROWS_FROM_DAY, WARM_UP_DAYS),
                (as_of - self._maturity_ms) // DAY_MS,
            ),
        )
        return Evidence(rows, columns.amount[mature], played.scores[mature])
