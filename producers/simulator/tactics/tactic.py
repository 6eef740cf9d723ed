"""What every fraud tactic is: campaigns that live for some days, and the payments that they make on one."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from producers.simulator.ordinary_day import local_to_utc_ms
from producers.simulator.payments import Payments, price_minor
from producers.simulator.population import Population
from producers.simulator.random_streams import stream_key
from producers.simulator.settings import DAY_MS


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign on one of its days: a mule, a skimmer, a stolen card.

    `plan` is seeded by the campaign alone, so it draws the same victims and places on each of its days; `today` differs
    from day to day. `days_in` counts from 0 on the first of `days` days.
    """

    population: Population
    plan: np.random.Generator
    today: np.random.Generator
    identity: int
    day: int
    days_in: int
    days: int
    payments: int
    strength: float

    @property
    def day_start_ms(self) -> int:
        """Event time at which this day begins."""
        return self.population.settings.day_start_ms(self.day)


class Tactic(Protocol):
    """One way to commit fraud.

    `payments_per_day` is what one campaign makes on a day: more fraud means more campaigns, not busier ones.
    `lives_days` bounds how long a campaign lives.
    """

    kind: ClassVar[str]
    variants: ClassVar[tuple[str, ...]]
    payments_per_day: ClassVar[float]
    lives_days: ClassVar[tuple[int, int]]

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Return the campaign's payments of its day, `campaign.payments` of them, in any order."""
        ...


def pay(
    campaign: Campaign,
    *,
    local_ms: np.ndarray,
    card: np.ndarray,
    terminal: np.ndarray,
    eur: np.ndarray,
    entry_mode: np.ndarray,
    device: np.ndarray,
) -> Payments:
    """Make payments at the prices of the terminals, at local times of the campaign's day."""
    population = campaign.population
    customer = population.customers.card_customer[card]
    return Payments(
        event_time=campaign.day_start_ms + local_to_utc_ms(local_ms % DAY_MS, customer, terminal, population),
        card=card.astype(np.int32),
        terminal=terminal.astype(np.int32),
        amount_minor=price_minor(eur, terminal, population.terminals, campaign.today),
        entry_mode=entry_mode.astype(np.uint8),
        device=device.astype(np.int64),
    )


def series_ms(start_ms: float, mean_pause_ms: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n times from a start on, with random pauses of a given mean."""
    times: np.ndarray = (start_ms + np.cumsum(rng.exponential(mean_pause_ms, n))).astype(np.int64)
    return times


def foreign_device(campaign: Campaign, number: int) -> int:
    """Return a device that belongs to no customer."""
    key = int(stream_key(campaign.population.seed, "foreign device", campaign.identity, number))
    return (1 << 40) | (key & 0xFF_FFFF_FFFF)
