"""Card testing: stolen card numbers are tried with tiny orders, what passes is emptied with a large one."""

from typing import ClassVar

import numpy as np

from producers.simulator.payments import MANUAL, ONLINE, STORED, Payments
from producers.simulator.settings import HOUR_MS
from producers.simulator.tactics.tactic import Campaign, foreign_device, pay, series_ms
from producers.simulator.terminals import ECOMMERCE

TEST_SHOPS = (5815, 5816, 5968, 5734, 4814, 5942)
CASH_OUT_SHOPS = (5732, 5944, 5999, 5651, 5945, 5734, 4722)
CASH_OUT_SHARE = 0.16


class CardTesting:
    """Bursts of tiny online orders at one shop on many cards within minutes, then a large order on some of them.

    Variant `drip` knows that bursts are watched: single orders of ordinary small amounts, spread over the day and over
    several shops, most with a typed-in number.
    """

    kind: ClassVar[str] = "card_testing"
    variants: ClassVar[tuple[str, ...]] = ("base", "drip")
    payments_per_day: ClassVar[float] = 25.0
    lives_days: ClassVar[tuple[int, int]] = (1, 3)

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Test cards, then cash out on some."""
        population = campaign.population
        drip = variant == "drip"
        shops = campaign.plan.choice(population.terminals_of(TEST_SHOPS, (ECOMMERCE,)), 6 if drip else 1)
        outlets = campaign.plan.choice(population.terminals_of(CASH_OUT_SHOPS, (ECOMMERCE,)), 4)
        rng = campaign.today
        n = campaign.payments
        large = int(rng.binomial(n, CASH_OUT_SHARE))
        tests = n - large
        cards = rng.integers(0, population.cards, max(tests, 1))
        if drip:
            times = rng.integers(7 * HOUR_MS, 24 * HOUR_MS, tests)
            eur = rng.uniform(4.0, 18.0, tests)
        else:
            start = rng.choice([1, 3, 6, 10, 14, 18, 20]) * HOUR_MS + rng.integers(0, HOUR_MS)
            times = series_ms(float(start), 25_000.0, tests, rng)
            eur = rng.lognormal(np.log(1.6), 0.6, tests)
        passed = rng.integers(0, len(cards), large)
        later = times[passed] if tests else np.full(large, 12 * HOUR_MS)
        later = later + rng.integers(HOUR_MS // 6, 4 * HOUR_MS, large)
        return pay(
            campaign,
            local_ms=np.concatenate((times, later)),
            card=np.concatenate((cards[:tests], cards[passed])),
            terminal=np.concatenate((rng.choice(shops, tests), rng.choice(outlets, large))),
            eur=np.concatenate((eur, rng.lognormal(np.log(170.0 * campaign.strength), 0.6, large))),
            entry_mode=np.where(rng.random(n) < (0.6 if drip else 0.1), MANUAL if drip else STORED, ONLINE),
            device=np.array([foreign_device(campaign, number) for number in range(3)])[rng.integers(0, 3, n)],
        )
