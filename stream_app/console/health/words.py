"""What a feature is, in words."""

from typing import Final

from models.drift.day_counts import SCORE
from models.features.feature_set import FEATURE_SETS

_CODES: Final = {
    "channel": "how the card was used: terminal, shop on the web, cash machine, order by mail or telephone",
    "entry_mode": "how the card was read",
    "merchant_group": "group of the merchant",
    "country": "country of the merchant",
}
"""A description of a code lists its numbers."""
_OF: Final = {"card_": "the card: ", "terminal_": "the terminal: "}
_FEATURES: Final = {
    feature.name: feature.description for features in FEATURE_SETS.values() for feature in features.features
}


def in_words(feature: str) -> str:
    """Return what is looked at.

    Examples
    --------
    >>> in_words("card_count_1h"), in_words("score")
    ('the card: transactions in the last 1h', 'the score of the model')
    """
    if feature == SCORE:
        return "the score of the model"
    of = next((text for prefix, text in _OF.items() if feature.startswith(prefix)), "")
    return of + _CODES.get(feature, _FEATURES.get(feature, "a feature that this release does not know"))
