"""The families by name; the first is the default."""

from typing import Final

from models.families.base import Family, FamilyError
from models.families.hist_gradient_boosting import HistGradientBoosting
from models.families.lightgbm import LightGBM
from models.families.logistic_regression import LogisticRegressionFamily

FAMILIES: Final[dict[str, Family]] = {
    each.name: each for each in (HistGradientBoosting(), LogisticRegressionFamily(), LightGBM())
}
DEFAULT_FAMILY: Final = "hist_gradient_boosting"


def family(name: str) -> Family:
    """Return the family of that name, or raise FamilyError naming those there are.

    Examples
    --------
    >>> family("lightgbm").name
    'lightgbm'
    """
    if name not in FAMILIES:
        raise FamilyError(f"no model family {name!r}; there are {', '.join(FAMILIES)}")
    return FAMILIES[name]
