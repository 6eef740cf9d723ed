"""What became of a retrain request, kept in Redis for as long as the registry."""

from typing import Final, Literal

import msgspec

from models.gate.check import Verdict
from models.gate.report import GateReport
from models.manifest import TrainingData
from models.retraining.choice import Choice
from models.schema.retrain_request import RetrainRequest

Outcome = Literal["under way", "waiting", "offered", "not offered", "rejected", "undecided", "replaced", "failed"]
"""`offered` to the release loop; `not offered` because that refused, or because another champion had come that knows as
much; `undecided` on every try that it had; `replaced` by a newer request of its incident, or of the schedule; `failed`
became a dead letter."""

_OPEN: Final = ("under way", "waiting")


class RetrainReport(msgspec.Struct, frozen=True, kw_only=True):
    """The latest try of a request.

    Attributes
    ----------
    request: what was asked.
    outcome: what became of it.
    number: of the try, from 1.
    as_of: event time up to which anything was known, ms; that of the request until its data are pinned.
    champion: what the candidate was held against.
    table_versions: the archive's tables.
    verdict: of the gate; None before.
    reasons: sentences of the checks that did not pass, or why nothing came of it.
    choice: the recipe, and why.
    gate: the report on it.
    data: the rows of the released fit; None without one.
    version: what was registered; None without.
    training_s: how long the training took.
    """

    request: RetrainRequest
    outcome: Outcome
    number: int
    as_of: int
    champion: str | None = None
    table_versions: dict[str, int] = {}
    verdict: Verdict | None = None
    reasons: list[str] = []
    choice: Choice | None = None
    gate: GateReport | None = None
    data: TrainingData | None = None
    version: str | None = None
    training_s: float | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.outcome not in _OPEN
