"""Decisions: audited before they are stated, stated before they are said to be done, and taken back by a later one."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from models.audit.chain import Entry, chained
from models.schema import wire
from models.schema.label import Label
from stream_app.acknowledged_producer import DeliveryError
from stream_app.console.records.place import Place
from stream_app.console.records.statements import Statement
from stream_app.console.review.claims import ClaimError
from stream_app.console.review.verdicts import VerdictError, Verdicts
from tests.unit.stream_app.console.review.made_cases import AT_MS, desk, said, score

NOW_MS = AT_MS + 60_000


@dataclass
class FakeTopic:
    """`labels`, as the broker and the desk that reads it behave; every step is noted in order."""

    steps: list[str] = field(default_factory=list)
    records: list[Label] = field(default_factory=list)
    headers: list[dict[str, bytes]] = field(default_factory=list)
    desk: Any = None
    silent: bool = False

    def send(self, topic, value, key, headers):
        self.steps.append("send")
        self._waiting = (wire.decode(Label, value), headers)
        assert key == b"card-7"

    def settle(self):
        if self.silent:
            raise DeliveryError("the broker has not acknowledged within 5 s")
        label, headers = self._waiting
        self.records.append(label)
        self.headers.append(dict(headers))
        self.steps.append("acknowledged")
        self.desk.see_statement(Statement.of(label, 0, len(self.records) + 10, headers))


@dataclass
class FakeAudit:
    steps: list[str]
    entries: list[Entry] = field(default_factory=list)

    def append(self, entry):
        self.steps.append(f"audit {entry.details['action']}")
        self.entries.append(entry)
        return chained(None, [entry], NOW_MS)[0]


class FakeClaims:
    def __init__(self, holder=None):
        self.holder = holder

    def require(self, transaction_id, person):
        if self.holder not in (None, person):
            raise ClaimError(f"{self.holder} holds {transaction_id}")

    def free(self, transaction_id, person, *, decided=False):
        assert decided


class World:
    def __init__(self, holder=None):
        self.desk = desk((score(1), 1_000))
        self.topic = FakeTopic(desk=self.desk)
        self.audit = FakeAudit(self.topic.steps)
        self.made = 0
        ids = (f"id-{number}" for number in range(1, 100))
        self.verdicts = Verdicts(
            self.desk, FakeClaims(holder), self.audit, self._sender, "labels", lambda: NOW_MS, lambda: next(ids)
        )
        case = self.desk.case(Place(2, 0, 1))
        assert case is not None
        self.case = case

    def _sender(self):
        self.made += 1
        return self.topic


def test_a_decision_is_audited_stated_and_acknowledged_in_this_order():
    world = World()
    label = world.verdicts.decide(world.case, "ada", is_fraud=True)
    assert world.topic.steps == ["audit fraud", "send", "acknowledged"]
    assert world.topic.records == [label]
    assert label == Label("t1", "card-7", "terminal-3", AT_MS, True, "analyst", NOW_MS)
    (entry,) = world.audit.entries
    assert (entry.kind, entry.actor, entry.subject) == ("review", "ada", "t1")
    assert "card-7" not in str(entry)
    assert world.topic.headers == [{"correlationid": b"id-1"}]
    assert world.desk.waiting() == []


def test_what_another_holds_cannot_be_decided():
    world = World(holder="bob")
    with pytest.raises(ClaimError, match="bob holds t1"):
        world.verdicts.decide(world.case, "ada", is_fraud=True)
    assert world.topic.steps == []


def test_a_decision_that_is_not_acknowledged_is_not_said_to_be_made_and_may_be_made_again():
    world = World()
    world.topic.silent = True
    with pytest.raises(VerdictError, match="nothing is stated about t1"):
        world.verdicts.decide(world.case, "ada", is_fraud=True)
    assert world.topic.steps == ["audit fraud", "send", "audit undelivered"]
    world.topic.silent = False
    world.verdicts.decide(world.case, "ada", is_fraud=False)
    assert [label.is_fraud for label in world.topic.records] == [False]
    assert world.made == 2, "the first producer may still hold the record"


def test_a_decided_case_is_not_decided_once_more():
    world = World()
    world.verdicts.decide(world.case, "ada", is_fraud=True)
    with pytest.raises(VerdictError, match="decided already"):
        world.verdicts.decide(world.case, "bob", is_fraud=False)


def test_a_decision_taken_back_opens_the_case_and_counts_as_genuine_where_nobody_else_spoke():
    world = World()
    world.verdicts.decide(world.case, "ada", is_fraud=True)
    label = world.verdicts.take_back(world.case, "ada")
    assert not label.is_fraud
    assert label.labelled_at >= world.topic.records[0].labelled_at
    assert world.topic.headers[1]["review"] == b"undo"
    assert [case.transaction_id for case in world.desk.waiting()] == ["t1"]
    assert [entry.details["action"] for entry in world.audit.entries] == ["fraud", "undo"]


def test_a_decision_taken_back_gives_the_word_back_to_whoever_spoke_before():
    world = World()
    world.desk.see_statement(said(1, is_fraud=True, source="chargeback", at_ms=NOW_MS - 9))
    world.desk.see_statement(said(1, is_fraud=False, at_ms=NOW_MS - 8, offset=1))
    assert world.verdicts.take_back(world.case, "ada").is_fraud


def test_there_is_nothing_to_take_back_where_no_analyst_decided():
    world = World()
    with pytest.raises(VerdictError, match="nothing to undo"):
        world.verdicts.take_back(world.case, "ada")
    world.desk.see_statement(said(1, is_fraud=True, source="chargeback"))
    with pytest.raises(VerdictError, match="nothing to undo"):
        world.verdicts.take_back(world.case, "ada")


def test_a_statement_is_never_older_than_the_one_that_it_follows():
    world = World()
    world.desk.see_statement(said(1, is_fraud=True, at_ms=NOW_MS + 5_000))
    assert world.verdicts.take_back(world.case, "ada").labelled_at == NOW_MS + 5_000
