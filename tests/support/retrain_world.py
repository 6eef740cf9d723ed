"""What a retrainer needs: a bank whose model a new tactic gets past, that model, requests, and a plan of small fits."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.bundle import Bundle
from models.families.base import Parameter
from models.gate.limits import GateLimits
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS
from models.signing import AllowedSigners, SigningKey
from models.thresholds import ReviewPolicy
from models.training import Provenance, Recipe, train
from models.training_rows import TrainingRows
from tests.support.archived_bank import FIRST_DAY, ArchivedBank, BankArchive

TACTIC_FROM = 10
DAYS = 26
ASKED_ON = 24
"""Its rows go up to day 16: a week of the tactic."""
BANK = ArchivedBank(tactic_from=TACTIC_FROM, telling=True)
SMALL: dict[str, Parameter] = {"num_iterations": 20, "min_data_in_leaf": 5, "learning_rate": 0.3}
POLICY = ReviewPolicy(review_share=0.08, decline_precision=None)
PLAN = RetrainPlan(
    incident=(FitRecipe("lightgbm", half_life_days=10.0, parameters=SMALL),),
    schedule=(FitRecipe("lightgbm", parameters=SMALL),),
    policy=POLICY,
)
LIMITS = GateLimits(loss_of_value_detection=1.0, change_of_alerts=1.0)
"""The tactic's amounts are nothing beside the others, and small trees give many rows one score."""


@dataclass
class RetrainMaterial:
    """Keys and a champion, made once a session."""

    folder: Path
    archive: BankArchive = field(init=False)

    def __post_init__(self) -> None:
        self.archive = BankArchive(self.folder, BANK)
        self.archive.add_days(0, DAYS)

    @cached_property
    def key(self) -> SigningKey:
        made = SigningKey.load_or_create(self.folder / "signing-key.pem")
        made.publish(self.folder / "allowed-signers")
        return made

    @property
    def allowed(self) -> AllowedSigners:
        return AllowedSigners.of([self.key.public_key])

    @cached_property
    def champion(self) -> Bundle:
        """What was fitted on the four weeks before the archive."""
        days = [BANK.day(number).rows for number in range(-28, 0)]
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(rows, name) for rows in days])
            for name in ("values", "is_fraud", "event_time", "card", "stated_at")
        }
        columns["labelled_at"] = columns.pop("stated_at")
        rows = TrainingRows(**columns, description="the bank before")
        recipe = Recipe("lightgbm", SMALL, policy=POLICY)
        return train(rows, recipe, Provenance(FIRST_DAY * DAY_MS, "test"), self.key)

    def request(self, **changes: Any) -> RetrainRequest:
        """The first request of the tactic's incident, unless changed."""
        day = changes.pop("day", ASKED_ON)
        _, commit = self.archive.announcements[day - 1]
        told: dict[str, Any] = {
            "request_id": "q1",
            "cause": "drift",
            "incident": "i1",
            "number": 1,
            "model_version": self.champion.version,
            "as_of": commit.watermark,
            "changed_at": (FIRST_DAY + TACTIC_FROM) * DAY_MS,
            "frauds_since_change": 60,
            "reason": "a test",
            "actor": "watch/drift",
            "table_versions": dict(commit.tables),
        }
        return RetrainRequest(**(told | changes))
