"""Single transactions out of the archive."""

import pytest

from models.schema.label import Label
from models.schema.topics import DAY_MS, FEATURES, SCORES, TRANSACTIONS
from stream_app.archive.tables import ArchiveMissingError
from stream_app.console.records.archived import ArchivedRecords
from stream_app.console.records.place import Place
from tests.support.archive_records import FIRST, PARTITION
from tests.unit.stream_app.console.records.made_archive import DAY, SENT, MadeArchive


@pytest.fixture
def archive(tmp_path):
    made = MadeArchive(tmp_path)
    made.fill()
    return made


def test_an_identifier_is_found_with_its_score_its_values_and_its_payment(archive):
    found = ArchivedRecords(archive.url)
    (hit,) = found.find(SENT[2].transaction_id).hits
    assert (hit.day, hit.place) == (DAY, Place(PARTITION, 0, FIRST + 2))
    row = found.row(hit)
    sent, features, score = (row[table] or {} for table in (TRANSACTIONS, FEATURES, SCORES))
    assert sent["amount_minor"] == SENT[2].amount_minor
    assert features["values"][:2] == [140.0, 141.0]
    assert score["transaction_id"] == SENT[2].transaction_id
    assert found.find_place(hit.place).hits == [hit]


def test_what_is_not_there_is_said_to_be_missing_in_the_days_that_were_looked_through(archive):
    found = ArchivedRecords(archive.url)
    looked = found.find("nobody' OR '1'='1")
    assert (looked.hits, looked.days, looked.complete) == ((), [DAY], True)
    narrow = found.find("nobody", DAY)
    assert (narrow.hits, narrow.complete) == ((), False)


def test_a_search_that_has_no_time_left_says_which_days_it_did_not_reach(archive):
    clock = iter([0.0, 100.0])
    looked = ArchivedRecords(archive.url, clock_s=lambda: next(clock)).find("x")
    assert (looked.days, looked.complete) == ([], False)


def test_the_past_of_a_card_ends_at_the_moment_asked_for(archive):
    found = ArchivedRecords(archive.url)
    card = SENT[-1].card_id
    mine = [one for one in SENT if one.card_id == card]
    past = found.past("card_id", card, SENT[-1].event_time, 30, 10)
    assert [one.transaction_id for one in past] == [one.transaction_id for one in reversed(mine)]
    assert found.past("card_id", card, mine[0].event_time, 30, 10)[0].transaction_id == mine[0].transaction_id
    assert found.past("card_id", card, (DAY + 40) * DAY_MS, 30, 10) == []


def test_statements_come_in_the_order_in_which_they_win(archive):
    one = SENT[0]
    stated = [
        Label(one.transaction_id, one.card_id, one.terminal_id, one.event_time, fraud, "analyst", one.event_time + at)
        for fraud, at in ((True, 9), (False, 5))
    ]
    archive.state(*stated)
    said = ArchivedRecords(archive.url).statements(one.transaction_id, DAY)
    assert [statement.label.is_fraud for statement in said] == [False, True]


def test_no_archive_is_one_line(tmp_path):
    with pytest.raises(ArchiveMissingError, match="there is no table"):
        ArchivedRecords(str(tmp_path)).find("x")
