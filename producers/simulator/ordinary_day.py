"""The genuine payments of one day."""

import numpy as np

from producers.simulator.categories import CATEGORIES
from producers.simulator.countries import COUNTRIES
from producers.simulator.customers import FAVOURITES, draw_online
from producers.simulator.payments import Payments, opening_times, price_minor, read_card
from producers.simulator.population import Population
from producers.simulator.random_streams import substream
from producers.simulator.rhythm import DAY_WEIGHTS, draw_local_times, weekday
from producers.simulator.settings import DAY_MS, HOUR_MS
from producers.simulator.terminals import ATM, POS
from producers.simulator.travel import countries_today

FOLLOW_UP_SHARE = 0.12
"""How many payments come minutes after another one of the same card, as on a shopping trip."""
LARGE_PURCHASE_SHARE = 0.006
"""How many payments are far above the usual for no bad reason: the reason why a large amount alone proves nothing."""
BUSY_TRIP_RATE = 1.5
"""Travellers pay more often than people at home."""
ONLINE_EXPLORING_SHARE = 0.3

_ELASTICITY = np.array([row.elasticity for row in CATEGORIES])
_SIGMA = np.array([row.sigma for row in CATEGORIES])
_UTC_OFFSET_MS = np.array([row.hours_from_utc * HOUR_MS for row in COUNTRIES], np.int64)


def ordinary_day(population: Population, day: int) -> Payments:
    """Return the genuine payments of a day, in order of card: a function of population, seed and day alone."""
    rng = substream(population.seed, "ordinary day", day)
    customers, terminals = population.customers, population.terminals
    day_start_ms = population.settings.day_start_ms(day)
    day_of_week = weekday(day_start_ms)
    country_of_customer = countries_today(population, day)
    away = country_of_customer != customers.country
    rate = customers.card_rate * np.where(away, BUSY_TRIP_RATE, 1.0)[customers.card_customer]
    # The rate is scaled back to what it would be without travel, so that the daily mean is the one asked for.
    rate *= population.settings.transactions_per_day * DAY_WEIGHTS[day_of_week] / rate.sum()
    card = np.repeat(np.arange(population.cards, dtype=np.int32), rng.poisson(rate))
    customer = customers.card_customer[card]
    terminal = _choose_terminals(population, customer, away, country_of_customer, rng)
    local_ms = draw_local_times(customers.rhythm[customer], day_of_week, rng)
    local_ms = _follow_up(local_ms, card, rng)
    local_ms = opening_times(local_ms, terminal, terminals, rng)
    eur = usual_amounts(population, customer, terminal, rng)
    large = rng.random(len(card)) < LARGE_PURCHASE_SHARE
    eur = np.where(large, eur * rng.uniform(2.5, 8.0, len(card)), eur)
    entry_mode, device = read_card(eur, terminal, card, population, rng)
    return Payments(
        event_time=day_start_ms + local_to_utc_ms(local_ms, customer, terminal, population),
        card=card,
        terminal=terminal,
        amount_minor=price_minor(eur, terminal, terminals, rng),
        entry_mode=entry_mode,
        device=device,
    )


def usual_amounts(
    population: Population, customer: np.ndarray, terminal: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return amounts in euro that these customers would ordinarily spend at these terminals."""
    terminals = population.terminals
    category = terminals.category[terminal]
    level = population.customers.level[customer] ** _ELASTICITY[category]
    spread = np.exp(_SIGMA[category] * rng.standard_normal(len(terminal)))
    amounts: np.ndarray = terminals.median_eur[terminal] * level * spread
    return amounts


def local_to_utc_ms(
    local_ms: np.ndarray, customer: np.ndarray, terminal: np.ndarray, population: Population
) -> np.ndarray:
    """Return times of day in UTC; what falls over the edge of the day comes in at its other end.

    The clock is that of the place for physical terminals, that of the customer's home for orders.
    """
    terminals = population.terminals
    physical = terminals.town[terminal] >= 0
    clock = np.where(physical, terminals.country[terminal], population.customers.country[customer])
    times: np.ndarray = (local_ms - _UTC_OFFSET_MS[clock]) % DAY_MS
    return times


def _choose_terminals(
    population: Population,
    customer: np.ndarray,
    away: np.ndarray,
    country_of_customer: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Choose a favourite, or explore: the home town, or some online merchant; abroad whatever is there."""
    customers, terminals = population.customers, population.terminals
    n = len(customer)
    u = rng.random(n, dtype=np.float32)
    place = np.zeros(n, np.int64)
    for column in range(FAVOURITES - 1):
        place += customers.favourite_ceiling[customer, column] < u
    terminal: np.ndarray = customers.favourites[customer, place]
    explores = rng.random(n) < customers.explores[customer]
    explorers = np.flatnonzero(explores)
    orders = rng.random(len(explorers)) < ONLINE_EXPLORING_SHARE
    who = customer[explorers]
    nearby = terminals.in_town.draw(customers.town[who], rng.random(len(who)))
    online = draw_online(terminals, customers.country[who], rng)
    terminal[explorers] = np.where(orders, online, nearby)
    physical = np.isin(terminals.channel[terminal], (POS, ATM))
    abroad = np.flatnonzero(away[customer] & physical)
    where = country_of_customer[customer[abroad]]
    terminal[abroad] = terminals.abroad.draw(where, rng.random(len(abroad)))
    return terminal


def _follow_up(local_ms: np.ndarray, card: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move some payments to minutes after the one before of the same card."""
    follows = np.concatenate(([False], card[1:] == card[:-1])) & (rng.random(len(card)) < FOLLOW_UP_SHARE)
    pause = (rng.exponential(18 * 60_000, len(card)) + 40_000).astype(np.int64)
    times: np.ndarray = np.where(follows, (np.roll(local_ms, 1) + pause) % DAY_MS, local_ms)
    return times
