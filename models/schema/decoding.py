"""Transactions, labels and scores out of untrusted bytes: the valid as records, the rest rejected with a reason."""

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec
import numba
import numpy as np
import numpy.typing as npt

from models.schema.card_numbers import carriers, mask, mask_text
from models.schema.label import Label
from models.schema.money import ReportingCurrency
from models.schema.score import Score
from models.schema.transaction import Transaction

_Record = TypeVar("_Record", bound=msgspec.Struct)

LONGEST_MESSAGE_BYTES: Final = 64 * 1024
"""A longer message is refused unread. One with every field at its longest takes 2 kB; a number of a million digits
takes seconds to read, one of 64 thousand 30 ms."""
DEEPEST_NESTING: Final = 64
"""Far below what the interpreter can do: its own limit depends on who calls, and a replay must refuse what was refused
at first."""
KEPT_BYTES: Final = LONGEST_MESSAGE_BYTES
"""Of a longer refused message the beginning is kept: a message that could be read is kept whole, and with key and
headers it fits any topic. To mask 64 KiB of nothing but card numbers takes 40 ms."""
LONGEST_REASON: Final = 500
"""Characters; a longer reason ends with an ellipsis."""

_LONGEST_FOUND = 80
_LONGEST_CARD_NUMBER_BYTES = 256
"""A card number with every character written as an escape, and what stands around it, takes less."""
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
"""A JSON string; one that is never closed goes to the end, so that no byte is looked at twice."""
_BRACKET: Final = np.uint8(ord("["))
_BUT_ONE_BIT: Final = np.uint8(0xFF ^ ord("[") ^ ord("{"))
_OPENING, _CLOSING = np.frombuffer(b"[{", np.uint8), np.frombuffer(b"]}", np.uint8)
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError, TypeError, OverflowError)
_AT_PATH = re.compile(r"^(?P<what>.*) - at `(?:key in )?\$(?P<path>.*)`$", re.DOTALL)
_ALLOWED: Final = {
    "currency": "an ISO 4217 code",
    "merchant_country": "an ISO 3166-1 alpha-2 code",
    "mcc": "a category code of 4 digits",
    "schema_version": "a version known here (1)",
}
_CARD_NUMBER = "a text field holds a card number (Luhn-valid, masked here); send a token or a hash instead"

_decode_transaction = msgspec.json.Decoder(Transaction).decode
_decode_label = msgspec.json.Decoder(Label).decode
_decode_score = msgspec.json.Decoder(Score).decode


class Whole(NamedTuple):
    """What a message was of which only the beginning is kept."""

    length: int
    sha256: str


