"""What could not be decoded, on its way to the dead-letter topic."""

import pytest

from models.schema.dead_letter import DeadLetter, DeadLetterError
from models.schema.decoding import Rejection, decode_transactions
from tests.unit.models.schema.messages import CARD_NUMBER, message


def test_a_dead_letter_is_read_back_as_it_was_written() -> None:
    rejection = Rejection(0, "amount_minor: expected int >= 0, found -1", b"\xff the original \x00 bytes")
    letter = DeadLetter.of(rejection, "transactions", 3, 42, b"c1")
    assert DeadLetter.read(letter.key, letter.value, letter.headers) == letter
    assert (letter.topic, letter.partition, letter.offset, letter.value) == (
        "transactions",
        3,
        42,
        b"\xff the original \x00 bytes",
    )


def test_a_card_number_is_masked_in_key_value_and_headers() -> None:
    (rejection,) = decode_transactions([message(card_id=CARD_NUMBER, amount_minor=int(CARD_NUMBER))])[2]
    letter = DeadLetter.of(rejection, "transactions", 0, 1, CARD_NUMBER.encode())
    assert CARD_NUMBER not in repr((letter.key, letter.value, letter.headers))
    assert letter.key == b"411111******1111"


def test_a_dead_letter_of_the_largest_message_fits_a_topic_and_says_what_it_was() -> None:
    (rejection,) = decode_transactions([b"x" * (8 << 20)])[2]
    letter = DeadLetter.of(rejection, "transactions", 0, 1, b"k" * (8 << 20))
    headers = sum(len(name) + len(value) for name, value in letter.headers)
    assert len(letter.key or b"") + len(letter.value) + headers < 1_000_000
    assert dict(letter.headers)["original_bytes"] == b"8388608"
    assert DeadLetter.read(letter.key, letter.value, letter.headers) == letter


def test_a_tombstone_with_no_key_makes_a_dead_letter_too() -> None:
    (rejection,) = decode_transactions([None])[2]
    letter = DeadLetter.of(rejection, "transactions", 0, 1, None)
    assert (letter.key, letter.value) == (None, b"")


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("topic", b"x"), ("partition", b"?"), ("offset", b"1"), ("reason", b"")],
        [("topic", b"\xff"), ("partition", b"0"), ("offset", b"1"), ("reason", b"")],
    ],
)
def test_a_record_without_proper_headers_is_refused(headers: list[tuple[str, bytes]]) -> None:
    with pytest.raises(DeadLetterError, match="header"):
        DeadLetter.read(None, b"", headers)
