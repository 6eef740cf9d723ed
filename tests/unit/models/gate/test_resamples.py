"""Draws of cards: exact where they can be counted by hand, and as wide as they should be."""

import numpy as np
import pytest

from models.gate import resamples
from models.gate.average_precision import PairedRanking
from models.gate.resamples import CardResamples
from models.metrics.ranking import average_precision
from tests.unit.models.gate.small_gate import known, made_gate_rows

random = np.random.default_rng(3)
N = 400
fraud = random.random(N) < 0.2
score = np.round(random.random(N) + 0.4 * fraud, 1).astype(np.float32)
card = random.integers(0, 60, N)
order = np.argsort(-score, kind="stable")


def sampled(draws, weight=None):
    weights = np.ones(N) if weight is None else weight
    return draws.average_precision(fraud[order], score[order], draws.place[order], weights[order])


def test_the_figure_of_the_rows_is_average_precision_under_ties():
    assert sampled(CardResamples(card, 10, 1)).value == pytest.approx(average_precision(fraud, score), abs=1e-12)


def test_each_draw_is_average_precision_of_the_cards_repeated_as_often_as_they_are_drawn():
    draws = CardResamples(card, 70, 1)
    found = sampled(draws).draws
    counts = np.concatenate(draws.blocks, axis=1)
    for draw in (0, 63, 64, 69):
        repeated = np.repeat(np.arange(N), counts[draws.place, draw])
        assert found[draw] == pytest.approx(average_precision(fraud[repeated], score[repeated]), abs=1e-12)
    assert len(found) == 70


def test_a_weight_stands_for_so_many_equal_rows():
    weight = random.integers(1, 5, N)
    repeated = np.repeat(np.arange(N), weight)
    expected = average_precision(fraud[repeated], score[repeated])
    assert sampled(CardResamples(card, 1, 1), weight.astype(float)).value == pytest.approx(expected, abs=1e-12)


def test_sums_are_those_of_the_cards_drawn():
    draws = CardResamples(card, 70, 1)
    column = random.normal(size=N)
    counts = np.concatenate(draws.blocks, axis=1)[:, :70]
    assert draws.sum(column).value == pytest.approx(column.sum())
    assert draws.sum(column).draws == pytest.approx(column @ counts[draws.place])


def test_without_a_fraud_there_is_no_figure():
    draws = CardResamples(card, 8, 1)
    empty = draws.average_precision(np.zeros(N, bool), score[order], draws.place[order], np.ones(N))
    assert np.isnan(empty.value)
    assert empty.figure(5).value is None


def test_frauds_that_share_their_cards_make_the_interval_wider():
    alone, shared = made_gate_rows(frauds=300), made_gate_rows(frauds=300)
    shared.card[shared.is_fraud] = np.arange(300) // 20
    shared.candidate[shared.is_fraud] = np.repeat(shared.candidate[shared.is_fraud][::20], 20)
    alone.candidate[alone.is_fraud] = shared.candidate[shared.is_fraud]
    errors = [
        known(
            PairedRanking(rows, CardResamples(rows.card, 512, 1))
            .difference(rows.is_fraud | True)
            .difference.standard_error
        )
        for rows in (alone, shared)
    ]
    assert errors[1] > 1.5 * errors[0]


def test_genuine_rows_far_down_change_nothing_when_they_count_at_their_mean(monkeypatch):
    rows = made_gate_rows()
    plain = np.sort(rows.candidate)[::-1]
    where = np.argsort(-rows.candidate, kind="stable")
    draws = CardResamples(rows.card, 256, 1)
    exact = draws.average_precision(rows.is_fraud[where], plain, draws.place[where], np.ones(len(rows)))
    kernel = resamples._average_precision.py_func
    monkeypatch.setitem(kernel.__globals__, "DRAWN_ROWS", 5_000)
    at_mean = [
        kernel(rows.is_fraud[where], resamples._closing_rows(rows.is_fraud[where], plain), draws.place[where][:],
               np.ones(len(rows)), draws.blocks[0][:, :4])
    ]  # fmt: skip
    assert at_mean[0] == pytest.approx(exact.draws[:4], abs=2e-4)


def test_many_cards_share_clusters_without_a_change_of_the_width(monkeypatch):
    rows = made_gate_rows(frauds=400)
    everyone = np.ones(len(rows), bool)
    wide = PairedRanking(rows, CardResamples(rows.card, 512, 1)).difference(everyone).difference.standard_error
    monkeypatch.setattr(resamples, "MOST_CLUSTERS", 4_000)
    folded = CardResamples(rows.card, 512, 1)
    assert folded.clusters == 4_000
    narrow = PairedRanking(rows, folded).difference(everyone).difference.standard_error
    assert narrow == pytest.approx(wide, rel=0.12)


@pytest.mark.parametrize("frauds", [30, 120])
def test_of_two_equal_models_one_looks_better_in_no_more_than_one_case_in_forty(frauds):
    trials, mistaken = 150, 0
    for seed in range(trials):
        rows = made_gate_rows(rows=1_500, frauds=frauds, seed=seed)
        found = PairedRanking(rows, CardResamples(rows.card, 192, seed)).difference(np.ones(1_500, bool))
        figure = found.difference.figure(found.clusters)
        mistaken += (known(figure.low) > 0) + (known(figure.high) < 0)
    # Either side is one chance of 2.5 %: 7.5 of 300 are expected, and more than 14 would come once in 50 times.
    assert mistaken <= 14
