"""The features of a card's own transactions in the 30 days before, the transaction itself left out."""

from typing import Final

from models.features.feature import Feature

WINDOWS: Final = {"10m": 1 / 144, "1h": 1 / 24, "1d": 1.0, "7d": 7.0, "14d": 14.0, "30d": 30.0}
"""Name and length in days of each card window, shortest first."""


def _card(name: str, description: str, unit: str, window: str, reason: str) -> Feature:
    days = WINDOWS[window]
    return Feature(f"card_{name}", description, unit, window_days=days, warm_up_days=days, reason=reason)


def _counts() -> tuple[Feature, ...]:
    return tuple(
        _card(
            f"count_{window}",
            f"transactions in the last {window}",
            "transactions",
            window,
            f"number of payments within {window}",
        )
        for window in WINDOWS
    )


def _means() -> tuple[Feature, ...]:
    return tuple(
        _card(
            f"mean_{window}",
            f"mean amount in the last {window}, 0 without any",
            "100 minor units",
            window,
            f"average amount within {window}",
        )
        for window in ("1d", "7d", "14d", "30d")
    )


def _outliers() -> tuple[Feature, ...]:
    return tuple(
        _card(
            f"outliers_{window}",
            f"transactions in the last {window} above twice the usual amount",
            "transactions",
            window,
            f"unusually large payments within {window}",
        )
        for window in ("1d", "7d", "14d", "30d")
    )


CARD_FEATURES: Final = (
    *_counts(),
    *_means(),
    *_outliers(),
    _card(
        "small_count_1h",
        "transactions of at most 500 minor units in the last hour",
        "transactions",
        "1h",
        "series of very small payments",
    ),
    _card(
        "small_count_1d",
        "transactions of at most 500 minor units in the last day",
        "transactions",
        "1d",
        "many very small payments in a day",
    ),
    _card(
        "usual_amount",
        "robust mean amount of 30 days: amounts above twice the mean left out, 0 without any",
        "100 minor units",
        "30d",
        "usual amount of this card",
    ),
    _card(
        "amount_to_usual",
        "amount over the usual amount, 1 without history",
        "ratio",
        "30d",
        "amount far above what is usual for this card",
    ),
    _card(
        "amount_to_mean_7d",
        "amount over the mean of 7 days, 1 without any",
        "ratio",
        "7d",
        "amount far above the last week's average",
    ),
    _card(
        "amount_to_max_30d",
        "amount over the largest of 30 days, 1 without any",
        "ratio",
        "30d",
        "larger than any payment in 30 days",
    ),
    _card(
        "amount_deviation",
        "amount less the usual amount, over the mean absolute deviation from it or a tenth of it if more, 0 if none",
        "deviations",
        "30d",
        "amount outside the card's usual spread",
    ),
    _card(
        "max_to_usual_1d",
        "largest amount of a day over the usual amount, 0 without any",
        "ratio",
        "1d",
        "very large payment in the last day",
    ),
    _card(
        "max_to_usual_7d",
        "largest amount of 7 days over the usual amount, 0 without any",
        "ratio",
        "7d",
        "very large payment in the last week",
    ),
    _card(
        "hours_since_last",
        "hours since the previous transaction, 720 without any in 30 days",
        "hours",
        "30d",
        "time since the previous payment",
    ),
    _card(
        "hours_since_outlier",
        "hours since the previous amount above twice the usual, 720 without any",
        "hours",
        "30d",
        "an unusually large payment shortly before",
    ),
    _card(
        "hours_since_same_terminal",
        "hours since the previous transaction at this terminal, 720 without any",
        "hours",
        "30d",
        "time since the last payment at this terminal",
    ),
    _card(
        "hours_since_other_country",
        "hours since the previous transaction in another country, 720 without any",
        "hours",
        "30d",
        "used in another country shortly before",
    ),
    _card("terminals_1d", "distinct terminals in the last day", "terminals", "1d", "many terminals in a day"),
    _card("terminals_7d", "distinct terminals in the last 7 days", "terminals", "7d", "many terminals in a week"),
    _card("terminals_30d", "distinct terminals in the last 30 days", "terminals", "30d", "many terminals in a month"),
    _card("countries_1d", "distinct countries in the last day", "countries", "1d", "several countries in a day"),
    _card(
        "countries_30d", "distinct countries in the last 30 days", "countries", "30d", "several countries in a month"
    ),
    _card(
        "is_new_terminal",
        "1 where the card was not at this terminal in 30 days",
        "flag",
        "30d",
        "first payment at this terminal",
    ),
    _card(
        "is_new_country",
        "1 where the card was not in this country in 30 days",
        "flag",
        "30d",
        "first payment in this country",
    ),
    _card(
        "same_terminal_30d",
        "transactions at this terminal in the last 30 days",
        "transactions",
        "30d",
        "how often the card was at this terminal",
    ),
    _card(
        "night_share_30d",
        "share of night transactions in 30 days, 0 without any",
        "share",
        "30d",
        "share of night payments",
    ),
    _card(
        "weekend_share_30d",
        "share of weekend transactions in 30 days, 0 without any",
        "share",
        "30d",
        "share of weekend payments",
    ),
    _card(
        "channel_share_30d",
        "share of transactions by this channel in 30 days, 0 without any",
        "share",
        "30d",
        "channel this card rarely uses",
    ),
    _card(
        "entry_mode_share_30d",
        "share of transactions by this entry mode in 30 days, 0 without any",
        "share",
        "30d",
        "way of reading that this card rarely uses",
    ),
    _card(
        "history_days",
        "days since the oldest transaction of the last 30 days, 0 without any",
        "days",
        "30d",
        "short history of this card",
    ),
)
