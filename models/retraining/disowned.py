"""Genuine rows from before a change that look like its fraud: they teach the opposite of what is true now.

Boosting for transfer (Dai, Yang, Xue, Yu: Boosting for Transfer Learning, ICML 2007) takes weight from those old rows
that a model of the new ones misjudges; here that is done once, by two quick fits.
"""

from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from models.families.base import Parameter
from models.families.catalogue import family
from models.families.session import evaluator_of_fit
from models.schema.topics import DAY_MS
from models.side_by_side import side_by_side
from models.training_rows import TrainingRows, thinned

_FAMILY: Final = "lightgbm"
_QUICK: Final[dict[str, Parameter]] = {"num_iterations": 60, "max_bin": 1023}
_GENUINE: Final = 60_000
_OLD_WEIGHT: Final = 0.01
_OLD_HALF_LIFE_DAYS: Final = 14.0
_SUSPICIOUS: Final = 0.1
_TIMES: Final = 4.0
"""What the rows before the change hold for suspicious too is the usual hard case, and has to be learned."""


def disowned(rows: TrainingRows, changed_at: int, seed: int) -> npt.NDArray[np.bool_]:
    """Return the genuine rows before a change that are fraud by what came after it, bool[n].

    A fit that hardly counts the rows before gives them a probability of a tenth or more, and four times what a fit on
    the rows before alone gives them. Nothing is disowned where one side holds no fraud.

    Parameters
    ----------
    rows: mature rows.
    changed_at: event time of the change, ms.
    seed: of the fits and of the draw of the genuine rows that they learn from.
    """
    before = rows.event_time < changed_at
    few = thinned(rows, _GENUINE, seed)
    old = few.event_time < changed_at
    if not few.is_fraud[old].any() or not few.is_fraud[~old].any():
        return np.zeros(len(rows), np.bool_)
    asked = np.flatnonzero(before & ~rows.is_fraud)
    values = rows.values[asked]
    weight = np.ones(len(few)) if few.weight is None else few.weight
    age_days = np.maximum(changed_at - few.event_time, 0) / DAY_MS
    since = few.weighted(weight * np.where(old, _OLD_WEIGHT * 0.5 ** (age_days / _OLD_HALF_LIFE_DAYS), 1.0))
    new_view, old_view = side_by_side(
        partial(_probability, fitted_on, values, seed) for fitted_on in (since, few.weighted(weight).take(old))
    )
    found = np.zeros(len(rows), np.bool_)
    found[asked] = (new_view > _SUSPICIOUS) & (new_view > _TIMES * old_view)
    return found


def _probability(rows: TrainingRows, values: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.float32]:
    assert rows.weight is not None, "these rows are weighed"
    weight = rows.weight * (len(rows) / rows.weight.sum())
    kind = family(_FAMILY)
    fitted = kind.fit(rows.values, rows.is_fraud, weight, seed, **_QUICK)
    return evaluator_of_fit(kind, fitted, values.shape[1]).score(values)
