"""Merchant collusion: a merchant charges many cards for nothing, in plausible amounts, for weeks."""

from typing import ClassVar

import numpy as np

from producers.simulator.ordinary_day import usual_amounts
from producers.simulator.payments import CHIP, MANUAL, NO_DEVICE, ONLINE, Payments, whole_price_minor
from producers.simulator.settings import HOUR_MS
from producers.simulator.tactics.tactic import Campaign, pay
from producers.simulator.terminals import ECOMMERCE, MOTO, POS

ROUND_EUR = np.array([40.0, 50.0, 60.0, 75.0, 80.0, 90.0, 100.0, 120.0, 150.0])
WHOLE_SHARE = 0.85
REPEATED_SHARE = 0.4
KINDS = (5812, 5999, 5712, 7997, 8099, 4121, 5968, 5944, 5734, 5964, 5945, 7011)


class MerchantCollusion:
    """Moderate round amounts on many cards at one merchant, some cards again and again.

    Variant `mirrored` charges what the merchant's own customers pay, so that only the merchant's record shows.
    """

    kind: ClassVar[str] = "merchant_collusion"
    variants: ClassVar[tuple[str, ...]] = ("base", "mirrored")
    payments_per_day: ClassVar[float] = 6.0
    lives_days: ClassVar[tuple[int, int]] = (18, 40)

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Charge cards for nothing."""
        population, rng, n = campaign.population, campaign.today, campaign.payments
        terminals = population.terminals
        shop = int(campaign.plan.choice(population.terminals_of(KINDS, (POS, ECOMMERCE, MOTO))))
        known = campaign.plan.integers(0, population.cards, 60)
        card = np.where(rng.random(n) < REPEATED_SHARE, rng.choice(known, n), rng.integers(0, population.cards, n))
        terminal = np.full(n, shop)
        customer = population.customers.card_customer[card]
        mode = {ECOMMERCE: ONLINE, MOTO: MANUAL}.get(int(terminals.channel[shop]), CHIP)
        eur = rng.choice(ROUND_EUR, n) * campaign.strength
        if variant == "mirrored":
            eur = usual_amounts(population, customer, terminal, rng)
        payments = pay(
            campaign,
            local_ms=rng.integers(9 * HOUR_MS, 20 * HOUR_MS, n),
            card=card,
            terminal=terminal,
            eur=eur,
            entry_mode=np.full(n, mode),
            device=np.full(n, NO_DEVICE),
        )
        if variant == "base":
            whole = rng.random(n) < WHOLE_SHARE
            payments.amount_minor[whole] = whole_price_minor(eur, terminal, terminals)[whole]
        return payments
