"""Reason codes as an analyst reads them."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from models.features.feature import Feature
from models.features.feature_set import FEATURE_SETS
from models.schema.iso_codes import COUNTRY_NUMBERS
from models.schema.money import default_reporting_currency
from models.schema.score import ReasonCode
from stream_app.console.records.amounts import amount_text

_FEATURES: Final[dict[str, Feature]] = {
    feature.name: feature for features in FEATURE_SETS.values() for feature in features.features
}
_FLAG: Final = "flag"
_CODE: Final = "code"
_DAYS: Final = "days"
"""Since something; below 0 where there was none."""
_LARGE: Final = 1000.0
_LISTED: Final = re.compile(r"(\d+) ([a-z]+)")
_COUNTRIES: Final = {number: country for country, number in COUNTRY_NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason in words.

    Attributes
    ----------
    words: what speaks for fraud.
    value: the value with its unit; empty where the words say it.
    contribution: what it adds to the log-odds of fraud.
    """

    words: str
    value: str
    contribution: float
    code: str


def in_words(codes: list[ReasonCode]) -> list[Reason]:
    """Return the reasons of a score; a code of another release stays as it is.

    Examples
    --------
    >>> in_words([ReasonCode("IS_NIGHT", "is_night", 1.0, 0.5), ReasonCode("OLD", "old", 2.5, 0.25)])[0].words
    'made at night'
    """
    return [_reason(code) for code in codes]


def value_text(feature: str, value: float) -> str:
    """Return a feature value as people say it.

    Examples
    --------
    >>> value_text("is_night", 1.0), value_text("hour_of_day", 13.25), value_text("amount", 9.5)
    ('yes', '13.25 hours', '9.50 EUR')
    >>> value_text("channel", 2.0), value_text("card_amount_to_usual", 4.26), value_text("country", 250.0)
    ('ecommerce', '4.3 times', 'FR')
    >>> value_text("terminal_days_since_first_unexplained", -1.0)
    'never so far'
    """
    known = _FEATURES.get(feature)
    if math.isnan(value):
        return "unknown"
    if known is None:
        return _number(value)
    if known.unit == _DAYS and value < 0:
        return "never so far"
    if known.unit == _CODE:
        return _coded(known, int(value))
    say = _BY_UNIT.get(known.unit)
    return f"{_number(value)} {known.unit}" if say is None else say(value)


def _number(value: float) -> str:
    whole = value == int(value) if math.isfinite(value) else False
    return f"{value:,.0f}" if whole or abs(value) >= _LARGE else f"{value:.4g}"


def _money(value: float) -> str:
    return amount_text(round(value * 100), default_reporting_currency().currency)


_BY_UNIT: Final[dict[str, Callable[[float], str]]] = {
    "flag": lambda value: "yes" if value else "no",
    "100 minor units": _money,
    "ratio": lambda value: f"{value:,.1f} times",
    "share": lambda value: f"{value:.1%}",
}


def _coded(feature: Feature, code: int) -> str:
    """The name of a code, where the feature's description lists them as `0 unknown, 1 pos`."""
    if feature.name == "country":
        return _COUNTRIES.get(code, "unknown")
    names: dict[str, str] = dict(_LISTED.findall(feature.description))
    return names.get(str(code), str(code))


def feature_words(feature: str) -> str:
    """Return what a feature is called for people."""
    known = _FEATURES.get(feature)
    return feature if known is None else known.reason


def _reason(code: ReasonCode) -> Reason:
    known = _FEATURES.get(code.feature)
    words = code.code if known is None else known.reason
    value = "" if known is not None and known.unit == _FLAG else value_text(code.feature, code.value)
    return Reason(words, value, code.contribution, code.code)
