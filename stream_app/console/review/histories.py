"""What a card and a terminal did before a payment: from the archive as far as it reaches, from memory since."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from models.errors import FraudstreamError
from stream_app.console.records.archived import ArchivedRecords
from stream_app.console.records.place import Place
from stream_app.console.records.recent import PastPayment, RecentRows
from stream_app.console.records.statements import Statement

DAYS: Final = 30
"""As long as the longest window of a feature."""
MOST: Final = 20

Column = Literal["card_id", "terminal_id"]


@dataclass(frozen=True, slots=True)
class PastLine:
    """A payment with what was stated about it."""

    payment: PastPayment
    stated: Statement | None


@dataclass(frozen=True, slots=True)
class History:
    """The newest first; `source` says in words where it was looked."""

    lines: Sequence[PastLine]
    source: str


@dataclass(frozen=True, slots=True)
class Histories:
    """Looks in memory and in the archive.

    Parameters
    ----------
    recent: the last rows of the feature log.
    archive: None where this console has none.
    holds: the statement that holds about an identifier.
    """

    recent: RecentRows
    archive: ArchivedRecords | None
    holds: Callable[[str], Statement | None]

    def before(self, column: Column, value: str, until_ms: int, most: int = MOST) -> History:
        """The payments of a card or at a terminal up to a moment; it blocks, for at most the archive's time."""
        look = self.recent.of_card if column == "card_id" else self.recent.of_terminal
        # What came later is in memory as well, and may be more than is asked for.
        known = [one for one in look(value, 10 * most) if one.event_time <= until_ms]
        archived, source = self._archived(column, value, until_ms, most)
        by_place: dict[Place, PastPayment] = {one.place: one for one in [*archived, *known]}
        newest = sorted(by_place.values(), key=lambda one: (one.event_time, one.place), reverse=True)[:most]
        return History([PastLine(one, self.holds(one.transaction_id)) for one in newest], source)

    def _archived(self, column: Column, value: str, until_ms: int, most: int) -> tuple[list[PastPayment], str]:
        memory = f"the last {len(self.recent):,} transactions in memory"
        if self.archive is None:
            return [], memory
        try:
            return self.archive.past(column, value, until_ms, DAYS, most), f"{DAYS} event days of the archive, {memory}"
        except FraudstreamError as error:
            return [], f"{memory}; not the archive: {error}"
