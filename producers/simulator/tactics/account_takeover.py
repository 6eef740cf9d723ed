"""Account takeover: somebody else orders with a customer's account, from a device never seen before."""

from typing import ClassVar

import numpy as np

from producers.simulator.customers import FAVOURITES
from producers.simulator.ordinary_day import usual_amounts
from producers.simulator.payments import ONLINE, STORED, Payments
from producers.simulator.settings import HOUR_MS
from producers.simulator.tactics.tactic import Campaign, foreign_device, pay
from producers.simulator.terminals import ECOMMERCE

SHOPS = (5732, 5944, 5651, 5661, 5999, 5311, 5712, 4511, 4722, 5945, 5734, 7995)
STORED_SHARE = 0.25


class AccountTakeover:
    """A few days of orders at new merchants, at several times what the customer usually spends, at any hour.

    Variant `patient` stays near the customer's own amounts, by day; `single` does too and orders once with an account.
    """

    kind: ClassVar[str] = "account_takeover"
    variants: ClassVar[tuple[str, ...]] = ("base", "patient", "single")
    payments_per_day: ClassVar[float] = 3.0
    lives_days: ClassVar[tuple[int, int]] = (2, 5)

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Order with the account."""
        population, rng, n = campaign.population, campaign.today, campaign.payments
        victims = np.full(n, campaign.plan.integers(0, population.cards))
        if variant == "single":
            victims = rng.integers(0, population.cards, n)
        customers = population.customers.card_customer[victims]
        shops = population.terminals_of(SHOPS, (ECOMMERCE,))
        terminal = rng.choice(shops, n)
        if variant in {"patient", "single"}:
            times = rng.integers(9 * HOUR_MS, 22 * HOUR_MS, n)
            factor = rng.uniform(0.5, 1.1, n) * campaign.strength
        else:
            times = (rng.normal(campaign.plan.uniform(0, 24), 3.0, n) * HOUR_MS).astype(np.int64)
            factor = rng.uniform(1.8, 5.5, n) * campaign.strength
        regular = population.customers.favourites[customers, rng.integers(0, FAVOURITES, n)]
        usual = usual_amounts(population, customers, regular, rng)
        return pay(
            campaign,
            local_ms=times,
            card=victims,
            terminal=terminal,
            eur=np.clip(usual, 15.0, 250.0) * factor,
            entry_mode=np.where(rng.random(n) < STORED_SHARE, STORED, ONLINE),
            device=np.full(n, foreign_device(campaign, 0)),
        )