class Rejection(NamedTuple):
    """A message that was refused: its index, one line saying why, and its bytes with card numbers masked.

    `whole` is None unless only the first KEPT_BYTES of the message are kept.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks of a rejection
    reason: str
    masked_value: bytes
    whole: Whole | None = None

    @classmethod
    def of(cls, index: int, reason: str, value: bytes | None) -> "Rejection":
        """Return the rejection of a message, None for a tombstone."""
        value = value or b""
        whole = Whole(len(value), hashlib.sha256(value).hexdigest()) if len(value) > KEPT_BYTES else None
        return cls(index, shortened(reason), masked_beginning(value, KEPT_BYTES), whole)


def masked_beginning(value: bytes, most: int) -> bytes:
    """Return at most so many bytes of a message, card numbers masked, one that the end cuts in two as well."""
    return mask(value[: most + _LONGEST_CARD_NUMBER_BYTES])[:most]


def shortened(reason: str) -> str:
    """Return a reason that is no longer than LONGEST_REASON."""
    return reason if len(reason) <= LONGEST_REASON else reason[: LONGEST_REASON - 1] + "…"


_Decoded: TypeAlias = tuple[list[_Record], list[int], list[Rejection]]


def decode_transactions(
    values: Sequence[bytes | None], rates: ReportingCurrency | None = None
) -> tuple[list[Transaction], list[int], list[Rejection]]:
    """Decode and validate JSON messages of the topic `transactions`.

    Each message is decoded by itself: joining a batch into one array is slower (0.7 against 0.5 us a message, msgspec
    0.22), and lets a hostile message shift the records of its neighbours.

    Parameters
    ----------
    values: message values; None (a tombstone) is refused.
    rates: where given, a currency without a rate is refused too.

    Returns
    -------
    The good transactions, the index in `values` of each, and the rejections, all in order.
    """
    decoded = _decode(values, _decode_transaction)
    if rates is None or rates.knows_all({transaction.currency for transaction in decoded[0]}):
        return decoded
    no_rate = {
        at: f"currency: {rates.rates_version} has no rate for {transaction.currency}; add it to the rates file"
        for at, transaction in enumerate(decoded[0])
        if not rates.knows(transaction.currency)
    }
    return _refuse(values, decoded, no_rate)


def decode_labels(values: Sequence[bytes | None]) -> tuple[list[Label], list[int], list[Rejection]]:
    """Decode and validate JSON messages of the topic `labels`, as `decode_transactions` does."""
    return _decode(values, _decode_label)


def decode_scores(values: Sequence[bytes | None]) -> tuple[list[Score], list[int], list[Rejection]]:
    """Decode and validate JSON messages of the topic `scores`, as `decode_transactions` does.

    They are not searched for card numbers: what the scorer writes comes from transactions that were.
    """
    return _decode_valid(values, _decode_score)


def _decode(values: Sequence[bytes | None], decode: Callable[[bytes], _Record]) -> _Decoded[_Record]:
    decoded = _decode_valid(values, decode)
    indices = decoded[1]
    accepted = values if len(indices) == len(values) else [values[index] for index in indices]
    carrying = dict.fromkeys(carriers(accepted), _CARD_NUMBER)  # type: ignore[arg-type]  # no None was accepted
    return _refuse(values, decoded, carrying) if carrying else decoded


def _decode_valid(values: Sequence[bytes | None], decode: Callable[[bytes], _Record]) -> _Decoded[_Record]:
    good: list[_Record] = []
    rejections: list[Rejection] = []
    unreadable = _unreadable(values)
    remaining = iter([b"" if at in unreadable else value for at, value in enumerate(values)] if unreadable else values)
    while True:
        try:
            good.extend(map(decode, remaining))  # type: ignore[arg-type]  # None is refused with a TypeError
            break
        except _REFUSALS as error:  # `good` keeps what came before it, `remaining` goes on behind it
            index = len(good) + len(rejections)
            reason = unreadable.get(index) or _reason(values[index], error)
            rejections.append(Rejection.of(index, reason, values[index]))
    refused = {rejection.index for rejection in rejections}
    indices = [index for index in range(len(values)) if index not in refused] if refused else list(range(len(values)))
    return good, indices, rejections


def _refuse(
    values: Sequence[bytes | None], decoded: _Decoded[_Record], reasons: Mapping[int, str]
) -> _Decoded[_Record]:
    """Move the good records at the positions of `reasons` to the rejections."""
    good, indices, rejections = decoded
    more: list[Rejection] = [Rejection.of(indices[at], reason, values[indices[at]]) for at, reason in reasons.items()]
    return (
        [record for at, record in enumerate(good) if at not in reasons],
        [index for at, index in enumerate(indices) if at not in reasons],
        sorted([*rejections, *more]),
    )


def _unreadable(values: Sequence[bytes | None]) -> dict[int, str]:
    """Return why some messages are not even read, by index: they are too long, or too deeply nested."""
    joined = b"".join(filter(None, values))
    if len(joined) <= LONGEST_MESSAGE_BYTES or max(map(len, filter(None, values))) <= LONGEST_MESSAGE_BYTES:
        found = {}
    else:
        found = {
            index: f"the message is {len(value)} bytes long; at most {LONGEST_MESSAGE_BYTES} are read"
            for index, value in enumerate(values)
            if value is not None and len(value) > LONGEST_MESSAGE_BYTES
        }
    if _opened(joined) > len(values) + DEEPEST_NESTING:
        for index, value in enumerate(values):
            if value is not None and index not in found and _opened(value) > DEEPEST_NESTING and _is_deep(value):
                found[index] = f"the JSON is nested more than {DEEPEST_NESTING} levels deep"
    return found


def _opened(value: bytes) -> int:
    """Return how many brackets and braces open; they differ in one bit, so one pass finds both."""
    return int(_count(np.frombuffer(value, np.uint8)))


@numba.njit(cache=True, nogil=True)
def _count(signs: npt.NDArray[np.uint8]) -> int:  # pragma: no cover - compiled
    found = 0
    for at in range(signs.size):  # by place: over its values the compiler goes one by one
        found += (signs[at] & _BUT_ONE_BIT) == _BRACKET
    return found


def _is_deep(value: bytes) -> bool:
    signs = np.frombuffer(_STRING.sub(b"", value), np.uint8)
    steps = np.isin(signs, _OPENING).astype(np.int8) - np.isin(signs, _CLOSING).astype(np.int8)
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0)) > DEEPEST_NESTING


def _reason(value: bytes | None, error: Exception) -> str:
    """Say on one line, without a card number, which field is wrong and what stood there."""
    if value is None:
        return "the message is a tombstone; a transaction, label or score is never deleted"
    at_path = _AT_PATH.match(str(error))
    if at_path is None:
        return _one_line(f"the JSON cannot be read: {error}" if _is_malformed(error) else str(error))
    field = at_path["path"].removeprefix(".")
    what = f"not {_ALLOWED[field]}" if field in _ALLOWED else _lower_first(at_path["what"].replace("`", ""))
    return _one_line(f"{field}: {what}, found {_found(value, field)}")


def _is_malformed(error: Exception) -> bool:
    return not isinstance(error, msgspec.ValidationError)


def _found(value: bytes, field: str) -> str:
    try:
        return mask(msgspec.json.encode(msgspec.json.decode(value)[field])).decode()[:_LONGEST_FOUND]
    except (*_REFUSALS, LookupError):
        return "what cannot be shown"


def _one_line(text: str) -> str:
    masked = mask_text(" ".join(text.split()))
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in masked)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
