r"""Card numbers in messages: which hold one in a text field, and the same bytes with every number masked.

A card number is a Luhn-valid run of 13 to 19 digits, or groups of 4-4-4-4, 4-6-5, 4-6-4 or 4-4-4-4-3 digits parted by
a space or a dash, whose first digit is 2 to 6 and which touches no other ASCII letter or digit (so UUIDs and
hexadecimal ids do not match). A compiled scan of the joined batch picks suspects for 0.03 us a message; only these are
looked at string by string, with escapes resolved.

References
----------
ISO/IEC 7812-1 (Luhn check, length); PCI DSS 3.4.1 (first six and last four digits may be shown).
"""

import re
from collections.abc import Sequence

import numpy as np

from models.schema.card_number_scan import SHORTEST, spans, suspects
from models.schema.field_types import LATEST_MS

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_TOKEN = re.compile(r"\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL)
_ESCAPED_DIGIT = re.compile(rb"\\u00(?:3[0-9]|20|2[dD])")
_ESCAPE_LENGTH = len(r"\u0034")
_SHOWN_FIRST, _SHOWN_LAST = 6, 4
_NEAR = 16
"""Bytes around a bare number within which JSON's own signs are looked for."""


def carriers(values: Sequence[bytes]) -> list[int]:
    r"""Return the indices of the JSON messages that hold a card number in a text field or a key.

    Parameters
    ----------
    values: JSON texts; what is not JSON may or may not be found.

    Examples
    --------
    >>> carriers(
    ...     [
    ...         b'{"note":"4111 1111 1111 1111"}',
    ...         b'{"event_time":4111111111111111}',
    ...         b'{"a":"\\u0034111111111111111"}',
    ...     ]
    ... )
    [0, 2]
    """
    joined = b"\n".join(values)
    lengths = np.fromiter(map(len, values), np.int64, count=len(values))
    picked = suspects(np.frombuffer(joined, np.uint8), np.cumsum(lengths + 1)).tolist()
    found = {index for index in picked if _in_text(values[index])}
    if b"\\" in joined and b"\\u00" in joined:
        found.update(
            index for index, value in enumerate(values) if _ESCAPED_DIGIT.search(value) is not None and _in_text(value)
        )
    return sorted(found)


def mask(value: bytes) -> bytes:
    """Return the bytes with every card number reduced to its first six and last four digits.

    A bare 13-digit number that is a time before 2100 is left as it is.

    Examples
    --------
    >>> mask(b'{"pan":"4111-1111-1111-1111"}')
    b'{"pan":"4111-11**-****-1111"}'
    """
    text = value.decode("latin-1")
    tokens = _tokens(text)
    plain = _plain(tokens)
    numbers = [(start, end) for start, end in _spans(plain) if not _is_time(plain, start, end)]
    if not numbers:
        return value
    masked = list(tokens)
    for start, end in numbers:
        digits = [at for at in range(start, end) if plain[at] not in b" -"]
        for at in digits[_SHOWN_FIRST:-_SHOWN_LAST]:
            masked[at] = "*"
    return "".join(masked).encode("latin-1")


def mask_text(text: str) -> str:
    """Return the text with every card number masked."""
    return mask(text.encode("utf-8", "backslashreplace")).decode("utf-8", "replace")


def _in_text(value: bytes) -> bool:
    """Whether any JSON string of the message, key or value, holds a card number once its escapes are resolved."""
    for match in _STRING.finditer(value.decode("latin-1")):
        text = match.group(1)
        if len(text) >= SHORTEST and _spans(_plain(_tokens(text))):
            return True
    return False


def _tokens(text: str) -> Sequence[str]:
    """Return the characters and escapes of a JSON text, one by one."""
    return _TOKEN.findall(text) if "\\" in text else text


def _plain(tokens: Sequence[str]) -> bytes:
    """Return one ASCII byte per token: its character with the escape resolved, `?` for what is not ASCII."""
    if isinstance(tokens, str):
        return tokens.encode("ascii", "replace")
    return "".join(map(_character, tokens)).encode("ascii", "replace")


def _character(token: str) -> str:
    if len(token) == 1:
        return token
    return chr(int(token.removeprefix("\\u"), base=16)) if len(token) == _ESCAPE_LENGTH else "?"


def _is_time(plain: bytes, start: int, end: int) -> bool:
    before, after = plain[max(0, start - _NEAR) : start].rstrip(), plain[end : end + _NEAR].lstrip()
    return (
        before.endswith((b":", b"[", b","))
        and after.startswith((b",", b"]", b"}"))
        and plain[start:end].isdigit()
        and int(plain[start:end]) < LATEST_MS
    )


def _spans(plain: bytes) -> list[tuple[int, int]]:
    return [(start, end) for start, end in spans(np.frombuffer(plain, np.uint8)).tolist()]
