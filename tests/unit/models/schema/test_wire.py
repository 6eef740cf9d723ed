"""Records to bytes and back."""

import json

import msgspec
import pytest

from models.schema.clock_tick import ClockTick
from models.schema.score import ReasonCode, Score
from models.schema.terminal_profile import ProfileMarker, TerminalProfile
from models.schema.transaction import Transaction
from models.schema.wire import RecordError, decode, encode
from tests.unit.models.schema.messages import MIDNIGHT_MS

RECORDS: list[msgspec.Struct] = [
    Transaction("tx-1", MIDNIGHT_MS, "c1", "t1", 5, "EUR", mcc="5411"),
    ClockTick(MIDNIGHT_MS, {0: 5, 3: 7}, {}),
    TerminalProfile("t1", MIDNIGHT_MS, [1, 2, 3, 4], [0] * 4, [0] * 4, [0] * 4, None),
    ProfileMarker(MIDNIGHT_MS, 1, None, "keeper-1", 2),
    Score(
        transaction_id="tx-1",
        event_time=MIDNIGHT_MS,
        card_id="c1",
        score=0.5,
        score_scaled=500,
        decision="review",
        reason_codes=[ReasonCode("AMOUNT", "amount_ratio", 12.0, 1.5)],
        model_version="m-1",
        feature_set="fs1-0",
        role="champion",
        scored_at=MIDNIGHT_MS,
        degraded=False,
        duplicate=False,
        source_offset=7,
        epoch=0,
        writer="w1",
    ),
]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_each_record_comes_back_equal(record: msgspec.Struct) -> None:
    assert decode(type(record), encode(record)) == record


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_the_version_is_always_on_the_wire(record: msgspec.Struct) -> None:
    assert json.loads(encode(record))["schema_version"] == 1


def test_absent_fields_of_a_transaction_take_no_room() -> None:
    assert b"device_id" not in encode(RECORDS[0])


def test_records_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        RECORDS[1].as_of = 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b'{"as_of":5}', encode(RECORDS[1]).replace(b":1}", b":9}")])
def test_what_is_not_the_record_is_refused_by_the_records_name(value: bytes) -> None:
    with pytest.raises(RecordError, match="not a ClockTick"):
        decode(ClockTick, value)


def test_a_profile_with_nothing_in_it_is_empty() -> None:
    zero = [0] * 4
    assert TerminalProfile("t1", MIDNIGHT_MS, zero, zero, zero, zero, None).is_empty
    assert not TerminalProfile("t1", MIDNIGHT_MS, zero, zero, zero, [0, 0, 0, 1], None).is_empty
