"""What an analyst decides: written into the audit, then stated on `labels`, and only then said to be done."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, Protocol

from models.audit.chain import Entry
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.audit_record import AuditRecord
from models.schema.label import Label
from stream_app.acknowledged_producer import DeliveryError
from stream_app.console.records.statements import TAKEN_BACK, UNDO, Statement
from stream_app.console.review.case import Case
from stream_app.console.review.desk import Desk

COMES_BACK_S: Final = 2.0
"""A console that reads slowly shows the decision later; it holds all the same."""

Headers = Sequence[tuple[str, bytes]]


class VerdictError(FraudstreamError):
    """Raised when a decision cannot be made, or may not have arrived."""


class Sender(Protocol):
    """Sends records and waits for the broker."""

    def send(self, topic: str, value: bytes | None, key: bytes | None, headers: Headers) -> None:
        """Hand over a record."""
        ...

    def settle(self) -> None:
        """Wait until all is acknowledged; raises DeliveryError."""
        ...


class Holds(Protocol):
    """Who holds which case."""

    def require(self, transaction_id: str, person: str) -> None:
        """Claim a case; raises ClaimError where another holds it."""
        ...

    def free(self, transaction_id: str, person: str, *, decided: bool = False) -> None:
        """Give it back."""
        ...


class Audit(Protocol):
    """The chain of who did what."""

    def append(self, entry: Entry) -> AuditRecord:
        """Write one record."""
        ...


class Verdicts:
    """Decisions on cases, one at a time.

    Parameters
    ----------
    desk: where the cases lie.
    claims: who holds them.
    audit: who decided what.
    sender: makes a producer; asked again after a delivery that failed, for that one may still hold the record.
    topic: full name of `labels`.
    wall_ms: wall clock.
    new_id: makes the id that ties a label to its audit record.
    """

    def __init__(
        self,
        desk: Desk,
        claims: Holds,
        audit: Audit,
        sender: Callable[[], Sender],
        topic: str,
        wall_ms: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._desk = desk
        self._claims = claims
        self._audit = audit
        self._new_sender = sender
        self._sender: Sender | None = None
        self._topic = topic
        self._wall_ms = wall_ms
        self._new_id = new_id
        self._lock = threading.Lock()

    def decide(self, case: Case, person: str, *, is_fraud: bool) -> Label:
        """State that a case is fraud or genuine; returns once the broker has it.

        Raises
        ------
        ClaimError: another holds the case.
        VerdictError: the broker did not take it.
        """
        self._claims.require(case.transaction_id, person)
        with self._lock:
            said = self._desk.holds(case.transaction_id)
            if said is not None and not said.taken_back:
                raise VerdictError(
                    f"{case.transaction_id} is decided already ({said.in_words}); take that back first, or go on"
                )
            verdict = "fraud" if is_fraud else "genuine"
            label = self._label(case, is_fraud=is_fraud)
            self._state(case, label, person, f"stated as {verdict} at the console", verdict, [])
        self._free(case, person)
        return label

    def take_back(self, case: Case, person: str) -> Label:
        """Take the last statement back: a later one says what held before, and the case is open again.

        Where nothing held before, it is said to be genuine, which is what a transaction without a statement counts as.

        Raises
        ------
        ClaimError: another holds the case.
        VerdictError: nobody at a console has decided it, or the broker did not take it.
        """
        self._claims.require(case.transaction_id, person)
        with self._lock:
            history = self._desk.history(case.transaction_id)
            if not history or history[-1].taken_back or history[-1].label.label_source != "analyst":
                raise VerdictError(f"no analyst's decision holds on {case.transaction_id}: there is nothing to undo")
            label = self._label(case, is_fraud=_before(history))
            self._state(case, label, person, "took the statement back", "undo", [(TAKEN_BACK, UNDO)])
        return label

    def _label(self, case: Case, *, is_fraud: bool) -> Label:
        said = self._desk.holds(case.transaction_id)
        now_ms = self._desk.stream_time.now_ms(self._wall_ms())
        # Never before the payment or an earlier statement; of two at the same time the later record wins.
        at_ms = max(now_ms, case.score.event_time, said.label.labelled_at if said else 0)
        score = case.score
        return Label(
            score.transaction_id,
            score.card_id,
            case.payment.terminal_id,
            score.event_time,
            is_fraud,
            "analyst",
            at_ms,
        )

    def _state(self, case: Case, label: Label, person: str, reason: str, action: str, headers: Headers) -> None:
        record = self._record(case, label, person, reason, action)
        sent = [*headers, ("correlationid", (record.event_id or "").encode())]
        if self._sender is None:
            self._sender = self._new_sender()
        try:
            self._sender.send(self._topic, wire.encode(label), label.card_id.encode(), sent)
            self._sender.settle()
        except DeliveryError as error:
            self._sender = None
            self._record(case, label, person, f"not delivered: {error}", "undelivered")
            raise VerdictError(f"nothing is stated about {case.transaction_id}: {error}; decide again") from error
        self._desk.wait_for(case.transaction_id, record.event_id or "", COMES_BACK_S)

    def _record(self, case: Case, label: Label, person: str, reason: str, action: str) -> AuditRecord:
        """Written before the statement is sent, so that none can stand there which nobody answers for."""
        place = case.place
        return self._audit.append(
            Entry(
                "review",
                person,
                reason,
                case.transaction_id,
                {
                    "action": action,
                    "is_fraud": label.is_fraud,
                    "labelled_at": label.labelled_at,
                    "partition": place.partition,
                    "offset": place.source_offset,
                    "model_version": case.score.model_version,
                },
                event_id=self._new_id(),
            )
        )

    def _free(self, case: Case, person: str) -> None:
        """A claim that cannot be freed now runs out by itself."""
        with suppress(FraudstreamError):
            self._claims.free(case.transaction_id, person, decided=True)


def _before(history: Sequence[Statement]) -> bool:
    """What held before analysts decided: the last word of the bank's other sources, else genuine."""
    said = [one.label.is_fraud for one in history[:-1] if one.label.label_source != "analyst"]
    return bool(said) and said[-1]
