"""Each fraud tactic leaves the traces that it is known by."""

import numpy as np
import pytest

from models.schema.money import default_reporting_currency
from models.schema.transaction import Transaction
from producers.simulator.population import Population
from producers.simulator.script import Phase, TacticScript
from producers.simulator.simulation import Simulation


def frauds(population: Population, kind: str, variant: str = "base", days: int = 6) -> list[Transaction]:
    script = TacticScript(kind, (Phase(share=0.03, variant=variant),))
    return [
        one
        for day in Simulation(population, (script,)).days(0, days)
        for one, bad in zip(day.transactions(), day.is_fraud, strict=True)
        if bad
    ]


def euros(transactions: list[Transaction]) -> np.ndarray:
    to_reporting = default_reporting_currency().to_reporting
    return np.array([to_reporting(one.amount_minor, one.currency) for one in transactions]) / 100


def test_card_testing_is_tiny_orders_on_many_cards_and_some_large_ones(population: Population) -> None:
    found = frauds(population, "card_testing")
    amounts = euros(found)
    assert {one.channel for one in found} == {"ecommerce"}
    assert 0.7 < (amounts < 8).mean() < 0.92
    assert (amounts > 50).sum() > 20
    tiny = [one for one, amount in zip(found, amounts, strict=True) if amount < 8]
    assert len({one.card_id for one in tiny}) > 0.6 * len(tiny)


def test_a_compromised_terminal_sees_ordinary_amounts_of_its_own_customers(population: Population) -> None:
    found = frauds(population, "terminal_compromise")
    assert {one.channel for one in found} == {"pos"}
    assert len({one.terminal_id for one in found}) < len(found) / 8
    assert np.median(euros(found)) < 60


def test_skimmed_cards_are_cashed_abroad_in_the_variant(population: Population) -> None:
    found = frauds(population, "terminal_compromise", "cash_out")
    assert not {one.merchant_country for one in found} & {"DE", "AT", "NL", "FR"}
    assert {one.channel for one in found} <= {"pos", "atm"}


def test_a_taken_over_account_orders_dearly_from_a_new_device(population: Population) -> None:
    found = frauds(population, "account_takeover")
    devices: dict[str, set[str | None]] = {}
    for one in found:
        devices.setdefault(one.card_id, set()).add(one.device_id)
    assert {one.channel for one in found} == {"ecommerce"}
    assert None not in {device for seen in devices.values() for device in seen}
    genuine = [one for day in Simulation(population, ()).days(0, 6) for one in day.transactions()]
    assert not {one.device_id for one in genuine} & {one.device_id for one in found}
    assert np.median(euros(found)) > 3 * np.median(euros(genuine))


def test_a_stolen_card_pays_contactless_below_the_limit_in_quick_series(population: Population) -> None:
    found = frauds(population, "lost_or_stolen")
    amounts = euros(found)
    assert {one.entry_mode for one in found} == {"contactless"}
    assert amounts.max() <= 51
    assert np.median(amounts) > 30
    by_card: dict[str, list[int]] = {}
    for one in found:
        by_card.setdefault(one.card_id, []).append(one.event_time)
    gaps = np.concatenate([np.diff(times) for times in by_card.values()])
    assert np.median(gaps) < 15 * 60_000


def test_a_colluding_merchant_charges_round_amounts_on_many_cards(population: Population) -> None:
    found = frauds(population, "merchant_collusion")
    assert np.mean([one.amount_minor % 100 == 0 for one in found]) > 0.75
    assert len({one.terminal_id for one in found}) < len(found) / 8
    assert len({one.card_id for one in found}) > 40


@pytest.mark.parametrize("variant", ["base", "fashion"])
def test_triangulation_stays_in_every_usual_range(population: Population, variant: str) -> None:
    found, amounts = frauds(population, "triangulation", variant), euros(frauds(population, "triangulation", variant))
    assert {one.channel for one in found} == {"ecommerce"}
    assert amounts.min() > 10
    assert amounts.max() < 120
    assert len({one.terminal_id for one in found}) >= 5
    assert len({one.card_id for one in found}) > 0.6 * len(found)
