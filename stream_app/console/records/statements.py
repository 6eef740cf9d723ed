"""What has been stated about transactions: every statement kept in order, the latest wins."""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from models.schema.label import Label

TAKEN_BACK: Final = "review"
"""Header of a label with which an analyst takes the one before back; its value is UNDO."""
UNDO: Final = b"undo"
_MOST: Final = 200_000
_SOURCES: Final = {
    "chargeback": "a chargeback",
    "issuer_report": "the issuer",
    "analyst": "an analyst",
    "customer_report": "the customer",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One record of `labels`.

    Attributes
    ----------
    taken_back: it takes the statement before it back, so the case is open again.
    correlation: id of the audit record that says who stated it; empty where nobody at a console did.
    """

    label: Label
    partition: int
    offset: int
    taken_back: bool = False
    correlation: str = ""

    @classmethod
    def of(cls, label: Label, partition: int, offset: int, headers: Iterable[tuple[str, object]]) -> "Statement":
        """Read a record's headers."""
        found = {name: value for name, value in headers if isinstance(value, bytes)}
        correlation = found.get("correlationid", b"").decode("ascii", "replace")[:64]
        return cls(label, partition, offset, found.get(TAKEN_BACK) == UNDO, correlation)

    @property
    def rank(self) -> tuple[int, int, int]:
        """The largest one wins."""
        return self.label.labelled_at, self.partition, self.offset

    @property
    def in_words(self) -> str:
        """What was said, and by whom.

        Examples
        --------
        >>> label = Label("t1", "c1", "s1", 1_764_000_000_000, True, "chargeback", 1_764_000_000_000)
        >>> Statement(label, 0, 0).in_words
        'fraud, says a chargeback'
        """
        verdict = "fraud" if self.label.is_fraud else "genuine"
        source = _SOURCES[self.label.label_source]
        return f"taken back by {source}: counts as {verdict}" if self.taken_back else f"{verdict}, says {source}"


class StatementBook:
    """Statements by transaction, of the most recent transactions about which something was said.

    Parameters
    ----------
    most: transactions to remember.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._of: OrderedDict[str, dict[tuple[int, int], Statement]] = OrderedDict()
        self._most = most

    def add(self, statement: Statement) -> None:
        """Take note of a statement; one that was read already changes nothing."""
        transaction_id = statement.label.transaction_id
        said = self._of.setdefault(transaction_id, {})
        said[statement.partition, statement.offset] = statement
        self._of.move_to_end(transaction_id)
        while len(self._of) > self._most:
            self._of.popitem(last=False)

    def history(self, transaction_id: str) -> list[Statement]:
        """Everything stated about a transaction, the one that holds last."""
        return sorted(self._of.get(transaction_id, {}).values(), key=lambda said: said.rank)

    def holds(self, transaction_id: str) -> Statement | None:
        """The statement that wins, None where nobody said anything."""
        said = self._of.get(transaction_id)
        return max(said.values(), key=lambda one: one.rank) if said else None

    def is_open(self, transaction_id: str) -> bool:
        """Whether nobody has decided yet, or the last decision was taken back."""
        last = self.holds(transaction_id)
        return last is None or last.taken_back


def merged(histories: Iterable[Iterable[Statement]]) -> list[Statement]:
    """Return statements of several readers as one history, each record once."""
    found: Mapping[tuple[int, int], Statement] = {
        (said.partition, said.offset): said for history in histories for said in history
    }
    return sorted(found.values(), key=lambda said: said.rank)
