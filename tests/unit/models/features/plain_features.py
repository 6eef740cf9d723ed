"""The own and card features written down once more, plainly, from their descriptions: the reference for the kernels."""

from datetime import UTC, datetime

import numpy as np

from models.features.card_features import WINDOWS
from models.features.merchant_groups import GROUP_OF_MCC

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
LARGEST = 2**31 - 1


class PlainCard:
    """One card's counted transactions as dictionaries, sorted by event time and then by arrival."""

    def __init__(self):
        self.stored = []

    def take(self, new):
        """Return the features and the status of a transaction, and store it if it counts."""
        newest = max((tx["at"] for tx in self.stored), default=new["at"])
        held = [tx for tx in self.stored if tx["at"] > newest - 31 * DAY_MS]
        twins = [tx for tx in held if tx["id"] == new["id"]]
        before = [tx for tx in held if tx["at"] <= new["at"] and tx["id"] != new["id"]]
        if twins and twins[0]["at"] == new["at"]:
            before = [tx for tx in before if tx["at"] < new["at"] or tx["order"] < twins[0]["order"]]
        values = plain_values(new, before, newest - 31 * DAY_MS)
        too_late = new["at"] < newest - DAY_MS
        status = 1 * bool(twins) + 2 * too_late
        if status == 0:
            status = 4 * (new["at"] < newest)
            self.stored = sorted(
                [*self.stored, {**new, "order": len(self.stored)}], key=lambda tx: (tx["at"], tx["order"])
            )
        return values, status


def plain_values(new, before, horizon):
    """Return the features of a transaction by name; `before` is what it may see, oldest first."""
    now, amount = new["at"], min(new["amount"], LARGEST)
    moment = datetime.fromtimestamp(now / 1000, UTC)
    values = {
        "amount": amount / 100,
        "amount_is_round": amount % 1000 == 0,
        "hour_of_day": now % DAY_MS / HOUR_MS,
        "is_night": moment.hour < 6,
        "is_weekend": moment.weekday() >= 5,
        "channel": new["channel"],
        "entry_mode": new["entry_mode"],
        "merchant_group": GROUP_OF_MCC[new["mcc"]],
        "country": new["country"],
    }
    seen = {
        name: [tx for tx in reversed(before) if tx["at"] > now - round(days * DAY_MS)] for name, days in WINDOWS.items()
    }
    month = seen["30d"]
    amounts = {name: [min(tx["amount"], LARGEST) for tx in window] for name, window in seen.items()}
    usual = _usual(amounts["30d"])
    scale = max(usual, 1)
    outliers = {name: [tx for tx in window if min(tx["amount"], LARGEST) > 2 * usual] for name, window in seen.items()}
    count = len(month)

    def share(matches):
        return sum(map(matches, month)) / max(count, 1)

    def hours_since(matches):
        found = [tx["at"] for tx in month if matches(tx)]
        return (now - max(found)) / HOUR_MS if found else 720.0

    for name, window in seen.items():
        values[f"card_count_{name}"] = len(window)
    for name in ("1d", "7d", "14d", "30d"):
        values[f"card_mean_{name}"] = sum(amounts[name]) / max(len(seen[name]), 1) / 100
        values[f"card_outliers_{name}"] = len(outliers[name])
    spread = sum(abs(each - usual) for each in amounts["30d"])
    values |= {
        "card_small_count_1h": sum(each <= 500 for each in amounts["1h"]),
        "card_small_count_1d": sum(each <= 500 for each in amounts["1d"]),
        "card_usual_amount": usual / 100,
        "card_amount_to_usual": amount / scale if month else 1,
        "card_amount_to_mean_7d": amount * len(seen["7d"]) / max(sum(amounts["7d"]), 1) if seen["7d"] else 1,
        "card_amount_to_max_30d": amount / max(1, *amounts["30d"]) if month else 1,
        "card_amount_deviation": (amount - usual) * count / max(spread, count * usual // 10, 1),
        "card_max_to_usual_1d": max(amounts["1d"], default=0) / scale,
        "card_max_to_usual_7d": max(amounts["7d"], default=0) / scale,
        "card_hours_since_last": hours_since(lambda tx: True),
        "card_hours_since_outlier": hours_since(lambda tx: tx in outliers["30d"]),
        "card_hours_since_same_terminal": hours_since(lambda tx: _high(tx["terminal"]) == _high(new["terminal"])),
        "card_hours_since_other_country": hours_since(lambda tx: tx["country"] != new["country"]),
        "card_same_terminal_30d": sum(_high(tx["terminal"]) == _high(new["terminal"]) for tx in month),
        "card_is_new_terminal": all(_high(tx["terminal"]) != _high(new["terminal"]) for tx in month),
        "card_is_new_country": all(tx["country"] != new["country"] for tx in month),
        "card_night_share_30d": share(lambda tx: datetime.fromtimestamp(tx["at"] / 1000, UTC).hour < 6),
        "card_weekend_share_30d": share(lambda tx: datetime.fromtimestamp(tx["at"] / 1000, UTC).weekday() >= 5),
        "card_channel_share_30d": share(lambda tx: tx["channel"] == new["channel"]),
        "card_entry_mode_share_30d": share(lambda tx: tx["entry_mode"] == new["entry_mode"]),
        "card_history_days": (now - month[-1]["at"]) / DAY_MS if month else 0,
    }
    for name in ("1d", "7d", "30d"):
        values[f"card_terminals_{name}"] = len({_high(tx["terminal"]) for tx in seen[name]})
    for name in ("1d", "30d"):
        values[f"card_countries_{name}"] = len({tx["country"] for tx in seen[name]})
    return {name: np.float32(value) for name, value in values.items()}


def _high(terminal):
    return int(terminal) >> 32


def _usual(amounts):
    usual = sum(amounts) // max(len(amounts), 1)
    for _ in range(2):
        kept = [each for each in amounts if each <= 2 * usual]
        usual = sum(kept) // max(len(kept), 1)
    return usual
