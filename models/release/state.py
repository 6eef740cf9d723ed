"""Where a release stands, complete enough that whoever reads it after a crash goes on as if nothing had happened."""

from typing import Literal

import msgspec

from models.metrics.pairing import Pairing
from models.release.actions import Action
from models.schema.model_event import Check

Stage = Literal["idle", "shadow", "canary", "watch", "maturing"]
"""`watch`: promoted, the champion before scores on in shadow. `maturing`: it no longer does, labels may still speak."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that passed the gate.

    Attributes
    ----------
    version: of the registry.
    request_id, incident: what it was trained for.
    expected: how it and the champion agreed on the hold-out; None leaves the default limits.
    trace: W3C traceparent of what offered it; None where nobody traced.
    """

    version: str
    request_id: str | None = None
    incident: str | None = None
    expected: Pairing | None = None
    trace: str | None = None


class ChampionMove(msgspec.Struct, frozen=True, kw_only=True):
    """A move of the alias `champion` that the release loop did not make.

    Attributes
    ----------
    version, before: the champion now, and until then; None where there was none.
    sequence: of the alias.
    rolled_back: whether it was a roll-back.
    actor, reason: as in the registry's audit.
    """

    version: str
    before: str | None
    sequence: int
    rolled_back: bool
    actor: str
    reason: str


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What the feature log has shown of the two models since their stage began.

    Attributes
    ----------
    version, baseline: the models.
    rows: transactions that both were asked about.
    unpaired: transactions that one of them was not asked about, because a scorer had not loaded it.
    unasked: those of them that the model itself was not asked about.
    since, as_of: event time of the first of `rows` and of the latest transaction, ms; None before the first.
    canary_rows: those of `rows` that came with or after the first one that a canary decided.
    canary_since: event time of that first one, ms.
    checks: the guardrails.
    """

    version: str
    baseline: str
    rows: int
    unpaired: int
    since: int | None
    as_of: int
    unasked: int = 0
    canary_rows: int = 0
    canary_since: int | None = None
    checks: tuple[Check, ...] = ()


class ReleaseState(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the release loop has to remember.

    Attributes
    ----------
    stage: what goes on.
    revision: counts the writes; a writer that has not seen the latest is refused.
    number, release: counts the releases; the id of the one under way, or of the last one.
    version, baseline: the model that is tried or watched, and the one that it is compared with.
    request_id, incident, expected, trace: of its candidate.
    offered: a candidate that waits until what was decided before is carried out.
    ended: version and request of the last candidate whose release has ended: it is not begun again.
    promoted_at: event time of the promotion, ms; None before the first row of a watch.
    spent_rows, spent_ms: rows and event time of the shadow stage, once it is over.
    rows, as_of, checks: the latest observation.
    champion, champion_sequence: the champion as the loop knows it.
    frozen: why nothing is promoted automatically; None when it is.
    pending: what was decided and is not known to be carried out, in order.
    sequence, last_hash: of the last event.
    positions: by partition of the feature log the offset from which rows count; None until the stage has begun there.
    """

    stage: Stage = "idle"
    revision: int = 0
    number: int = 0
    release: str = ""
    version: str | None = None
    baseline: str | None = None
    request_id: str | None = None
    incident: str | None = None
    expected: Pairing | None = None
    trace: str | None = None
    offered: Candidate | None = None
    ended: tuple[str, str | None] | None = None
    promoted_at: int | None = None
    spent_rows: int = 0
    spent_ms: int = 0
    rows: int = 0
    as_of: int = 0
    checks: tuple[Check, ...] = ()
    champion: str | None = None
    champion_sequence: int = 0
    frozen: str | None = None
    pending: tuple[Action, ...] = ()
    sequence: int = 0
    last_hash: str = ""
    positions: dict[int, int] | None = None

    @property
    def compares(self) -> bool:
        """Whether two models are held against each other, row by row."""
        return self.stage in {"shadow", "canary", "watch"}
