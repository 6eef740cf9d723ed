"""The model registry in Redis: bundles by version, and the aliases that say which of them serve."""

import time
from collections.abc import Callable
from typing import Any

import msgspec
import redis

from models.alias import Alias, AuditRecord, Move, chained
from models.bundle import Bundle
from models.errors import FraudstreamError
from models.manifest import Manifest
from models.release.placement import Placement
from models.schema import wire

CHAMPION = "champion"
CHALLENGER = "challenger"
PREVIOUS = "previous"
ALIASES = (CHAMPION, CHALLENGER, PREVIOUS)

_PARTS = ("manifest", "onnx", "signature", "signer")

# A version is the hash of its content, so a second put of the same bytes changes nothing. 0: other bytes are there.
_PUT = """
local stored = redis.call('HMGET', KEYS[1], 'manifest', 'onnx')
if stored[1] and (stored[1] ~= ARGV[1] or stored[2] ~= ARGV[2]) then return 0 end
redis.call('HSET', KEYS[1], 'manifest', ARGV[1], 'onnx', ARGV[2], 'signature', ARGV[3], 'signer', ARGV[4])
redis.call('ZADD', KEYS[2], 'NX', ARGV[5], ARGV[6])
return 1
"""

# Every move adds an audit record, so an unchanged head means unchanged aliases: one comparison guards them all.
_MOVE = """
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
for at = 4, #ARGV, 3 do
  redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1])
  redis.call('RPUSH', KEYS[3], ARGV[at + 2])
  redis.call('PUBLISH', ARGV[3], ARGV[at + 1])
end
return 1
"""

_PLACE = """
local stored = redis.call('GET', KEYS[1])
if stored and cjson.decode(stored)['sequence'] >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
"""


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
    """

    def __init__(
        self,
        client: "str | redis.Redis",
        prefix: str = "fraudstream:",
        now: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Connect lazily: nothing is sent before the first call."""
        try:
            self._client = redis.Redis.from_url(client, socket_connect_timeout=5) if isinstance(client, str) else client
        except ValueError as error:
            raise RegistryError(f"{client!r} is no Redis address ({error}); write redis://host:port/0") from error
        settings = self._client.connection_pool.connection_kwargs
        self.address = client if isinstance(client, str) else f"redis://{settings.get('host')}:{settings.get('port')}"
        self.prefix = prefix
        self.channel = prefix + "alias-moves"
        self._now = now

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

    def manifests(self) -> list[Manifest]:
        """Return the manifests of all versions, the oldest first, not yet verified."""
        return [self.manifest(version.decode()) for version in self._call("zrange", self._key("versions"), 0, -1)]

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

    def place(self, placement: Placement) -> None:
        """Say which models score beside the champion, and tell everyone who follows the aliases.

        Raises
        ------
        RegistryError: another placement came first, or one of the versions is not stored.
        """
        for version in placement.versions:
            if not self._call("exists", self._key(f"bundle:{version}")):
                self.get(version)
        text = msgspec.json.encode(placement)
        if not self._call("eval", _PLACE, 1, self._key("placement"), placement.sequence, text, self.channel):
            raise RegistryError(f"placement {placement.sequence} comes too late: there is a later one; look again")

    def audit(self) -> list[AuditRecord]:
        """Return every move, the oldest first."""
        return [msgspec.json.decode(each, type=AuditRecord) for each in self._call("lrange", self._key("audit"), 0, -1)]

    def history(self, name: str) -> list[AuditRecord]:
        """Return the moves of one alias, the oldest first."""
        return [record for record in self.audit() if record.alias == name]

    def move(self, name: str, version: str, actor: str, reason: str, expected_sequence: int | None = None) -> Alias:
        """Point an alias at a version.

        `expected_sequence` is the sequence that the alias must still have, 0 that it must not exist yet; None moves it
        in any case.
        """

        def plan(aliases: dict[str, Alias]) -> list[tuple[str, str]]:
            _expect(name, aliases, expected_sequence)
            return [(name, version)]

        return self._move("move", plan, actor, reason)[-1]

    def promote(self, version: str, actor: str, reason: str, expected_sequence: int | None = None) -> Alias:
        """Make a version champion and the champion before it `previous`, in one step.

        `expected_sequence` is the champion's.
        """

        def plan(aliases: dict[str, Alias]) -> list[tuple[str, str]]:
            _expect(CHAMPION, aliases, expected_sequence)
            champion = aliases.get(CHAMPION)
            if champion is not None and champion.version == version:
                raise RegistryError(f"{version} is the champion already, since move {champion.sequence}")
            outgoing = [(PREVIOUS, champion.version)] if champion is not None else []
            return [*outgoing, (CHAMPION, version)]

        return self._move("promote", plan, actor, reason)[-1]

    def rollback(self, actor: str, reason: str, expected_sequence: int | None = None) -> Alias:
        """Swap champion and previous in one step, so a second rollback undoes the first."""

        def plan(aliases: dict[str, Alias]) -> list[tuple[str, str]]:
            _expect(CHAMPION, aliases, expected_sequence)
            if PREVIOUS not in aliases:
                raise RegistryError("there is no previous champion to roll back to; promote a version instead")
            return [(PREVIOUS, aliases[CHAMPION].version), (CHAMPION, aliases[PREVIOUS].version)]

        return self._move("rollback", plan, actor, reason)[-1]

    def _move(
        self, action: str, plan: Callable[[dict[str, Alias]], list[tuple[str, str]]], actor: str, reason: str
    ) -> list[Alias]:
        """Plan on what Redis holds, and write it all unless another move came between; then plan again."""
        if not actor or not reason:
            raise RegistryError(f"{action} needs an actor and a reason: both go into the audit record")
        while True:
            head, aliases = self._call("get", self._key("audit-head")), self.aliases()
            changes = plan(aliases)
            for version in {version for _, version in changes}:
                if not self._call("exists", self._key(f"bundle:{version}")):
                    self.get(version)
            last = None if head is None else msgspec.json.decode(head, type=AuditRecord)
            moves = [Move(action, name, version, actor, reason, self._now()) for name, version in changes]
            records = chained(last, moves, aliases)
            moved = [record.as_alias() for record in records]
            texts: list[Any] = [head or b"", msgspec.json.encode(records[-1]), self.channel]
            for alias, record in zip(moved, records, strict=True):
                texts += [alias.name, msgspec.json.encode(alias), msgspec.json.encode(record)]
            keys = [self._key("audit-head"), self._key("aliases"), self._key("audit")]
            if self._call("eval", _MOVE, len(keys), *keys, *texts):
                return moved

    def _key(self, name: str) -> str:
        return self.prefix + name

    def _call(self, command: str, *arguments: Any) -> Any:
        try:
            return getattr(self._client, command)(*arguments)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise RegistryError(
                f"no Redis at {self.address} ({type(error).__name__}); start it with fraudstream stack up,"
                " or name it with --redis"
            ) from error
        except redis.RedisError as error:
            raise RegistryError(f"Redis at {self.address} refused {command}: {error}") from error


def _expect(name: str, aliases: dict[str, Alias], expected_sequence: int | None) -> None:
    if expected_sequence is None:
        return
    found = aliases[name].sequence if name in aliases else 0
    if found != expected_sequence:
        raise RegistryError(
            f"{name} is at move {found}, not {expected_sequence}: somebody moved it; look again and repeat"
        )
