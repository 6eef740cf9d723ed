"""The control group's marks in the headers of `scores`: what opening a partition needs to go on with the same draw.

Every record batch begins with the day counts before it, and a row that was let pass carries those after it: the last
mark before an offset is the state there, whichever of both it is. A decline that could be drawn carries its chance.
"""

from collections.abc import Iterable
from typing import NamedTuple

from models.control_group import PassMark

USED = "control_used"
PASS_PROBABILITY = "pass_probability"  # noqa: S105  no password


class ScoreMarks(NamedTuple):
    """What the headers of one score say: the day counts (None: nothing new), and the chance (None: not drawn)."""

    used: str | None = None
    pass_probability: float | None = None


NO_MARKS = ScoreMarks()


def headers_of(mark: PassMark) -> list[tuple[str, bytes]]:
    """The headers of a row that was drawn."""
    headers = [(PASS_PROBABILITY, repr(mark.pass_probability).encode())]
    return headers if mark.used is None else [*headers, (USED, mark.used.encode())]


def read_marks(headers: Iterable[tuple[str, bytes]]) -> ScoreMarks:
    """Read them back; of two day counts the later one is newer."""
    found = {name: value.decode() for name, value in headers}
    if not found:
        return NO_MARKS
    chance = found.get(PASS_PROBABILITY)
    return ScoreMarks(found.get(USED), None if chance is None else float(chance))
