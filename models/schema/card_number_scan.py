"""Compiled scan of bytes for card numbers; what counts as one is said in `card_numbers`."""

from typing import Final

import numba
import numpy as np
import numpy.typing as npt

SHORTEST: Final = 13
_LONGEST: Final = 19
_GROUP: Final = 4
_LARGEST_HALF: Final = 4
"""The largest digit that stays one digit when doubled."""
_ESCAPE: Final = 6
"""Length of an escape such as \\u0034."""
_ZERO, _NINE, _TWO, _SIX = ord("0"), ord("9"), ord("2"), ord("6")
_UPPER_A, _UPPER_Z, _LOWER_A, _LOWER_Z = ord("A"), ord("Z"), ord("a"), ord("z")
_SPACE, _DASH, _BACKSLASH = ord(" "), ord("-"), ord("\\")

_Bytes = npt.NDArray[np.uint8]


@numba.njit(cache=True, nogil=True)
def _is_digit(byte: int) -> bool:  # pragma: no cover - compiled
    return _ZERO <= byte <= _NINE


@numba.njit(cache=True, nogil=True)
def _is_first_digit(byte: int) -> bool:  # pragma: no cover - compiled
    return _TWO <= byte <= _SIX


@numba.njit(cache=True, nogil=True)
def _is_gap(byte: int) -> bool:  # pragma: no cover - compiled
    return byte == _SPACE or byte == _DASH  # noqa: PLR1714  # numba has no sets of constants


@numba.njit(cache=True, nogil=True)
def _may_belong(byte: int) -> bool:  # pragma: no cover - compiled
    return _is_digit(byte) or _is_gap(byte)


@numba.njit(cache=True, nogil=True)
def _is_letter_or_digit(byte: int) -> bool:  # pragma: no cover - compiled
    return _ZERO <= byte <= _NINE or _UPPER_A <= byte <= _UPPER_Z or _LOWER_A <= byte <= _LOWER_Z


@numba.njit(cache=True, nogil=True)
def _luhn(text: _Bytes, start: int, end: int) -> bool:  # pragma: no cover - compiled
    total, doubled = 0, False
    for at in range(end - 1, start - 1, -1):
        if _is_digit(text[at]):
            digit = int(text[at]) - _ZERO
            if doubled:
                digit = digit * 2 - 9 if digit > _LARGEST_HALF else digit * 2
            total += digit
            doubled = not doubled
    return total % 10 == 0


@numba.njit(cache=True, nogil=True)
def _groups_end(text: _Bytes, start: int, second: int, third: int, fourth: int, fifth: int) -> int:  # pragma: no cover
    """End of the groups 4-second-third-fourth-fifth (0: no such group) from `start` on, or 0."""
    at = start + _GROUP
    for size in (second, third, fourth, fifth):
        if size == 0:
            break
        if at + 1 + size > len(text) or not _is_gap(text[at]):
            return 0
        for digit in range(at + 1, at + 1 + size):
            if not _is_digit(text[digit]):
                return 0
        at += 1 + size
    if at < len(text) and _is_letter_or_digit(text[at]):
        return 0
    return at if _luhn(text, start, at) else 0


@numba.njit(cache=True, nogil=True)
def _match_end(text: _Bytes, start: int) -> int:  # pragma: no cover - compiled
    """End of the card number that begins at `start`, or 0; what stands before it is not looked at."""
    if not _is_first_digit(text[start]):
        return 0
    end = start
    while end < len(text) and _is_digit(text[end]):
        end += 1
    length = end - start
    if length == _GROUP:
        for sizes in ((4, 4, 4, 3), (4, 4, 4, 0), (6, 5, 0, 0), (6, 4, 0, 0)):
            at = _groups_end(text, start, sizes[0], sizes[1], sizes[2], sizes[3])
            if at > 0:
                return at
        return 0
    if length < SHORTEST or length > _LONGEST or (end < len(text) and _is_letter_or_digit(text[end])):
        return 0
    return end if _luhn(text, start, end) else 0


@numba.njit(cache=True, nogil=True)
def spans(text: _Bytes) -> npt.NDArray[np.int64]:  # pragma: no cover - compiled
    """Start and end of every card number, one a row."""
    found = np.empty((len(text) // SHORTEST + 1, 2), np.int64)
    count, at = 0, 0
    while at <= len(text) - SHORTEST:
        end = 0
        if _is_first_digit(text[at]) and (at == 0 or not _is_letter_or_digit(text[at - 1])):
            end = _match_end(text, at)
        if end > 0:
            found[count, 0], found[count, 1] = at, end
            count += 1
        at = max(at + 1, end)
    return found[:count]


@numba.njit(cache=True, nogil=True)
def _may_start(text: _Bytes, at: int) -> bool:  # pragma: no cover - compiled
    """Whether a card number may begin here, counting a letter before it that may be the end of an escape."""
    if at == 0 or not _is_letter_or_digit(text[at - 1]):
        return True
    return (at > 1 and text[at - 2] == _BACKSLASH) or (at >= _ESCAPE and text[at - _ESCAPE] == _BACKSLASH)


@numba.njit(cache=True, nogil=True)
def suspects(joined: _Bytes, ends: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:  # pragma: no cover - compiled
    """Messages with what looks like a card number; `ends` counts a separator byte after each message.

    A number spans at least 13 bytes of digits, spaces and dashes, so looking at every 13th byte finds each such run.
    """
    found = np.empty(len(ends), np.int64)
    count, message, floor, at = 0, 0, 0, SHORTEST - 1
    while at < len(joined):
        if not _may_belong(joined[at]):
            at += SHORTEST
            continue
        first = at
        while first > floor and _may_belong(joined[first - 1]):
            first -= 1
        after = at + 1
        while after < len(joined) and _may_belong(joined[after]):
            after += 1
        for start in range(first, after - SHORTEST + 1):
            if _is_first_digit(joined[start]) and _may_start(joined, start) and _match_end(joined, start) > 0:
                while ends[message] <= start:
                    message += 1
                if count == 0 or found[count - 1] != message:
                    found[count] = message
                    count += 1
                break
        floor = after
        at = after + SHORTEST
    return found[:count]
