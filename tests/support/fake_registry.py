"""A registry in memory that moves aliases and places models as the real one does."""

from models.alias import Alias, AliasMove
from models.audit.chain import Entry
from models.registry import CHAMPION, PREVIOUS, RegistryError
from models.release.placement import Placement
from models.schema.model_event import ModelEvent


class FakeRegistry:
    """The calls that the release loop makes."""

    def __init__(self) -> None:
        self.names: dict[str, Alias] = {}
        self.records: list[AliasMove] = []
        self.placed = Placement()

    def alias(self, name: str) -> Alias | None:
        """Where an alias points."""
        return self.names.get(name)

    def history(self, name: str) -> list[AliasMove]:
        """The moves of one alias."""
        return [record for record in self.records if record.alias == name]

    def placement(self) -> Placement:
        """Who scores beside the champion."""
        return self.placed

    def place(self, placement: Placement, actor: str, reason: str) -> None:
        """Place models; an older placement is refused."""
        if placement.sequence <= self.placed.sequence:
            raise RegistryError("too late")
        self.placed = placement

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
        """Point an alias at a version."""
        return self._move("move", [(name, version)], actor, reason)

    def promote(
        self, version: str, actor: str, reason: str, expected_sequence: int | None = None, *, automatic: bool = False
    ) -> Alias:
        """Make a version champion."""
        champion = self._expected(expected_sequence)
        if champion is not None and champion.version == version:
            raise RegistryError(f"{version} is the champion already")
        outgoing = [] if champion is None else [(PREVIOUS, champion.version)]
        return self._move("promote", [*outgoing, (CHAMPION, version)], actor, reason)

    def rollback(
        self, actor: str, reason: str, expected_sequence: int | None = None, *, automatic: bool = False
    ) -> Alias:
        """Swap champion and previous."""
        champion, previous = self._expected(expected_sequence), self.names[PREVIOUS]
        assert champion is not None
        return self._move("rollback", [(PREVIOUS, champion.version), (CHAMPION, previous.version)], actor, reason)

    def _expected(self, sequence: int | None) -> Alias | None:
        champion = self.names.get(CHAMPION)
        if sequence is not None and (champion.sequence if champion else 0) != sequence:
            raise RegistryError("somebody moved it")
        return champion

    def _move(self, action: str, moves: list[tuple[str, str]], actor: str, reason: str) -> Alias:
        made: list[AliasMove] = []
        for name, version in moves:
            before = self.names[name].version if name in self.names else None
            made.append(AliasMove(len(self.records) + len(made) + 1, action, name, version, before, actor, reason, 0))
        self.records += made
        self.names |= {move.alias: move.as_alias() for move in made}
        return made[-1].as_alias()


class FakeAnnouncer:
    """Keeps what is published, each id once, as a topic and its readers do."""

    def __init__(self) -> None:
        self.events: list[ModelEvent] = []

    def publish(self, event: ModelEvent) -> None:
        """Publish unless it is there."""
        if event.event_id not in {each.event_id for each in self.events}:
            self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        """What happened, in order."""
        return [event.kind for event in self.events]


class FakeAudit:
    """Keeps what is written, each event once, as the real one does."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Write unless it is there."""
        if entry.event_id is None or entry.event_id not in {each.event_id for each in self.entries}:
            self.entries.append(entry)

    def of(self, kind: str) -> list[Entry]:
        """What is written of a kind."""
        return [entry for entry in self.entries if entry.kind == kind]
