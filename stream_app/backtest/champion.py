"""The model that a backtest trains on a day, as the retrainer would: from mature rows, signed, with its reference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from models.bundle import Bundle
from models.drift.reference import DriftReference
from models.drift.watch import reference_in
from models.families.base import Parameter
from models.families.catalogue import DEFAULT_FAMILY
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from models.thresholds import ReviewPolicy
from models.training import DAY_MS, Provenance, Recipe, train
from models.training_rows import mature_rows
from stream_app.backtest.world import World

WARM_UP_ROWS_FROM_DAY: Final = 28
"""First day that is trained on: before it the longest card window is not full."""


@dataclass(frozen=True, slots=True)
class ChampionRecipe:
    """How a backtest trains.

    Parameters
    ----------
    family, parameters: kind of model.
    seed: of everything random in the fit.
    policy: chooses the thresholds.
    """

    family: str = DEFAULT_FAMILY
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    seed: int = 1
    policy: ReviewPolicy = field(default_factory=ReviewPolicy)


@dataclass(frozen=True, slots=True, eq=False)
class Champion:
    """A model that scores from a day on.

    Attributes
    ----------
    from_day: first day that it scores.
    model: ready to score.
    reference: what its drift tests compare with; None where the rows allowed none.
    """

    from_day: int
    model: LoadedModel
    reference: DriftReference | None

    @classmethod
    def of(cls, bundle: Bundle, key: SigningKey, from_day: int) -> "Champion":
        """Verify and load a bundle."""
        model = LoadedModel.load(bundle, AllowedSigners.of([key.public_key]))
        return cls(from_day, model, reference_in(model.manifest.reference))


def train_champion(
    world: World,
    values: npt.NDArray[np.float32],
    day: int,
    recipe: ChampionRecipe,
    maturity_ms: int,
    report: Callable[[str], None],
) -> Champion:
    """Train on what was known at the start of a day; the same world, day and recipe give the same model.

    Parameters
    ----------
    values: float32[n, F] features of at least the rows before that day.
    day: counted from the world's first.
    """
    as_of = (world.first_day + day) * DAY_MS
    rows = mature_rows(
        world.history,
        values,
        from_day=WARM_UP_ROWS_FROM_DAY,
        as_of=as_of,
        maturity_ms=maturity_ms,
        source=world.source,
    )
    key = SigningKey.generate()
    fitted = Recipe(recipe.family, recipe.parameters, recipe.seed, gap_ms=maturity_ms, policy=recipe.policy)
    bundle = train(rows, fitted, Provenance(as_of, ""), key, report=report)
    return Champion.of(bundle, key, day)
