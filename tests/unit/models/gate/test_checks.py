"""Each check by itself."""

from dataclasses import replace

import numpy as np
import pytest

from models.gate.average_precision import PairedRanking
from models.gate.calibration import check_calibration
from models.gate.card_precision import check_card_precision
from models.gate.decisions import EqualAlerts, check_equal_alerts, check_expected_alerts, decide
from models.gate.latency import check_latency
from models.gate.limits import GateLimits
from models.gate.resamples import CardResamples
from models.gate.segments import check_segments
from models.manifest import Thresholds
from models.metrics.calibration import calibration_error
from models.metrics.handbook import mean_card_precision
from models.schema.topics import DAY_MS
from models.scorer import LoadedModel
from tests.unit.models.gate.small_gate import NAMES, Linear, known, made_gate_rows

limits = GateLimits()


def draws(rows):
    return CardResamples(rows.card, 256, 1)


def by_name(checks):
    return {check.name: check for check in checks}


def segments_of(rows):
    return by_name(check_segments(rows, PairedRanking(rows, draws(rows)), limits))


def test_card_precision_is_the_difference_of_the_metric():
    rows = made_gate_rows(candidate=3.4)
    days = rows.event_time // DAY_MS
    means = [mean_card_precision(days, rows.card, rows.is_fraud, score) for score in (rows.champion, rows.candidate)]
    assert check_card_precision(rows, limits).figure == pytest.approx(means[1] - means[0])


def test_card_precision_of_one_day_has_no_interval_and_is_undecided_where_it_is_lower():
    rows = made_gate_rows(frauds=600)
    one_day = replace(rows, event_time=np.full(len(rows), 100 * DAY_MS), candidate=1 - rows.candidate)
    check = check_card_precision(one_day, limits)
    assert (check.low, check.verdict) == (None, "undecided")


def test_calibrated_scores_pass():
    rows = made_gate_rows()
    ratio, error = check_calibration(rows, draws(rows), limits)
    assert ratio.verdict == error.verdict == "pass"
    assert known(ratio.low) < 1 < known(ratio.high)
    assert error.low == 0


def test_the_calibration_error_is_the_metric_over_the_share_of_frauds():
    rows = made_gate_rows()
    error = check_calibration(rows, draws(rows), limits)[1]
    expected = calibration_error(rows.candidate, rows.is_fraud) / rows.is_fraud.mean()
    assert error.figure == pytest.approx(expected, rel=1e-4)


def test_weights_count_as_so_many_rows_in_the_calibration():
    rows = made_gate_rows(rows=2_000, frauds=60)
    weight = np.where(rows.is_fraud, 3.0, 1.0)
    repeated = np.repeat(np.arange(2_000), weight.astype(int))
    ratio, error = check_calibration(replace(rows, weight=weight), draws(rows), limits)
    assert ratio.figure == pytest.approx(rows.candidate[repeated].sum() / rows.is_fraud[repeated].sum(), rel=1e-4)
    expected = calibration_error(rows.candidate[repeated], rows.is_fraud[repeated])
    assert error.figure == pytest.approx(expected / rows.is_fraud[repeated].mean(), rel=1e-4)


@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_scores_that_are_far_too_low_or_high_fail(factor):
    rows = made_gate_rows()
    wrong = replace(rows, candidate=np.minimum(rows.candidate * factor, 1).astype(np.float32))
    assert check_calibration(wrong, draws(rows), limits)[1].verdict == "fail"


def test_scores_that_are_right_in_all_and_wrong_everywhere_fail_on_the_error():
    rows = made_gate_rows()
    flat = np.full(len(rows), rows.is_fraud.mean(), np.float32)
    ratio, error = check_calibration(replace(rows, candidate=1 - flat), draws(rows), limits)
    assert ratio.verdict == error.verdict == "fail"
    swapped = np.where(rows.is_fraud, 0.0005, flat * 1.03).astype(np.float32)
    ratio, error = check_calibration(replace(rows, candidate=swapped), draws(rows), limits)
    assert (ratio.verdict, error.verdict) == ("pass", "fail")


def test_a_group_that_loses_fails_by_its_name_and_the_others_pass():
    rows = made_gate_rows(rows=30_000, frauds=1_500)
    in_group = rows.values[:, NAMES.index("channel")] == 2
    candidate = np.where(in_group, np.random.default_rng(1).permutation(rows.candidate), rows.champion)
    checks = segments_of(replace(rows, candidate=candidate.astype(np.float32)))
    assert checks["segment channel ecommerce"].verdict == "fail"
    assert checks["segment channel pos"].verdict == "pass"
    assert checks["segment channel pos"].figure == 0


