"""Terminal compromise: a skimmed terminal, where the copied cards of its customers are abused for weeks."""

from typing import ClassVar

import numpy as np

from producers.simulator.customers import FAVOURITES, NIGHT_PERSON
from producers.simulator.ordinary_day import usual_amounts
from producers.simulator.payments import CHIP, CONTACTLESS, MAGSTRIPE, NO_DEVICE, Payments, opening_times
from producers.simulator.population import Population
from producers.simulator.rhythm import draw_local_times, weekday
from producers.simulator.tactics.tactic import Campaign, pay
from producers.simulator.terminals import ATM, POS

READING = {"base": (0.38, 0.57, 0.05), "cash_out": (0.45, 0.15, 0.4)}
"""Shares of chip, contactless and stripe: a copy without its chip falls back to the stripe where that still works."""
OUTLETS = 4


class TerminalCompromise:
    """Ordinary amounts at ordinary hours at one skimmed terminal, on cards that are used there.

    Only the terminal's own record gives it away. Variant `cash_out` abuses the copied cards elsewhere: at a few cash
    machines and shops abroad, which change every few days.
    """

    kind: ClassVar[str] = "terminal_compromise"
    variants: ClassVar[tuple[str, ...]] = ("base", "cash_out")
    payments_per_day: ClassVar[float] = 8.0
    lives_days: ClassVar[tuple[int, int]] = (14, 28)

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Abuse cards that the skimmer has read."""
        population, rng, n = campaign.population, campaign.today, campaign.payments
        skimmed = _skimmed_terminal(campaign)
        card = _regular_cards(population, skimmed, n, rng)
        terminal = np.full(n, skimmed)
        if variant == "cash_out":
            terminal = _outlets_abroad(campaign)[rng.integers(0, OUTLETS, n)]
        customer = population.customers.card_customer[card]
        rhythm = np.minimum(population.customers.rhythm[customer], NIGHT_PERSON)
        local_ms = draw_local_times(rhythm, weekday(campaign.day_start_ms), rng)
        return pay(
            campaign,
            local_ms=opening_times(local_ms, terminal, population.terminals, rng),
            card=card,
            terminal=terminal,
            eur=usual_amounts(population, customer, terminal, rng) * rng.uniform(1.0, 1.3 * campaign.strength, n),
            entry_mode=rng.choice((CHIP, CONTACTLESS, MAGSTRIPE), n, p=READING[variant]),
            device=np.full(n, NO_DEVICE),
        )


def _skimmed_terminal(campaign: Campaign) -> int:
    """Choose a physical terminal of some popularity."""
    terminals = campaign.population.terminals
    physical = np.flatnonzero(terminals.channel == POS)
    weights = np.sqrt(terminals.popularity[physical])
    return int(campaign.plan.choice(physical, p=weights / weights.sum()))


def _outlets_abroad(campaign: Campaign) -> np.ndarray:
    """Choose the physical terminals outside the customers' countries where the copies are used on this day."""
    terminals, homes = campaign.population.terminals, np.unique(campaign.population.customers.country)
    physical = np.isin(terminals.channel, (POS, ATM))
    abroad = np.flatnonzero(physical & ~np.isin(terminals.country, homes))
    tour = campaign.plan.choice(abroad if len(abroad) else np.flatnonzero(physical), 10 * OUTLETS)
    return np.roll(tour, -(campaign.days_in // 3) * OUTLETS)[:OUTLETS]


def _regular_cards(population: Population, terminal: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw cards whose holders pay at the terminal; where nobody does, anybody's."""
    customers = population.customers
    regulars = customers.regulars.of(terminal) // FAVOURITES
    if not len(regulars):
        return rng.integers(0, population.cards, n)
    chosen = rng.choice(regulars, n)
    return np.searchsorted(customers.card_customer, chosen).astype(np.int32)
