"""Where a decision is looked for, in which order, and what is said when it is nowhere."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from models.schema.label import Label
from stream_app.console.records.archived import ArchivedRecords
from stream_app.console.records.place import Place
from stream_app.console.records.recent import RecentRows
from stream_app.console.transaction.decision import Decision
from stream_app.console.transaction.search import Search, SearchError, day_of
from stream_app.console.transaction.topic_search import Scanned
from tests.support.archive_records import FIRST, PARTITION
from tests.unit.stream_app.console.records.made_archive import DAY, SENT, MadeArchive
from tests.unit.stream_app.console.review.made_cases import AT_MS, rows, said, score


@dataclass
class FakeTopics:
    """Topics that keep some decisions, and remember what they were asked."""

    kept: dict[Place, Decision] = field(default_factory=dict)
    scanned: list[str] = field(default_factory=list)

    def decision(self, place):
        return self.kept.get(place)

    def find(self, transaction_id):
        self.scanned.append(transaction_id)
        return Scanned(None, 7_000, AT_MS, complete=False)

    def find_offset(self, partition, source_offset):
        return next((place for place in self.kept if (place[0], place[2]) == (partition, source_offset)), None)


def bare(place):
    return Decision(place, score(place.source_offset), None, None, "the topics")


@pytest.fixture
def archive(tmp_path):
    made = MadeArchive(tmp_path)
    made.fill()
    return made


def search(topics, archive=None, recent=None, stated=lambda _: []):
    records = None if archive is None else ArchivedRecords(archive.url)
    return Search(recent or RecentRows(), records, topics, stated)


def test_what_is_in_memory_is_taken_from_its_place_in_the_topics():
    recent, place = RecentRows(), Place(2, 0, 5)
    recent.add(2, rows([score(5)], [100]))
    topics = FakeTopics({place: bare(place)})
    found = search(topics, recent=recent).by_id("t5")
    assert found.decision is topics.kept[place]
    assert topics.scanned == []


def test_what_the_topics_no_longer_have_in_full_is_taken_from_the_archive(archive):
    place = Place(PARTITION, 0, FIRST + 1)
    found = search(FakeTopics({place: bare(place)}), archive).by_place(place)
    assert found.decision is not None
    assert (found.decision.source, found.decision.transaction) == ("the archive", SENT[1])


def test_an_identifier_is_found_in_the_archive_before_topics_are_looked_through(archive):
    topics = FakeTopics()
    found = search(topics, archive).by_id(SENT[3].transaction_id)
    assert found.decision is not None
    assert found.decision.score.transaction_id == SENT[3].transaction_id
    assert topics.scanned == []


def test_what_is_nowhere_is_said_with_every_place_that_was_searched(archive):
    found = search(FakeTopics(), archive).by_id("nobody")
    assert found.decision is None
    memory, days, topics = found.searched
    assert memory == "the last 0 transactions, in memory"
    assert days == "the archive's event days 2023-11-15 to 2023-11-15"
    assert topics == "7,000 scores of the topic, written since 2025-11-24 16:00 UTC (no further back)"


def test_without_an_archive_the_topics_are_searched_and_the_line_says_so(tmp_path):
    found = search(FakeTopics(), SimpleNamespace(url=str(tmp_path))).by_id("nobody")
    assert found.searched[1].startswith("not the archive: there is no table")
    assert "7,000 scores" in found.searched[2]


def test_an_offset_is_looked_for_in_the_newest_epoch_and_then_as_the_first(archive):
    topics = FakeTopics({Place(1, 4, 9): bare(Place(1, 4, 9))})
    decision = search(topics).by_offset(1, 9).decision
    assert decision is not None
    assert decision.place == Place(1, 4, 9)
    archived = search(topics, archive).by_offset(PARTITION, FIRST).decision
    assert archived is not None
    assert archived.transaction == SENT[0]


def test_statements_of_archive_and_topic_are_one_history(archive):
    one = SENT[0]
    (hit,) = ArchivedRecords(archive.url).find(one.transaction_id).hits
    at_ms = one.event_time + 1
    archive.state(Label(one.transaction_id, one.card_id, one.terminal_id, one.event_time, True, "chargeback", at_ms))
    found = search(FakeTopics(), archive, stated=lambda _: [said(1, is_fraud=False, offset=900)])
    decision = found.by_place(hit.place).decision
    assert decision is not None
    assert [one.label.is_fraud for one in found.statements(decision)] == [True, False]


def test_a_question_that_is_none_is_refused():
    with pytest.raises(SearchError, match="1 to 64 characters, not 65"):
        search(FakeTopics()).by_id("x" * 65)
    with pytest.raises(SearchError, match="'soon' is no date"):
        day_of("soon")
    assert day_of("2023-11-15") == DAY
