"""Sizes and rates of a demo."""

import msgspec

from models.errors import FraudstreamError
from models.schema.terminal_profile import PROFILE_WINDOWS_DAYS
from models.schema.topics import LONGEST_WINDOW_DAYS
from producers.simulator.script import Phase, TacticScript

MATURITY_DAYS = 7
"""Event days after which a transaction that nobody reported counts as genuine."""
FILLED_DAYS = max(*PROFILE_WINDOWS_DAYS, LONGEST_WINDOW_DAYS) + MATURITY_DAYS
"""Event days after which every window is full; before them no row is trained on."""
FEWEST_TRAINING_DAYS = 22
"""Two weeks of rows for the first model, a third for the second, and a day to spare."""


SWAPS = 3
_SWAP_EVERY_SHARE = 1 / 8
"""Of the events at the fixed rate. The swaps come early, so that one champion lives through the new tactic: only days
that it has scored itself tell what it misses."""


class PlanError(FraudstreamError):
    """Raised for a demo that could show nothing."""


class DemoPlan(msgspec.Struct, frozen=True):
    """What a demo does.

    Parameters
    ----------
    events
        Transactions sent at the fixed rate, while latency is measured and the model is swapped.
    rate
        That rate, transactions a second. 2,000 leaves two cores, shared with Kafka and the reader, half idle.
    burst
        Transactions sent afterwards at full speed, for throughput.
    seed
        Of everything random: same seed, same bytes.
    customers, terminals, transactions_per_day
        Size of the bank: as small as fraud can still be learned from, because the machine has to be shared.
    tactic_day
        New day, from 0, on which a tactic begins that no model has seen.
    tactic_share
        Its payments as a fraction of the genuine ones, twice those of all other fraud together: a demo has no time
        for one that hides among the others for weeks.
    history_days
        Days that the models are trained on.
    warm_up_days
        Last days of the history, streamed at full speed before the measurement, so that every card and terminal has a
        past.
    partitions
        Partitions of the topics.
    fit
        Parameters of the models, smaller than the family's own: a fit in seconds.
    """

    events: int = 80_000
    rate: float = 2_000.0
    burst: int = 80_000
    seed: int = 1
    customers: int = 2_500
    terminals: int = 500
    transactions_per_day: float = 5_000.0
    tactic_day: int = 1
    tactic_share: float = 0.01
    history_days: int = 80
    warm_up_days: int = FILLED_DAYS + 1
    partitions: int = 4
    fit: dict[str, int | float] = msgspec.field(
        default_factory=lambda: {"max_iter": 60, "learning_rate": 0.12, "max_leaf_nodes": 15}
    )

    def __post_init__(self) -> None:
        """Refuse what could show nothing."""
        if self.events < 1 or self.burst < 1 or not self.rate > 0:
            raise PlanError(
                f"{self.events} events at {self.rate:g}/s and a burst of {self.burst}: each must be above 0"
            )
        if self.history_days < FILLED_DAYS + FEWEST_TRAINING_DAYS:
            raise PlanError(f"{self.history_days} days of history: give {FILLED_DAYS + FEWEST_TRAINING_DAYS} or more")
        if not 1 <= self.warm_up_days <= self.history_days:
            raise PlanError(f"{self.warm_up_days} days to warm up: give 1 to {self.history_days}, the days of history")

    @property
    def tactic(self) -> TacticScript:
        """What begins: payments that look ordinary one by one, so that nothing a model has learned helps."""
        return TacticScript("triangulation", (Phase(self.history_days + self.tactic_day, share=self.tactic_share),))

    @property
    def swaps_at(self) -> list[int]:
        """After how many events at the fixed rate the model is changed."""
        return [round(number * self.events * _SWAP_EVERY_SHARE) for number in range(1, SWAPS + 1)]
