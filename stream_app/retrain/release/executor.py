"""Carries out what the release policy has decided; an action that was carried out before a crash is found so."""

from collections.abc import Callable
from typing import Protocol, assert_never

import msgspec

from models.alias import Alias
from models.errors import FraudstreamError
from models.registry import CHALLENGER, CHAMPION, PREVIOUS, Registry, RegistryError
from models.release.actions import Action, Announce, Outcome, Place, PointChallenger, Promote, RollBack, Verify
from models.release.placement import Placement
from models.release.release import ACTOR
from models.schema.model_event import ModelEvent


class Publishes(Protocol):
    """Whoever sends events to the world."""

    def publish(self, event: ModelEvent) -> None:
        """Send an event unless it was sent, and wait until it is acknowledged."""


class Executor:
    """Knows the registry, the announcer and how a model is verified.

    Parameters
    ----------
    registry: where aliases and the placement are.
    announcer: sends events.
    verify: loads a version and checks its golden vectors; raises FraudstreamError when it does not hold.
    """

    def __init__(self, registry: Registry, announcer: Publishes, verify: Callable[[str], object]) -> None:
        self._registry = registry
        self._announcer = announcer
        self._verify = verify

    def carry_out(self, action: Action) -> Outcome:
        """Do it, unless it is done; say how it went."""
        match action:
            case Place():
                return self._place(action.placement)
            case PointChallenger():
                return self._point(action)
            case Promote() | RollBack():
                return self._move(action)
            case Verify():
                return self._verified(action.version)
            case Announce():
                self._announcer.publish(action.event)
                return Outcome()
            case _:
                assert_never(action)

    def _place(self, wanted: Placement) -> Outcome:
        found = self._registry.placement()
        if msgspec.structs.replace(found, sequence=wanted.sequence) != wanted:
            self._registry.place(msgspec.structs.replace(wanted, sequence=found.sequence + 1), ACTOR, wanted.in_words)
        return Outcome()

    def _point(self, action: PointChallenger) -> Outcome:
        found = self._registry.alias(CHALLENGER)
        if found is None or found.version != action.version:
            self._registry.move(CHALLENGER, action.version, ACTOR, action.reason, automatic=True)
        return Outcome()

    def _move(self, action: Promote | RollBack) -> Outcome:
        wanted = action.version if isinstance(action, Promote) else action.to
        champion = self._champion()
        if champion.version == wanted:
            return Outcome(sequence=champion.sequence)
        if champion.sequence == action.expected_sequence:
            try:
                return Outcome(sequence=self._moved(action).sequence)
            except RegistryError:
                champion = self._champion()
                if champion.sequence == action.expected_sequence:
                    raise
        return Outcome(overtaken=f"{champion.actor} has moved the champion to {champion.version} ({champion.reason})")

    def _moved(self, action: Promote | RollBack) -> Alias:
        expected = action.expected_sequence
        if isinstance(action, Promote):
            return self._registry.promote(
                action.version, ACTOR, action.reason, expected_sequence=expected, automatic=True
            )
        previous = self._registry.alias(PREVIOUS)
        if previous is not None and previous.version == action.to:
            return self._registry.rollback(ACTOR, action.reason, expected_sequence=expected, automatic=True)
        # Somebody has pointed `previous` elsewhere; the model to go back to is known all the same.
        return self._registry.promote(action.to, ACTOR, action.reason, expected_sequence=expected, automatic=True)

    def _champion(self) -> Alias:
        champion = self._registry.alias(CHAMPION)
        if champion is None:
            raise RegistryError("there is no champion any more; promote one with fraudstream models promote")
        return champion

    def _verified(self, version: str) -> Outcome:
        try:
            self._verify(version)
        except RegistryError:
            raise
        except FraudstreamError as error:
            return Outcome(failure=" ".join(str(error).split()))
        return Outcome()
