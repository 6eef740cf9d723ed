"""The model registry in Redis: bundles by version, and the aliases that say which of them serve."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import redis
from redis.client import Pipeline

from models.access.redis_access import address_of, failure, redis_client
from models.alias import MOVE, Alias, AliasMove, move_entries
from models.audit.chain import Entry, chained, check_chain, decoded
from models.audit.log import AuditLog, Effects
from models.bundle import Bundle
from models.errors import FraudstreamError
from models.manifest import Manifest
from models.proposal import APPROVALS_OFF, VALID_MS, ApprovalError, Proposal
from models.recorded import Recorded
from models.release.placement import Placement
from models.schema import wire
from models.schema.audit_record import AuditRecord, Detail

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"

_PARTS = ("manifest", "onnx", "signature", "signer")

# A version is the hash of its content, so a second put of the same bytes changes nothing. 0: other bytes are there.
_PUT = """
local stored = redis.call('HMGET', KEYS[1], 'manifest', 'onnx')
if stored[1] and (stored[1] ~= ARGV[1] or stored[2] ~= ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'manifest', ARGV[1], 'onnx', ARGV[2], 'signature', ARGV[3], 'signer', ARGV[4])
redis.call('ZADD', KEYS[2], 'NX', ARGV[5], ARGV[6])
return 1
"""

OWN_ACTORS: Final = frozenset({"release", "retrain"})
"""Names of processes: no person may go by one, or a move by hand would pass for one that the gate let through."""


class RegistryError(FraudstreamError):
    """Raised when Redis does not answer, a version is unknown, or a move lost against another."""


class Registry:
    """Bundles and aliases under one key prefix.

    Parameters
    ----------
    client
        A Redis address such as `redis://127.0.0.1:6379/0`, or a client that returns bytes.
    prefix
        Stands before every key and before the pub/sub channel.
    now
        Wall clock in ms, for the time of a move.

    Attributes
    ----------
    log: the audit, to append what is no move.
    """

    def __init__(
        self,
        client: "str | redis.Redis",
        prefix: str = "fraudstream:",
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Connect lazily: nothing is sent before the first call."""
        self._client = redis_client(client) if isinstance(client, str) else client
        self.address = address_of(self._client)
        self.prefix = prefix
        self.channel = prefix + "alias-moves"
        self._now = now
        # It must not hold on to this registry: a circle would leave the connection to the garbage collector.
        self.log = AuditLog(self._client, prefix, now, partial(_failure, self._client, "a transaction"))

    def put(self, bundle: Bundle) -> str:
        """Store a bundle and return its version; storing the same bytes again changes nothing."""
        version = bundle.version
        parts = [bundle.manifest_bytes, bundle.onnx, bundle.signature, bundle.signer]
        keys = [self._key(f"bundle:{version}"), self._key("versions")]
        if not self._call("eval", _PUT, 2, *keys, *parts, bundle.manifest.created_at, version):
            raise RegistryError(
                f"{version} is stored with other bytes; bundles are immutable, so verify the stored one"
            )
        return version

    def get(self, version: str) -> Bundle:
        """Return a stored bundle, not yet verified."""
        manifest, onnx, signature, signer = self._call("hmget", self._key(f"bundle:{version}"), _PARTS)
        if manifest is None:
            raise RegistryError(
                f"no model {version!r} in {self.address}; fraudstream models list shows those there are"
            )
        return Bundle(manifest, onnx or b"", signature or b"", (signer or b"").decode("ascii", "replace"))

    def versions(self) -> list[str]:
        """Return all versions, the oldest first."""
        return [version.decode() for version in self._call("zrange", self._key("versions"), 0, -1)]

    def manifests(self) -> list[Manifest]:
        """Return the manifests of all versions, the oldest first, not yet verified."""
        return [self.manifest(version) for version in self.versions()]

    def manifest(self, version: str) -> Manifest:
        """Return one manifest without its graph, not yet verified."""
        return self.find_manifest(version) or self.get(version).manifest

    def find_manifest(self, version: str) -> Manifest | None:
        """Return the same, None where there is no such version."""
        content = self._call("hget", self._key(f"bundle:{version}"), "manifest")
        return None if content is None else Bundle(content, b"", b"", "").manifest

    def alias(self, name: str) -> Alias | None:
        """Return where an alias points, or None."""
        content = self._call("hget", self._key("aliases"), name)
        return None if content is None else wire.decode(Alias, content)

    def aliases(self) -> dict[str, Alias]:
        """Return every alias that points somewhere, as of one moment."""
        stored = self._call("hgetall", self._key("aliases"))
        return {name.decode(): wire.decode(Alias, content) for name, content in stored.items()}

    def placement(self) -> Placement:
        """Return which models score beside the champion."""
        content = self._call("get", self._key("placement"))
        return Placement() if content is None else wire.decode(Placement, content)

    def place(self, placement: Placement, actor: str, reason: str) -> None:
        """Say which models score beside the champion, and tell everyone who follows the aliases.

        Raises
        ------
        RegistryError: another placement came first, or one of the versions is not stored.
        """

        def plan() -> tuple[list[Entry], Effects]:
            for version in placement.versions:
                self._require(version)
            if placement.sequence <= self.placement().sequence:
                raise RegistryError(f"placement {placement.sequence} comes too late: there is a later one; look again")
            subject = placement.canary or ", ".join(placement.shadow)
            return [Entry("placement", actor, reason, subject, placement.details)], effects

        def effects(pipe: Pipeline, _records: list[AuditRecord]) -> None:
            text = msgspec.json.encode(placement)
            pipe.set(self._key("placement"), text)
            pipe.publish(self.channel, text)

        self.log.commit(plan)

    def audit(self) -> list[AuditRecord]:
        """Return the whole audit, the oldest first; its chain is not checked."""
        return self.log.records()

    def recorded(self) -> list[AuditRecord]:
        """Return the whole audit, its chain checked, and that what the registry holds is what it says.

        Raises
        ------
        AuditError: the chain was altered, or an alias, the placement or the rule of two persons without a record.
        """
        with self._client.pipeline() as pipe:
            self.log.queue_read(pipe)
            pipe.hgetall(self._key("aliases"))
            pipe.get(self._key("placement"))
            pipe.get(self._key("approvals"))
            try:
                lines, aliases, placement, approvals = pipe.execute()
            except redis.RedisError as error:
                raise _failure(self._client, "a transaction", error) from error
        records = decoded(lines, "Redis")
        check_chain(records, "Redis")
        placed = Placement() if placement is None else msgspec.json.decode(placement, type=Placement)
        pointing = {name.decode(): msgspec.json.decode(text, type=Alias) for name, text in aliases.items()}
        Recorded.of(records).check(pointing, placed.sequence, approvals=approvals == b"on")
        return records

    def moves(self) -> list[AliasMove]:
        """Return every move of an alias, the oldest first."""
        return [AliasMove.of(record) for record in self.audit() if record.kind == MOVE]

    def history(self, name: str) -> list[AliasMove]:
        """Return the moves of one alias, the oldest first."""
        return [move for move in self.moves() if move.alias == name]

    def move(
        self,
        name: str,
        version: str,
        actor: str,
        reason: str,
        expected_sequence: int | None = None,
        *,
        automatic: bool = False,
    ) -> Alias:
        """Point an alias at a version.

        `expected_sequence` is the sequence that the alias must still have, 0 that it must not exist yet; None moves it
        in any case. `automatic` is for the release loop: no person has decided, so no second one is asked.
        """

        def plan(aliases: dict[str, Alias]) -> list[tuple[str, str]]:
            _expect(name, aliases, expected_sequence)
            if name != CHALLENGER and not automatic:
                self._refuse_alone(f"pointing {name} at {version}", version)
            return [(name, version)]

        return self._move("move", plan, actor, reason, automatic=automatic)[-1]

    def promote(
        self,
        version: str,
        actor: str,
        reason: str,
        expected_sequence: int | None = None,
        *,
        automatic: bool = False,
    ) -> Alias:
        """Make a version champion and the champion before it `previous`, in one step.

        `expected_sequence` is the champion's; `automatic` as for `move`.

        Raises
        ------
        ApprovalError: a person promotes, and promotions by hand need a second one.
        """

        def plan(aliases: dict[str, Alias]) -> list[tuple[str, str]]:
            _expect(CHAMPION, aliases, expected_sequence)
            if not automatic:
                self._refuse_alone(f"promoting {version}", version)
            return _promotion(version, aliases)

        return self._move("promote", plan, actor, reason, automatic=automatic)[-1]

    def rollback(
        self, actor: str, reason: str, expected_sequence: int | None = None, *, automatic: bool = False
    ) -> Alias:
        """Swap champion and previous in one step, so a second rollback undoes the first.

        One person may always do it, for what has to be undone at night. Where promotions by hand need two, undoing a
        rollback needs two as well: it brings a model into use.
        """

        def plan(aliases: dict[str, Alias]) -> list[tuple[str, str]]:
            _expect(CHAMPION, aliases, expected_sequence)
            if PREVIOUS not in aliases:
                raise RegistryError("there is no previous champion to roll back to; promote a version instead")
            to = aliases[PREVIOUS].version
            if not automatic and self._was_rollback(aliases[CHAMPION]):
                self._refuse_alone("taking a roll-back back", to)
            return [(PREVIOUS, aliases[CHAMPION].version), (CHAMPION, to)]

        return self._move("rollback", plan, actor, reason, automatic=automatic)[-1]

    def approvals_required(self) -> bool:
        """Whether a promotion by hand needs a second person."""
        return bool(self._call("get", self._key("approvals")) == b"on")

    def require_approvals(self, actor: str, reason: str) -> None:
        """Let promotions by hand need a second person from now on; switching that off again needs two as well."""

        def plan() -> tuple[list[Entry], Effects | None]:
            if self.approvals_required():
                return [], None
            return [Entry("approvals", actor, reason, "on", {"required": True})], effects

        def effects(pipe: Pipeline, _records: list[AuditRecord]) -> None:
            pipe.set(self._key("approvals"), "on")

        _refuse_own(actor)
        self.log.commit(plan)

    def proposals(self) -> list[Proposal]:
        """Return what waits for a second person and has not expired, the oldest first."""
        stored = self._call("hvals", self._key("proposals"))
        found = [msgspec.json.decode(each, type=Proposal) for each in stored]
        return sorted((each for each in found if each.expires_ms > self._now()), key=lambda each: each.sequence)

    def propose(self, subject: str, actor: str, reason: str) -> Proposal:
        """Propose to promote a version, or with APPROVALS_OFF to switch two-person approval off.

        A second proposal of the same takes the place of the first.
        """
        made: list[Proposal] = []

        def plan() -> tuple[list[Entry], Effects]:
            aliases = self.aliases()
            if subject != APPROVALS_OFF:
                self._require(subject)
                _promotion(subject, aliases)
            if not self.approvals_required():
                raise ApprovalError(f"{subject} needs no second person: approvals are off")
            expires_ms = self._now() + VALID_MS
            details = {"expires_ms": expires_ms, "champion_sequence": _sequence(CHAMPION, aliases)}
            return [Entry("promotion-proposal", actor, reason, subject, details)], effects

        def effects(pipe: Pipeline, records: list[AuditRecord]) -> None:
            made[:] = [Proposal.of(records[0])]
            pipe.hset(self._key("proposals"), subject, msgspec.json.encode(made[0]))

        _refuse_own(actor)
        self.log.commit(plan)
        return made[0]

    def approve(self, subject: str, actor: str, reason: str = "approved") -> Alias | None:
        """Carry out what another person has proposed; return the champion, or None where approvals went off.

        Raises
        ------
        ApprovalError: nothing of the kind is proposed, it has expired, the champion has moved since, or the same
            person approves.
        """
        moved: list[Alias] = []

        def plan() -> tuple[list[Entry], Effects]:
            proposal, aliases = self._proposed(subject), self.aliases()
            proposal.check(actor, _sequence(CHAMPION, aliases), self._now())
            about: dict[str, Detail] = {"proposal": proposal.sequence, "proposed_by": proposal.actor}
            approval = Entry("promotion-approval", actor, reason, subject, about)
            if proposal.what == APPROVALS_OFF:
                off = Entry("approvals", proposal.actor, proposal.reason, "off", {"required": False})
                return [approval, off], switched_off
            self._require(subject)
            entries = move_entries(
                "promote", _promotion(subject, aliases), aliases, proposal.actor, proposal.reason, approved_by=actor
            )
            return [approval, *entries], carried_out

        def carried_out(pipe: Pipeline, records: list[AuditRecord]) -> None:
            pipe.hdel(self._key("proposals"), subject)
            moved[:] = self._point(pipe, records)

        def switched_off(pipe: Pipeline, _records: list[AuditRecord]) -> None:
            # What else was proposed under the old rule is void: it can be done by one from now on.
            pipe.delete(self._key("approvals"), self._key("proposals"))

        _refuse_own(actor)
        self.log.commit(plan)
        return moved[-1] if moved else None

    def reject(self, subject: str, actor: str, reason: str) -> AuditRecord:
        """Take a proposal off the table; whoever proposed it may do so too, for that brings nothing into use.

        Raises
        ------
        ApprovalError: nothing of the kind is proposed.
        """

        def plan() -> tuple[list[Entry], Effects]:
            proposal = self._proposed(subject)
            about: dict[str, Detail] = {"proposal": proposal.sequence, "proposed_by": proposal.actor}
            return [Entry("promotion-rejection", actor, reason, subject, about)], effects

        def effects(pipe: Pipeline, _records: list[AuditRecord]) -> None:
            pipe.hdel(self._key("proposals"), subject)

        _refuse_own(actor)
        return self.log.commit(plan)[0]

    def _proposed(self, subject: str) -> Proposal:
        stored = self._call("hget", self._key("proposals"), subject)
        if stored is None:
            raise ApprovalError(f"nobody has proposed {subject}; fraudstream models approvals shows what waits")
        return msgspec.json.decode(stored, type=Proposal)

    def restore(self, records: Sequence[AuditRecord], actor: str, reason: str, extra: Mapping[str, bytes]) -> list[str]:
        """Rebuild aliases, placement and approvals from a checked audit, in one step; bundles are put back before.

        A release that was under way is not carried on: nobody would watch its canary. So the placement becomes empty.

        Parameters
        ----------
        records: the whole audit.
        actor, reason: who restores, for the record behind it.
        extra: what else is written in the same step, by key without prefix.

        Returns
        -------
        list[str]
            Aliases that point nowhere now, because their version was not put back.

        Raises
        ------
        RegistryError: there is an audit already, or the champion's version was not put back.
        """
        recorded = Recorded.of(records)
        moves = recorded.aliases
        kept = {
            name: alias for name, alias in moves.items() if self._call("exists", self._key(f"bundle:{alias.version}"))
        }
        if CHAMPION in moves and CHAMPION not in kept:
            raise RegistryError(
                f"the champion {moves[CHAMPION].version} was not put back: name the folder of models that has it, and "
                "the signers that it was signed by"
            )
        left_out = sorted(moves.keys() - kept.keys())
        placement = Placement(sequence=0 if recorded.placement is None else recorded.placement + 1)
        details: dict[str, Detail] = {"records": len(records), "aliases_left_out": ", ".join(left_out)}
        entries = [Entry("restore", actor, reason, "registry", details)]
        if placement.sequence:
            entries.append(Entry("placement", actor, placement.in_words, "", placement.details))

        def effects(pipe: Pipeline, _records: list[AuditRecord]) -> None:
            values = {self._key(name): value for name, value in extra.items()}
            if placement.sequence:
                values[self._key("placement")] = msgspec.json.encode(placement)
            if recorded.approvals:
                values[self._key("approvals")] = b"on"
            for name, alias in kept.items():
                pipe.hset(self._key("aliases"), name, msgspec.json.encode(alias))
            for name, value in values.items():
                pipe.set(name, value)
            for alias in kept.values():
                pipe.publish(self.channel, msgspec.json.encode(alias))

        _refuse_own(actor)
        added = chained(records[-1] if records else None, entries, self._now())
        if not self.log.restore([*records, *added], effects):
            raise RegistryError(
                f"Redis at {self.address} has an audit under {self.prefix}: it is not lost; take another "
                "--redis-prefix, or set its audit aside with --set-aside"
            )
        return left_out

    def _move(
        self,
        action: str,
        plan: Callable[[dict[str, Alias]], list[tuple[str, str]]],
        actor: str,
        reason: str,
        *,
        automatic: bool,
    ) -> list[Alias]:
        """Plan on what Redis holds, and write it all unless another record came between; then plan again."""
        if not actor or not reason:
            raise RegistryError(f"{action} needs an actor and a reason: both go into the audit record")
        if not automatic:
            _refuse_own(actor)
        moved: list[Alias] = []

        def planned() -> tuple[list[Entry], Effects]:
            aliases = self.aliases()
            changes = plan(aliases)
            for version in {version for _, version in changes}:
                self._require(version)
            return move_entries(action, changes, aliases, actor, reason), effects

        def effects(pipe: Pipeline, records: list[AuditRecord]) -> None:
            moved[:] = self._point(pipe, records)

        self.log.commit(planned)
        return moved

    def _point(self, pipe: Pipeline, records: Sequence[AuditRecord]) -> list[Alias]:
        """Queue what the moves among some records do to the aliases."""
        moved = [AliasMove.of(record).as_alias() for record in records if record.kind == MOVE]
        for alias in moved:
            text = msgspec.json.encode(alias)
            pipe.hset(self._key("aliases"), alias.name, text)
            pipe.publish(self.channel, text)
        return moved

    def _was_rollback(self, champion: Alias) -> bool:
        return [record.details["action"] for record in self.log.records(champion.sequence, 1)] == ["rollback"]

    def _refuse_alone(self, act: str, version: str) -> None:
        if self.approvals_required():
            raise ApprovalError(
                f"{act} by hand needs a second person: fraudstream models promote {version} proposes it, and somebody "
                f"else approves it with fraudstream models approve {version}"
            )

    def _require(self, version: str) -> None:
        if not self._call("exists", self._key(f"bundle:{version}")):
            self.get(version)

    def _key(self, name: str) -> str:
        return self.prefix + name

    def _call(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments)
        except redis.RedisError as error:
            raise _failure(self._client, command, error) from error


