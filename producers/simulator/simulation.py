"""Days of a simulated bank: genuine traffic with scripted fraud mixed in, in order of event time."""

from collections.abc import Iterator, Sequence

import numpy as np

from producers.simulator.campaigns import fraud_day
from producers.simulator.ordinary_day import ordinary_day
from producers.simulator.payments import Payments
from producers.simulator.population import Population
from producers.simulator.random_streams import mix64, stream_key
from producers.simulator.script import BASE_MIX, ScriptError, TacticScript
from producers.simulator.settings import SimulationSettingsError
from producers.simulator.simulated_day import SimulatedDay
from producers.simulator.tactics.catalogue import check_scripts

GENUINE_SOURCE = 0
LAST_DAY = 65_535


class Simulation:
    """A population living through days, with fraud on a timetable.

    Every day is a function of population, tactics, seed and the day's number: the same day is the same bytes, whichever
    days were made before it, and an added tactic only adds rows.

    Parameters
    ----------
    population
        Who pays where.
    tactics
        The timetable of fraud; the base mix unless told otherwise.
    seed
        Seed of the fraud; the traffic's own is the population's.

    Examples
    --------
    >>> from producers.simulator.settings import PopulationSettings
    >>> population = Population(PopulationSettings(customers=50, terminals=200, transactions_per_day=100), seed=7)
    >>> [len(day) > 0 for day in Simulation(population).days(first_day=0, n_days=2)]
    [True, True]
    """

    def __init__(
        self, population: Population, tactics: Sequence[TacticScript] = BASE_MIX, seed: int | None = None
    ) -> None:
        check_scripts(tactics)
        self.population = population
        self.tactics = tuple(tactics)
        self.seed = population.seed if seed is None else seed
        self._sources = (GENUINE_SOURCE, *(_source_number(script) for script in self.tactics))
        if len(set(self._sources)) < len(self._sources):
            raise ScriptError("two of the tactics' names share a number; rename one of them")

    def days(self, first_day: int, n_days: int) -> Iterator[SimulatedDay]:
        """Make days one after the other."""
        for day in range(first_day, first_day + n_days):
            yield self.day(day)

    def day(self, day: int) -> SimulatedDay:
        """Make one day."""
        if not 0 <= day <= LAST_DAY:
            raise SimulationSettingsError(f"day {day}: give a day from 0 to {LAST_DAY}")
        parts = [ordinary_day(self.population, day)]
        parts += [fraud_day(self.population, script, self.seed, day) for script in self.tactics]
        numbers = np.concatenate(
            [_numbers(source, day, len(part)) for source, part in zip(self._sources, parts, strict=True)]
        )
        # Scrambled by a bijection: unique, and no reader can tell the source from the number.
        numbers = mix64(numbers, stream_key(self.seed, "transaction ids"))
        tactic = np.repeat(np.arange(len(parts), dtype=np.uint8), [len(part) for part in parts])
        payments = Payments.joined(parts)
        since_start = (payments.event_time - self.population.settings.day_start_ms(day)).astype(np.uint64)
        order = np.argsort((since_start << np.uint64(36)) | (numbers >> np.uint64(28)), kind="stable")
        return SimulatedDay(
            day=day,
            population=self.population,
            payments=payments.take(order),
            numbers=numbers[order],
            tactic_code=tactic[order],
            tactic_names=(None, *(script.title for script in self.tactics)),
        )


def _source_number(script: TacticScript) -> int:
    """Return 1 to 65535 for a tactic's name, whatever other tactics there are."""
    return 1 + int(stream_key(0, "source", script.title)) % 65_535


def _numbers(source: int, day: int, rows: int) -> np.ndarray:
    return np.arange(rows, dtype=np.uint64) | np.uint64((source << 48) | (day << 32))
