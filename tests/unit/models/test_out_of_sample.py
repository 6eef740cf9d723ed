"""The reference is scored by fits that have not seen its terminals, with the labels known at maturity."""

from typing import Any, ClassVar

import numpy as np
import pytest
from onnx import TensorProto
from onnx.helper import make_node
from onnx.numpy_helper import from_array

from models import out_of_sample
from models.families.catalogue import family
from models.families.graph import INPUT, OUTPUT, scoring_graph
from models.features.feature_set import DEFAULT, FeatureSet
from models.features.history import NO_LABEL
from models.out_of_sample import FOLDS, drift_reference
from models.schema.topics import DAY_MS
from models.training_rows import TrainingRows
from tests.unit.models.drift.small_bank import FIRST_DAY, reference_rows

FEATURES = FeatureSet("four", DEFAULT.features[:4])


class Remembers:
    """A family whose model knows exactly the terminals of the frauds that it was fitted on, by their feature."""

    name = "remembers"
    defaults: ClassVar[dict[str, float]] = {}

    def __init__(self) -> None:
        self.fitted: list[set[float]] = []
        self.weights: list[tuple[int, float]] = []

    def fit(self, values, is_fraud, sample_weight, seed, **parameters):
        known = set(values[is_fraud, 0].tolist())
        self.fitted.append(known)
        self.weights.append((len(values), len(values) if sample_weight is None else float(sample_weight.sum())))
        return known

    def to_onnx(self, estimator, n_features):
        constants = {"first": np.array([0]), "known": np.array([sorted(estimator)], np.float32)}
        constants |= {"more": np.array(0.98, np.float32), "least": np.array(0.01, np.float32)}
        nodes = [
            make_node("Gather", [INPUT, "first"], ["terminal"], axis=1),
            make_node("Equal", ["terminal", "known"], ["equal"]),
            make_node("Cast", ["equal"], ["ones"], to=TensorProto.FLOAT),
            make_node("ReduceMax", ["ones"], ["is_known"], axes=[1]),
            make_node("Mul", ["is_known", "more"], ["rise"]),
            make_node("Add", ["rise", "least"], [OUTPUT]),
        ]
        held = [from_array(value, name) for name, value in constants.items()]
        return scoring_graph("remembers", nodes, n_features, held)


def training_rows(**changes) -> TrainingRows:
    """Three weeks of the small bank; the first feature is the terminal itself."""
    rows = reference_rows(weeks=3)
    values = rows.values.copy()
    values[:, 0] = rows.terminal
    given = {
        "values": values,
        "is_fraud": rows.is_fraud,
        "event_time": rows.event_time,
        "card": rows.card,
        "description": "three weeks",
        "terminal": rows.terminal,
        "labelled_at": rows.stated_at,
        "reference_days": (FIRST_DAY - 21, FIRST_DAY),
        **changes,
    }
    return TrainingRows(**given)


def make(rows: TrainingRows, kind: Any = None, said: list[str] | None = None):
    told = [] if said is None else said
    chosen: Any = Remembers() if kind is None else kind
    return drift_reference(chosen, {}, rows, FEATURES, seed=1, maturity_ms=7 * DAY_MS, report=told.append)


def test_what_a_model_remembers_of_a_terminal_does_not_help_it() -> None:
    kind = Remembers()
    reference = make(training_rows(), kind)
    assert len(kind.fitted) == FOLDS
    # Every score is the one for a terminal never seen.
    assert reference is not None
    assert np.isclose(reference.average_precision, training_rows().is_fraud.mean(), atol=0.003)


@pytest.mark.parametrize("most_genuine", [None, 300])
def test_the_rows_of_a_fold_weigh_what_those_of_the_released_fit_do(most_genuine, monkeypatch) -> None:
    """All of them where that is fitted on all, 1 on average where they are drawn for it."""
    monkeypatch.setattr(out_of_sample, "MOST_GENUINE", 300)
    kind, rows, told = Remembers(), training_rows(), list[str]()
    reference = drift_reference(
        kind, {}, rows, FEATURES, seed=1, maturity_ms=7 * DAY_MS, report=told.append, most_genuine=most_genuine
    )
    assert reference is not None
    for drawn, weight in kind.weights:
        assert drawn < len(rows) / 2
        assert weight == pytest.approx(drawn if most_genuine else 0.75 * len(rows), rel=0.1)


def test_labels_that_came_after_maturity_are_not_counted() -> None:
    rows = training_rows()
    assert rows.labelled_at is not None
    late = np.where(np.cumsum(rows.is_fraud) % 2 == 0, rows.event_time + 20 * DAY_MS, rows.labelled_at)
    late = np.where(rows.is_fraud, late, NO_LABEL)
    whole, part = make(rows), make(training_rows(labelled_at=late))
    assert whole is not None
    assert part is not None
    assert 0.3 * whole.frauds < part.frauds < 0.7 * whole.frauds


@pytest.mark.parametrize("missing", ["terminal", "labelled_at", "reference_days"])
def test_rows_that_do_not_say_enough_give_no_reference_and_the_reason(missing: str) -> None:
    said: list[str] = []
    assert make(training_rows(**{missing: None}), said=said) is None
    assert any("no drift reference" in line for line in said)


def test_too_few_days_give_no_reference_and_the_reason() -> None:
    said: list[str] = []
    assert make(training_rows(reference_days=(FIRST_DAY - 9, FIRST_DAY)), said=said) is None
    assert "no drift reference: a drift reference of 7 days" in said[-1]


def test_a_real_family_gives_a_reference() -> None:
    reference = make(training_rows(), family("logistic_regression"))
    assert reference is not None
    assert (reference.days, reference.bins.columns[-1].name) == (21, "score")
