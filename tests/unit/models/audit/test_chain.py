"""A chain of audit records, and everything that can be done to it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audit.anchor import Anchor
from models.audit.chain import AuditError, Entry, chained, check_chain, check_copy, decoded
from models.schema.audit_record import AuditRecord

ENTRIES = [
    Entry("login", "ada", "password and key", "console"),
    Entry("review", "ada", "the card holder has the card", "t-17", {"is_fraud": False}),
    Entry("retrain-request", "watch/drift", "recall fell", "q1", {"frauds_since_change": 60}, "e-1"),
    Entry("alias-move", "release", "better", "m-2", {"action": "promote", "alias": "champion", "before": None}),
    Entry("login", "bob", "password and key", "console"),
    Entry("new-epoch", "ops", "input was restored", "transactions/0", {"epoch": 1}, "e-2"),
]
RECORDS = chained(None, ENTRIES, 1_700_000_000_000)
LINES = [record.canonical() for record in RECORDS]
EXPORT = b"".join(line + b"\n" for line in LINES)
HEAD = Anchor.of(RECORDS[-1])


def verified(content: bytes) -> list[AuditRecord]:
    """Read an export as `fraudstream audit verify` does."""
    lines = content.split(b"\n")
    if lines.pop():
        raise AuditError("the last line does not end")
    records = decoded(lines, "the file")
    check_chain(records, "the file")
    HEAD.check(records, "the file")
    return records


def test_records_count_up_and_hold_on_to_the_one_before() -> None:
    more = chained(RECORDS[-1], ENTRIES[:1], 1_700_000_000_001)
    assert [record.sequence for record in RECORDS + more] == [1, 2, 3, 4, 5, 6, 7]
    assert more[0].previous_hash == RECORDS[-1].hash
    assert check_chain(RECORDS + more) == more[0]
    assert check_chain([]) is None


def test_an_export_comes_back_as_it_was() -> None:
    assert verified(EXPORT) == RECORDS


@given(data=st.data())
def test_no_bit_of_an_export_can_be_turned(data: st.DataObject) -> None:
    content = bytearray(EXPORT)
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(AuditError):
        verified(bytes(content))


@given(data=st.data())
def test_no_bytes_of_an_export_can_be_cut_out_or_put_in(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(EXPORT)))
    end = data.draw(st.integers(start, len(EXPORT)))
    added = data.draw(st.one_of(st.binary(max_size=40), st.sampled_from([line + b"\n" for line in LINES])))
    changed = EXPORT[:start] + added + EXPORT[end:]
    if changed == EXPORT:
        assert verified(changed) == RECORDS
    else:
        with pytest.raises(AuditError):
            verified(changed)


@given(
    place=st.integers(0, len(RECORDS) - 1),
    change=st.sampled_from(
        [{"actor": "eve"}, {"reason": "no reason"}, {"subject": "m-9"}, {"time_ms": 5}, {"kind": "restore"},
         {"details": {"epoch": 2}}, {"event_id": "e-3"}]
    ),
    rehashed=st.booleans(),
)  # fmt: skip
def test_no_field_of_a_record_can_be_changed_even_if_it_is_hashed_again(
    place: int, change: dict[str, object], rehashed: bool
) -> None:
    records = list(RECORDS)
    changed = msgspec.structs.replace(records[place], **change)
    records[place] = changed.sealed() if rehashed else changed
    with pytest.raises(AuditError):
        verified(b"".join(record.canonical() + b"\n" for record in records))


@given(order=st.permutations(range(len(RECORDS))))
def test_no_other_order_holds(order: list[int]) -> None:
    content = b"".join(LINES[place] + b"\n" for place in order)
    if order == sorted(order):
        assert verified(content) == RECORDS
    else:
        with pytest.raises(AuditError):
            verified(content)


@given(kept=st.sets(st.integers(0, len(RECORDS) - 1), max_size=len(RECORDS) - 1))
def test_no_record_can_be_missing(kept: set[int]) -> None:
    with pytest.raises(AuditError):
        verified(b"".join(LINES[place] + b"\n" for place in sorted(kept)))


@given(place=st.integers(0, len(RECORDS)), what=st.integers(0, len(RECORDS) - 1))
def test_no_record_can_be_put_in_twice(place: int, what: int) -> None:
    lines = [*LINES[:place], LINES[what], *LINES[place:]]
    with pytest.raises(AuditError):
        verified(b"".join(line + b"\n" for line in lines))


def test_a_chain_that_was_rewritten_from_a_record_on_is_found_by_its_head() -> None:
    entries = [*ENTRIES[:3], Entry("alias-move", "eve", "why not", "m-3"), *ENTRIES[4:]]
    rewritten = chained(None, entries, 1_700_000_000_000)
    check_chain(rewritten)
    with pytest.raises(AuditError, match="audit record 6 in the file has another hash than the anchor"):
        HEAD.check(rewritten, "the file")
    with pytest.raises(AuditError, match="audit record 4 in Redis is another than in Kafka"):
        check_copy(rewritten, RECORDS, ("Redis", "Kafka"))


def without(*numbers: int) -> list[AuditRecord]:
    return [record for record in RECORDS if record.sequence not in numbers]


def forged() -> AuditRecord:
    return msgspec.structs.replace(RECORDS[2], actor="eve").sealed()


@pytest.mark.parametrize(
    ("records", "told"),
    [
        (without(3), "audit record 3 in the log is missing"),
        (without(2, 3, 4), "audit record 2 to 4 in the log is missing"),
        (without(1), "audit record 1 in the log is missing"),
        ([RECORDS[0], RECORDS[2], RECORDS[1]], "audit record 3 in the log stands before record 2: reordered"),
        ([*RECORDS[:3], RECORDS[2]], "audit record 3 in the log stands a second time, as number 4: put in"),
        ([*RECORDS[:2], forged(), RECORDS[3]], "audit record 4 in the log does not follow the one before it"),
        ([msgspec.structs.replace(RECORDS[0], actor="eve")], "audit record 1 in the log was changed"),
    ],
)  # fmt: skip
def test_what_was_done_is_said_on_one_line(records: list[AuditRecord], told: str) -> None:
    with pytest.raises(AuditError) as caught:
        check_chain(records, "the log")
    assert str(caught.value).startswith(told.replace(" in the log is missing", " is missing in the log"))
    assert "\n" not in str(caught.value)


def test_a_copy_may_end_earlier_but_not_later() -> None:
    check_copy(RECORDS[:4], RECORDS, ("Kafka", "Redis"))
    with pytest.raises(AuditError, match="audit record 5 to 6 is missing in Redis: cut off, for Kafka has it"):
        check_copy(RECORDS, RECORDS[:4], ("Kafka", "Redis"))


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), ("ada", " "), ("\t", "why")])
def test_an_act_without_actor_or_reason_is_no_entry(actor: str, reason: str) -> None:
    with pytest.raises(AuditError, match="needs an actor and a reason"):
        Entry("login", actor, reason, "console")


def test_a_card_number_in_a_reason_does_not_get_into_the_audit() -> None:
    (record,) = chained(None, [Entry("review", "ada", "card 4111111111111111 was stolen", "t-1")], 1)
    assert "4111111111111111" not in record.reason
    assert "1111 was stolen" in record.reason


def test_a_record_of_a_later_kind_is_refused() -> None:
    with pytest.raises(AuditError, match="another version wrote it"):
        decoded([LINES[0].replace(b'"schema_version":1', b'"schema_version":2')], "Redis")