def _failure(client: redis.Redis, command: str, error: redis.RedisError) -> RegistryError:
    if isinstance(error, (redis.ConnectionError, redis.TimeoutError, redis.exceptions.NoPermissionError)):
        return RegistryError(failure(error, client))
    return RegistryError(f"Redis at {address_of(client)} refused {command}: {error}")


def _sequence(name: str, aliases: Mapping[str, Alias]) -> int:
    return aliases[name].sequence if name in aliases else 0


def _expect(name: str, aliases: Mapping[str, Alias], expected_sequence: int | None) -> None:
    found = _sequence(name, aliases)
    if expected_sequence not in (None, found):
        raise RegistryError(
            f"{name} is at move {found}, not {expected_sequence}: somebody moved it; look again and repeat"
        )


def _promotion(version: str, aliases: Mapping[str, Alias]) -> list[tuple[str, str]]:
    champion = aliases.get(CHAMPION)
    if champion is not None and champion.version == version:
        raise RegistryError(f"{version} is the champion already, since move {champion.sequence}")
    outgoing = [(PREVIOUS, champion.version)] if champion is not None else []
    return [*outgoing, (CHAMPION, version)]


def _refuse_own(actor: str) -> None:
    if actor.strip().casefold() in OWN_ACTORS:
        raise RegistryError(f"{actor!r} is the name of a process; say which person acts with --actor")
