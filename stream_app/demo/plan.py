"""Sizes and rates of a demo."""

import msgspec

from models.errors import FraudstreamError
from models.gate.limits import GateLimits
from models.release.plan import ReleasePlan
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS
from models.schema.topics import LONGEST_WINDOW_DAYS
from models.thresholds import ReviewPolicy
from producers.simulator.script import Phase, TacticScript

MATURITY_DAYS = 7
"""Event days after which a transaction that nobody reported counts as genuine."""
FILLED_DAYS = max(*PROFILE_WINDOWS_DAYS, LONGEST_WINDOW_DAYS) + MATURITY_DAYS
"""Event days after which every window is full; before them no row is trained on."""
FEWEST_TRAINING_DAYS = 22
"""Two weeks of rows for the first model, a third to judge it on, and a day to spare."""
STAGE_TRANSACTIONS = 10_000
"""Of a shadow and of a canary stage."""
NEW_TACTIC = "cash_out_abroad"
_GATE = GateLimits(calibration_factor=2.5, calibration_misplaced=1.0, new_declines=0.03, falls_with_amount=0.4)
"""The usual limits but for four: what some hundred frauds and a quick fit cannot do is to calibrate, and to learn that
larger amounts and unknown fields change nothing. No model is sure enough here to decline: these only send to review."""
_NEVER_HOURS = 24.0 * 365


class PlanError(FraudstreamError):
    """Raised for a demo that could show nothing."""


class DemoPlan(msgspec.Struct, frozen=True):
    """What a demo does.

    Parameters
    ----------
    events
        Transactions sent at the fixed rate while a new tactic begins and is found.
    release
        Transactions at that rate while the retrained model is shadow, canary and champion.
    bad
        Transactions at that rate while a bad model is pushed and rolled back.
    rate
        The fixed rate, transactions a second. 2,000 leaves two cores, shared with Kafka and the reader, half idle.
    burst
        Transactions sent afterwards at full speed, for throughput.
    seed
        Of everything random: same seed, same bytes.
    customers, terminals, transactions_per_day
        Size of the bank: as small as fraud can still be learned from, because the machine has to be shared.
    tactic_day
        New day, from 0, on which a tactic begins that no model has seen.
    tactic_share
        Its payments as a fraction of the genuine ones, more than all other fraud together: a demo has no time
        for one that hides among the others for weeks.
    review_share
        Share of the payments that analysts look at: retrained models keep to it within a fifth, so it has to have room
        for the new tactic beside the old ones.
    history_days
        Days that the first model is trained on.
    warm_up_days
        Last days of the history, streamed at full speed before the measurement, so that every card and terminal has a
        past.
    partitions
        Partitions of the topics.
    retrain_days
        Last days of the history that retrains learn from, beside the new ones. Windows were still filling before.
    stage
        Transactions of the shadow stage, and of the canary stage.
    fit
        Parameters of the first model, smaller than the family's own: a fit in seconds.
    refit
        The same for retrained ones.
    """

    events: int = 85_000
    release: int = 40_000
    bad: int = 20_000
    rate: float = 2_000.0
    burst: int = 40_000
    seed: int = 1
    customers: int = 2_500
    terminals: int = 500
    transactions_per_day: float = 5_000.0
    tactic_day: int = 1
    tactic_share: float = 0.006
    review_share: float = 0.01
    history_days: int = 80
    warm_up_days: int = FILLED_DAYS + 1
    partitions: int = 4
    retrain_days: int = 20
    stage: int = STAGE_TRANSACTIONS
    fit: dict[str, int | float] = msgspec.field(
        default_factory=lambda: {"max_iter": 30, "learning_rate": 0.2, "max_leaf_nodes": 15}
    )
    refit: dict[str, int | float] = msgspec.field(
        default_factory=lambda: {"num_iterations": 45, "learning_rate": 0.16, "num_leaves": 15}
    )

    def __post_init__(self) -> None:
        """Refuse what could show nothing."""
        if min(self.events, self.release, self.bad, self.burst) < 1 or not self.rate > 0:
            raise PlanError(
                f"{self.events}, {self.release} and {self.bad} events at {self.rate:g}/s and a burst of {self.burst}: "
                "each must be above 0"
            )
        if self.history_days < FILLED_DAYS + FEWEST_TRAINING_DAYS:
            raise PlanError(f"{self.history_days} days of history: give {FILLED_DAYS + FEWEST_TRAINING_DAYS} or more")
        if not 1 <= self.warm_up_days <= self.history_days:
            raise PlanError(f"{self.warm_up_days} days to warm up: give 1 to {self.history_days}, the days of history")

    @property
    def tactic(self) -> TacticScript:
        """What begins: skimmed cards, so far abused where they were copied, are now used elsewhere."""
        phase = Phase(self.history_days + self.tactic_day, share=self.tactic_share, variant="cash_out")
        return TacticScript("terminal_compromise", (phase,), NEW_TACTIC)

    @property
    def new_events(self) -> int:
        """How many transactions come behind the past."""
        return self.events + self.release + self.bad + self.burst

    @property
    def policy(self) -> ReviewPolicy:
        """Of all models' thresholds."""
        return ReviewPolicy(review_share=self.review_share)

    def retraining(self) -> bytes:
        """Return what `fraudstream retrain --plan` reads: quick fits, and stages that count transactions alone."""
        recipe = FitRecipe("lightgbm", half_life_days=28.0, parameters={**self.refit})
        retrain = RetrainPlan(
            incident=(recipe,), genuine_to_choose=20_000, genuine_to_fit=60_000, policy=self.policy, seed=self.seed
        )
        # A day of the demo lasts seconds: its hours say nothing of how much was seen.
        release = ReleasePlan(
            shadow_transactions=self.stage,
            canary_transactions=self.stage,
            shadow_hours=_NEVER_HOURS,
            canary_hours=_NEVER_HOURS,
            patience_hours=_NEVER_HOURS,
        )
        return msgspec.json.encode({"retrain": retrain, "gate": _GATE, "release": release})
