"""What each model of a lineup says of one batch, and who decides each row, whichever of them fails."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from models.errors import FraudstreamError
from models.schema.score import Role
from models.schema.shadow_scores import ShadowScores
from models.scorer import LoadedModel, ScoringError
from stream_app.scoring.lineup import Lineup, Part

Name = TypeVar("Name", bound=str)


class ModelFailure(NamedTuple):
    """A model that gave no scores, or no reasons, for a batch; payments went on without it."""

    version: str
    part: Part
    reason: str


class Decider(NamedTuple):
    """A model and the rows that it decides, bool[n]; None for all of them."""

    model: LoadedModel
    role: Role
    rows: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class BatchScores:
    """The n rows of a batch as the models see them.

    Attributes
    ----------
    score: float32[n] of the model that decides the row.
    asked: uint8[n] what that model decides, before the control group is drawn.
    deciders: each row has exactly one.
    degraded: bool[n] rows that another model decides because the champion failed; or False for none.
    shadow: all scores, where more than one model was asked.
    seconds: by version what a model took, NaN for one that failed; empty while nothing is placed.
    failures: the models that failed.
    """

    score: NDArray[np.float32]
    asked: NDArray[np.uint8]
    deciders: tuple[Decider, ...]
    degraded: NDArray[np.bool_] | bool = False
    shadow: ShadowScores | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)
    failures: Sequence[ModelFailure] = ()

    @property
    def model_version(self) -> list[str] | str:
        """Who decides: one version for all rows, or one per row."""
        return self._by_row([decider.model.version for decider in self.deciders])

    @property
    def role(self) -> list[Role] | Role:
        """As what it decides: one role for all rows, or one per row."""
        return self._by_row([decider.role for decider in self.deciders])

    def _by_row(self, names: Sequence[Name]) -> list[Name] | Name:
        if len(names) == 1:
            return names[0]
        whole = np.empty(len(self.score), object)
        for name, decider in zip(names, self.deciders, strict=True):
            whole[decider.rows] = name
        return cast("list[Name]", whole.tolist())


class _Answers:
    """Asks models for their scores of one batch; a failure is an answer too."""

    def __init__(self, lineup: Lineup, values: NDArray[np.float32], clock: Callable[[], float]) -> None:
        self._lineup = lineup
        self._values = values
        self._clock = clock
        self.scores: dict[str, NDArray[np.float32] | None] = {}
        self.seconds: dict[str, float] = {}
        self.failures: list[ModelFailure] = []
        self.errors: dict[str, Exception] = {}

    def ask(self, model: LoadedModel) -> NDArray[np.float32] | None:
        """Return the scores of a model, None where it gives none; each is asked once."""
        version = model.version
        if version not in self.scores:
            started = self._clock()
            self.scores[version] = self._answer(model)
            failed = self.scores[version] is None
            self.seconds[version] = math.nan if failed else self._clock() - started
        return self.scores[version]

    def _answer(self, model: LoadedModel) -> NDArray[np.float32] | None:
        try:
            return _publishable(model.version, model.score(self._values), len(self._values))
        except Exception as error:  # noqa: BLE001  whatever a graph raises: another model decides, or it is raised again
            self.errors[model.version] = error
            self.failures.append(ModelFailure(model.version, self._lineup.part_of(model.version), reason_of(error)))
            return None

    def shadow(self, deciders: Sequence[Decider], on_first: NDArray[np.bool_]) -> ShadowScores:
        """All answers; the rows of `on_first` were decided by the first decider, the others by the last."""
        versions = list(self.scores)
        none = np.full(len(self._values), np.nan, np.float32)
        scores = np.stack([none if answer is None else answer for answer in self.scores.values()])
        first, last = (np.intp(versions.index(deciders[at].model.version)) for at in (0, -1))
        return ShadowScores(versions, scores, np.where(on_first, first, last))


def score_batch(
    lineup: Lineup, values: NDArray[np.float32], cards: Sequence[str], clock: Callable[[], float]
) -> BatchScores:
    """Score a batch with every model of a lineup.

    A shadow that fails leaves nulls. For a canary that fails the champion decides. For a champion that fails the first
    understudy that can decides.

    Parameters
    ----------
    lineup:
        The models.
    values:
        float32 [n, features].
    cards:
        The n card ids: they say which rows are the canary's.
    clock:
        Seconds that only grow, for what each model takes.

    Raises
    ------
    Exception
        The champion's own, where no other model can take its place.
    """
    champion = lineup.champion
    if not len(values):
        return BatchScores(np.zeros(0, np.float32), np.zeros(0, np.uint8), (Decider(champion, "champion"),))
    answers = _Answers(lineup, values, clock)
    for model in (champion, *lineup.beside.values()):
        answers.ask(model)
    deciders = _deciders(lineup, answers, cards)
    score, asked = _decide(deciders, answers)
    on_first = np.ones(len(values), np.bool_) if deciders[0].rows is None else deciders[0].rows
    degraded = on_first if deciders[0].model is not champion else False
    shadow = answers.shadow(deciders, on_first) if len(answers.scores) > 1 else None
    seconds = answers.seconds if lineup.beside else {}
    return BatchScores(score, asked, deciders, degraded, shadow, seconds, answers.failures)


def _deciders(lineup: Lineup, answers: _Answers, cards: Sequence[str]) -> tuple[Decider, ...]:
    """The champion or who stands in for it, and the canary where it has rows."""
    stand_ins = (lineup.champion, *lineup.understudies)
    main = next((model for model in stand_ins if answers.ask(model) is not None), None)
    if main is None:
        raise answers.errors[lineup.champion.version]
    canary = lineup.canary
    if canary is None or answers.ask(canary) is None:
        return (Decider(main, "champion"),)
    on_canary = lineup.placement.on_canary(cards)
    if not on_canary.any():
        return (Decider(main, "champion"),)
    return (Decider(main, "champion", ~on_canary), Decider(canary, "canary", on_canary))


def _decide(deciders: tuple[Decider, ...], answers: _Answers) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Score and decision of each row."""
    main = deciders[0].model
    score = answers.ask(main)
    assert score is not None
    asked = main.decide(score)
    for model, _, rows in deciders[1:]:
        other = answers.ask(model)
        assert other is not None
        assert rows is not None
        score, asked = np.where(rows, other, score), np.where(rows, model.decide(other), asked)
    return score, asked


def _publishable(version: str, scores: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Refuse what no reader of `scores` could decode: one such record would stop them all."""
    if scores.shape != (rows,):
        raise ScoringError(f"{version} gives scores {scores.shape} for {rows} rows; train it again")
    lowest, highest = scores.min(), scores.max()
    if not (lowest >= 0.0 and highest <= 1.0):
        raise ScoringError(f"{version} gives scores from {lowest} to {highest}, not 0 to 1; train it again")
    return scores


def reason_of(error: Exception) -> str:
    """Why a model failed, in one line."""
    text = " ".join(str(error).split())[:300]
    return text if isinstance(error, FraudstreamError) else f"{type(error).__name__}: {text}"
