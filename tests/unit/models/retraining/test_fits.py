"""What a retrain learns from, how its rows are weighed, and which recipe it takes."""

from dataclasses import replace

import numpy as np
import pytest

from models.features.history import NO_LABEL
from models.retraining.choice import choose
from models.retraining.cross_fit import SIDES, cross_fit
from models.retraining.disowned import disowned
from models.retraining.evidence import Evidence, control_weights
from models.retraining.plan import RetrainPlan
from models.retraining.recipe import FitRecipe
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from models.training_rows import TrainingRows, thinned
from tests.unit.models.small_model import made_bundle

DAYS, ROWS_A_DAY, CHANGE = 40, 400, 30
SMALL = {"num_iterations": 30, "min_data_in_leaf": 5}


def silent(_: str) -> None:
    pass


def made_rows(seed: int = 1, features: int = 4) -> TrainingRows:
    """Fraud where the first feature is large; from day CHANGE on also where the second is small."""
    random = np.random.default_rng(seed)
    n = DAYS * ROWS_A_DAY
    time = np.sort(random.integers(0, DAYS * DAY_MS, n))
    values = random.random((n, features)).astype(np.float32)
    old, new = values[:, 0] > 0.97, (values[:, 1] < 0.03) & (time >= CHANGE * DAY_MS)
    return TrainingRows(
        values=values,
        is_fraud=old | new,
        event_time=time,
        card=random.integers(0, 2**63, n).astype(np.uint64),
        description="made",
        terminal=random.integers(0, 100, n).astype(np.uint64),
        labelled_at=np.full(n, NO_LABEL),
    )


@pytest.fixture(scope="module")
def rows() -> TrainingRows:
    return made_rows()


def test_rows_since_the_change_count_fully_and_older_ones_less_and_less(rows: TrainingRows) -> None:
    weighed = FitRecipe("lightgbm", before_weight=0.1, half_life_days=10.0).weigh(rows, CHANGE * DAY_MS)
    assert weighed.weight is not None
    assert weighed.weight.mean() == pytest.approx(1.0)
    since = rows.event_time >= CHANGE * DAY_MS
    assert np.ptp(weighed.weight[since]) == 0
    ratio = weighed.weight[~since] / weighed.weight[since][0]
    age_days = (CHANGE * DAY_MS - rows.event_time[~since]) / DAY_MS
    assert np.allclose(ratio, 0.1 * 0.5 ** (age_days / 10))


def test_without_a_change_age_counts_from_the_newest_row_and_a_window_cuts(rows: TrainingRows) -> None:
    weighed = FitRecipe("lightgbm", half_life_days=5.0, window_days=7).weigh(rows, None)
    assert weighed.event_time.min() > rows.event_time.max() - 7 * DAY_MS
    assert weighed.weight is not None
    assert weighed.weight.argmax() == len(weighed) - 1


def test_control_rows_keep_their_weight_as_a_factor(rows: TrainingRows) -> None:
    twice = rows.weighted(np.where(np.arange(len(rows)) % 2, 2.0, 1.0))
    weighed = FitRecipe("lightgbm").weigh(twice, None)
    assert weighed.weight is not None
    assert weighed.weight[1] == pytest.approx(2 * weighed.weight[0])


def test_genuine_rows_that_look_like_the_new_fraud_are_disowned_and_no_others(rows: TrainingRows) -> None:
    changed_at = CHANGE * DAY_MS
    found = disowned(rows, changed_at, seed=1)
    alike = (rows.values[:, 1] < 0.03) & (rows.event_time < changed_at) & ~rows.is_fraud
    assert found[alike].mean() > 0.9
    assert found[~alike].mean() < 0.002
    assert not found[rows.is_fraud | (rows.event_time >= changed_at)].any()
    plain, without = (FitRecipe(disowns=disowns).weigh(rows, changed_at, found).weight for disowns in (False, True))
    assert plain is not None
    assert without is not None
    assert without[found].sum() < 1e-4 * without[~found].sum()
    assert np.allclose(without[~found] / plain[~found], without[~found][0] / plain[~found][0])


def test_nothing_is_disowned_where_a_side_of_the_change_has_no_fraud(rows: TrainingRows) -> None:
    for changed_at in (0, DAYS * DAY_MS):
        assert not disowned(rows, changed_at, seed=1).any()
    assert not disowned(rows.take(~rows.is_fraud | (rows.event_time < DAY_MS)), CHANGE * DAY_MS, seed=1).any()


def test_thinning_keeps_every_fraud_and_the_weight_of_the_genuine(rows: TrainingRows) -> None:
    few = thinned(rows, 2_000, seed=1)
    assert few.is_fraud.sum() == rows.is_fraud.sum()
    assert 1_700 < (~few.is_fraud).sum() < 2_300
    assert few.weight is not None
    genuine, fraud = few.weight[~few.is_fraud].sum(), few.weight[few.is_fraud].sum()
    assert genuine / fraud == pytest.approx((~rows.is_fraud).sum() / rows.is_fraud.sum(), rel=0.1)
    assert few.weight.mean() == pytest.approx(1.0)


def test_thinning_some_rows_is_thinning_a_table_of_them_alone(rows: TrainingRows) -> None:
    among = rows.event_time % 3 == 0
    for most_genuine in (1_000, len(rows)):
        found, expected = thinned(rows, most_genuine, 1, among), thinned(rows.take(among), most_genuine, 1)
        assert np.array_equal(found.values, expected.values)
        assert np.array_equal(found.event_time, expected.event_time)
        assert np.array_equal(np.asarray(found.weight), np.asarray(expected.weight))


