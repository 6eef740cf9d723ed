"""Times as people read them."""

from datetime import UTC, datetime


def time_text(at_ms: int) -> str:
    """Return a time in UTC as people read it.

    Examples
    --------
    >>> time_text(1_764_000_000_000)
    '2025-11-24 16:00:00 UTC'
    """
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
