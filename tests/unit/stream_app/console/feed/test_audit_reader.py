"""The audit as the feed follows it in Redis."""

import pytest

from models.audit.chain import Entry, chained, decoded
from stream_app.console.feed import audit_reader
from stream_app.console.feed.audit_reader import AuditReader
from stream_app.console.feed.journal import Journal


class FakeLog:
    """A list of lines that grows."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []

    def add(self, actor: str) -> None:
        last = decoded(self.kept[-1:], "a test")[0] if self.kept else None
        self.kept += [one.canonical() for one in chained(last, [Entry("login", actor, "key", "console")], 7)]

    def lines(self, first: int = 1, count: int | None = None) -> list[bytes]:
        return self.kept[first - 1 : None if count is None else first - 1 + count]

    def head(self):
        return decoded(self.kept[-1:], "a test")[0] if self.kept else None


@pytest.fixture
def log(monkeypatch):
    monkeypatch.setattr(audit_reader, "_WAIT_S", 0)
    return FakeLog()


def reader(log, journal, keep=100):
    made = AuditReader(log, journal, keep)
    made.open()
    return made


def actors(journal):
    return [(entry.offset, entry.data["actor"]) for entry in journal.latest(100)]


def test_what_is_there_and_what_comes_is_told_once_under_its_number(log):
    log.add("ada")
    journal = Journal("audit", 100)
    made = reader(log, journal)
    assert made.turn()
    log.add("bob")
    assert made.turn()
    assert not made.turn()
    assert actors(journal) == [(1, "ada"), (2, "bob")]


def test_at_the_start_only_the_latest_are_read(log):
    for name in ("ada", "bob", "eve"):
        log.add(name)
    journal = Journal("audit", 100)
    reader(log, journal, keep=1).turn()
    assert actors(journal) == [(3, "eve")]
    assert journal.place() == {0: 3}


def test_after_a_gap_it_goes_on_behind_the_last_one_told(log):
    log.add("ada")
    journal = Journal("audit", 100)
    reader(log, journal).turn()
    log.add("bob")
    reader(log, journal).turn()
    assert actors(journal) == [(1, "ada"), (2, "bob")]


def test_another_chain_in_its_place_begins_the_journal_anew(log):
    log.add("ada")
    journal = Journal("audit", 100)
    made = reader(log, journal)
    made.turn()
    generation = journal.generation
    log.kept.clear()
    log.add("eve")
    assert not made.turn()
    assert made.turn()
    assert actors(journal) == [(1, "eve")]
    assert journal.generation == generation + 1


def test_a_line_that_is_no_record_is_left_out(log):
    log.add("ada")
    log.kept.append(b"{}")
    journal = Journal("audit", 100)
    made = reader(log, journal)
    assert made.turn()
    assert not made.turn()
    assert actors(journal) == [(1, "ada")]
