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
DISTINCT_WINDOWS = (DAY_WINDOW, WEEK_WINDOW, MONTH_WINDOW)
SMALL_AMOUNT = 500
OUTLIER_RATIO = 2
NIGHT_ENDS = 6
SATURDAY = 5
TIMES, AMOUNTS, MARKS, TERMINAL_BEFORE, COUNTRY_BEFORE = range(5)
SCRATCH_LINES = 5
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
def _unpack(
    entries: Records, first: Int, stop: Int, skip: Int, horizon: Int, now: Int, terminal: Int,
    scratch: Longs, counts: Longs, values: Floats,
) -> None:  # fmt: skip
    """Walk from the newest to the oldest, note how many lie in each window, and lay the fields out for fast sums."""
    same_terminal = 0
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
                scratch[TERMINAL_BEFORE, count] = at - np.int64(entry.terminal_gap)
                scratch[COUNTRY_BEFORE, count] = at - np.int64(entry.country_gap)
                count += 1
                if entry.terminal == terminal:
                    same_terminal += 1
                    last_there = max(last_there, at)
            i -= 1
        counts[window] = count
    values[SAME_TERMINAL_30D] = same_terminal
    values[IS_NEW_TERMINAL] = same_terminal == 0
    values[HOURS_SINCE_SAME_TERMINAL] = _hours(now, last_there)
    values[HOURS_SINCE_LAST] = _hours(now, scratch[TIMES, 0]) if count else LONGEST_HOURS
    values[HISTORY_DAYS] = (now - scratch[TIMES, count - 1]) / DAY_MS if count else 0.0


@numba.njit(cache=False)
def _at_or_before(times: Longs, count: Int, border: Int) -> Int:
    found = 0
    for i in range(count):
        found += times[i] <= border
    return found


@numba.njit(cache=False)
def _distinct_values(scratch: Longs, counts: Longs, horizon: Int, now: Int, values: Floats) -> None:
    """Count those whose predecessor at the same terminal, or in the same country, lies before the window."""
    for k in range(3):
        window = DISTINCT_WINDOWS[k]
        border = max(now - WINDOW_MS_OF[window], horizon)
        values[TERMINALS + k] = _at_or_before(scratch[TERMINAL_BEFORE], counts[window], border)
        if k != 1:
            values[COUNTRIES + k // 2] = _at_or_before(scratch[COUNTRY_BEFORE], counts[window], border)


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
    mcc: Int, scratch: Longs, counts: Longs, values: Floats,
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
    counts: one per window.
    values: float32 row.
    """
    _own_values(now, amount, marks, mcc, values)
    _unpack(entries, first, stop, skip, horizon, now, terminal, scratch, counts, values)
    _distinct_values(scratch, counts, horizon, now, values)
    _share_values(scratch, counts[MONTH_WINDOW], now, marks, values)
    _amount_values(scratch, counts, now, amount, values)
