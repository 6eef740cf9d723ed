"""How one transaction of a card is stored: 32 bytes, ordered by event time and then by arrival."""

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
LONGEST_GAP: Final = 2**32 - 1
"""Largest gap stored (49.7 days, beyond every window): also stands for "never before"."""
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
        ("terminal_gap", np.uint32),  # ms since the card was last at this terminal
        ("country_gap", np.uint32),  # ms since the card was last in this country
    ],
    align=True,
)
"""One stored transaction. The distinct terminals of any window are those whose gap reaches before its start."""
