"""What comes out of untrusted bytes."""

import hashlib
import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from models.schema.decoding import (
    KEPT_BYTES,
    LONGEST_MESSAGE_BYTES,
    LONGEST_REASON,
    decode_labels,
    decode_transactions,
)
from models.schema.money import default_reporting_currency
from tests.unit.models.schema.messages import CARD_NUMBER, MIDNIGHT_MS, message

WRONG_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"transaction_id": None}, "transaction_id"),
    ({"transaction_id": ""}, "transaction_id"),
    ({"card_id": "c" * 65}, "card_id"),
    ({"card_id": 17}, "card_id: expected str, got int, found 17"),
    ({"terminal_id": ["t1"]}, "terminal_id"),
    ({"event_time": 946_684_799_999}, "event_time"),
    ({"event_time": 4_102_444_800_000}, "event_time"),
    ({"event_time": 1_525_132_800}, "event_time: expected int >= 946684800000, found 1525132800"),
    ({"event_time": "2018-05-01"}, "event_time"),
    ({"amount_minor": -1}, "amount_minor: expected int >= 0, found -1"),
    ({"amount_minor": 10**12 + 1}, "amount_minor"),
    ({"amount_minor": 12.5}, "amount_minor: expected int, got float, found 12.5"),
    ({"currency": "eur"}, 'currency: not an ISO 4217 code, found "eur"'),
    ({"currency": "XYZ"}, "currency"),
    ({"merchant_country": "ZZ"}, 'merchant_country: not an ISO 3166-1 alpha-2 code, found "ZZ"'),
    ({"mcc": "54A1"}, "mcc"),
    ({"mcc": "541"}, "mcc"),
    ({"channel": "carrier pigeon"}, "channel"),
    ({"entry_mode": "psychic"}, "entry_mode"),
    ({"schema_version": 2}, "schema_version: not a version known here (1), found 2"),
]

CARRYING_FIELDS = [
    {"card_id": CARD_NUMBER},
    {"device_id": f"device {CARD_NUMBER} of Bob"},
    {"a_field_of_the_future": "4111-1111-1111-1111"},
    {"nested": {"list": ["x", {"deep": "3782 822463 10005"}]}},
    {CARD_NUMBER: "as a key"},
]

texts = st.text('a4 -\n\\"é', max_size=70)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=8,
)


def test_a_valid_transaction_comes_out_as_sent() -> None:
    (transaction,), indices, rejections = decode_transactions([message(mcc="5411", channel="pos")])
    assert (transaction.transaction_id, transaction.amount_minor, transaction.mcc) == ("tx-1", 1250, "5411")
    assert (indices, rejections) == ([0], [])


@pytest.mark.parametrize("year_ms", [1_525_132_800_000, 1_893_456_000_000])
def test_event_times_of_2018_and_2030_are_valid(year_ms: int) -> None:
    assert decode_transactions([message(event_time=year_ms)])[0][0].event_time == year_ms


def test_an_amount_of_nothing_is_an_account_verification() -> None:
    assert decode_transactions([message(amount_minor=0)])[0][0].amount_minor == 0


def test_unknown_fields_are_ignored() -> None:
    assert decode_transactions([message(a_field_of_the_future={"x": [1, 2]})])[2] == []


@pytest.mark.parametrize(("changes", "reason"), WRONG_FIELDS)
def test_a_wrong_field_is_refused_by_its_name(changes: dict[str, Any], reason: str) -> None:
    good, _, (rejection,) = decode_transactions([message(**changes)])
    assert good == []
    assert reason in rejection.reason
    assert "\n" not in rejection.reason


def test_the_rest_of_a_batch_survives_its_bad_messages() -> None:
    values = [message(transaction_id="a"), b"{", None, message(transaction_id="b"), b"\xff", message(currency="x")]
    good, indices, rejections = decode_transactions(values)
    assert [transaction.transaction_id for transaction in good] == ["a", "b"]
    assert indices == [0, 3]
    assert [rejection.index for rejection in rejections] == [1, 2, 4, 5]


