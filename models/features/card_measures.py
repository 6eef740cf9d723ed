"""The numba kernel that computes a transaction's own and card features from its card's stored transactions.

Nothing is kept between events but the stored transactions: each event scans its card's window once, from the newest to the oldest,
sums whole minor units, and divides at the end. So the numbers depend on the sorted transactions alone, never on how they came.
"""

from math import log1p
from typing import Final

import numba
import numpy as np

from models.features.card_entry import DAY_MS, HOUR_MS, LONGEST_GAP, WINDOW_MS
from models.features.card_features import CARD_FEATURES, WINDOWS
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
SUM_1D = _AT["card_sum_1d"]
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
TERMINALS_1D = _AT["card_terminals_1d"]
TERMINALS_7D = _AT["card_terminals_7d"]
TERMINALS_30D = _AT["card_terminals_30d"]
COUNTRIES_1D = _AT["card_countries_1d"]
COUNTRIES_7D = _AT["card_countries_7d"]
COUNTRIES_30D = _AT["card_countries_30d"]
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
LONGEST_HOURS = WINDOW_MS / HOUR_MS


@numba.njit(cache=True)
def _own_values(now, amount, country, channel, entry_mode, mcc, values):  # type: ignore[no-untyped-def]  # compiled
    hour = now // HOUR_MS % 24
    values[AMOUNT] = amount / 100.0
    values[AMOUNT_IS_ROUND] = amount % 1000 == 0
    values[HOUR_OF_DAY] = now % DAY_MS / HOUR_MS
    values[IS_NIGHT] = hour < 6
    values[IS_WEEKEND] = _is_weekend(now)
    values[CHANNEL] = channel
    values[ENTRY_MODE] = entry_mode
    values[MERCHANT_GROUP] = GROUP_OF_MCC[min(mcc, 9999)]
    values[COUNTRY] = country


