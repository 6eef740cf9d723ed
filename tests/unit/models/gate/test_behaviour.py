"""Candidates that do strange things with rows that are changed on purpose."""

from typing import Any

import numpy as np
import pytest

from models.features.batch import batch_features
from models.features.feature_set import DEFAULT
from models.features.history import NO_LABEL, History
from models.gate.amount_rise import AmountRise
from models.gate.behaviour import Behaviour
from models.gate.limits import GateLimits
from models.manifest import Thresholds
from models.schema.topics import DAY_MS
from models.scorer import ScoringError
from tests.unit.models.features.streams import START_MS, columns_of
from tests.unit.models.gate.small_gate import NAMES, Linear, made_gate_rows

rows = made_gate_rows(champion_thresholds=Thresholds(0.5, 0.9), candidate_thresholds=Thresholds(0.5, 0.9))
sane = Linear()


def checks(candidate, champion=sane, of=rows) -> dict[str, Any]:
    return {check.name: check for check in Behaviour(of, champion, candidate, GateLimits(), seed=1).checks()}


def test_a_sane_model_passes():
    assert {check.verdict for check in checks(sane).values()} == {"pass"}


def test_a_model_that_falls_as_amounts_grow_fails():
    assert checks(Linear(amount=-0.05))["behaviour_amount"].verdict == "fail"


def test_a_model_that_does_not_look_at_amounts_passes():
    assert checks(Linear(amount=0.0))["behaviour_amount"].figure < 0.02


def test_a_fall_that_the_champion_shows_as_well_is_no_reason_to_reject():
    falling = Linear(amount=-0.05)
    assert checks(falling, champion=falling)["behaviour_amount"].verdict == "pass"


def test_few_frauds_above_what_their_card_pays_are_not_judged():
    few = made_gate_rows(rows=500, frauds=20)
    assert checks(Linear(amount=-0.05), of=few)["behaviour_amount"].figure is None


def test_a_model_that_declines_whatever_is_unknown_fails():
    check = checks(Linear(channel=20.0))["behaviour_unknown_fields"]
    assert check.verdict == "fail"
    assert check.figure > 0.9


def test_without_a_decline_threshold_the_review_threshold_counts():
    reviewed = made_gate_rows(champion_thresholds=Thresholds(0.5), candidate_thresholds=Thresholds(0.5))
    assert checks(Linear(channel=20.0), of=reviewed)["behaviour_unknown_fields"].verdict == "fail"


class Breaking(Linear):
    """Gives what is no chance for amounts beyond all measure."""

    def score(self, values):
        scores = super().score(values)
        scores[values[:, 0] > 1e8] = np.nan
        return scores


class Refusing(Linear):
    def score(self, values):
        if np.isnan(values).any():
            raise ScoringError("row 3 is scored as nan")
        return super().score(values)


def test_a_model_that_breaks_on_large_values_fails():
    check = checks(Breaking())["behaviour_extreme_values"]
    assert check.verdict == "fail"
    assert 0 < check.figure < 0.2


def test_a_model_that_refuses_unknown_values_fails_with_its_reason():
    found = checks(Refusing())
    assert found["behaviour_unknown_fields"].verdict == found["behaviour_extreme_values"].verdict == "fail"
    assert "row 3 is scored as nan" in found["behaviour_extreme_values"].sentence


def test_without_the_features_there_is_nothing_to_change():
    plain = made_gate_rows(feature_names=tuple("abcdefg"))
    found = checks(sane, of=plain)
    assert found["behaviour_amount"].figure is None
    assert found["behaviour_unknown_fields"].figure is None


def test_only_amounts_above_the_usual_and_above_the_very_small_rise():
    table = rows.values[:4].copy()
    table[:, :2] = [[20, 10], [10, 20], [4, 1], [20, 0]]
    rise = AmountRise.of(table, NAMES)
    assert rise.before[:, 0].tolist() == [20]
    assert rise.after[:, 0].tolist() == [60]


def test_what_stands_in_for_no_history_does_not_rise():
    names = ("amount", "card_usual_amount", "card_amount_to_usual", "card_amount_to_mean_7d", "card_count_7d")
    table = np.array([[20, 10, 2, 1, 0], [20, 10, 2, 1.5, 4]], np.float32)
    assert AmountRise.of(table, names).after[:, 3].tolist() == [1, 4.5]


def last_row(amounts, days):
    """Features of the last of a card's payments, as the stream computes them."""
    columns = columns_of(START_MS + (np.array(days) * DAY_MS).astype(np.int64), amounts)
    n = len(amounts)
    return batch_features(History(columns, np.zeros(n, bool), np.full(n, NO_LABEL)), DEFAULT)[-1:]


@pytest.mark.parametrize(
    ("amounts", "days"),
    [
        ([1_000, 1_450, 2_200, 900, 4_567], [1, 3, 9.5, 10, 11]),
        ([1_000, 1_000, 1_000, 1_000, 7_000], [1, 3, 9, 10, 29]),
        ([333, 12_345], [1, 2]),
    ],
)
def test_the_raised_row_is_the_one_that_the_stream_would_compute_for_that_amount(amounts, days):
    rise = AmountRise.of(last_row(amounts, days), DEFAULT.names)
    expected = last_row([*amounts[:-1], 3 * amounts[-1]], days)
    assert len(rise.after) == 1
    assert rise.after == pytest.approx(expected, rel=1e-5)
    assert not np.array_equal(rise.before, rise.after)
