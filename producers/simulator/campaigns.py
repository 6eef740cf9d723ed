"""The fraud of one tactic on one day: which campaigns are on, and what each of them does."""

import numpy as np

from producers.simulator.payments import Payments
from producers.simulator.population import Population
from producers.simulator.random_streams import stream_key, substream
from producers.simulator.script import Phase, TacticScript
from producers.simulator.tactics.catalogue import TACTICS
from producers.simulator.tactics.tactic import Campaign, Tactic


def fraud_day(population: Population, script: TacticScript, seed: int, day: int) -> Payments:
    """Return a tactic's payments of a day: a function of population, script, seed and day alone.

    The tactic runs as many campaigns side by side as its share of the day's traffic asks for. Each place among them is
    taken by one campaign after the other, so growth adds campaigns and those that run are not disturbed.
    """
    phase = script.phase_on(day)
    if phase is None:
        return Payments.none()
    tactic = TACTICS[script.kind]
    today = substream(seed, "fraud", script.title, "day", day)
    expected = phase.share_on(day) * population.settings.transactions_per_day
    payments = int(today.poisson(expected))
    if not payments:
        return Payments.none()
    places = max(1, round(expected / tactic.payments_per_day))
    per_place = np.bincount(today.integers(0, places, payments), minlength=places)
    parts = []
    for place, count in enumerate(per_place.tolist()):
        if count:
            campaign = _campaign(population, script, tactic, phase, seed, (day, place, count), today)
            parts.append(tactic.strike(campaign, phase.variant))
    return Payments.joined(parts)


def _campaign(
    population: Population,
    script: TacticScript,
    tactic: Tactic,
    phase: Phase,
    seed: int,
    day_place_count: tuple[int, int, int],
    today: np.random.Generator,
) -> Campaign:
    """Return the campaign that holds a place on a day."""
    day, place, count = day_place_count
    path = ("fraud", script.title, phase.variant, place)
    lives = substream(seed, *path)
    days = int(lives.integers(tactic.lives_days[0], tactic.lives_days[1] + 1))
    number, days_in = divmod(day + int(lives.integers(0, days)), days)
    return Campaign(
        population=population,
        plan=substream(seed, *path, number),
        today=today,
        identity=int(stream_key(seed, *path, number)),
        day=day,
        days_in=days_in,
        days=days,
        payments=count,
        strength=phase.strength,
    )
