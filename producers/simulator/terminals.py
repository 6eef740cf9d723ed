"""Terminals and the merchants behind them: category, place, prices, opening hours, popularity."""

from dataclasses import dataclass

import numpy as np

from models.schema.columns import CHANNEL_NUMBERS
from producers.simulator.categories import ATM_MCC, CATEGORIES
from producers.simulator.countries import COUNTRIES
from producers.simulator.random_streams import substream
from producers.simulator.settings import HOUR_MS, PopulationSettings, SimulationSettingsError
from producers.simulator.weighted_groups import WeightedGroups

POS, ECOMMERCE, ATM, MOTO = (CHANNEL_NUMBERS[name] for name in ("pos", "ecommerce", "atm", "moto"))
TERMINALS_PER_TOWN = 40
FOREIGN_PHYSICAL_SHARE = 0.16
FOREIGN_ONLINE_SHARE = 0.40
SAME_MERCHANT_SHARE = 0.35
HOURS_A_DAY = 24.0

COUNTRY_INDEX = {country.code: index for index, country in enumerate(COUNTRIES)}
CATEGORY_INDEX = {category.mcc: index for index, category in enumerate(CATEGORIES)}


@dataclass(frozen=True, slots=True)
class Terminals:
    """One row per terminal; places, channels and categories are indices into their tables.

    `town` is -1 for online and telephone merchants. `opens_ms` and `open_for_ms` are local, an opening may last beyond
    midnight. `in_town`, `abroad` and `online` group terminals by town, by country and by the seat of the merchant.
    """

    merchant: np.ndarray
    category: np.ndarray
    country: np.ndarray
    town: np.ndarray
    channel: np.ndarray
    median_eur: np.ndarray
    popularity: np.ndarray
    opens_ms: np.ndarray
    open_for_ms: np.ndarray
    town_country: np.ndarray
    in_town: WeightedGroups
    abroad: WeightedGroups
    online: WeightedGroups

    def __len__(self) -> int:
        """Return how many terminals there are."""
        return len(self.merchant)


def build_terminals(settings: PopulationSettings, seed: int) -> Terminals:
    """Draw all terminals of a bank's world."""
    rng = substream(seed, "terminals")
    n = settings.terminals
    category = _quota([row.terminals for row in CATEGORIES], n, rng)
    channel = _draw_channels(category, rng)
    remote = (channel == ECOMMERCE) | (channel == MOTO)
    country = _draw_countries(settings, remote, rng)
    town, town_country = _draw_towns(country, remote, rng)
    opens_ms, open_for_ms = _draw_hours(category, channel, rng)
    popularity = rng.lognormal(0.0, 0.9, n)
    seats = np.where(remote, country, -1)
    return Terminals(
        merchant=_draw_merchants(category, country, remote, rng),
        category=category,
        country=country,
        town=town,
        channel=channel,
        median_eur=np.array([row.median_eur for row in CATEGORIES])[category] * rng.lognormal(0.0, 0.3, n),
        popularity=popularity,
        opens_ms=opens_ms,
        open_for_ms=open_for_ms,
        town_country=town_country,
        in_town=WeightedGroups.build(town, popularity, len(town_country)),
        abroad=WeightedGroups.build(np.where(remote, -1, country), popularity, len(COUNTRIES)),
        online=WeightedGroups.build(seats, popularity, len(COUNTRIES)),
    )


def _quota(weights: list[float], n: int, rng: np.random.Generator) -> np.ndarray:
    """Return n indices in random order, each index as often as its weight says: even a small world has every kind."""
    edges = np.cumsum(weights) / np.sum(weights)
    return rng.permutation(np.searchsorted(edges, (np.arange(n) + 0.5) / n).astype(np.int16))


def _draw_channels(category: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    online = np.array([row.online_share for row in CATEGORIES])[category]
    moto = np.array([row.moto_share for row in CATEGORIES])[category]
    u = rng.random(len(category))
    channel = np.where(u < online, ECOMMERCE, np.where(u < online + moto, MOTO, POS))
    return np.where(category == CATEGORY_INDEX[ATM_MCC], ATM, channel).astype(np.uint8)


def _draw_countries(settings: PopulationSettings, remote: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    homes = [COUNTRY_INDEX[code] for code, _ in settings.home_countries if code in COUNTRY_INDEX]
    if len(homes) < len(settings.home_countries) or not homes:
        known = ", ".join(COUNTRY_INDEX)
        raise SimulationSettingsError(f"home countries {settings.home_countries}: the simulator knows {known}")
    weights = [share for _, share in settings.home_countries]
    foreign = rng.random(len(remote)) < np.where(remote, FOREIGN_ONLINE_SHARE, FOREIGN_PHYSICAL_SHARE)
    country = np.array(homes, np.int16)[_quota(weights, len(remote), rng)]
    abroad = _quota([row.travel for row in COUNTRIES], len(remote), rng)
    seats = _quota([row.online for row in COUNTRIES], len(remote), rng)
    return np.where(foreign, np.where(remote, seats, abroad), country).astype(np.int16)


def _draw_towns(country: np.ndarray, remote: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Spread the physical terminals of each country over towns of unequal size."""
    town = np.full(len(country), -1, np.int32)
    town_country: list[int] = []
    for index in range(len(COUNTRIES)):
        here = np.flatnonzero((country == index) & ~remote)
        towns = max(1, round(len(here) / TERMINALS_PER_TOWN))
        weights = 1.0 / (1.0 + np.arange(towns)) ** 0.6
        local = rng.choice(towns, len(here), p=weights / weights.sum())
        _, local = np.unique(local, return_inverse=True)
        town[here] = len(town_country) + local
        town_country += [index] * (int(local.max()) + 1 if len(here) else 0)
    return town, np.array(town_country, np.int16)


def _draw_hours(category: np.ndarray, channel: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    opens = np.array([row.opens_h for row in CATEGORIES])[category]
    closes = np.array([row.closes_h for row in CATEGORIES])[category]
    shift = rng.integers(-2, 3, len(category)) * 0.5
    always = (closes - opens >= HOURS_A_DAY) | (channel == ECOMMERCE)
    opens = np.where(always, 0.0, opens + shift)
    closes = np.where(always, 24.0, closes + shift)
    return (opens * HOUR_MS).astype(np.int64), ((closes - opens) * HOUR_MS).astype(np.int64)


def _draw_merchants(
    category: np.ndarray, country: np.ndarray, remote: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Give a third of the terminals to a merchant that already has one of the same kind."""
    kind = (category.astype(np.int64) * 100 + country) * 2 + remote
    order = np.argsort(kind, kind="stable")
    same = np.concatenate(([False], kind[order][1:] == kind[order][:-1]))
    starts = ~(same & (rng.random(len(order)) < SAME_MERCHANT_SHARE))
    merchant = np.empty(len(order), np.int32)
    merchant[order] = np.cumsum(starts) - 1
    return merchant
