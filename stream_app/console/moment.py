"""Times as the pages write them: UTC, and how long something lasted."""

from datetime import UTC, datetime
from typing import Final

_SECOND_MS: Final = 1_000
_STEPS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"))


def moment(at_ms: int) -> str:
    """Return a time, to the minute.

    Examples
    --------
    >>> moment(1_763_985_600_000)
    '2025-11-24 12:00'
    """
    return f"{datetime.fromtimestamp(at_ms / _SECOND_MS, UTC):%Y-%m-%d %H:%M}"


def exact(at_ms: int) -> str:
    """Return a time as machines read it, for the attribute of a <time>.

    Examples
    --------
    >>> exact(1_763_985_600_123)
    '2025-11-24T12:00:00.123Z'
    """
    text = datetime.fromtimestamp(at_ms / _SECOND_MS, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def lasted(span_ms: int) -> str:
    """Return a span of time in its two largest units.

    Examples
    --------
    >>> lasted(90_000_000), lasted(3_600_000), lasted(59_000), lasted(61_000)
    ('1 d 1 h', '1 h', '59 s', '1 min')
    """
    parts = []
    for size, unit in _STEPS:
        if span_ms >= size:
            parts.append(f"{span_ms // size} {unit}")
            span_ms %= size
    return " ".join(parts[:2]) or f"{max(0, span_ms) // _SECOND_MS} s"
