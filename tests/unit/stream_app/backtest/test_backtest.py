"""A small simulated bank is played day by day; the result repeats, and knows nothing before its time."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from threadpoolctl import threadpool_limits

from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.metrics.scored_rows import DECLINE
from models.release.plan import ReleasePlan
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.schema.topics import DAY_MS
from models.thresholds import ReviewPolicy
from producers.simulator.script import parse_tactic
from stream_app.backtest.champion import Champion, ChampionRecipe
from stream_app.backtest.engine import Backtest, BacktestError, BacktestPlan
from stream_app.backtest.report import BacktestReport
from stream_app.backtest.world import World, WorldError, file_world, simulated_world

DAYS, FROM_DAY, TACTIC_DAY = 84, 66, 68
TACTIC = f"account_takeover:start_day={TACTIC_DAY},share=0.02,variant=patient,name=new"
QUICK: dict[str, float | int | str | bool | None] = {"max_iter": 15, "learning_rate": 0.2, "max_leaf_nodes": 15}
RECIPE = ChampionRecipe(parameters=QUICK, policy=ReviewPolicy(decline_precision=0.3, decline_evidence=10))


def silent(_: str) -> None:
    pass


def bank(*tactics: str, days: int = DAYS) -> World:
    """A bank of 1,000 customers; every fraud is labelled after 7 days."""
    scripts = [parse_tactic(text) for text in tactics]
    return simulated_world(days=days, seed=3, customers=1_000, tactics=scripts, label_delay_days=7, report=silent)


def play(world: World, champion: Champion | None = None, **changes) -> tuple[Backtest, BacktestReport]:
    plan = BacktestPlan(FROM_DAY, recipe=RECIPE, **{"retrains": False, "control_share": 0.0, **changes})
    backtest = Backtest(world, plan, silent, champion)
    # On cores that others use too, two threads wait for one another.
    with threadpool_limits(limits=1, user_api="openmp"):
        return backtest, backtest.run()


@pytest.fixture(scope="module")
def usual() -> tuple[Backtest, BacktestReport]:
    return play(bank())


@pytest.fixture(scope="module")
def slipped(usual: tuple[Backtest, BacktestReport]) -> tuple[Backtest, BacktestReport]:
    return play(bank(TACTIC), usual[0].champion)


def test_without_a_change_nothing_is_asked_for(usual: tuple[Backtest, BacktestReport]) -> None:
    report = usual[1]
    assert (report.alarms, report.retrain_requests) == ([], [])
    assert [week.from_day for week in report.weeks] == [66, 73]
    assert all(0 < week.ap <= 1 and 0.5 < week.auc <= 1 for week in report.weeks)
    assert all(0 < week.recall < 1 and week.declined > week.control == 0 for week in report.weeks)


def test_the_reference_is_whole_weeks_before_the_first_day_scored(usual: tuple[Backtest, BacktestReport]) -> None:
    reference = usual[1].first_model
    assert (reference.first_day, reference.last_day) == (38, 58)
    assert reference == usual[1].last_model


def test_a_new_tactic_is_found_when_its_labels_are_mature_and_not_before(
    slipped: tuple[Backtest, BacktestReport],
) -> None:
    report = slipped[1]
    assert TACTIC_DAY + 8 <= report.alarms[0].day <= TACTIC_DAY + 10
    assert "performance" in {one.feature for one in report.alarms}
    assert report.retrain_requests[0].cause == "drift"
    assert {one.cause for one in report.retrain_requests[1:]} == {"drift follow-up"}


def test_features_are_those_of_a_whole_history(usual: tuple[Backtest, BacktestReport]) -> None:
    backtest = usual[0]
    assert np.array_equal(backtest.replay.values, batch_features(bank().history, DEFAULT), equal_nan=True)


def test_a_day_is_scored_alike_whatever_comes_after_it(usual: tuple[Backtest, BacktestReport]) -> None:
    shorter, _ = play(bank(days=FROM_DAY + 5), usual[0].champion)
    rows = len(shorter.scores)
    assert np.array_equal(shorter.scores, usual[0].scores[:rows], equal_nan=True)


def test_nobody_hears_of_what_was_declined(usual: tuple[Backtest, BacktestReport]) -> None:
    world = bank()
    backtest, _ = play(world, usual[0].champion, declines=True)
    played = backtest.played
    assert (played.decisions == DECLINE).any()
    (rows,) = played.closed_day(DAYS - 1, FROM_DAY + 1).matured
    refused = rows.decision == DECLINE
    assert refused.any()
    assert not rows.is_fraud[refused].any()
    assert not rows.known(7 * DAY_MS)[refused].any()
    # Their terminals' profiles do not hear of them either.
    later = world.day == DAYS - 1
    assert not np.array_equal(backtest.replay.values[later], usual[0].replay.values[later], equal_nan=True)


def test_some_declines_pass_at_random_and_speak_for_the_others(usual: tuple[Backtest, BacktestReport]) -> None:
    backtest, _ = play(bank(), usual[0].champion, declines=True, control_share=0.5)
    played = backtest.played
    refused, passed = (played.decisions == DECLINE).sum(), played.control.sum()
    assert 0.3 < passed / (passed + refused) < 0.7
    assert set(played.pass_probability[played.control].tolist()) == {0.5}
    assert not backtest.replay.declined[played.control].any()


def test_a_slipped_model_is_retrained_gated_and_replaced_while_payments_flow(
    usual: tuple[Backtest, BacktestReport], slipped: tuple[Backtest, BacktestReport]
) -> None:
    recipe = FitRecipe("hist_gradient_boosting", before_weight=0.5, parameters=QUICK)
    plan = {
        "retrain": RetrainPlan(incident=(recipe,), policy=RECIPE.policy),
        "release": ReleasePlan(least_rows=50, shadow_transactions=100, canary_transactions=100),
    }
    backtest, report = play(bank(TACTIC), usual[0].champion, retrains=True, **plan)
    passed = {one.version for one in report.gate_verdicts if one.verdict == "pass"}
    assert {one.version for one in report.promotions} <= passed
    first = report.promotions[0]
    assert usual[0].champion is not None
    assert first.before == usual[0].champion.model.version
    assert first.day >= report.retrain_requests[0].day
    assert np.isfinite(backtest.scores[backtest.played.version >= 0]).all()
    promoted = backtest.played.version == backtest.played.versions.index(first.version)
    assert promoted.any()
    # Both have scored the same payments, so they can be told apart.
    other = slipped[0].scores[promoted]
    assert not np.array_equal(backtest.scores[promoted], other)


def test_the_report_is_json_with_the_fields_that_were_promised(slipped: tuple[Backtest, BacktestReport]) -> None:
    report = json.loads(slipped[1].json())
    assert {"weeks", "alarms", "warnings", "retrain_requests", "promotions", "rejections"} <= report.keys()
    assert {"from_day", "ap", "auc", "cp100", "all_rows", "version"} <= report["weeks"][0].keys()
    assert {"day", "kind", "feature"} <= report["alarms"][0].keys()
    assert {"day", "cause"} <= report["retrain_requests"][0].keys()


def test_days_that_are_not_there_are_refused() -> None:
    with pytest.raises(BacktestError, match="nothing lies between --from-day 66 and day 20"):
        Backtest(bank(days=20), BacktestPlan(FROM_DAY), silent)


def test_a_file_out_of_order_or_with_unknown_columns_is_refused(tmp_path: Path) -> None:
    columns = {
        "TRANSACTION_ID": [1, 2],
        "CUSTOMER_ID": [1, 2],
        "TERMINAL_ID": [1, 2],
        "TX_AMOUNT": [1.0, 2.0],
        "TX_FRAUD": [0, 1],
    }
    times = pa.array([1_525_132_800_000 + 5, 1_525_132_800_000], pa.timestamp("ms"))
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({**columns, "TX_DATETIME": times}), path)
    with pytest.raises(WorldError, match=r"row 1 of .* is earlier than the one before it"):
        file_world(path, None, None, 7.0, silent)
    pq.write_table(pa.table({"other": [1]}), path)
    with pytest.raises(WorldError, match="--mapping"):
        file_world(path, None, None, 7.0, silent)
