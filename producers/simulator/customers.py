"""Customers and their cards: home, income, rhythm, taste, favourites, travel, devices."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.categories import CATEGORIES
from producers.simulator.countries import COUNTRIES
from producers.simulator.random_streams import stream_key, substream
from producers.simulator.settings import PopulationSettings, SimulationSettingsError
from producers.simulator.terminals import COUNTRY_INDEX, Terminals
from producers.simulator.weighted_groups import WeightedGroups

LOCAL_FAVOURITES = 11
NEARBY_FAVOURITES = 2
ONLINE_FAVOURITES = 5
FAVOURITES = LOCAL_FAVOURITES + NEARBY_FAVOURITES + ONLINE_FAVOURITES
CANDIDATES = 3
"""Each favourite is the one of this many candidates that suits the customer's taste best."""

LIFESTYLES = 8
DAY_PERSON, WORKER, EVENING_PERSON, NIGHT_PERSON = range(4)
RHYTHM_SHARES = (0.28, 0.44, 0.21, 0.07)
INCOME_CLASS_SHARES = (0.22, 0.45, 0.25, 0.08)
INCOME_CLASS_LEVELS = (0.62, 0.92, 1.35, 2.3)
DOMESTIC_ORDER_SHARE = 0.6
SECOND_CARD_SHARE = 0.33


@dataclass(frozen=True, slots=True)
class Customers:
    """One row per customer, and one per card.

    `level` multiplies what an average customer would pay. `explores` is the share of payments outside the favourites.
    Travel comes round every `travel_every_days`, for `travel_days`, from `travel_offset_days` on. A card's number is
    its customer's number times ten plus its place; `card_rate` is its genuine transactions on an average day.
    """

    country: np.ndarray
    town: np.ndarray
    level: np.ndarray
    rhythm: np.ndarray
    explores: np.ndarray
    travel_every_days: np.ndarray
    travel_offset_days: np.ndarray
    travel_days: np.ndarray
    travel_key: np.uint64
    favourites: np.ndarray
    favourite_ceiling: np.ndarray
    regulars: WeightedGroups
    card_customer: np.ndarray
    card_number: np.ndarray
    card_rate: np.ndarray

    def __len__(self) -> int:
        """Return how many customers there are."""
        return len(self.country)


def build_customers(settings: PopulationSettings, terminals: Terminals, seed: int) -> Customers:
    """Draw all customers of a bank."""
    rng = substream(seed, "customers")
    n = settings.customers
    town = _draw_home_towns(settings, terminals, rng)
    income = rng.choice(len(INCOME_CLASS_SHARES), n, p=INCOME_CLASS_SHARES)
    travel_every = np.clip(rng.lognormal(np.log(110.0), 0.6, n) / np.sqrt(1.0 + income), 25, 500).astype(np.int64)
    favourites = _draw_favourites(town, terminals, rng)
    card_customer, card_number, card_rate = _draw_cards(settings, rng)
    return Customers(
        country=terminals.town_country[town],
        town=town,
        level=np.array(INCOME_CLASS_LEVELS)[income] * rng.lognormal(0.0, 0.3, n),
        rhythm=rng.choice(len(RHYTHM_SHARES), n, p=RHYTHM_SHARES).astype(np.int8),
        explores=rng.beta(2.0, 6.0, n),
        travel_every_days=travel_every,
        travel_offset_days=rng.integers(0, 1000, n),
        travel_days=np.minimum(rng.geometric(0.17, n) + 1, 21),
        travel_key=stream_key(seed, "travel"),
        favourites=favourites,
        favourite_ceiling=_favourite_ceiling(favourites, terminals, rng),
        regulars=WeightedGroups.build(favourites.ravel(), np.ones(favourites.size), len(terminals)),
        card_customer=card_customer,
        card_number=card_number,
        card_rate=card_rate,
    )


