"""The versioned list of features: names, meaning, fingerprint, and the rule by which a card explains a fraud."""

import math
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.features.card_features import CARD_FEATURES
from models.features.feature import Feature
from models.features.terminal_features import TERMINAL_FEATURES
from models.features.transaction_features import TRANSACTION_FEATURES

EXPLAINED_AMOUNT_RATIO: Final = 2.0
"""An amount above this many times the card's usual amount explains a fraud by itself: the terminal is not to blame.

Measured, mean AP of four test weeks with one model: 1.6 times .747, 2.0 times .749, 2.4 times .746.
"""
EXPLAINED_RECENT_RATIO: Final = 3.0
"""So does a payment above this many times the usual amount in the 7 days before: the card was in wrong hands by then.

Measured: of 337 frauds on stolen cards that the amount alone does not explain this leaves 34, and takes 84 of 7,399
frauds at compromised terminals from their profiles; AP .750 to .752.
"""

_REVISION: Final = 3
"""Raised whenever a kernel gives other numbers under the same declarations."""


class UnknownFeatureSetError(FraudstreamError):
    """Raised when a model or checkpoint names a feature set that this release does not compute."""


@dataclass(frozen=True)
class FeatureSet:
    """Features in the order of their columns.

    Attributes
    ----------
    prefix: start of the version.
    features: the columns.

    Examples
    --------
    >>> DEFAULT.names[DEFAULT.index("amount")]
    'amount'
    """

    prefix: str
    features: tuple[Feature, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what decides the numbers: two sets that share it compute the same; words may change."""
        columns = [(feature.name, feature.unit, feature.window_days) for feature in self.features]
        declared = (_REVISION, EXPLAINED_AMOUNT_RATIO, EXPLAINED_RECENT_RATIO, columns)
        return sha256(msgspec.json.encode(declared)).hexdigest()

    @cached_property
    def version(self) -> str:
        """Name under which models, checkpoints and feature rows refer to this set."""
        return f"{self.prefix}-{self.fingerprint[:8]}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(feature.name for feature in self.features)

    def __len__(self) -> int:
        return len(self.features)

    def index(self, name: str) -> int:
        """Return the column of a feature; ValueError if there is none of that name."""
        return self.names.index(name)

    def explained(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Tell for each row of values [n, F] whether its amount, or the card's recent ones, would explain a fraud."""
        amount = values[:, self.index("card_amount_to_usual")] > np.float32(EXPLAINED_AMOUNT_RATIO)
        recent = values[:, self.index("card_max_to_usual_7d")] > np.float32(EXPLAINED_RECENT_RATIO)
        return np.asarray(amount | recent)


DEFAULT: Final = FeatureSet("fs1", (*TRANSACTION_FEATURES, *CARD_FEATURES, *TERMINAL_FEATURES))
WARM_UP_DAYS: Final = math.ceil(max(feature.warm_up_days for feature in DEFAULT.features))
"""Event days after which every window of the default set is full: references for drift start after them."""
FEATURE_SETS: Final = {DEFAULT.version: DEFAULT}


def feature_set(version: str) -> FeatureSet:
    """Return the feature set of that version.

    Raises
    ------
    UnknownFeatureSetError: this release does not compute it.
    """
    try:
        return FEATURE_SETS[version]
    except KeyError:
        known = ", ".join(FEATURE_SETS)
        raise UnknownFeatureSetError(
            f"feature set {version!r} is not computed here (known: {known}): train a model on one of them"
        ) from None
