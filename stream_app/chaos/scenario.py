"""One scenario: what is done to a world, and how long a partition may stand still meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stream_app.chaos.world import SESSION_TIMEOUT_S, World

STEADY_S: Final = 1.0
"""Nothing should stop the workers; what two busy cores make them wait now and then is less."""
HANDED_OVER_S: Final = 2.0
"""A worker leaves or joins in order, and partitions change hands."""
TAKEN_OVER_S: Final = SESSION_TIMEOUT_S + 2.0
"""A worker is silent, and another takes over."""
STARTED_AGAIN_S: Final = SESSION_TIMEOUT_S + 12.0
"""No worker is left: one has to be started, and to load what it needs."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault.

    Attributes
    ----------
    name: as on the command line.
    what: in one line.
    run: does it to a world, and waits until all that was sent is scored.
    gap_bound_s: longest time that a partition may stand still while a transaction waits.
    short: whether it belongs to the short form, for what no other test covers.
    """

    name: str
    what: str
    run: Callable[[World], None]
    gap_bound_s: float
    short: bool = False
