"""What a template is given of cases: text, as a role may see it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from stream_app.console.records.amounts import amount_text
from stream_app.console.records.place import Place
from stream_app.console.records.reasons import Reason, in_words
from stream_app.console.records.statements import Statement
from stream_app.console.review.case import Case
from stream_app.console.review.desk import Desk
from stream_app.console.review.histories import History

Mask = Callable[[str], str]
"""Turns a card identifier into what may be shown of it."""


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One line of the queue."""

    place: Place
    transaction_id: str
    worth: str
    chance: str
    amount: str
    decision: str
    card: str
    holder: str | None


@dataclass(frozen=True, slots=True)
class CaseSheet:
    """Everything about one case that is in memory."""

    place: Place
    transaction_id: str
    worth: str
    chance: str
    amount: str
    reported: str | None
    decision: str
    decision_words: str
    card: str
    terminal: str
    facts: Sequence[tuple[str, str]]
    reasons: Sequence[Reason]
    remarks: Sequence[str]
    model_version: str
    event_time: int
    scored_at: int
    statements: Sequence[Statement]
    is_open: bool
    can_take_back: bool


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a history."""

    place: Place
    transaction_id: str
    event_time: int
    card: str
    terminal: str
    amount: str
    decision: str
    stated: str


_DECIDED = {
    "review": "let through, for a person to look at",
    "decline": "declined: the money is safe, the look is for the customer and for the label",
}


def queue_lines(
    desk: Desk, cases: Sequence[Case], holders: Mapping[str, str], person: str, mask: Mask
) -> list[QueueLine]:
    """Return lines of the queue; a case that the person holds is marked as nobody's."""
    money = desk.worth.money
    return [
        QueueLine(
            case.place,
            case.transaction_id,
            amount_text(desk.worth.of(case), money.currency),
            f"{case.score.score:.0%}",
            amount_text(case.payment.amount_minor, case.payment.currency),
            case.score.decision,
            mask(case.score.card_id),
            _other(holders.get(case.transaction_id), person),
        )
        for case in cases
    ]


def case_sheet(desk: Desk, case: Case, mask: Mask) -> CaseSheet:
    """Return what is shown of a case."""
    score, payment, money = case.score, case.payment, desk.worth.money
    statements = desk.history(case.transaction_id)
    last = statements[-1] if statements else None
    facts = [
        ("Terminal", payment.terminal_id),
        ("Merchant category", payment.mcc or "not given"),
        ("Country", payment.country or "not given"),
        ("Channel", payment.channel or "not given"),
    ]
    foreign = payment.currency != money.currency
    return CaseSheet(
        case.place,
        case.transaction_id,
        desk.worth.in_words(case),
        f"{score.score:.1%}",
        amount_text(payment.amount_minor, payment.currency),
        amount_text(case.reported_minor, money.currency) if foreign else None,
        score.decision,
        _DECIDED.get(score.decision, score.decision),
        mask(score.card_id),
        payment.terminal_id,
        facts,
        in_words(score.reason_codes),
        list(_remarks(case)),
        score.model_version,
        score.event_time,
        score.scored_at,
        statements,
        last is None or last.taken_back,
        last is not None and not last.taken_back and last.label.label_source == "analyst",
    )


def history_lines(history: History, mask: Mask) -> list[HistoryLine]:
    """Return lines of a history."""
    return [
        HistoryLine(
            line.payment.place,
            line.payment.transaction_id,
            line.payment.event_time,
            mask(line.payment.card_id),
            line.payment.terminal_id,
            amount_text(line.payment.amount_minor, line.payment.currency),
            "approve (control group)" if line.payment.control else line.payment.decision,
            "" if line.stated is None else line.stated.in_words,
        )
        for line in history.lines
    ]


def _remarks(case: Case) -> Sequence[str]:
    said = []
    if case.score.degraded:
        said.append("Degraded: scored while something was missing; look twice.")
    if case.score.duplicate:
        said.append("Duplicate: this identifier was in the card's recent history already.")
    if case.score.role == "canary":
        said.append("Decided by a canary, a new model on trial.")
    return said


def _other(holder: str | None, person: str) -> str | None:
    return None if holder == person else holder
