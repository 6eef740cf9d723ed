"""Triangulation: a sham shop takes honest orders and has the goods delivered by real shops, paid with stolen cards."""

from typing import ClassVar

import numpy as np

from producers.simulator.payments import MANUAL, ONLINE, Payments
from producers.simulator.settings import HOUR_MS
from producers.simulator.tactics.tactic import Campaign, foreign_device, pay
from producers.simulator.terminals import ECOMMERCE

HOUSEHOLD_SHOPS = (5200, 5311, 5945, 5712, 5942)
FASHION_SHOPS = (5651, 5661, 5944)
TYPED_SHARE = 0.25


class Triangulation:
    """Single orders of ordinary goods, at ordinary prices, in office hours, one or two per card, over many real shops.

    Nothing in the base mix looks like it: no tiny amounts, no outliers, no series, no bad terminal. What it has of its
    own is the combination of category, price, hour and a typed-in card number. Variant `fashion` works other shops
    in the evening.
    """

    kind: ClassVar[str] = "triangulation"
    variants: ClassVar[tuple[str, ...]] = ("base", "fashion")
    payments_per_day: ClassVar[float] = 12.0
    lives_days: ClassVar[tuple[int, int]] = (10, 30)

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Order the goods of the day."""
        population, rng, n = campaign.population, campaign.today, campaign.payments
        fashion = variant == "fashion"
        shops = population.terminals_of(FASHION_SHOPS if fashion else HOUSEHOLD_SHOPS, (ECOMMERCE,))
        opens, closes = (18, 22) if fashion else (9, 13)
        low, high = (45.0, 95.0) if fashion else (28.0, 70.0)
        devices = np.array([foreign_device(campaign, number) for number in range(4)])
        return pay(
            campaign,
            local_ms=rng.integers(opens * HOUR_MS, closes * HOUR_MS, n),
            card=rng.integers(0, population.cards, n),
            terminal=rng.choice(shops, n),
            eur=rng.uniform(low, high, n) * campaign.strength,
            entry_mode=np.where(rng.random(n) < TYPED_SHARE, MANUAL, ONLINE),
            device=rng.choice(devices, n),
        )
