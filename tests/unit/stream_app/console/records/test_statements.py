"""Statements: headers, the latest wins, the oldest transactions are forgotten."""

from stream_app.console.records.statements import Statement, StatementBook, merged
from tests.unit.stream_app.console.review.made_cases import said


def test_headers_say_what_takes_back_and_whose_audit_record_belongs_to_it():
    label = said(1, is_fraud=True).label
    found = Statement.of(label, 3, 4, [("review", b"undo"), ("correlationid", b"id-1")])
    assert (found.taken_back, found.correlation) == (True, "id-1")
    assert found.in_words == "taken back by an analyst: counts as fraud"
    assert not Statement.of(label, 3, 4, []).taken_back


def test_the_book_remembers_the_last_transactions_only():
    book = StatementBook(most=2)
    for offset in (1, 2, 3):
        book.add(said(offset, is_fraud=True))
    assert [book.is_open(f"t{offset}") for offset in (1, 2, 3)] == [True, False, False]


def test_of_one_record_read_twice_the_later_reading_stays():
    bare, told = said(1, is_fraud=True), said(1, is_fraud=True, correlation="id-1")
    assert merged([[bare], [told, said(1, is_fraud=False, offset=7)]]) == [told, said(1, is_fraud=False, offset=7)]