def test_a_control_row_stands_for_as_many_as_its_chance_says_up_to_a_limit() -> None:
    declined = np.array([False, False, False, True])
    chance = np.array([1.0, 0.05, 0.001, 0.0], np.float32)
    weights = control_weights(declined, chance, 20.0)
    assert weights is not None
    assert np.allclose(weights, [1, 20, 20, 1])
    assert control_weights(declined, np.ones(4, np.float32), 20.0) is None


def test_with_few_days_since_the_change_other_cards_are_held_out(rows: TrainingRows) -> None:
    until = rows.take(rows.event_time < (CHANGE + 2) * DAY_MS)
    learns = FitRecipe("lightgbm", before_weight=0.5, parameters={**SMALL})
    ignores = FitRecipe("lightgbm", before_weight=0.5, parameters={"num_iterations": 1, "num_leaves": 2})
    choice = choose(until, CHANGE * DAY_MS, RetrainPlan(incident=(ignores, learns), forgets=1.0), silent)
    assert (choice.recipe, len(choice.tried)) == (learns, 2)
    assert choice.reason.endswith("on a third of the cards since the change, best of 2 that keep the old fraud")


def test_a_plan_with_one_recipe_leaves_nothing_to_choose(rows: TrainingRows) -> None:
    only = FitRecipe("lightgbm", parameters={**SMALL})
    choice = choose(rows, CHANGE * DAY_MS, RetrainPlan(incident=(only,)), silent)
    assert (choice.recipe, choice.reason, choice.tried) == (only, "the plan names no other", [])


def test_the_recipe_that_does_best_on_the_latest_days_is_taken(rows: TrainingRows) -> None:
    learns = FitRecipe("lightgbm", before_weight=0.5, parameters={**SMALL})
    ignores = FitRecipe("lightgbm", before_weight=0.5, parameters={"num_iterations": 1, "num_leaves": 2})
    choice = choose(rows, CHANGE * DAY_MS, RetrainPlan(incident=(ignores, learns), forgets=1.0), silent)
    assert choice.recipe == learns
    assert choice.held_out_from == (DAYS - (DAYS - CHANGE) // 3) * DAY_MS
    assert [one.recipe for one in choice.tried] == [learns, ignores]


def test_a_recipe_that_forgets_the_old_fraud_is_passed_over(rows: TrainingRows) -> None:
    turned = replace(rows, is_fraud=rows.is_fraud & ((rows.values[:, 0] <= 0.97) | (rows.event_time < CHANGE * DAY_MS)))
    keeps = FitRecipe("lightgbm", before_weight=1.0, parameters={**SMALL})
    forgets = FitRecipe("lightgbm", before_weight=1e-6, parameters={**SMALL})
    plan = RetrainPlan(incident=(forgets, keeps), forgets=0.01)
    choice = choose(turned, CHANGE * DAY_MS, plan, silent)
    before = {one.recipe.before_weight: one.before for one in choice.tried}
    assert choice.recipe == keeps
    assert (before[1.0] or 0) > (before[1e-6] or 0) + plan.forgets


def test_no_card_is_scored_by_a_fit_that_has_seen_it(rows: TrainingRows) -> None:
    """A label that only the card decides cannot be learned from other cards."""
    card = rows.card.astype(np.uint64) % np.uint64(300)
    secret = np.isin(card, np.arange(0, 300, 10, dtype=np.uint64))
    values = np.column_stack((card, np.zeros((len(card), 1)))).astype(np.float32)
    told = TrainingRows(values, secret, rows.event_time, card, "made")
    recipe = FitRecipe("lightgbm", parameters={**SMALL, "min_data_in_leaf": 1})
    asked = np.arange(len(card)) % 2 == 0
    fitted = cross_fit(told, recipe, asked, None, RetrainPlan(), silent)
    assert np.isnan(fitted.score[~asked]).all()
    found = fitted.score[asked]
    # Each third of the cards is unknown to its fit, which so gives its frauds no higher scores than the rate.
    assert SIDES == 3
    assert found[secret[asked]].mean() < 0.5


def test_the_champion_is_judged_by_rows_that_it_has_not_seen_and_by_what_was_live_before(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    key = SigningKey.load_or_create(tmp_path_factory.mktemp("keys") / "key.pem")
    bundle = made_bundle(key)
    champion = LoadedModel.load(bundle, AllowedSigners.of([key.public_key]))
    width, end = len(champion.feature_set), bundle.manifest.data.to_event_time
    time = end + np.array([-3, -2, 0, 1, 2]) * DAY_MS
    rows = TrainingRows(np.zeros((5, width), np.float32), np.zeros(5, np.bool_), time, np.arange(5), "made")
    live = np.array([0.1, np.nan, 0.3, 0.4, 0.5], np.float32)
    evidence = Evidence(rows, np.zeros(5, np.int64), live)
    scores = evidence.champion_scores(champion, end + DAY_MS, end - 10 * DAY_MS)
    own = champion.score(rows.values)
    assert np.allclose(scores[[0, 2]], live[[0, 2]])
    assert np.isnan(scores[1])
    assert np.array_equal(scores[3:], own[3:])
    alone = evidence.champion_scores(champion, None, end + 2 * DAY_MS)
    assert np.isnan(alone[:4]).all()
    assert alone[4] == own[4]
