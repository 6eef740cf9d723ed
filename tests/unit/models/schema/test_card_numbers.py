"""What counts as a card number, and how it is masked."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from models.schema.card_numbers import carriers, mask, mask_text
from tests.unit.models.schema.messages import CARD_NUMBER


def carries(text: str) -> bool:
    return carriers([json.dumps({"note": text}).encode()]) == [0]


def luhn_completed(digits: str) -> str:
    """The digits with the check digit that makes them pass."""
    for check in "0123456789":
        number = digits + check
        doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(number))]
        if sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0:
            return number
    raise AssertionError


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111",
        "4222222222222",
        "378282246310005",
        "6304000000000000000",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111 1111-1111 1111",
        "3782 822463 10005",
        "3056 930902 5904",
        luhn_completed("621234567890123456")[:4]
        + " "
        + luhn_completed("621234567890123456")[4:8]
        + " "
        + luhn_completed("621234567890123456")[8:12]
        + " "
        + luhn_completed("621234567890123456")[12:16]
        + " "
        + luhn_completed("621234567890123456")[16:],
        "card:4111111111111111.",
        "é4111111111111111é",
        "_4111111111111111_",
        "line\n4111111111111111\nline",
        '"4111111111111111"',
        "12-4111 1111 1111 1111",
    ],
)
def test_card_numbers_are_found(text: str) -> None:
    assert carries(text)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "411111111111",
        "41111111111111111111",
        "1234567890123452",
        "7992739871300000",
        "c4111111111111111",
        "4111111111111111c",
        "550e8400-e29b-41d4-a716-446655440000",
        "4111.1111.1111.1111",
        "411-1111-1111-1111-1",
        "2018-05-01 12:00:00",
        "",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert not carries(text)


def test_the_event_time_of_a_message_is_no_card_number() -> None:
    assert carriers([b'{"event_time": 2000000000008, "x": 4111111111111111}']) == []


def test_escapes_hide_nothing() -> None:
    values = [
        b'{"a":"\\u0034\\u0031\\u0031\\u0031111111111111"}',
        b'{"a":"4111\\u002d1111\\u00201111 1111"}',
        b'{"a":"\\n4111111111111111\\t"}',
        b'{"a":"\\u00e94111111111111111"}',
        b'{"\\u00344111111111111111":1, "4111111111111111\\u0061":1}',
    ]
    assert carriers(values) == [0, 1, 2, 3]


def test_an_escaped_backslash_is_no_escape() -> None:
    assert carriers([b'{"a":"\\\\u0034111111111111111"}']) == []


def test_a_number_does_not_reach_from_one_message_into_the_next() -> None:
    assert carriers([b'"41111111', b'11111111"']) == []


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 200))
def test_each_carrier_of_a_batch_is_found_and_no_other(carrying: list[bool], padding: int) -> None:
    values = [
        json.dumps(
            {"x" * (padding % 7): "y" * padding, "id": CARD_NUMBER if carries_it else "4111111111111112"}
        ).encode()
        for carries_it in carrying
    ]
    assert carriers(values) == [at for at, carries_it in enumerate(carrying) if carries_it]


@given(st.text("23456", min_size=1, max_size=1), st.text("0123456789", min_size=11, max_size=17))
def test_of_a_masked_number_only_the_first_six_and_last_four_digits_are_left(first: str, rest: str) -> None:
    number = luhn_completed(first + rest)
    hidden = len(number) - 10
    assert mask_text(f"<{number}>") == f"<{number[:6]}{'*' * hidden}{number[-4:]}>"


def test_several_numbers_in_bytes_that_are_no_text_are_masked() -> None:
    value = b"\xff 4111111111111111 \x00 3782-822463-10005 {"
    assert mask(value) == b"\xff 411111******1111 \x00 3782-82****-*0005 {"


def test_a_time_is_not_masked_but_a_bare_card_number_is() -> None:
    assert mask(b'{"event_time":2000000000008}') == b'{"event_time":2000000000008}'
    assert mask(b'{"pan":4111111111111111}') == b'{"pan":411111******1111}'


@given(st.binary())
def test_bytes_without_a_number_stay_as_they_are(value: bytes) -> None:
    if b"*" not in mask(value):
        assert mask(value) == value


@given(st.text('0123456789- \\u00aZ"{}:,', max_size=80))
def test_what_was_masked_once_has_nothing_left_to_mask(text: str) -> None:
    assert mask(mask(text.encode())) == mask(text.encode())
