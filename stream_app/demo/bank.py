"""The simulated bank of a demo: its past, the traffic that flows, and the truth about it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from models.features.history import History
from models.schema.topics import DAY_MS
from producers.simulator.history import history
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulated_day import SimulatedDay
from producers.simulator.simulation import Simulation
from stream_app.demo.plan import DemoPlan


class Fraud(NamedTuple):
    """What is behind a fraudulent transaction: a tactic, on a day of the bank."""

    tactic: str
    day: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """The days that flow: the last ones of the past, then new ones, the last of these cut short."""

    first_day: int
    """Day 0 of the bank, as days since 1970."""
    warm_up: list[SimulatedDay]
    live: list[SimulatedDay]

    @property
    def warm_up_events(self) -> int:
        """How many transactions bring the past."""
        return sum(map(len, self.warm_up))

    @property
    def live_events(self) -> int:
        """How many are new."""
        return sum(map(len, self.live))

    def events_before(self, day: int) -> int:
        """How many new transactions come before a day."""
        return sum(len(one) for one in self.live if one.day < day)

    def last_whole_day(self, events: int) -> int:
        """Return the last day of which enough of the next one has come, after so many new transactions, to be over."""
        days = []
        for day in self.live:
            if events * 10 < len(day):
                break
            days.append(day.day)
            events -= len(day)
        return days[-1] - 1 if days else self.live[0].day - 1

    def frauds(self) -> dict[str, Fraud]:
        """Return what is behind each transaction that is fraud, by its id: what only a simulator can know."""
        return {
            transaction_id: Fraud(tactic, day.day)
            for day in (*self.warm_up, *self.live)
            for transaction_id, tactic in zip(day.transaction_ids, day.tactic, strict=True)
            if tactic is not None
        }


class Bank:
    """Makes the same days in every process that is given the same plan."""

    def __init__(self, plan: DemoPlan) -> None:
        settings = PopulationSettings(plan.customers, plan.terminals, plan.transactions_per_day)
        self._plan = plan
        self._simulation = Simulation(Population(settings, plan.seed), (*BASE_MIX, plan.tactic))
        self.start_ms = settings.start_ms

    @property
    def first_day(self) -> int:
        """Day 0, as days since 1970."""
        return self.start_ms // DAY_MS

    def past(self) -> History:
        """Return the days before the demo, with what has been said about them."""
        return history(self._simulation.days(0, self._plan.history_days), self._plan.seed)

    def traffic(self) -> Traffic:
        """Return the days that flow."""
        plan = self._plan
        warm_up = self._simulation.days(plan.history_days - plan.warm_up_days, plan.warm_up_days)
        return Traffic(self.first_day, list(warm_up), list(self._new_days(plan.new_events)))

    def days_behind(self, traffic: Traffic) -> Iterator[SimulatedDay]:
        """Yield the days that come after those that flow, without end."""
        return map(self._simulation.day, itertools.count(traffic.live[-1].day + 1))

    def _new_days(self, events: int) -> Iterator[SimulatedDay]:
        number = self._plan.history_days
        while events > 0:
            day = self._simulation.day(number)
            yield day.part(0, min(len(day), events))
            events -= len(day)
            number += 1
