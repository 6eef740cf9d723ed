"""Transactions, labels and scores out of untrusted bytes: the valid as records, the rest rejected with a reason."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from models.schema.card_numbers import carriers, mask, mask_text
from models.schema.label import Label
from models.schema.money import ReportingCurrency
from models.schema.score import Score
from models.schema.transaction import Transaction

_Record = TypeVar("_Record", bound=msgspec.Struct)

_LONGEST_FOUND = 80
_REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, OverflowError)
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


class Rejection(NamedTuple):
    """A message that was refused: its index, one line saying why, and its bytes with card numbers masked."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks of a rejection
    reason: str
    masked_value: bytes


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
    remaining = iter(values)
    while True:
        try:
            good.extend(map(decode, remaining))  # type: ignore[arg-type]  # None is refused with a TypeError
            break
        except _REFUSALS as error:  # `good` keeps what came before it, `remaining` goes on behind it
            index = len(good) + len(rejections)
            rejections.append(_rejection(index, values[index], _reason(values[index], error)))
    refused = {rejection.index for rejection in rejections}
    indices = [index for index in range(len(values)) if index not in refused] if refused else list(range(len(values)))
    return good, indices, rejections


def _refuse(
    values: Sequence[bytes | None], decoded: _Decoded[_Record], reasons: Mapping[int, str]
) -> _Decoded[_Record]:
    """Move the good records at the positions of `reasons` to the rejections."""
    good, indices, rejections = decoded
    more: list[Rejection] = [_rejection(indices[at], values[indices[at]], reason) for at, reason in reasons.items()]
    return (
        [record for at, record in enumerate(good) if at not in reasons],
        [index for at, index in enumerate(indices) if at not in reasons],
        sorted([*rejections, *more]),
    )


def _rejection(index: int, value: bytes | None, reason: str) -> Rejection:
    return Rejection(index, reason, b"" if value is None else mask(value))


def _reason(value: bytes | None, error: Exception) -> str:
    """Say on one line, without a card number, which field is wrong and what stood there."""
    if value is None:
        return "the message is a tombstone; a transaction, label or score is never deleted"
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
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