def _draw_home_towns(settings: PopulationSettings, terminals: Terminals, rng: np.random.Generator) -> np.ndarray:
    homes = np.array([COUNTRY_INDEX[code] for code, _ in settings.home_countries])
    shares = np.array([share for _, share in settings.home_countries])
    weights = np.zeros(len(terminals.town_country))
    for home, share in zip(homes, shares, strict=True):
        sizes = np.where(terminals.town_country == home, terminals.in_town.sizes, 0)
        weights += share * sizes / max(1, sizes.sum())
    if not weights.sum():
        raise SimulationSettingsError(f"{settings.terminals} terminals: none in a home country; ask for more")
    return rng.choice(len(weights), settings.customers, p=weights / weights.sum()).astype(np.int32)


def _draw_favourites(town: np.ndarray, terminals: Terminals, rng: np.random.Generator) -> np.ndarray:
    """Draw each customer's favourites: in the home town, elsewhere in the country, and online."""
    n = len(town)
    taste = rng.gumbel(0.0, 1.0, (LIFESTYLES, len(CATEGORIES))) + np.log([row.visits for row in CATEGORIES])
    lifestyle = rng.integers(0, LIFESTYLES, n)
    country = terminals.town_country[town]
    nearby = np.broadcast_to(country[:, None], (n, NEARBY_FAVOURITES * CANDIDATES))
    local = np.broadcast_to(town[:, None], (n, LOCAL_FAVOURITES * CANDIDATES))
    candidates = np.concatenate(
        (
            _draw(terminals.in_town, local, rng),
            _draw(terminals.abroad, nearby, rng),
            draw_online(terminals, np.repeat(country, ONLINE_FAVOURITES * CANDIDATES), rng).reshape(n, -1),
        ),
        axis=1,
    ).reshape(n, FAVOURITES, CANDIDATES)
    liking = taste[lifestyle[:, None, None], terminals.category[candidates]] + rng.gumbel(0.0, 0.7, candidates.shape)
    best = liking.argmax(axis=2)
    chosen: np.ndarray = np.take_along_axis(candidates, best[:, :, None], axis=2)[:, :, 0]
    return chosen


def draw_online(terminals: Terminals, country: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw an online merchant for each customer's country: most orders stay in the country, some go anywhere."""
    seat_weights = np.array([row.online for row in COUNTRIES]) * (terminals.online.sizes > 0)
    ceiling = np.cumsum(seat_weights) / seat_weights.sum()
    anywhere = np.searchsorted(ceiling, rng.random(len(country)), side="right")
    domestic = (rng.random(len(country)) < DOMESTIC_ORDER_SHARE) & (terminals.online.sizes[country] > 0)
    return _draw(terminals.online, np.where(domestic, country, anywhere), rng)


def _draw(groups: WeightedGroups, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return groups.draw(group, rng.random(group.shape))


def _favourite_ceiling(favourites: np.ndarray, terminals: Terminals, rng: np.random.Generator) -> np.ndarray:
    """Return running shares of visits over each customer's favourites; the last is 1."""
    visits = np.array([row.visits for row in CATEGORIES])[terminals.category[favourites]]
    running = np.cumsum(visits * rng.lognormal(0.0, 0.8, favourites.shape), axis=1)
    ceiling: np.ndarray = (running / running[:, -1:]).astype(np.float32)
    ceiling[:, -1] = 1.0
    return ceiling


def _draw_cards(settings: PopulationSettings, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    cards = 1 + (rng.random(settings.customers) < SECOND_CARD_SHARE)
    customer = np.repeat(np.arange(settings.customers, dtype=np.int32), cards)
    place = np.arange(len(customer)) - np.repeat(np.cumsum(cards) - cards, cards)
    rate = np.repeat(rng.gamma(2.2, 1.0, settings.customers), cards) * np.where(place == 0, 1.0, 0.35)
    rate = np.maximum(rate, 0.02)
    number = customer.astype(np.int64) * 10 + place
    rate *= settings.transactions_per_day / rate.sum()
    return customer, number, rate