def test_a_message_that_leans_on_its_neighbour_is_refused_without_shifting_it() -> None:
    two = message(transaction_id="b") + b"," + message(transaction_id="c")
    good, indices, rejections = decode_transactions(
        [b'{"x":[{}', b"{}]}", two, message(transaction_id="d")],
    )
    assert [transaction.transaction_id for transaction in good] == ["d"]
    assert indices == [3]
    assert len(rejections) == 3


def test_a_tombstone_is_refused() -> None:
    assert "tombstone" in decode_transactions([None])[2][0].reason


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
@pytest.mark.parametrize("levels", [65, 5_000])
def test_json_nested_without_end_is_refused(opening: bytes, levels: int) -> None:
    deep = message()[:-1] + b',"x":' + opening * levels
    closed = deep + b"1" + bytes({91: 93, 123: 125}[sign] for sign in reversed(deep) if sign in b"[{")
    for value in (deep, closed):
        good, _, rejections = decode_transactions([message(), value, message()])
        assert (len(good), rejections[0].index) == (2, 1)
        assert "64 levels deep" in rejections[0].reason


def test_what_counts_is_depth_outside_text() -> None:
    wide = message(x=[[number] for number in range(1_000)])
    text = message(x="[" * 1_000 + '"[{\\' + "{" * 1_000)
    deepest = message(x=json.loads("[" * 63 + "]" * 63))
    assert decode_transactions([wide, text, deepest])[1] == [0, 1, 2]


@pytest.mark.parametrize("changes", CARRYING_FIELDS)
def test_a_card_number_in_any_text_is_refused_and_shown_nowhere(changes: dict[str, Any]) -> None:
    good, indices, (rejection,) = decode_transactions([message(), message(**changes), message()])
    digits = "".join(character for character in str(rejection) if character.isdigit())
    assert len(good) == 2
    assert indices == [0, 2]
    assert rejection.index == 1
    assert "card number" in rejection.reason
    assert CARD_NUMBER not in digits
    assert b"*" in rejection.masked_value


def test_a_card_number_written_with_escapes_is_refused_and_masked() -> None:
    value = message(device_id="DEVICE").replace(b"DEVICE", b"\\u0034111 1111\\u00201111-1111")
    good, _, (rejection,) = decode_transactions([value])
    assert good == []
    assert b"\\u0034111 11**\\u0020****-1111" in rejection.masked_value


def test_a_card_number_in_a_field_of_the_wrong_type_is_masked_in_the_reason() -> None:
    (rejection,) = decode_transactions([message(card_id=int(CARD_NUMBER))])[2]
    assert "411111******1111" in rejection.reason
    assert CARD_NUMBER not in rejection.reason
    assert CARD_NUMBER.encode() not in rejection.masked_value


@pytest.mark.parametrize("before", ["é", "\n", "\u2028", '"', "\\", "\x85", "\U0001f4b3"])
def test_no_character_before_a_card_number_keeps_it_from_being_masked_in_the_reason(before: str) -> None:
    (rejection,) = decode_transactions([message(card_id=before + CARD_NUMBER + " " + "x" * 60)])[2]
    assert "411111******1111" in rejection.reason
    assert CARD_NUMBER not in rejection.reason
    assert rejection.reason.isprintable()


def test_a_long_value_is_not_repeated_whole() -> None:
    (rejection,) = decode_transactions([message(card_id="c" * 10_000)])[2]
    assert len(rejection.reason) < 200


def test_a_message_that_is_too_long_is_refused_unread() -> None:
    number = b"9" * 1_000_000  # seconds, if it were read
    values = [message(), message()[:-1] + b',"amount_minor":' + number + b"}", message(transaction_id="b")]
    good, indices, (rejection,) = decode_transactions(values)
    assert ([one.transaction_id for one in good], indices) == (["tx-1", "b"], [0, 2])
    assert f"{len(values[1])} bytes long; at most 65536" in rejection.reason