def test_groups_with_few_frauds_are_not_looked_at():
    checks = segments_of(made_gate_rows(frauds=29))
    assert list(checks) == ["segments"]
    assert checks["segments"].verdict == "pass"


def test_equal_models_lose_in_no_group():
    assert {check.verdict for check in segments_of(made_gate_rows()).values()} == {"pass"}


def test_a_channel_that_is_not_known_is_the_group_unknown():
    rows = made_gate_rows()
    rows.values[: len(rows) // 2, NAMES.index("channel")] = np.nan
    assert "segment channel unknown" in segments_of(rows)


def test_a_group_that_holds_all_rows_is_no_part_to_look_at():
    rows = made_gate_rows()
    rows.values[:, NAMES.index("channel")] = 0
    assert not [name for name in segments_of(rows) if "channel" in name]


def test_at_equal_alerts_the_candidate_flags_as_many_rows_as_the_champion_whatever_its_thresholds():
    rows = made_gate_rows(candidate_thresholds=Thresholds(0.0))
    alerts = EqualAlerts.of(rows)
    assert alerts.candidate.sum() == pytest.approx(alerts.champion.sum())
    coarse = EqualAlerts.of(replace(rows, candidate=np.round(rows.candidate, 1)))
    assert coarse.candidate.sum() == pytest.approx(alerts.champion.sum())


def test_a_better_candidate_catches_more_and_more_value_at_equal_alerts():
    rows = made_gate_rows(candidate=3.5)
    checks = check_equal_alerts(rows, draws(rows), limits)
    assert all(known(check.figure) > 0 and check.verdict == "pass" for check in checks)


def test_recall_at_equal_alerts_is_counted_by_hand():
    rows = made_gate_rows(rows=1_000, frauds=100, champion=2, candidate=2)
    alerts = rows.champion >= np.float32(rows.champion_thresholds.review)
    top = np.argsort(-rows.candidate)[: alerts.sum()]
    expected = (rows.is_fraud[top].sum() - rows.is_fraud[alerts].sum()) / 100
    recall = by_name(check_equal_alerts(rows, draws(rows), limits))["recall_at_equal_alerts"]
    assert recall.figure == pytest.approx(expected)


def test_a_champion_that_alerts_nothing_leaves_alerts_undecided():
    rows = made_gate_rows(champion_thresholds=Thresholds(1.0))
    assert check_expected_alerts(rows, draws(rows), limits).verdict == "undecided"
    precision = by_name(check_equal_alerts(rows, draws(rows), limits))["precision_at_equal_alerts"]
    assert precision.verdict == "undecided"


def test_alerts_may_change_by_a_fifth():
    rows = made_gate_rows()
    level = np.sort(rows.candidate)[::-1]
    within, beyond, far = (Thresholds(float(level[round(600 * factor) - 1])) for factor in (1.19, 1.25, 1.6))
    verdicts = [
        check_expected_alerts(replace(rows, candidate_thresholds=each), draws(rows), limits).verdict
        for each in (within, beyond, far)
    ]
    assert verdicts == ["pass", "undecided", "fail"]


def test_decisions_are_those_of_the_loaded_model(bundle, allowed):
    loaded = LoadedModel.load(bundle, allowed)
    scores = np.linspace(0, 1, 101, dtype=np.float32)
    assert decide(scores, bundle.manifest.thresholds).tolist() == loaded.decide(scores).tolist()


class Ticks:
    """A clock and two models that move it: each call takes as long as the model says."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def model(self, *seconds):
        return Timed(self, seconds)


class Timed(Linear):
    def __init__(self, clock, seconds):
        super().__init__()
        self.clock, self.seconds, self.calls = clock, seconds, 0

    def score(self, values):
        self.clock.now += self.seconds[self.calls % len(self.seconds)] * len(values)
        self.calls += 1
        return super().score(values)


@pytest.mark.parametrize(
    ("champion_us", "candidate_us", "verdict"),
    [(5, 14, "pass"), (5, 19, "pass"), (5, 21, "fail"), (10, 29, "pass"), (10, 31, "fail")],
)
def test_a_candidate_may_take_three_times_as_long_and_always_20_microseconds(champion_us, candidate_us, verdict):
    clock = Ticks()
    champion, candidate = clock.model(champion_us / 1e6), clock.model(candidate_us / 1e6)
    check = check_latency(made_gate_rows(rows=100, frauds=10), champion, candidate, limits, clock)
    assert check.verdict == verdict
    assert check.figure == pytest.approx(candidate_us)


def test_a_slow_round_does_not_count():
    clock = Ticks()
    candidate = clock.model(900e-6, 5e-6)
    check = check_latency(made_gate_rows(rows=100, frauds=10), clock.model(5e-6), candidate, limits, clock)
    assert check.figure == pytest.approx(5)
