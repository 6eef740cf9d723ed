"""Where a release stands: champion beside challenger, with the guardrails as they are."""

from dataclasses import dataclass
from typing import Final

from models.release.state import ReleaseState, Stage
from models.schema.model_event import Check, Verdict
from stream_app.console.models.interval import Interval
from stream_app.console.moment import moment

_WORDS: Final[dict[Stage, str]] = {
    "idle": "nothing is under way",
    "shadow": "scores beside the champion, decides nothing",
    "canary": "decides for some cards",
    "watch": "is champion; the one before it scores on in shadow",
    "maturing": "is champion; labels of its first days are still to come",
}


@dataclass(frozen=True, slots=True)
class GuardrailRow:
    """One guardrail."""

    name: str
    verdict: Verdict
    figure: str
    limit: str
    rows: int
    sentence: str
    drawn: Interval | None

    @classmethod
    def of(cls, check: Check) -> "GuardrailRow":
        """Lay a guardrail out."""
        return cls(
            name=check.name,
            verdict=check.verdict,
            figure="" if check.figure is None else f"{check.figure:.4g}",
            limit="" if check.limit is None else f"{check.limit:.4g}",
            rows=check.rows,
            sentence=check.sentence,
            drawn=Interval.of(check.figure, None, None, (check.limit,)),
        )


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """What goes on.

    Attributes
    ----------
    stage, words: in which stage, and what that means.
    version, baseline: who is tried or watched, and who it is compared with; None when nothing goes on.
    rows: the guardrails.
    transactions: seen by both.
    as_of: event time of the latest, in words; empty before the first.
    broken: how many guardrails are broken.
    offered: a candidate that waits; None without.
    frozen: why nothing is promoted automatically; None when it is.
    deciding: whether something is decided that is not known to be carried out.
    """

    stage: Stage
    words: str
    version: str | None
    baseline: str | None
    rows: tuple[GuardrailRow, ...]
    transactions: int
    as_of: str
    broken: int
    offered: str | None
    frozen: str | None
    deciding: bool

    @classmethod
    def of(cls, state: ReleaseState) -> "ReleaseView":
        """Lay the state of the release loop out."""
        idle = state.stage == "idle"
        return cls(
            stage=state.stage,
            words=_WORDS[state.stage],
            version=None if idle else state.version,
            baseline=None if idle else state.baseline,
            rows=() if idle else tuple(GuardrailRow.of(check) for check in state.checks),
            transactions=state.rows if state.compares else 0,
            as_of=f"{moment(state.as_of)} UTC" if state.as_of and not idle else "",
            broken=0 if idle else sum(check.verdict == "broken" for check in state.checks),
            offered=None if state.offered is None else state.offered.version,
            frozen=state.frozen,
            deciding=bool(state.pending),
        )
