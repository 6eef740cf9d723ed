"""Audit records hang together."""

import msgspec
import pytest

from models.alias import AuditError, Move, chained, check_chain

MOVES = [Move("promote", "champion", f"m-{number}", "ada", "why", number) for number in range(5)]


def test_records_count_up_and_follow_each_other():
    first = chained(None, MOVES[:2], {})
    second = chained(first[-1], MOVES[2:], {"champion": first[-1].as_alias()})
    assert [record.sequence for record in first + second] == [1, 2, 3, 4, 5]
    assert second[0].before == "m-1"
    check_chain(first + second)


@pytest.mark.parametrize("field", ["actor", "reason", "version", "at", "sequence", "previous_hash"])
def test_a_changed_record_is_found(field):
    records = chained(None, MOVES, {})
    changed = getattr(records[2], field) * 2
    records[2] = msgspec.structs.replace(records[2], **{field: changed})
    with pytest.raises(AuditError, match="audit record 3"):
        check_chain(records)


def test_a_changed_and_hashed_again_record_is_found_at_the_next():
    records = chained(None, MOVES, {})
    records[2] = msgspec.structs.replace(records[2], actor="eve").sealed()
    with pytest.raises(AuditError, match="audit record 4"):
        check_chain(records)


def test_a_removed_record_is_found():
    records = chained(None, MOVES, {})
    with pytest.raises(AuditError, match="audit record 2"):
        check_chain([records[0], *records[2:]])
