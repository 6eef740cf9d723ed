"""Candidates of known quality before the gate."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from models.features.feature_set import DEFAULT
from models.gate.gate import Gate
from models.gate.limits import GateError, GateLimits
from models.gate.report import GateReport
from models.scorer import LoadedModel
from tests.unit.models.gate.small_gate import Linear, at_share, failed, known, made_gate_rows, named

gate = Gate(GateLimits(latency_rounds=1, latency_floor_us=1e6, resamples=256))
model = Linear()


def judge(rows, candidate=model, cause=None):
    return gate.judge(rows, model, candidate, cause or ("schedule" if rows.changed_at is None else "drift"))


def test_a_better_candidate_passes_an_incident():
    report = judge(made_gate_rows(candidate=3.4))
    assert report.verdict == "pass", report.reasons
    assert report.reasons == []
    assert named(report, "average_precision_since_change").low > 0
    assert report.deciding_frauds < report.frauds == 600


def test_a_worse_candidate_fails_and_the_reason_names_both_figures():
    report = judge(made_gate_rows(candidate=2.5))
    assert report.verdict == "fail"
    assert {"average_precision_since_change", "average_precision_before_change"} <= set(failed(report))
    assert "of the champion on" in report.reasons[0]
    assert "even the upper limit lies below 0" in report.reasons[0]


def test_a_candidate_of_the_same_quality_is_undecided_in_an_incident():
    report = judge(made_gate_rows())
    assert report.verdict == "undecided", report.reasons
    assert named(report, "average_precision_since_change").verdict == "undecided"


def test_with_few_frauds_since_the_change_even_a_better_candidate_is_undecided():
    rows = made_gate_rows(candidate=3.6)
    rows = replace(rows, changed_at=int(rows.event_time[rows.is_fraud][-29]))
    check = named(judge(rows), "average_precision_since_change")
    assert check.verdict == "undecided"
    assert check.sentence == "29 frauds since the change are too few to compare average precision: 30 are needed"


def test_a_candidate_that_learned_the_new_and_forgot_the_old_fails():
    better, worse = made_gate_rows(candidate=3.6), made_gate_rows(candidate=2.4)
    mixed = np.where(better.since_change, better.candidate, worse.candidate)
    report = judge(replace(better, candidate=mixed, candidate_thresholds=at_share(mixed)))
    assert named(report, "average_precision_since_change").verdict == "pass"
    assert "average_precision_before_change" in failed(report)


def test_a_scheduled_candidate_of_the_same_quality_passes_with_enough_frauds():
    rows = made_gate_rows(frauds=1800, rows=40_000, changed_at=None)
    close = replace(rows, candidate=rows.champion, candidate_thresholds=rows.champion_thresholds)
    report = judge(close)
    assert report.verdict == "pass", report.reasons
    assert named(report, "average_precision").at_least == -0.01


def test_a_scheduled_candidate_waits_for_600_frauds():
    rows = made_gate_rows(frauds=599, changed_at=None, candidate=3.5)
    assert named(judge(rows), "average_precision").verdict == "undecided"
    assert named(judge(rows, cause="person"), "average_precision").verdict == "undecided"


def test_a_clearly_worse_scheduled_candidate_fails():
    assert "average_precision" in failed(judge(made_gate_rows(candidate=2.6, changed_at=None)))


@pytest.mark.parametrize("spoil", ["inverted", "permuted"])
def test_a_candidate_whose_scores_say_nothing_fails_on_its_ranking(spoil):
    rows = made_gate_rows()
    scores = 1 - rows.candidate if spoil == "inverted" else np.random.default_rng(1).permutation(rows.candidate)
    assert {"average_precision_since_change", "recall_at_equal_alerts", "card_precision_100"} <= set(
        failed(judge(replace(rows, candidate=scores)))
    )


def test_a_constant_candidate_fails_at_once():
    rows = made_gate_rows()
    report = judge(replace(rows, candidate=np.full(len(rows), 0.03, np.float32)))
    assert failed(report) == ["scores"]
    assert report.reasons == ["the candidate scores every row as 0.03"]


@pytest.mark.parametrize("strange", [np.nan, np.inf, -0.1, 1.1])
def test_a_candidate_whose_scores_are_no_chances_fails_at_once(strange):
    rows = made_gate_rows()
    scores = rows.candidate.copy()
    scores[:3] = strange
    report = judge(replace(rows, candidate=scores))
    assert report.verdict == "fail"
    assert report.reasons == ["3 of 20,000 scores of the candidate are no numbers from 0 to 1"]
    assert report.expected_pairing is None
    assert report.standard_error is None


def test_thresholds_that_give_three_times_the_alerts_fail():
    rows = made_gate_rows(candidate=3.4)
    report = judge(replace(rows, candidate_thresholds=at_share(rows.candidate, 0.09)))
    assert failed(report) == ["expected_alerts"]
    assert named(report, "expected_alerts").figure == pytest.approx(2, abs=0.05)


def test_a_better_ranking_with_scores_far_too_high_fails_on_calibration_alone():
    rows = made_gate_rows(candidate=3.4)
    scores = rows.candidate ** np.float32(0.5)
    report = judge(replace(rows, candidate=scores, candidate_thresholds=at_share(scores)))
    assert failed(report) == ["expected_to_confirmed_ratio", "calibration_error"]


def test_the_report_states_standard_error_and_smallest_detectable_difference():
    report = judge(made_gate_rows(candidate=3.4))
    check = named(report, "average_precision_since_change")
    assert report.standard_error == pytest.approx((check.high - check.low) / 2 / 1.966, rel=0.01)
    assert report.smallest_detectable_difference == pytest.approx(2.8016 * known(report.standard_error), rel=1e-3)


def test_the_report_is_the_same_every_time_but_for_the_latency():
    rows = made_gate_rows()
    first, second = judge(rows), judge(rows)
    assert [check for check in first.checks if check.name != "latency"] == [
        check for check in second.checks if check.name != "latency"
    ]


def test_the_report_goes_through_json():
    report = judge(made_gate_rows())
    assert msgspec.json.decode(msgspec.json.encode(report), type=GateReport) == report


def test_names_of_checks_are_unique():
    names = [check.name for check in judge(made_gate_rows()).checks]
    assert len(set(names)) == len(names)


def test_an_incident_without_the_time_of_its_change_is_refused():
    with pytest.raises(GateError, match="give its time in changed_at"):
        judge(made_gate_rows(changed_at=None), cause="drift follow-up")


def test_rows_without_a_fraud_leave_everything_undecided():
    rows = made_gate_rows()
    report = judge(replace(rows, is_fraud=np.zeros(len(rows), bool)))
    assert report.verdict == "undecided"
    assert report.standard_error is None


def test_the_pairing_of_the_report_is_that_of_both_models_own_thresholds():
    pairing = judge(made_gate_rows()).expected_pairing
    assert pairing.champion_alert_rate == pytest.approx(0.03, abs=0.001)
    assert pairing.candidate_alert_rate == pytest.approx(0.03, abs=0.001)
    assert 0.3 < known(pairing.rank_correlation) < 1
    assert 0 < pairing.flipped < 0.06


def test_loaded_models_are_judged(bundle, allowed):
    loaded = LoadedModel.load(bundle, allowed)
    random = np.random.default_rng(1)
    values = np.abs(random.normal(size=(20_000, len(DEFAULT)))).astype(np.float32)
    rows = made_gate_rows(values=values, feature_names=DEFAULT.names)
    report = Gate(GateLimits(latency_rounds=2)).judge(rows, loaded, loaded, "drift")
    assert named(report, "behaviour_extreme_values").verdict == "pass"
    assert named(report, "latency").figure > 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"loss_in_segment": -1.0}, "give 0 or more"),
        ({"calibration_factor": 0.5}, "must be 1 or more"),
        ({"resamples": 0}, "must be 1 or more"),
    ],
)
def test_limits_that_say_nothing_are_refused(wrong, words):
    with pytest.raises(GateError, match=words):
        GateLimits(**wrong)
