"""The features of a transaction taken alone."""

from typing import Final

from models.features.feature import Feature


def _own(name: str, description: str, unit: str, reason: str) -> Feature:
    return Feature(name, description, unit, window_days=None, warm_up_days=0.0, reason=reason)


TRANSACTION_FEATURES: Final = (
    _own("amount", "amount in the reporting currency", "100 minor units", "amount of the transaction"),
    _own("amount_is_round", "1 where the amount is a multiple of 1000 minor units", "flag", "round amount"),
    _own("hour_of_day", "time of day in UTC", "hours", "time of day"),
    _own("is_night", "1 from 00:00 to 05:59 UTC", "flag", "made at night"),
    _own("is_weekend", "1 on Saturday and Sunday in UTC", "flag", "made at the weekend"),
    _own("channel", "0 unknown, 1 pos, 2 ecommerce, 3 atm, 4 moto", "code", "channel of the transaction"),
    _own(
        "entry_mode",
        "0 unknown, 1 chip, 2 contactless, 3 magstripe, 4 manual, 5 stored, 6 online",
        "code",
        "way the card was read",
    ),
    _own(
        "merchant_group",
        "group of the merchant category code, see docs/contracts/features.md",
        "code",
        "kind of merchant",
    ),
    _own("country", "ISO 3166 numeric code of the merchant's country, 0 unknown", "code", "country of the merchant"),
)
