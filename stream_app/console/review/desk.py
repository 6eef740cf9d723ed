"""The desk: flagged transactions joined with their payments, in the order of what a look is worth."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from models.schema import wire
from models.schema.feature_batch import FeatureRows
from models.schema.score import Score
from stream_app.console.records.place import Place
from stream_app.console.records.recent import RecentRows
from stream_app.console.records.statements import Statement, StatementBook
from stream_app.console.records.stream_time import RECENT_TIMES, StreamTime
from stream_app.console.review.case import Case, Payment
from stream_app.console.review.worth import Worth

MOST_CASES: Final = 5_000
RESORT_S: Final = 0.25
"""How old the order of the queue may be while cases come."""
MOST_WAITING: Final = 20_000
"""Scores that wait for their feature row, or rows for their score: the two topics are read side by side."""
_TEXT_COLUMNS: Final = ("writer", "decision", "terminal_id", "currency", "mcc", "country", "channel")


class _Glance(msgspec.Struct, frozen=True, gc=False):
    """What the reader's rule and the choice need of a score: most are approved and not looked at further."""

    source_offset: int
    epoch: int
    decision: str


_glance: Final = msgspec.json.Decoder(_Glance).decode


class Desk:
    """Cases of this process, filled by one thread and read by others.

    Parameters
    ----------
    worth: what a look is worth.
    most: cases kept; beyond it the oldest go, decided ones first.
    clock_s: monotonic.
    """

    def __init__(self, worth: Worth, most: int = MOST_CASES, clock_s: Callable[[], float] = time.monotonic) -> None:
        self.worth = worth
        self.statements = StatementBook()
        self.recent = RecentRows()
        self.stream_time = StreamTime()
        self.forgotten = 0
        """Cases that went because there were too many."""
        self._most = most
        self._clock_s = clock_s
        self._lists: tuple[list[Case], list[tuple[Case, Statement]]] | None = None
        self._listed_s, self._has_grown = 0.0, False
        self._last: dict[int, tuple[int, int]] = {}
        self._cases: OrderedDict[Place, Case] = OrderedDict()
        self._by_id: dict[str, Place] = {}
        self._scores: OrderedDict[Place, Score] = OrderedDict()
        self._payments: OrderedDict[Place, dict[str, Payment]] = OrderedDict()
        self._lock = threading.RLock()
        self._told = threading.Condition(self._lock)
        self._heard_case: list[Callable[[Case], None]] = []
        self._heard_statement: list[Callable[[Statement], None]] = []

    def follow(
        self, heard_case: Callable[[Case], None], heard_statement: Callable[[Statement], None] | None = None
    ) -> None:
        """Be told of every new case, and of every statement about one, on the thread that fills the desk."""
        self._heard_case.append(heard_case)
        if heard_statement is not None:
            self._heard_statement.append(heard_statement)

    def see_score(self, partition: int, value: bytes) -> None:
        """Take a record of `scores`, by the reader's rule; raises RecordError for what is none."""
        try:
            glance = _glance(value)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise wire.RecordError(f"not a score: {error}") from None
        key = (glance.epoch, glance.source_offset)
        if key <= self._last.get(partition, (-1, -1)):
            return
        self._last[partition] = key
        if glance.decision != "approve":
            place = Place(partition, *key)
            with self._lock:
                self._scores[place] = wire.decode(Score, value)
                self._join(place)
                _cut(self._scores, MOST_WAITING)

    def see_rows(self, partition: int, rows: FeatureRows) -> None:
        """Take a message of `features`."""
        self.recent.add(partition, rows)
        self.stream_time.see(rows.numpy("event_time")[-RECENT_TIMES:].tolist())
        for place, writer, payment in _flagged(partition, rows):
            with self._lock:
                self._payments.setdefault(place, {})[writer] = payment
                self._join(place)
                _cut(self._payments, MOST_WAITING)

    def see_statement(self, statement: Statement) -> None:
        """Take a record of `labels`."""
        with self._told:
            self.statements.add(statement)
            self._told.notify_all()
            concerns = statement.label.transaction_id in self._by_id
            if concerns:
                self._lists = None
        for heard in self._heard_statement if concerns else ():
            heard(statement)

    def wait_for(self, transaction_id: str, correlation: str, timeout_s: float) -> bool:
        """Wait until a statement has come back from the topic, so that the next page shows it; tell whether it has."""

        def there() -> bool:
            return any(said.correlation == correlation for said in self.statements.history(transaction_id))

        with self._told:
            return self._told.wait_for(there, timeout_s)

    def case(self, place: Place) -> Case | None:
        """The case at a place."""
        with self._lock:
            return self._cases.get(place)

    def waiting(self) -> list[Case]:
        """Open cases, the most valuable look first; of equal ones the older."""
        with self._lock:
            return self._sorted()[0]

    def decided(self, most: int) -> list[tuple[Case, Statement]]:
        """Cases that somebody has decided, the last decision first."""
        with self._lock:
            return self._sorted()[1][:most]

    def history(self, transaction_id: str) -> list[Statement]:
        """Everything that was stated about a transaction, the one that holds last."""
        with self._lock:
            return self.statements.history(transaction_id)

    def holds(self, transaction_id: str) -> Statement | None:
        """The statement that holds, None where nobody said anything."""
        with self._lock:
            return self.statements.holds(transaction_id)

    def _sorted(self) -> tuple[list[Case], list[tuple[Case, Statement]]]:
        """Both lists, made anew at once after a statement, and a moment after a case: twenty pages ask at a time."""
        now_s = self._clock_s()
        lists = self._lists
        if lists is None or (self._has_grown and now_s - self._listed_s >= RESORT_S):
            waiting, decided = [], []
            for case in self._cases.values():
                said = self.statements.holds(case.transaction_id)
                if said is None or said.taken_back:
                    waiting.append(case)
                else:
                    decided.append((case, said))
            waiting.sort(key=lambda case: (-self.worth.of(case), case.score.scored_at, case.place))
            decided.sort(key=lambda pair: pair[1].rank, reverse=True)
            lists = self._lists = (waiting, decided)
            self._has_grown, self._listed_s = False, now_s
        return lists

    def _join(self, place: Place) -> None:
        score, payments = self._scores.get(place), self._payments.get(place)
        if score is None or not payments:
            return
        # The row of the score's own writer counts; a recomputed one has another's name and the same payment.
        payment = payments.get(score.writer) or next(iter(payments.values()))
        del self._scores[place], self._payments[place]
        reported = self.worth.money.to_reporting(payment.amount_minor, payment.currency)
        case = self._cases[place] = Case(place, score, payment, reported)
        self._by_id[score.transaction_id] = place
        self._has_grown = True
        if len(self._cases) > self._most:
            self._forget()
        for heard in self._heard_case:
            heard(case)

    def _forget(self) -> None:
        decided = (place for place, case in self._cases.items() if not self.statements.is_open(case.transaction_id))
        place = next(decided, None) or next(iter(self._cases))
        case = self._cases.pop(place)
        if self._by_id.get(case.transaction_id) == place:
            del self._by_id[case.transaction_id]
        self.forgotten += 1
        if self._lists is not None:
            self._has_grown = True


def _flagged(partition: int, rows: FeatureRows) -> Iterator[tuple[Place, str, Payment]]:
    decisions = rows.strings("decision")
    chosen = [at for at, decision in enumerate(decisions) if decision != "approve"]
    if not chosen:
        return
    writer, _, terminal, currency, mcc, country, channel = (rows.strings(name) for name in _TEXT_COLUMNS)
    epochs, offsets, amounts = (rows.numpy(name).tolist() for name in ("epoch", "source_offset", "amount_minor"))
    for at in chosen:
        payment = Payment(terminal[at], amounts[at], currency[at], mcc[at], country[at], channel[at])
        yield Place(partition, epochs[at], offsets[at]), writer[at], payment


def _cut(waiting: "OrderedDict[Place, Score] | OrderedDict[Place, dict[str, Payment]]", most: int) -> None:
    while len(waiting) > most:
        waiting.popitem(last=False)
