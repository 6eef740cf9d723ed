"""The chain that the audit page shows, and where it breaks."""

import msgspec
import pytest

from models.audit.chain import Entry, chained
from stream_app.console.audit.chain import AuditReading

ENTRIES = [Entry("login", name, "password", "console") for name in ("ada", "bob", "eve", "ada", "bob")]


@pytest.fixture
def records():
    return chained(None, ENTRIES, 1_700_000_000_000)


def lines_of(records):
    return [record.canonical() for record in records]


def broken(chain):
    assert chain.broken is not None
    return chain.broken


def read(lines):
    return AuditReading(lambda first: lines[first - 1 :]).read()


def test_a_chain_that_holds_is_shown_whole(records):
    chain = read(lines_of(records))
    assert list(chain.records) == records
    assert chain.broken is None
    assert chain.head == records[-1]


def test_a_record_changed_in_its_place_is_named_and_all_are_shown_still(records):
    lines = lines_of(records)
    lines[2] = lines[2].replace(b'"actor":"eve"', b'"actor":"bob"')
    chain = read(lines)
    assert len(chain.records) == len(records)
    assert (chain.broken.place, chain.broken.sequence) == (3, 3)
    assert "audit record 3 in Redis was changed" in chain.broken.sentence


def test_a_record_changed_and_hashed_again_breaks_at_the_one_behind_it(records):
    lines = lines_of(records)
    lines[2] = msgspec.structs.replace(records[2], actor="bob").sealed().canonical()
    chain = read(lines)
    assert chain.broken.sequence == 4
    assert "does not follow the one before it" in chain.broken.sentence


def test_a_record_that_was_taken_out_is_missing(records):
    lines = lines_of(records)
    del lines[1]
    chain = read(lines)
    assert (chain.broken.place, chain.broken.sequence) == (2, 3)
    assert "audit record 2 is missing" in chain.broken.sentence


def test_a_line_that_is_no_record_is_named_by_its_place_and_the_rest_is_shown(records):
    lines = lines_of(records)
    lines[3] = b"{}"
    chain = read(lines)
    assert [record.sequence for record in chain.records] == [1, 2, 3, 5]
    assert (chain.broken.place, chain.broken.sequence) == (4, None)
    assert "line 4 of Redis is no audit record" in chain.broken.sentence


def test_what_is_changed_after_it_was_checked_is_found_as_well(records):
    lines = lines_of(records)
    reading = AuditReading(lambda first: lines[first - 1 :])
    assert reading.read().broken is None
    lines[0] = lines[0].replace(b'"actor":"ada"', b'"actor":"eve"')
    assert broken(reading.read()).sequence == 1
    lines[:] = lines_of(records)
    assert reading.read().broken is None


def test_what_comes_after_a_reading_is_checked_against_its_end(records):
    lines = lines_of(records[:3])
    reading = AuditReading(lambda first: lines[first - 1 :])
    reading.read()
    lines.append(lines_of(records)[4])
    chain = reading.read()
    assert (broken(chain).place, broken(chain).sequence) == (4, 5)
    assert "audit record 4 is missing" in broken(chain).sentence
    lines[3:] = lines_of(records)[3:]
    assert list(reading.read().records) == records


def test_a_page_that_stands_open_asks_for_the_end_alone_until_that_is_another(records):
    lines, asked = lines_of(records[:2]), []

    def since(first):
        asked.append(first)
        return lines[first - 1 :]

    reading = AuditReading(since)
    reading.read(whole=False)
    lines += lines_of(records)[2:]
    assert list(reading.read(whole=False).records) == records
    assert asked == [1, 2]
    lines[:] = lines_of(chained(None, [Entry("login", "eve", "password", "console")], 1))
    assert [record.actor for record in reading.read(whole=False).records] == ["eve"]
    assert asked == [1, 2, 5, 1]
