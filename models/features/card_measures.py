"""The numba kernel that computes a transaction's own and card features from its card's stored transactions.

Nothing is kept between events but the stored transactions: each event scans its card's window once, from the newest to
the oldest, sums whole minor units, and divides at the end. So the numbers depend on the sorted transactions alone,
never on how they came.
"""

from typing import Final

import numba
import numpy as np

from models.features.card_entry import DAY_MS, HOUR_MS, NIGHT, STAMP_BITS, WEEKEND, WINDOW_MS
from models.features.card_features import CARD_FEATURES, WINDOWS
from models.features.kernel_types import Floats, Int, Longs, Records
from models.features.merchant_groups import GROUP_OF_MCC
from models.features.transaction_features import TRANSACTION_FEATURES

_AT: Final = {feature.name: column for column, feature in enumerate((*TRANSACTION_FEATURES, *CARD_FEATURES))}
COLUMNS: Final = len(_AT)
"""Columns that `measure` fills, from the first."""

AMOUNT = _AT["amount"]
AMOUNT_IS_ROUND = _AT["amount_is_round"]
HOUR_OF_DAY = _AT["hour_of_day"]
IS_NIGHT = _AT["is_night"]
IS_WEEKEND = _AT["is_weekend"]
CHANNEL = _AT["channel"]
ENTRY_MODE = _AT["entry_mode"]
MERCHANT_GROUP = _AT["merchant_group"]
COUNTRY = _AT["country"]
COUNT = _AT["card_count_10m"]
MEAN = _AT["card_mean_1d"]
OUTLIERS = _AT["card_outliers_1d"]
SMALL_COUNT_1H = _AT["card_small_count_1h"]
SMALL_COUNT_1D = _AT["card_small_count_1d"]
USUAL_AMOUNT = _AT["card_usual_amount"]
AMOUNT_TO_USUAL = _AT["card_amount_to_usual"]
AMOUNT_TO_MEAN_7D = _AT["card_amount_to_mean_7d"]
AMOUNT_TO_MAX_30D = _AT["card_amount_to_max_30d"]
AMOUNT_DEVIATION = _AT["card_amount_deviation"]
MAX_TO_USUAL_1D = _AT["card_max_to_usual_1d"]
MAX_TO_USUAL_7D = _AT["card_max_to_usual_7d"]
HOURS_SINCE_LAST = _AT["card_hours_since_last"]
HOURS_SINCE_OUTLIER = _AT["card_hours_since_outlier"]
HOURS_SINCE_SAME_TERMINAL = _AT["card_hours_since_same_terminal"]
HOURS_SINCE_OTHER_COUNTRY = _AT["card_hours_since_other_country"]
TERMINALS = _AT["card_terminals_1d"]
COUNTRIES = _AT["card_countries_1d"]
IS_NEW_TERMINAL = _AT["card_is_new_terminal"]
IS_NEW_COUNTRY = _AT["card_is_new_country"]
SAME_TERMINAL_30D = _AT["card_same_terminal_30d"]
NIGHT_SHARE_30D = _AT["card_night_share_30d"]
WEEKEND_SHARE_30D = _AT["card_weekend_share_30d"]
CHANNEL_SHARE_30D = _AT["card_channel_share_30d"]
ENTRY_MODE_SHARE_30D = _AT["card_entry_mode_share_30d"]
HISTORY_DAYS = _AT["card_history_days"]

WINDOW_MS_OF = np.array([round(days * DAY_MS) for days in WINDOWS.values()], np.int64)
HOUR_WINDOW, DAY_WINDOW, WEEK_WINDOW, MONTH_WINDOW = 1, 2, 3, 5
SMALL_AMOUNT = 500
OUTLIER_RATIO = 2
NIGHT_ENDS = 6
SATURDAY = 5
TIMES, AMOUNTS, MARKS = range(3)
SCRATCH_LINES = 3
GENERATION, FIRST_COUNTRY, FIRST_TERMINAL = 0, 1, 1025
"""Where in `seen` the number of the measurement stands, and where the countries and the terminals that it has met."""
LAST_GENERATION = 2**31 - 1
LONGEST_HOURS = WINDOW_MS / HOUR_MS


