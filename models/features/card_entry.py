"""How one transaction of a card is stored: 24 bytes, ordered by event time and then by arrival."""

from typing import Final

import numpy as np

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
WINDOW_MS: Final = 30 * DAY_MS
"""The longest window."""
LATENESS_MS: Final = DAY_MS
"""How much older than its card's newest transaction one may be and still count."""
STORED_MS: Final = WINDOW_MS + LATENESS_MS
"""Transactions older than the newest by this much are gone."""
LARGEST_AMOUNT: Final = 2**31 - 1
"""Largest amount stored; larger ones count as this."""

STAMP_BITS: Final = 18
NIGHT: Final = 1 << 17
WEEKEND: Final = 1 << 16

ENTRY: Final = np.dtype(
    [
        (
            "stamp",
            np.int64,
        ),  # event_time << 18 | night << 17 | weekend << 16 | country << 6 | channel << 3 | entry_mode
        ("transaction", np.uint64),
        ("amount", np.int32),  # minor units
        ("terminal", np.uint32),  # high half of the hash
    ],
    align=True,
)
"""One stored transaction; a million cards with thirty each take 720 MB of these."""

CHANGE: Final = np.dtype(
    [
        ("card", np.uint64),
        ("transaction", np.uint64),
        ("terminal", np.uint64),
        ("event_time", np.int64),
        ("amount", np.int32),
        ("country", np.uint16),
        ("channel", np.uint8),
        ("entry_mode", np.uint8),
    ],
    align=True,
)
"""A transaction that was stored, as an increment of a checkpoint has it: 40 bytes."""