@numba.njit(cache=True)
def _is_weekend(now):  # type: ignore[no-untyped-def]  # compiled
    return (now // DAY_MS + 3) % 7 >= 5  # 1970-01-01 was a Thursday


@numba.njit(cache=True)
def _usual(amounts, count):  # type: ignore[no-untyped-def]  # compiled
    """Mean of the amounts up to twice the mean, taken twice: in whole minor units, so the order does not matter."""
    total = 0
    for i in range(count):
        total += amounts[i]
    usual = total // max(count, 1)
    for _ in range(2):
        ceiling = 2 * usual
        total = 0
        kept = 0
        for i in range(count):
            below = amounts[i] <= ceiling
            total += amounts[i] * below
            kept += below
        usual = total // max(kept, 1)
    return usual


@numba.njit(cache=True)
def _hours(now, then):  # type: ignore[no-untyped-def]  # compiled
    return (now - then) / HOUR_MS if then >= 0 else LONGEST_HOURS


@numba.njit(cache=True)
def _scan(entries, first, stop, skip, horizon, now, terminal, place, amounts, times, counts, values):  # type: ignore[no-untyped-def]  # compiled
    """Walk the window once from the newest to the oldest; returns how many transactions it holds."""
    day = max(now - WINDOW_MS_OF[DAY_WINDOW], horizon)
    week = max(now - WINDOW_MS_OF[WEEK_WINDOW], horizon)
    month = max(now - WINDOW_MS_OF[MONTH_WINDOW], horizon)
    country = place >> 6
    terminals_1d = terminals_7d = terminals_30d = countries_1d = countries_7d = countries_30d = 0
    same_terminal = same_country = same_channel = same_mode = nights = weekends = 0
    last_terminal = last_elsewhere = np.int64(-1)
    count = 0
    i = stop - 1
    for window in range(counts.size):
        border = max(now - WINDOW_MS_OF[window], horizon)
        while i >= first:
            entry = entries[i]
            at = entry.stamp >> 16
            if at <= border:
                break
            if i != skip:
                amounts[count] = entry.amount
                times[count] = at
                count += 1
                before = at - np.int64(entry.terminal_gap)
                terminals_1d += (at > day) & (before <= day)
                terminals_7d += (at > week) & (before <= week)
                terminals_30d += before <= month
                before = at - np.int64(entry.country_gap)
                countries_1d += (at > day) & (before <= day)
                countries_7d += (at > week) & (before <= week)
                countries_30d += before <= month
                if entry.terminal == terminal:
                    same_terminal += 1
                    last_terminal = max(last_terminal, at)
                here = entry.stamp & 0xFFFF
                if here >> 6 == country:
                    same_country += 1
                else:
                    last_elsewhere = max(last_elsewhere, at)
                same_channel += here >> 3 & 7 == place >> 3 & 7
                same_mode += here & 7 == place & 7
                nights += at % DAY_MS < 6 * HOUR_MS
                weekends += _is_weekend(at)
            i -= 1
        counts[window] = count
    whole = max(count, 1)
    values[TERMINALS_1D] = terminals_1d
    values[TERMINALS_7D] = terminals_7d
    values[TERMINALS_30D] = terminals_30d
    values[COUNTRIES_1D] = countries_1d
    values[COUNTRIES_7D] = countries_7d
    values[COUNTRIES_30D] = countries_30d
    values[SAME_TERMINAL_30D] = same_terminal
    values[IS_NEW_TERMINAL] = same_terminal == 0
    values[IS_NEW_COUNTRY] = same_country == 0
    values[CHANNEL_SHARE_30D] = same_channel / whole
    values[ENTRY_MODE_SHARE_30D] = same_mode / whole
    values[NIGHT_SHARE_30D] = nights / whole
    values[WEEKEND_SHARE_30D] = weekends / whole
    values[HOURS_SINCE_SAME_TERMINAL] = _hours(now, last_terminal)
    values[HOURS_SINCE_OTHER_COUNTRY] = _hours(now, last_elsewhere)
    values[HOURS_SINCE_LAST] = _hours(now, times[0]) if count else LONGEST_HOURS
    values[HISTORY_DAYS] = (now - times[count - 1]) / DAY_MS if count else 0.0
    return count


@numba.njit(cache=True)
def _amount_values(now, amount, amounts, times, counts, values):  # type: ignore[no-untyped-def]  # compiled
    count = counts[MONTH_WINDOW]
    usual = _usual(amounts, count)
    ceiling = 2 * usual
    scale = max(usual, 1)
    total = largest = small = outliers = spread = 0
    last_outlier = np.int64(-1)
    i = 0
    for window in range(counts.size):
        while i < counts[window]:
            total += amounts[i]
            largest = max(largest, amounts[i])
            small += amounts[i] <= SMALL_AMOUNT
            spread += abs(amounts[i] - usual)
            if amounts[i] > ceiling:
                outliers += 1
                last_outlier = max(last_outlier, times[i])
            i += 1
        values[COUNT + window] = i
        if window >= DAY_WINDOW:
            values[MEAN + window - DAY_WINDOW] = total / max(i, 1) / 100.0
            values[OUTLIERS + window - DAY_WINDOW] = outliers
        if window == HOUR_WINDOW:
            values[SMALL_COUNT_1H] = small
        elif window == DAY_WINDOW:
            values[SMALL_COUNT_1D] = small
            values[SUM_1D] = total / 100.0
            values[MAX_TO_USUAL_1D] = largest / scale
        elif window == WEEK_WINDOW:
            values[MAX_TO_USUAL_7D] = largest / scale
            values[AMOUNT_TO_MEAN_7D] = amount * i / max(total, 1) if i else 1.0
    values[USUAL_AMOUNT] = usual / 100.0
    values[AMOUNT_TO_USUAL] = amount / scale if count else 1.0
    values[AMOUNT_TO_MAX_30D] = amount / max(largest, 1) if count else 1.0
    values[AMOUNT_DEVIATION] = (amount - usual) * count / max(spread, 1) if count else 0.0
    values[HOURS_SINCE_OUTLIER] = _hours(now, last_outlier)


@numba.njit(cache=True)
def measure(entries, first, stop, skip, horizon, now, amount, terminal, place, mcc, amounts, times, counts, values):  # type: ignore[no-untyped-def]  # compiled
    """Fill a row's own and card columns.

    Parameters:
        entries: the pool; [first, stop) are the card's transactions at or before `now`, oldest first.
        skip: index of an entry to leave out, -1 for none (the stored twin of a repeated transaction).
        horizon: event_time at and before which nothing is looked at.
        terminal: high half of the terminal's hash.
        place: country << 6 | channel << 3 | entry_mode.
        amounts, times: int64 scratch for at least stop - first transactions.
        counts: int64 scratch of one count per window.
        values: float32 row.
    """
    _own_values(now, amount, place >> 6, place >> 3 & 7, place & 7, mcc, values)
    _scan(entries, first, stop, skip, horizon, now, terminal, place, amounts, times, counts, values)
    _amount_values(now, amount, amounts, times, counts, values)