def test_the_longest_message_is_read() -> None:
    longest = message()[:-1] + b',"x":"' + b"y" * (LONGEST_MESSAGE_BYTES - len(message()) - 7) + b'"}'
    assert len(longest) == LONGEST_MESSAGE_BYTES
    assert decode_transactions([longest])[1] == [0]
    assert "bytes long" in decode_transactions([longest.replace(b"y", b"yy", 1)])[2][0].reason


def test_a_rejection_keeps_a_message_whole_up_to_a_length_and_beyond_it_says_what_it_was() -> None:
    kept, cut = (decode_transactions([b"x" * length])[2][0] for length in (KEPT_BYTES, KEPT_BYTES + 1))
    assert (len(kept.masked_value), kept.whole) == (KEPT_BYTES, None)
    assert len(cut.masked_value) == KEPT_BYTES
    assert cut.whole == (KEPT_BYTES + 1, hashlib.sha256(b"x" * (KEPT_BYTES + 1)).hexdigest())


@pytest.mark.parametrize("inside", range(20))
def test_a_card_number_that_the_cut_parts_in_two_is_masked(inside: int) -> None:
    value = b" " * (KEPT_BYTES - inside) + CARD_NUMBER.encode() + b" " * 1000
    kept = decode_transactions([value])[2][0].masked_value
    assert kept.strip() == b"411111******1111"[:inside]


def test_a_reason_is_never_long() -> None:
    (rejection,) = decode_transactions([message(channel="x" * 50_000)])[2]
    assert len(rejection.reason) <= LONGEST_REASON


def test_a_currency_without_a_rate_is_refused_where_rates_are_given() -> None:
    values = [message(), message(currency="XAU"), b"{}"]
    assert len(decode_transactions(values)[0]) == 2
    good, indices, rejections = decode_transactions(values, default_reporting_currency())
    assert (len(good), indices) == (1, [0])
    assert [rejection.index for rejection in rejections] == [1, 2]
    assert "XAU" in rejections[0].reason


def test_labels_are_decoded_by_the_same_rules() -> None:
    label = {
        "transaction_id": "tx-1",
        "card_id": "c1",
        "terminal_id": "t1",
        "event_time": MIDNIGHT_MS,
        "is_fraud": True,
        "label_source": "chargeback",
        "labelled_at": MIDNIGHT_MS + 1,
    }
    wrong = {**label, "label_source": "rumour"}
    carrying = {**label, "note": CARD_NUMBER}
    good, indices, rejections = decode_labels([json.dumps(one).encode() for one in (wrong, label, carrying)])
    assert good[0].labelled_at == MIDNIGHT_MS + 1
    assert indices == [1]
    assert [rejection.index for rejection in rejections] == [0, 2]


@given(st.lists(st.binary() | st.none()))
@example(
    [b"\xff\xfe", b'{"transaction_id":"\\ud800"}', b'{"event_time":1e999}', b'{"amount_minor":' + b"9" * 5000 + b"}"]
)
def test_whatever_bytes_come_each_is_accepted_or_refused(values: list[bytes | None]) -> None:
    good, indices, rejections = decode_transactions(values)
    assert sorted([*indices, *(rejection.index for rejection in rejections)]) == list(range(len(values)))
    assert len(good) == len(indices)


@given(st.dictionaries(st.sampled_from(["transaction_id", "event_time", "card_id", "currency", "mcc", "x"]), anything))
def test_whatever_fields_come_the_message_is_accepted_or_refused(changes: dict[str, Any]) -> None:
    good, indices, rejections = decode_transactions([message(**changes)])
    assert len(good) + len(rejections) == 1
    assert len(good) == len(indices)