@numba.njit(cache=False)
def marks_of(now: Int, country: Int, channel: Int, entry_mode: Int) -> Int:
    """Return the low bits of a stamp."""
    night = now // HOUR_MS % 24 < NIGHT_ENDS
    weekend = (now // DAY_MS + 3) % 7 >= SATURDAY  # 1970-01-01 was a Thursday
    return night * NIGHT | weekend * WEEKEND | country << 6 | channel << 3 | entry_mode


@numba.njit(cache=False)
def _own_values(now: Int, amount: Int, marks: Int, mcc: Int, values: Floats) -> None:
    values[AMOUNT] = amount / 100.0
    values[AMOUNT_IS_ROUND] = amount % 1000 == 0
    values[HOUR_OF_DAY] = now % DAY_MS / HOUR_MS
    values[IS_NIGHT] = marks & NIGHT != 0
    values[IS_WEEKEND] = marks & WEEKEND != 0
    values[CHANNEL] = marks >> 3 & 7
    values[ENTRY_MODE] = marks & 7
    values[MERCHANT_GROUP] = GROUP_OF_MCC[min(mcc, 9999)]
    values[COUNTRY] = marks >> 6 & 0x3FF


@numba.njit(cache=False)
def _hours(now: Int, then: Int) -> float:
    return (now - then) / HOUR_MS if then >= 0 else LONGEST_HOURS


@numba.njit(cache=False)
def _is_first(seen: Longs, key: Int, mask: Int) -> bool:
    """Tell whether a terminal was not met before in this measurement, and note it: open addressing."""
    wanted = seen[GENERATION] << 32 | key
    place = key & mask
    while seen[FIRST_TERMINAL + place] != wanted:
        if seen[FIRST_TERMINAL + place] >> 32 != seen[GENERATION]:
            seen[FIRST_TERMINAL + place] = wanted
            return True
        place = (place + 1) & mask
    return False


@numba.njit(cache=False)
def _begin(seen: Longs, entries: Int) -> Int:
    """Forget what was met; return the mask of a table at most half full, small enough to stay in the nearest cache."""
    if seen[GENERATION] == LAST_GENERATION:
        seen[:] = 0
    seen[GENERATION] += 1
    places = 64
    while places < 2 * entries:
        places *= 2
    return np.int64(places - 1)


@numba.njit(cache=False)
def _unpack(
    entries: Records, first: Int, stop: Int, skip: Int, horizon: Int, now: Int, terminal: Int,
    scratch: Longs, seen: Longs, counts: Longs, values: Floats,
) -> None:  # fmt: skip
    """Walk from the newest to the oldest, note how many lie in each window, and lay the fields out for fast sums."""
    mask = _begin(seen, stop - first)
    same_terminal = terminals = countries = 0
    last_there = np.int64(-1)
    count = 0
    i = stop - 1
    for window in range(counts.size):
        border = max(now - WINDOW_MS_OF[window], horizon)
        while i >= first:
            entry = entries[i]
            at = entry.stamp >> STAMP_BITS
            if at <= border:
                break
            if i != skip:
                scratch[TIMES, count] = at
                scratch[AMOUNTS, count] = entry.amount
                scratch[MARKS, count] = entry.stamp
                count += 1
                terminals += _is_first(seen, np.int64(entry.terminal), mask)
                country = FIRST_COUNTRY + (entry.stamp >> 6 & 0x3FF)
                countries += seen[country] != seen[GENERATION]
                seen[country] = seen[GENERATION]
                if entry.terminal == terminal:
                    same_terminal += 1
                    last_there = max(last_there, at)
            i -= 1
        counts[window] = count
        if window == DAY_WINDOW:
            values[TERMINALS] = terminals
            values[COUNTRIES] = countries
        elif window == WEEK_WINDOW:
            values[TERMINALS + 1] = terminals
        elif window == MONTH_WINDOW:
            values[TERMINALS + 2] = terminals
            values[COUNTRIES + 1] = countries
    values[SAME_TERMINAL_30D] = same_terminal
    values[IS_NEW_TERMINAL] = same_terminal == 0
    values[HOURS_SINCE_SAME_TERMINAL] = _hours(now, last_there)
    values[HOURS_SINCE_LAST] = _hours(now, scratch[TIMES, 0]) if count else LONGEST_HOURS
    values[HISTORY_DAYS] = (now - scratch[TIMES, count - 1]) / DAY_MS if count else 0.0


@numba.njit(cache=False)
def _share_values(scratch: Longs, count: Int, now: Int, marks: Int, values: Floats) -> None:
    line = scratch[MARKS]
    same_country = same_channel = same_mode = nights = weekends = 0
    for i in range(count):
        differing = line[i] ^ marks
        same_country += differing & 0x3FF << 6 == 0
        same_channel += differing & 7 << 3 == 0
        same_mode += differing & 7 == 0
        nights += line[i] & NIGHT != 0
        weekends += line[i] & WEEKEND != 0
    last_elsewhere = np.int64(-1)
    if same_country < count:
        i = 0
        while (line[i] ^ marks) & 0x3FF << 6 == 0:
            i += 1
        last_elsewhere = scratch[TIMES, i]
    whole = max(count, 1)
    values[IS_NEW_COUNTRY] = same_country == 0
    values[CHANNEL_SHARE_30D] = same_channel / whole
    values[ENTRY_MODE_SHARE_30D] = same_mode / whole
    values[NIGHT_SHARE_30D] = nights / whole
    values[WEEKEND_SHARE_30D] = weekends / whole
    values[HOURS_SINCE_OTHER_COUNTRY] = _hours(now, last_elsewhere)


@numba.njit(cache=False)
def _usual(amounts: Longs, count: Int) -> Int:
    """Return the mean of the amounts up to twice the mean, taken twice, in whole minor units."""
    total = 0
    for i in range(count):
        total += amounts[i]
    usual = total // max(count, 1)
    for _ in range(2):
        ceiling = OUTLIER_RATIO * usual
        total = 0
        kept = 0
        for i in range(count):
            total += amounts[i] if amounts[i] <= ceiling else 0
            kept += amounts[i] <= ceiling
        usual = total // max(kept, 1)
    return usual


@numba.njit(cache=False)
def _amount_values(scratch: Longs, counts: Longs, now: Int, amount: Int, values: Floats) -> None:
    amounts = scratch[AMOUNTS]
    count = counts[MONTH_WINDOW]
    usual = _usual(amounts, count)
    ceiling = OUTLIER_RATIO * usual
    scale = max(usual, 1)
    total = largest = small = outliers = spread = done = 0
    for window in range(counts.size):
        for i in range(done, counts[window]):
            total += amounts[i]
            largest = max(largest, amounts[i])
            small += amounts[i] <= SMALL_AMOUNT
            spread += abs(amounts[i] - usual)
            outliers += amounts[i] > ceiling
        done = counts[window]
        values[COUNT + window] = done
        if window >= DAY_WINDOW:
            values[MEAN + window - DAY_WINDOW] = total / max(done, 1) / 100.0
            values[OUTLIERS + window - DAY_WINDOW] = outliers
        if window == HOUR_WINDOW:
            values[SMALL_COUNT_1H] = small
        elif window == DAY_WINDOW:
            values[SMALL_COUNT_1D] = small
            values[MAX_TO_USUAL_1D] = largest / scale
        elif window == WEEK_WINDOW:
            values[MAX_TO_USUAL_7D] = largest / scale
            values[AMOUNT_TO_MEAN_7D] = amount * done / max(total, 1) if done else 1.0
    values[USUAL_AMOUNT] = usual / 100.0
    values[AMOUNT_TO_USUAL] = amount / scale if count else 1.0
    values[AMOUNT_TO_MAX_30D] = amount / max(largest, 1) if count else 1.0
    values[AMOUNT_DEVIATION] = (amount - usual) * count / max(spread, count * usual // 10, 1) if count else 0.0
    last_outlier = np.int64(-1)
    if outliers:
        i = 0
        while amounts[i] <= ceiling:
            i += 1
        last_outlier = scratch[TIMES, i]
    values[HOURS_SINCE_OUTLIER] = _hours(now, last_outlier)


@numba.njit(cache=False)
def measure(
    entries: Records, first: Int, stop: Int, skip: Int, horizon: Int, now: Int, amount: Int, terminal: Int, marks: Int,
    mcc: Int, scratch: Longs, seen: Longs, counts: Longs, values: Floats,
) -> None:  # fmt: skip
    """Fill a row's own and card columns.

    Parameters
    ----------
    entries: the pool; [first, stop) are the card's transactions at or before `now`, oldest first.
    skip: index of an entry to leave out, -1 for none (the stored twin of a repeated transaction).
    horizon: event time at and before which nothing is looked at.
    terminal: high half of the terminal's hash.
    marks: the low bits of the transaction's stamp.
    scratch: [SCRATCH_LINES, at least stop - first].
    seen: [FIRST_TERMINAL + a power of two, at least 64 and 2 * (stop - first)], zeros at first.
    counts: one per window.
    values: float32 row.
    """
    _own_values(now, amount, marks, mcc, values)
    _unpack(entries, first, stop, skip, horizon, now, terminal, scratch, seen, counts, values)
    _share_values(scratch, counts[MONTH_WINDOW], now, marks, values)
    _amount_values(scratch, counts, now, amount, values)
