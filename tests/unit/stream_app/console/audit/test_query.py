"""Looking for records."""

import pytest

from models.audit.chain import Entry, chained
from stream_app.console.audit.found import Found
from stream_app.console.audit.query import AuditQuery, QueryError

NOON_MS = 1_763_985_600_000
"""Noon of 2025-11-24."""


def made(*entries, at_ms=NOON_MS):
    return chained(None, entries, at_ms)


MOVE = Entry(
    "alias-move", "ada", "better on the week", "m-2", {"alias": "champion", "before": "m-1", "approved_by": "Bob"}
)
LOGIN = Entry("login", "eve", "password", "console")


def found(records, **asked):
    matcher = AuditQuery.read(asked).matcher()
    return [record.sequence for record in records if matcher.fits(record)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [1, 2]),
        ({"actor": "ADA"}, [1]),
        ({"actor": "bob"}, [1]),
        ({"kind": "login"}, [2]),
        ({"version": "m-1"}, [1]),
        ({"version": "m-3"}, []),
        ({"text": "Better week"}, [1]),
        ({"text": "better nothing"}, []),
        ({"actor": "eve", "kind": "alias-move"}, []),
        ({"since": "2025-11-24"}, [1, 2]),
        ({"since": "2025-11-24T12:00"}, [1, 2]),
        ({"since": "2025-11-24T12:01"}, []),
        ({"until": "2025-11-24"}, [1, 2]),
        ({"until": "2025-11-24T12:00"}, []),
        ({"until": "2025-11-23"}, []),
    ],
)
def test_each_field_narrows_what_is_found(asked, expected):
    assert found(made(MOVE, LOGIN), **asked) == expected


def test_the_hash_of_a_record_finds_it_and_the_one_behind_it():
    records = made(MOVE, LOGIN, LOGIN)
    assert found(records, text=records[0].hash) == [1, 2]
    assert found(records, text=records[0].hash[:8]) == [1, 2]
    assert found(records, text=records[0].hash[:2] + "zz") == []


def test_a_time_that_is_none_is_refused_with_the_way_to_write_it():
    with pytest.raises(QueryError, match="'yesterday' is no time; write it as 2026-11-26"):
        AuditQuery(since="yesterday").matcher()


def test_pages_go_from_the_newest_back_and_stay_when_records_come():
    records = made(*[LOGIN] * 7)
    first = Found.of(records[:6], rows=2)
    assert [row.sequence for row in first.rows] == [6, 5]
    assert (first.total, first.newer, first.older) == (6, None, 5)
    second = Found.of(records, before=first.older, rows=2)
    assert [row.sequence for row in second.rows] == [4, 3]
    back = Found.of(records, after=second.newer, rows=2)
    assert [row.sequence for row in back.rows] == [6, 5]
    assert back.newer == 6
    last = Found.of(records, before=3, rows=2)
    assert [row.sequence for row in last.rows] == [2, 1]
    assert last.older is None


def test_a_page_of_nothing_has_no_neighbours():
    assert Found.of([]) == Found((), 0, None, None)
