"""A registry in memory that moves aliases and places models as the real one does."""

from models.alias import Alias, AuditRecord, Move, chained
from models.registry import CHAMPION, PREVIOUS, RegistryError
from models.release.placement import Placement
from models.schema.model_event import ModelEvent


class FakeRegistry:
    """The calls that the release loop makes."""

    def __init__(self) -> None:
        self.names: dict[str, Alias] = {}
        self.records: list[AuditRecord] = []
        self.placed = Placement()

    def alias(self, name: str) -> Alias | None:
        """Where an alias points."""
        return self.names.get(name)

    def history(self, name: str) -> list[AuditRecord]:
        """The moves of one alias."""
        return [record for record in self.records if record.alias == name]

    def placement(self) -> Placement:
        """Who scores beside the champion."""
        return self.placed

    def place(self, placement: Placement) -> None:
        """Place models; an older placement is refused."""
        if placement.sequence <= self.placed.sequence:
            raise RegistryError("too late")
        self.placed = placement

    def move(self, name: str, version: str, actor: str, reason: str, expected_sequence: int | None = None) -> Alias:
        """Point an alias at a version."""
        return self._move("move", [(name, version)], actor, reason)

    def promote(self, version: str, actor: str, reason: str, expected_sequence: int | None = None) -> Alias:
        """Make a version champion."""
        champion = self._expected(expected_sequence)
        if champion is not None and champion.version == version:
            raise RegistryError(f"{version} is the champion already")
        outgoing = [] if champion is None else [(PREVIOUS, champion.version)]
        return self._move("promote", [*outgoing, (CHAMPION, version)], actor, reason)

    def rollback(self, actor: str, reason: str, expected_sequence: int | None = None) -> Alias:
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
        last = self.records[-1] if self.records else None
        made = chained(last, [Move(action, name, version, actor, reason, 0) for name, version in moves], self.names)
        self.records += made
        self.names |= {record.alias: record.as_alias() for record in made}
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
