"""What a release does to the world: each action can be carried out twice without harm."""

import msgspec

from models.release.placement import Placement
from models.schema.model_event import ModelEvent


class Place(msgspec.Struct, frozen=True, tag=True):
    """Let models score beside the champion; the sequence of the placement is given by whoever carries it out."""

    placement: Placement


class PointChallenger(msgspec.Struct, frozen=True, tag=True):
    """Let the alias `challenger` name a version."""

    version: str
    reason: str


class Promote(msgspec.Struct, frozen=True, tag=True):
    """Make a version champion, if the champion is still that of move `expected_sequence`."""

    version: str
    reason: str
    expected_sequence: int


class RollBack(msgspec.Struct, frozen=True, tag=True):
    """Make the champion before it champion again, if `version` is still the champion of move `expected_sequence`."""

    version: str
    to: str
    reason: str
    expected_sequence: int


class Verify(msgspec.Struct, frozen=True, tag=True):
    """Check signature, hashes and golden vectors of a version that decides again."""

    version: str


class Announce(msgspec.Struct, frozen=True, tag=True):
    """Publish what happened."""

    event: ModelEvent


Action = Place | PointChallenger | Promote | RollBack | Verify | Announce


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an action went.

    Attributes
    ----------
    sequence: that of the champion after a move, whether it was made now or found made.
    overtaken: why a move can no longer be made: somebody else has moved the champion.
    failure: why a version was not verified.
    """

    sequence: int | None = None
    overtaken: str | None = None
    failure: str | None = None
