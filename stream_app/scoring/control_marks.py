"""The control group's marks in the headers of `scores`: what opening a partition needs to go on with the same draw.

Every record batch begins with the day counts before it, and a row that was let pass carries those after it: the last
mark before an offset is the state there, whichever of both it is. A decline that could be drawn carries its chance.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from models.control_group import PassMark
from models.errors import FraudstreamError

USED = "control_used"
PASS_PROBABILITY = "pass_probability"  # noqa: S105  no password


class ScoreMarks(NamedTuple):
    """What the headers of one score say: the day counts (None: nothing new), and the chance (None: not drawn)."""

    used: str | None = None
    pass_probability: float | None = None


class MarksError(FraudstreamError):
    """Raised when headers of a score are not those that a scorer writes."""


_COUNTS: Final = re.compile(r"(?:\d{1,6}:\d{1,9}(?:,\d{1,6}:\d{1,9}){0,999})?")
NO_MARKS = ScoreMarks()


def headers_of(mark: PassMark) -> list[tuple[str, bytes]]:
    """The headers of a row that was drawn."""
    headers = [(PASS_PROBABILITY, repr(mark.pass_probability).encode())]
    return headers if mark.used is None else [*headers, (USED, mark.used.encode())]


def read_marks(headers: Iterable[tuple[str, bytes | None]]) -> ScoreMarks:
    """Read them back; of two day counts the later one is newer."""
    found = {name: value.decode("utf-8", "replace") for name, value in headers if value is not None}
    if not found:
        return NO_MARKS
    chance, used = found.get(PASS_PROBABILITY), found.get(USED)
    if used is not None and not _COUNTS.fullmatch(used):
        raise MarksError(f"header {USED} is {used[:80]!r}, no counts by day")
    try:
        probability = None if chance is None else float(chance)
    except ValueError:
        raise MarksError(f"header {PASS_PROBABILITY} is {chance!r:.80}, no number") from None
    return ScoreMarks(used, probability)
