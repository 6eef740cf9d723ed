"""A registry that was lost with its Redis, rebuilt from the kept models and the audit."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from models.alias import MOVE, AliasMove
from models.errors import FraudstreamError
from models.registry import CHAMPION, Registry
from models.release.state import ReleaseState
from models.schema.audit_record import AuditRecord
from models.signing import AllowedSigners
from stream_app.lease import PROFILE_KEEPER, epoch_key
from stream_app.model_store import ModelStore

_UNFREEZE = "; fraudstream models unfreeze lifts it"


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of a restore.

    Attributes
    ----------
    models: versions that were put back.
    refused: why a kept version was not, by version.
    left_out: aliases whose version was not put back; never the champion.
    records: of the audit that was read.
    """

    models: list[str]
    refused: dict[str, str]
    left_out: list[str]
    records: int


def back_up(registry: Registry, store: ModelStore) -> list[str]:
    """Keep every model of a registry that is not kept yet, and return those."""
    return [version for version in registry.versions() if store.put(registry.get(version))]


def restore(
    registry: Registry,
    records: Sequence[AuditRecord],
    store: ModelStore,
    allowed: AllowedSigners,
    actor: str,
    reason: str,
    now_s: int,
) -> Restored:
    """Put the verified models back, then aliases, placement, approvals and audit in one step.

    Killed in between, it can be run again: models are put back before anything points at them.

    Parameters
    ----------
    registry: of a Redis without an audit.
    records: the whole audit, its chain checked.
    store: the kept models.
    allowed: whose models are put back.
    actor, reason: for the audit.
    now_s: wall clock, seconds since 1970.

    Raises
    ------
    RegistryError: Redis has an audit, or the champion is not among the models that can be put back.
    """
    models, refused = [], {}
    for version in store.versions():
        try:
            bundle = store.get(version)
            bundle.verify(allowed)
        except FraudstreamError as error:
            refused[version] = str(error)
            continue
        registry.put(bundle)
        models.append(version)
    extra = {
        "release": msgspec.json.encode(release_state(records)),
        # A keeper's number must be above every one before, or scorers take its profiles for a former keeper's; a
        # lease changes hands less than once a second, so the time is.
        epoch_key(PROFILE_KEEPER): str(now_s).encode(),
        "audit-published": str(len(records)).encode(),
    }
    left_out = registry.restore(records, actor, reason, extra)
    return Restored(models, refused, left_out, len(records))


def release_state(records: Sequence[AuditRecord]) -> ReleaseState:
    """Return the state of a release loop that has nothing under way, and whose events go on where they ended.

    A freeze stays. The number of releases is not told; that of the events is never smaller, and gives ids as new.
    """
    events = [record for record in records if record.kind == "release"]
    champions = [
        move for move in map(AliasMove.of, (one for one in records if one.kind == MOVE)) if move.alias == CHAMPION
    ]
    state = ReleaseState()
    if champions:
        state = msgspec.structs.replace(
            state, champion=champions[-1].version, champion_sequence=champions[-1].sequence, revision=1
        )
    if not events:
        return state
    last = events[-1].details
    sequence = int(last["event_sequence"] or 0)
    begun = [one for one in events if one.details["event"] == "shadow started"]
    freezing = [one for one in events if one.details["event"] in ("frozen", "unfrozen")]
    frozen = (
        freezing[-1].reason.removesuffix(_UNFREEZE) if freezing and freezing[-1].details["event"] == "frozen" else None
    )
    ended = (begun[-1].subject, _text(begun[-1].details["request_id"])) if begun else None
    return msgspec.structs.replace(
        state,
        number=sequence,
        sequence=sequence,
        last_hash=str(last["event_hash"]),
        release=str(last["release"]),
        frozen=frozen,
        ended=ended,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
