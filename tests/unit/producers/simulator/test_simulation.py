"""Days of a simulated bank: repeatable, independent of each other, in order, and true to life."""

import dataclasses
import re
from itertools import pairwise

import msgspec
import numpy as np
import pytest

from models.schema.card_numbers import carriers
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from producers.simulator.countries import COUNTRIES
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX, Phase, TacticScript
from producers.simulator.settings import HOUR_MS, PopulationSettings, SimulationSettingsError
from producers.simulator.simulated_day import SimulatedDay
from producers.simulator.simulation import LAST_DAY, Simulation
from producers.simulator.tactics.catalogue import TACTICS
from producers.simulator.terminals import POS
from producers.simulator.travel import countries_today

EXTRA = TacticScript("triangulation", (Phase(start_day=1, share=0.02),))


@pytest.fixture(scope="module")
def week(population: Population) -> list[SimulatedDay]:
    return list(Simulation(population).days(5, 7))


def values(day: SimulatedDay) -> list[bytes]:
    return [value for _, value in day.encoded()]


def test_the_same_seed_and_settings_give_the_same_bytes(population: Population) -> None:
    again = Population(population.settings, seed=7)
    assert Simulation(again).day(3).encoded() == Simulation(population).day(3).encoded()


def test_another_seed_gives_other_bytes(population: Population) -> None:
    other = Simulation(Population(population.settings, seed=8)).day(3)
    assert not set(values(other)) & set(values(Simulation(population).day(3)))


def test_another_seed_of_the_fraud_leaves_who_pays_where_as_it_was(population: Population) -> None:
    first, second = Simulation(population, seed=1).day(3), Simulation(population, seed=2).day(3)
    genuine = [day.payments.take(~day.is_fraud) for day in (first, second)]
    assert np.array_equal(genuine[0].event_time, genuine[1].event_time)
    assert first.is_fraud.sum() != second.is_fraud.sum() or not np.array_equal(first.event_time, second.event_time)


def test_a_day_does_not_depend_on_the_days_made_before_it(population: Population) -> None:
    in_one_go = [day.encoded() for day in Simulation(population).days(0, 4)]
    one_by_one = [Simulation(population).day(day).encoded() for day in (3, 1, 0, 2)]
    assert [in_one_go[day] for day in (3, 1, 0, 2)] == one_by_one


def test_the_parts_of_a_day_are_the_day(week: list[SimulatedDay]) -> None:
    day = week[0]
    parts = [day.part(start, start + 700) for start in range(0, len(day), 700)]
    assert [record for part in parts for record in part.encoded()] == day.encoded()
    assert np.array_equal(np.concatenate([part.is_fraud for part in parts]), day.is_fraud)


def test_an_added_tactic_adds_rows_and_changes_none(population: Population) -> None:
    before = Simulation(population).day(4)
    after = Simulation(population, (*BASE_MIX, EXTRA)).day(4)
    added = [name == "triangulation" for name in after.tactic]
    assert sum(added) > 20
    assert [value for value, new in zip(values(after), added, strict=True) if not new] == values(before)


def test_transactions_come_in_order_of_event_time_within_their_day(week: list[SimulatedDay]) -> None:
    for day in week:
        start = day.population.settings.day_start_ms(day.day)
        assert (np.diff(day.event_time) >= 0).all()
        assert start <= day.event_time[0] <= day.event_time[-1] < start + 24 * HOUR_MS


def test_every_record_is_valid_and_converts_to_the_reporting_currency(week: list[SimulatedDay]) -> None:
    for day in week:
        good, _, rejections = decode_transactions(values(day), default_reporting_currency())
        assert rejections == []
        assert good == day.transactions()


def test_the_currency_of_every_country_has_a_rate() -> None:
    assert default_reporting_currency().knows_all({country.currency for country in COUNTRIES})


def test_columns_equal_those_of_the_records(week: list[SimulatedDay]) -> None:
    rates = default_reporting_currency()
    columns, expected = week[0].columns(rates), TransactionColumns.from_transactions(week[0].transactions(), rates)
    for field in dataclasses.fields(columns):
        assert np.array_equal(getattr(columns, field.name), getattr(expected, field.name)), field.name


def test_transaction_ids_are_unique(week: list[SimulatedDay]) -> None:
    ids = [one for day in week for one in day.transaction_ids]
    assert len(set(ids)) == len(ids)


def test_no_id_could_be_taken_for_a_card_number(week: list[SimulatedDay]) -> None:
    for day in week:
        records = values(day)
        assert carriers(records) == []
        for record in map(msgspec.json.decode, records):
            texts = [text for text in record.values() if isinstance(text, str)]
            assert not any(re.search(r"(\d[ -]?){13}", text) for text in texts)


