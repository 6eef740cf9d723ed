"""Who is abroad on a day, worked out from the day alone."""

import numpy as np

from producers.simulator.countries import COUNTRIES
from producers.simulator.population import Population
from producers.simulator.random_streams import mix64, unit_interval


def countries_today(population: Population, day: int) -> np.ndarray:
    """Return the country in which each customer is on a day: home, or the destination of the current trip.

    Trips come round at each customer's own interval; the destination is hashed from customer and trip, so no earlier
    day has to be made first.
    """
    customers = population.customers
    since = day + customers.travel_offset_days
    trip, days_in = np.divmod(since, customers.travel_every_days)
    away = days_in < customers.travel_days
    weights = np.array([country.travel for country in COUNTRIES]) * (population.terminals.abroad.sizes > 0)
    ceiling = np.cumsum(weights) / weights.sum()
    who = np.arange(len(customers), dtype=np.uint64)
    bits = (who << np.uint64(24)) | (trip.astype(np.uint64) & np.uint64(0xFFFFFF))
    destination = np.searchsorted(ceiling, unit_interval(mix64(bits, customers.travel_key)), side="right")
    return np.where(away, np.minimum(destination, len(COUNTRIES) - 1), customers.country).astype(np.int16)
