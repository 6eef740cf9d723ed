"""Reason codes as an analyst reads them."""

from dataclasses import dataclass
from typing import Final

from models.features.feature import Feature
from models.features.feature_set import FEATURE_SETS
from models.schema.score import ReasonCode

_FEATURES: Final[dict[str, Feature]] = {
    feature.name: feature for features in FEATURE_SETS.values() for feature in features.features
}
_FLAG: Final = "flag"
_LARGE: Final = 1000.0


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
    """Return a feature value with its unit.

    Examples
    --------
    >>> value_text("is_night", 1.0), value_text("hour_of_day", 13.25)
    ('yes', '13.25 hours')
    """
    known = _FEATURES.get(feature)
    if value != value:  # noqa: PLR0124  NaN alone differs from itself
        return "unknown"
    if known is not None and known.unit == _FLAG:
        return "yes" if value else "no"
    number = f"{value:,.0f}" if value == int(value) or abs(value) >= _LARGE else f"{value:.4g}"
    return number if known is None or known.unit == "code" else f"{number} {known.unit}"


def feature_words(feature: str) -> str:
    """Return what a feature is called for people."""
    known = _FEATURES.get(feature)
    return feature if known is None else known.reason


def _reason(code: ReasonCode) -> Reason:
    known = _FEATURES.get(code.feature)
    words = code.code if known is None else known.reason
    value = "" if known is not None and known.unit == _FLAG else value_text(code.feature, code.value)
    return Reason(words, value, code.contribution, code.code)
