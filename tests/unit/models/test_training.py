"""Training judges on later rows, releases on all, and repeats."""

from dataclasses import replace

import numpy as np
import pytest

from models.features.feature_set import DEFAULT
from models.manifest import Lineage
from models.scorer import LoadedModel
from models.training import (
    DAY_MS,
    Provenance,
    Recipe,
    golden_rows,
    split_in_time,
    train,
)
from models.training_rows import TrainingError, TrainingRows
from tests.unit.models.small_model import QUICK, made_rows

PROVENANCE = Provenance(1_700_000_000_000, "c0ffee", Lineage(parent="m-0"))
RECIPE = Recipe(parameters=QUICK["hist_gradient_boosting"], gap_ms=2 * DAY_MS)


@pytest.fixture(scope="module")
def training_rows() -> TrainingRows:
    values, is_fraud = made_rows(6000, len(DEFAULT), seed=4)
    times = np.sort(np.random.default_rng(1).integers(0, 60 * DAY_MS, 6000))
    return TrainingRows(values, is_fraud, times, np.arange(6000) % 500, "made for a test")


@pytest.fixture(scope="module")
def trained(training_rows, key):
    return train(training_rows, RECIPE, PROVENANCE, key)


def test_the_rows_judged_on_lie_a_gap_behind_those_fitted_on(training_rows):
    early, late = split_in_time(training_rows, 0.25, 3 * DAY_MS)
    assert late.event_time.min() - early.event_time.max() >= 3 * DAY_MS
    assert len(late) == pytest.approx(1500, abs=2)
    assert late.event_time.max() == training_rows.event_time.max()


def test_the_manifest_says_what_was_judged_and_what_is_released(trained, training_rows):
    manifest = trained.manifest
    figures = manifest.metrics["hold_out"]
    assert (manifest.data.rows, manifest.data.frauds) == (6000, int(training_rows.is_fraud.sum()))
    assert (figures.rows, figures.to_event_time) == (1200, int(training_rows.event_time.max()))
    assert "the released model is fitted on all" in figures.fit
    assert manifest.parameters["max_iter"] == 25
    assert manifest.parameters["l2_regularization"] == 1.0  # a default, stated like what was chosen
    assert (manifest.code_commit, manifest.lineage.parent) == ("c0ffee", "m-0")


def test_the_figures_are_those_of_a_model_that_learnt_something(trained):
    values = trained.manifest.metrics["hold_out"].values
    assert values["auc"] > 0.8
    assert values["alert_rate"] <= 0.005 + values.get("decline_rate", 0.0)
    assert 0 < values["log_loss"] < 0.5


def test_what_was_trained_can_be_loaded(trained, allowed):
    assert LoadedModel.load(trained, allowed).check_golden() < 1e-6


def test_the_same_rows_recipe_and_moment_give_the_same_bundle(trained, training_rows, key):
    assert train(training_rows, RECIPE, PROVENANCE, key) == trained


def test_a_draw_of_the_genuine_rows_is_fitted_on_while_the_manifest_describes_all(trained, training_rows, key):
    drawn = train(training_rows, replace(RECIPE, most_genuine=2_000), PROVENANCE, key)
    assert drawn.manifest.data == trained.manifest.data
    assert drawn.manifest.onnx_sha256 != trained.manifest.onnx_sha256
    assert train(training_rows, replace(RECIPE, most_genuine=2_000), PROVENANCE, key) == drawn
    whole = train(training_rows, replace(RECIPE, most_genuine=len(training_rows)), PROVENANCE, key)
    assert whole.manifest.onnx_sha256 == trained.manifest.onnx_sha256


def test_golden_rows_reach_from_the_lowest_to_the_highest_score_and_into_the_unknown(training_rows):
    scores = np.linspace(0, 1, 6000).astype(np.float32)
    golden = golden_rows(training_rows.values, scores, seed=1)
    assert len(golden) >= 32
    assert np.isnan(golden[0]).all()
    assert np.array_equal(golden[-1], training_rows.values[-1], equal_nan=True)


def test_a_history_too_short_for_the_gap_is_refused(training_rows, key):
    with pytest.raises(TrainingError, match="0 of 0 rows before the gap are fraud"):
        train(training_rows, Recipe(gap_ms=59 * DAY_MS), PROVENANCE, key)


def test_a_hold_out_without_fraud_is_refused(training_rows, key):
    is_fraud = training_rows.is_fraud.copy()
    is_fraud[4000:] = False
    rows = TrainingRows(training_rows.values, is_fraud, training_rows.event_time, training_rows.card, "quiet weeks")
    with pytest.raises(TrainingError, match=r"0 of 1200 rows in the hold-out are fraud"):
        train(rows, RECIPE, PROVENANCE, key)


def test_no_rows_are_refused(training_rows):
    with pytest.raises(TrainingError, match="no rows to train on in made for a test"):
        split_in_time(training_rows.take(np.zeros(6000, bool)), 0.2, 0)
