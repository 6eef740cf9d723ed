"""The timetable of fraud: phases start, grow, change and stop on their days; what makes no sense is refused."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX, Phase, Script, ScriptError, TacticScript, parse_script, parse_tactic
from producers.simulator.simulation import Simulation
from producers.simulator.tactics.catalogue import TACTICS, check_scripts

DOCUMENT = Path(__file__).parents[4] / "docs" / "simulator.md"


def counts(population: Population, script: TacticScript, days: int) -> list[int]:
    simulation = Simulation(population, (script,))
    return [int(day.is_fraud.sum()) for day in simulation.days(0, days)]


@pytest.mark.parametrize("kind", TACTICS)
def test_a_phase_starts_and_stops_on_its_days(population: Population, kind: str) -> None:
    by_day = counts(population, TacticScript(kind, (Phase(start_day=3, stop_day=8, share=0.02),)), 10)
    assert [count > 0 for count in by_day] == [3 <= day < 8 for day in range(10)]


@pytest.mark.parametrize("kind", TACTICS)
def test_the_share_is_the_fraction_of_the_traffic(population: Population, kind: str) -> None:
    by_day = counts(population, TacticScript(kind, (Phase(share=0.02),)), 10)
    assert np.mean(by_day) == pytest.approx(0.02 * 3000, rel=0.1)


def test_a_phase_grows_in_equal_steps(population: Population) -> None:
    script = TacticScript("card_testing", (Phase(start_day=2, share=0.1, grow_days=4),))
    by_day = counts(population, script, 8)
    assert by_day[:2] == [0, 0]
    assert by_day[2:] == pytest.approx([75, 150, 225, 300, 300, 300], rel=0.25)


def test_growth_leaves_the_campaigns_that_run_alone(population: Population) -> None:
    def terminals(share: float) -> set[int]:
        days = Simulation(population, (TacticScript("merchant_collusion", (Phase(share=share),)),)).days(0, 5)
        return {int(terminal) for day in days for terminal in day.payments.terminal[day.is_fraud]}

    assert terminals(0.01) < terminals(0.03)


def test_a_tactic_can_change_mid_way(population: Population) -> None:
    script = TacticScript(
        "lost_or_stolen", (Phase(stop_day=3, share=0.02), Phase(start_day=3, share=0.02, variant="cash"))
    )
    modes = [
        {one.entry_mode for one, bad in zip(day.transactions(), day.is_fraud, strict=True) if bad}
        for day in Simulation(population, (script,)).days(0, 5)
    ]
    assert modes == [{"contactless"}] * 3 + [{"chip"}] * 2


def test_strength_makes_the_fraud_stand_out(population: Population) -> None:
    def median(strength: float) -> float:
        script = TacticScript("account_takeover", (Phase(share=0.05, strength=strength),))
        day = Simulation(population, (script,)).day(2)
        return float(np.median(day.payments.amount_minor[day.is_fraud]))

    assert median(3.0) > 2.0 * median(1.0)


@pytest.mark.parametrize("kind", TACTICS)
def test_every_tactic_has_a_second_variant_and_names_itself(kind: str) -> None:
    tactic = TACTICS[kind]
    assert tactic.kind == kind
    assert len(tactic.variants) > 1
    assert tactic.variants[0] == "base"


@pytest.mark.parametrize(
    ("kind", "variant"), [(kind, one) for kind, tactic in TACTICS.items() for one in tactic.variants]
)
def test_every_variant_is_played(population: Population, kind: str, variant: str) -> None:
    assert min(counts(population, TacticScript(kind, (Phase(share=0.02, variant=variant),)), 4)) > 20


def test_two_scripts_of_one_kind_are_two_tactics(population: Population) -> None:
    wave = TacticScript("card_testing", (Phase(share=0.02),), name="second_wave")
    day = Simulation(population, (TacticScript("card_testing", (Phase(share=0.02),)), wave)).day(0)
    assert set(day.tactic) == {None, "card_testing", "second_wave"}


def test_a_script_survives_json() -> None:
    script = Script((*BASE_MIX, parse_tactic("triangulation:start_day=40,share=0.002,grow_days=5")), base_mix=False)
    assert parse_script(msgspec.json.encode(script), "here") == script


def test_the_command_line_names_a_wave_after_what_it_orders() -> None:
    assert parse_tactic("card_testing:start_day=40,variant=drip").title == "card_testing_drip_day_40"
    assert parse_tactic("card_testing:share=.004,name=mine").title == "mine"
    assert parse_tactic("card_testing").phases == (Phase(),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("card_testing:share=half", "share"),
        ("card_testing:share=0.9", "0.2"),
        ("card_testing:strenght=2", "strenght.*the fields are start_day"),
        ("card_testing:start_day", "KIND:field=value"),
        ("card_testing:start_day=1,start_day=2", "each field once"),
        ("Card-Testing", "kind"),
    ],
)
def test_a_tactic_that_cannot_be_read_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        parse_tactic(text)


@pytest.mark.parametrize("text", [b"", b"[]", b'{"tactics": 3}', b'{"tactic": []}', b"\xff"])
def test_a_file_that_is_no_script_is_refused_by_name(text: bytes) -> None:
    with pytest.raises(ScriptError, match=r"^drift\.json: "):
        parse_script(text, "drift.json")


@pytest.mark.parametrize(
    ("scripts", "message"),
    [
        ([TacticScript("phishing", (Phase(),))], "no tactic 'phishing'; there are: card_testing"),
        ([TacticScript("card_testing", ())], "no phase"),
        ([TacticScript("card_testing", (Phase(variant="loud"),))], "no variant 'loud'; there are: base, drip"),
        ([TacticScript("card_testing", (Phase(start_day=9, stop_day=9),))], "not after start_day"),
        ([TacticScript("card_testing", (Phase(), Phase(start_day=5)))], "stop_day of at most 5"),
        ([TacticScript("card_testing", (Phase(),))] * 2, "another name="),
    ],
)
def test_a_timetable_that_makes_no_sense_is_refused(scripts: list[TacticScript], message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        check_scripts(scripts)


def test_the_document_lists_every_tactic_variant_and_field() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    words = [*Phase.__struct_fields__, *TacticScript.__struct_fields__, *Script.__struct_fields__, *TACTICS]
    words += [variant for tactic in TACTICS.values() for variant in tactic.variants]
    assert [word for word in words if f"`{word}`" not in text] == []
