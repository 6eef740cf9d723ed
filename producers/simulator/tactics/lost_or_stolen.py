"""Lost or stolen: a card in the wrong hands pays contactless below the limit, again and again, until it is blocked."""

from typing import ClassVar

import numpy as np

from producers.simulator.payments import CHIP, CONTACTLESS, CONTACTLESS_LIMIT_EUR, NO_DEVICE, Payments
from producers.simulator.settings import HOUR_MS
from producers.simulator.tactics.tactic import Campaign, pay, series_ms
from producers.simulator.terminals import ATM, POS

UNUSUAL_HOURS = (0, 1, 5, 20, 21, 22, 23, 16, 18)
SHOPS = (5411, 5541, 5542, 5814, 5813, 5310, 5912, 5999, 4111, 5812)


class LostOrStolen:
    """A rapid series of contactless payments near the limit in the holder's town, often late.

    Variant `cash` has seen the PIN: cash machines and dearer goods by chip.
    """

    kind: ClassVar[str] = "lost_or_stolen"
    variants: ClassVar[tuple[str, ...]] = ("base", "cash")
    payments_per_day: ClassVar[float] = 6.0
    lives_days: ClassVar[tuple[int, int]] = (1, 2)

    def strike(self, campaign: Campaign, variant: str) -> Payments:
        """Spend with the card."""
        population, rng, n = campaign.population, campaign.today, campaign.payments
        terminals, customers = population.terminals, population.customers
        card = int(campaign.plan.integers(0, population.cards))
        town = int(customers.town[customers.card_customer[card]])
        cash = variant == "cash"
        near = terminals.in_town.of(town)
        wanted = np.isin(terminals.channel[near], (ATM, POS) if cash else (POS,))
        places = near[wanted] if wanted.any() else near
        limit = CONTACTLESS_LIMIT_EUR
        eur = np.clip(limit - rng.exponential(11.0 / campaign.strength, n), 4.0, limit - 0.05)
        start = float(rng.choice(UNUSUAL_HOURS)) + rng.random()
        return pay(
            campaign,
            local_ms=series_ms(start * HOUR_MS, 9 * 60_000.0, n, rng),
            card=np.full(n, card),
            terminal=rng.choice(places, n),
            eur=rng.lognormal(np.log(140.0 * campaign.strength), 0.5, n) if cash else eur,
            entry_mode=np.full(n, CHIP if cash else CONTACTLESS),
            device=np.full(n, NO_DEVICE),
        )