def test_nothing_on_a_transaction_tells_fraud_from_genuine(week: list[SimulatedDay]) -> None:
    for day in week:
        records = [msgspec.json.decode(value) for value in values(day)]
        fraud = {key for record, bad in zip(records, day.is_fraud, strict=True) if bad for key in record}
        genuine = {key for record, bad in zip(records, day.is_fraud, strict=True) if not bad for key in record}
        assert fraud <= genuine
        assert not {"is_fraud", "tactic", "label"} & (fraud | genuine)


def test_the_base_mix_is_three_to_six_in_a_thousand_and_has_five_tactics(population: Population) -> None:
    days = list(Simulation(population).days(0, 40))
    share = sum(int(day.is_fraud.sum()) for day in days) / sum(map(len, days))
    assert 0.003 <= share <= 0.006
    assert {name for day in days for name in day.tactic} == {None, *(script.kind for script in BASE_MIX)}


def test_the_ordered_number_of_transactions_comes(population: Population) -> None:
    genuine = [int((~day.is_fraud).sum()) for day in Simulation(population).days(0, 14)]
    assert np.mean(genuine) == pytest.approx(3000, rel=0.03)


def test_more_is_paid_on_a_saturday_than_on_a_sunday(population: Population) -> None:
    # Day 0 is Wednesday 2025-01-01.
    genuine = [int((~day.is_fraud).sum()) for day in Simulation(population).days(0, 14)]
    assert genuine[3] + genuine[10] > 1.2 * (genuine[4] + genuine[11])


def test_people_pay_by_day_and_sleep_at_night(week: list[SimulatedDay]) -> None:
    hours = np.concatenate([day.event_time[~day.is_fraud] for day in week]) // HOUR_MS % 24
    counts = np.bincount(hours, minlength=24)
    assert counts[1:4].sum() < 0.15 * counts[10:13].sum()
    assert counts[1:4].sum() > 0, "some people are awake at night"


def test_physical_shops_sell_only_while_they_are_open(week: list[SimulatedDay]) -> None:
    terminals = week[0].population.terminals
    offsets = np.array([country.hours_from_utc * HOUR_MS for country in COUNTRIES], np.int64)
    for day in week:
        rows = ~day.is_fraud & (terminals.channel[day.payments.terminal] == POS)
        terminal = day.payments.terminal[rows]
        local = day.event_time[rows] + offsets[terminals.country[terminal]]
        since = (local - terminals.opens_ms[terminal]) % (24 * HOUR_MS)
        assert (since < terminals.open_for_ms[terminal]).all()


def test_customers_travel_and_come_home(population: Population) -> None:
    abroad = np.array([countries_today(population, day) != population.customers.country for day in range(60)])
    assert 0.01 < abroad.mean() < 0.12
    assert abroad.any(axis=0).mean() > 0.2
    trips = [int(sum(a and not b for a, b in pairwise(column))) for column in abroad.T.tolist()]
    assert max(trips) >= 1


def test_amounts_follow_the_customers_spending_level(population: Population) -> None:
    day = Simulation(population, ()).day(9)
    level = population.customers.level[population.customers.card_customer[day.payments.card]]
    amounts = day.columns(default_reporting_currency()).amount
    rich, poor = level > np.quantile(level, 0.8), level < np.quantile(level, 0.2)
    assert np.median(amounts[rich]) > 1.2 * np.median(amounts[poor])


@pytest.mark.parametrize("day", [-1, LAST_DAY + 1])
def test_a_day_that_cannot_be_is_refused(population: Population, day: int) -> None:
    with pytest.raises(SimulationSettingsError, match=f"day {day}: "):
        Simulation(population).day(day)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"customers": 3}, "3 customers: give a number from 10 to 1,000,000"),
        ({"terminals": 99}, "99 terminals"),
        ({"transactions_per_day": 0}, "0 transactions per day"),
        ({"start_ms": 1_735_689_600_001}, "UTC midnight"),
        ({"start_ms": 0}, "from 2000 to 2099"),
    ],
)
def test_a_bank_that_cannot_be_is_refused(setting: dict[str, int], message: str) -> None:
    with pytest.raises(SimulationSettingsError, match=message):
        PopulationSettings(**setting)  # type: ignore[arg-type]  # that is what is tested


def test_an_unknown_home_country_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SimulationSettingsError, match="the simulator knows DE, FR"):
        Population(PopulationSettings(home_countries=(("XX", 1.0),)), seed=1)


def test_the_smallest_bank_works_with_every_variant() -> None:
    settings = PopulationSettings(customers=10, terminals=100, transactions_per_day=20)
    pairs = [(kind, variant) for kind, tactic in TACTICS.items() for variant in tactic.variants]
    every = [TacticScript(kind, (Phase(share=0.2, variant=variant),), f"{kind}_{variant}") for kind, variant in pairs]
    for seed in range(20):
        assert sum(map(len, Simulation(Population(settings, seed), every).days(0, 4))) > 150
