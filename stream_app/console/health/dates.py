"""Event time in words."""

from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October"),
    *("November", "December"),
)
"""Not by locale: the pages are in English wherever the process runs."""


def day(at_ms: int) -> str:
    """Return the UTC date of a moment.

    Examples
    --------
    >>> day(1_525_305_600_000)
    '3 May 2018'
    """
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def short_day(at_ms: int) -> str:
    """Return the same without the year, beside others that have it.

    Examples
    --------
    >>> short_day(1_525_305_600_000)
    '3 May'
    """
    return day(at_ms).rpartition(" ")[0]
