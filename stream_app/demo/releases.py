"""Two models from the bank's past: one as of a week before the demo, one as of today."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.features.history import History
from models.manifest import Manifest
from models.registry import Registry
from models.signing import SigningKey
from models.training import DAY_MS, Provenance, Recipe, train
from models.training_rows import TrainingRows, mature_rows
from stream_app.demo.plan import FILLED_DAYS, MATURITY_DAYS, DemoPlan

ACTOR = "fraudstream demo"


class Releases:
    """Trains models on a bank's past, registers them and makes them champion.

    Parameters
    ----------
    registry
        Where models and aliases live.
    folder
        Data folder of the workers: the signing key goes there, its public half among the allowed signers.
    plan
        How many days there are, and how big a model is.
    provenance
        Code and time of the training.
    """

    def __init__(self, registry: Registry, folder: Path, plan: DemoPlan, provenance: Provenance) -> None:
        self._registry = registry
        self._plan = plan
        self._provenance = provenance
        self._key = SigningKey.load_or_create(folder / "signing-key.pem")
        self._key.publish(folder / "allowed-signers")
        self._past: tuple[History, npt.NDArray[np.float32], int] | None = None

    def learn(self, past: History, start_ms: int) -> None:
        """Compute the features of a past that began with day 0."""
        self._past = past, batch_features(past, DEFAULT), start_ms

    def train(self, as_of_day: int, seed: int, *, watched: bool) -> Manifest:
        """Fit on all that was mature on a day, with the labels known by then, and register.

        A watched model knows what it is used to: it can be told from drift, at the price of four more fits.
        """
        # One thread: on cores that Kafka and the workers use too, two wait for one another. On two busy cores, 126,000
        # rows and 30 trees took 8 s with one and more than 75 s with two.
        with threadpool_limits(limits=1, user_api="openmp"):
            recipe = Recipe(parameters=self._plan.fit, seed=seed)
            rows = self._rows(as_of_day)
            # Without terminals there is no drift reference.
            bundle = train(rows if watched else replace(rows, terminal=None), recipe, self._provenance, self._key)
        self._registry.put(bundle)
        return bundle.manifest

    def promote(self, version: str, reason: str) -> None:
        """Make a version champion."""
        self._registry.promote(version, ACTOR, reason)

    def roll_back(self, reason: str) -> None:
        """Make the previous champion champion again."""
        self._registry.rollback(ACTOR, reason)

    def _rows(self, as_of_day: int) -> TrainingRows:
        if self._past is None:
            raise AssertionError("learn comes before train")
        past, values, start_ms = self._past
        return mature_rows(
            past,
            values,
            from_day=FILLED_DAYS,
            as_of=start_ms + as_of_day * DAY_MS,
            maturity_ms=MATURITY_DAYS * DAY_MS,
            source="simulated bank",
        )
