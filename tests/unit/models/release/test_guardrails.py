"""Guardrails on seeded made rows: every bad model is found in time, honest ones are left alone."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as replaced

from models.release.guardrails import Guardrails
from models.release.limits import Limits
from models.release.pairs import Pairs, PairsError
from models.schema.model_event import CheckName
from tests.support.made_pairs import BAD, constant, expectation, honest, slow

LOOKS = (100, 200, 400, 800, 1_500, 3_000, 5_000, 8_000, 12_000, 20_000)
IN_TIME = {
    "constant": 200,
    "inverted (1 - score)": 100,
    "permuted across all rows": 1_500,
    "permuted within batches of 20": 1_500,
    "three times the alerts, the same ranks": 8_000,
    "three times the alerts, at random": 12_000,
    "20 times slower, 0.6 ms a row": 400,
    "not a number": 100,
    "not a number in one batch of 50": 3_000,
}


def broken(pairs: Pairs, limits: Limits) -> tuple[int, list[CheckName]]:
    """The first look at which something is broken, and what; (0, []) when nothing is."""
    for rows in LOOKS:
        checks = Guardrails(limits).examine(pairs.take(slice(rows)))
        found = [check.name for check in checks if check.verdict == "broken"]
        if found:
            return rows, found
    return 0, []


@pytest.fixture(scope="module", params=["hold-out", "defaults"])
def limits(request: pytest.FixtureRequest) -> Limits:
    return Limits.expecting(expectation()) if request.param == "hold-out" else Limits()


@pytest.mark.parametrize("name", BAD)
def test_a_bad_model_is_found_in_time(name: str, limits: Limits) -> None:
    for seed in range(2):
        rows, found = broken(BAD[name](honest(20_000, seed), np.random.default_rng(seed)), limits)
        assert 0 < rows <= IN_TIME[name], (seed, rows, found)


@pytest.mark.parametrize(
    "how",
    [{"alike": 0.9}, {"alike": 0.7, "bulk": 0.0}, {"alike": 0.97, "bulk": 0.9}, {"wanted": 1.2}, {"wanted": 0.8}],
)
def test_an_honest_model_is_left_alone(how: dict[str, float]) -> None:
    for seed in range(3):
        pairs = honest(20_000, 1_000 + seed, **how)
        assert broken(pairs, Limits.expecting(expectation(**how))) == (0, [])
        assert broken(pairs, Limits()) == (0, [])


def test_after_twenty_thousand_rows_every_check_has_its_verdict(limits: Limits) -> None:
    checks = Guardrails(limits).examine(honest(20_000, 7))
    assert {check.verdict for check in checks} == {"ok"}
    assert len({check.name for check in checks}) == len(checks) == 10
    assert all(check.figure is not None and check.limit is not None and check.sentence for check in checks)


def alert_rate(pairs: Pairs, limits: Limits) -> str:
    return next(check.verdict for check in Guardrails(limits).examine(pairs) if check.name == "alert rate")


def test_a_baseline_that_has_begun_to_alert_otherwise_is_no_measure_of_a_model_that_alerts_as_expected() -> None:
    """After a change of tactics the old champion alerts on twice its share: the better one is not taken back for it."""
    pairs = honest(20_000, 7)
    for share in (0.0012, 0.015):
        flagged = pairs.baseline_score >= np.quantile(pairs.baseline_score, 1 - share)
        moved = replace(pairs, baseline_decision=flagged.astype(np.uint8))
        assert alert_rate(moved, Limits.expecting(expectation())) == "ok"
        assert alert_rate(moved, Limits()) == "broken"
        wrong = Limits.expecting(replaced(expectation(), candidate_alert_rate=share, champion_alert_rate=share))
        assert alert_rate(moved, wrong) == "broken"


def test_a_few_rows_say_nothing_yet(limits: Limits) -> None:
    checks = Guardrails(limits).examine(honest(30, 7))
    assert {check.verdict for check in checks} == {"not enough yet"}


def test_rows_that_the_baseline_gives_no_score_for_are_no_fault_of_the_model(limits: Limits) -> None:
    pairs = honest(3_000, 7)
    silent = replace(pairs, baseline_score=np.full(3_000, np.nan, np.float32))
    assert broken(silent, limits) == (0, [])


def test_a_baseline_with_few_scores_lets_the_model_have_few(limits: Limits) -> None:
    pairs = honest(5_000, 7)
    alike = replace(pairs, score=np.round(pairs.score, 1), baseline_score=np.round(pairs.baseline_score, 1))
    checks = {check.name: check for check in Guardrails(limits).examine(alike)}
    assert checks["constant output"].verdict == "ok"
    assert broken(constant(alike, np.random.default_rng(1)), limits)[0]


def test_a_model_that_is_slow_for_nobody_to_notice_is_not_slow(limits: Limits) -> None:
    pairs = honest(2_000, 7)
    tenfold = replace(pairs, us=pairs.baseline_us * 5)  # 150 us a row
    assert broken(tenfold, limits) == (0, [])
    untimed = replace(slow(pairs, np.random.default_rng(1)), baseline_us=np.full(2_000, np.nan, np.float32))
    assert broken(untimed, limits) == (0, [])


def test_columns_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(PairsError, match="one entry per row"):
        replace(honest(10, 1), card=np.zeros(9, np.uint64))
