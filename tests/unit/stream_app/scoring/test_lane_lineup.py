"""Several models on one batch: who decides a row, what the others say of it, and what becomes of one that fails."""

import itertools
import math
from typing import Any

import msgspec
import numpy as np
import pytest

from models.release.placement import Placement
from models.schema.feature_batch import FeatureRows, decode_feature_batch
from models.schema.score import Score
from models.schema.transaction import Transaction
from models.scorer import ScoringError
from stream_app.scoring.lane import LaneStart, PublishedScore
from stream_app.scoring.lineup import Lineup
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.model_failures import ModelFailureNotice
from stream_app.scoring.record_batch import Scored
from tests.support.payments import START_MS, payments
from tests.unit.stream_app.scoring.fakes import (
    AmountModel,
    DecliningModel,
    DivisorModel,
    FailingModel,
    batch,
    lane,
    lineup,
    score_alone,
    score_together,
    scoring,
)

STORY = payments(300, cards=120)
CHAMPION, SHADOW, CANARY = AmountModel("m-champion"), DivisorModel("m-shadow", 400), DivisorModel("m-canary", 250)
BROKEN = ScoringError("row 3 scores as nan")
SHARE: dict[str, Any] = {"canary": "m-canary", "canary_share": 0.3, "salt": "release-1"}
ON_CANARY = Placement(**SHARE).on_canary([one.card_id for one in STORY])


def run(models: Lineup, start: LaneStart | None = None) -> Scored:
    ticks = itertools.count()
    together = scoring(lambda: float(next(ticks)))
    return score_together([(lane(start), batch(STORY))], models, together, now_ms=START_MS)[0]


def scores(scored: Scored) -> list[Score]:
    return [msgspec.json.decode(value, type=Score) for _, value in scored.scores]


def rows(scored: Scored) -> FeatureRows:
    (message,) = scored.features
    return decode_feature_batch(message.value)


def shadows(scored: Scored) -> list[dict[str, float | None] | None]:
    column = rows(scored).table.column("shadow_scores").to_pylist()
    return [
        None if entries is None else {entry["model_version"]: entry["score"] for entry in entries} for entries in column
    ]


def said_by(divisor: float) -> np.ndarray:
    return np.array([min(one.amount_minor / 100 / divisor, 1) for one in STORY], np.float32)


def assert_decided_by(scored: Scored, version: str, over: float, *, degraded: bool) -> None:
    found = scores(scored)
    assert {one.model_version for one in found} == {version}
    assert {one.role for one in found} == {"champion"}
    assert {one.degraded for one in found} == {degraded}
    np.testing.assert_allclose([one.score for one in found], said_by(over), rtol=1e-6)


def test_with_nothing_placed_no_model_is_timed_and_shadow_scores_are_null() -> None:
    scored = run(lineup(CHAMPION))
    assert set(map(str, shadows(scored))) == {"None"}
    assert "model_us" not in dict(scored.features[0].header.encode())
    assert (scored.model_seconds, scored.model_failures) == ({}, [])


def test_a_shadow_scores_every_row_and_changes_nothing_in_scores() -> None:
    alone, scored = run(lineup(CHAMPION)), run(lineup(CHAMPION, SHADOW))
    assert scored.scores == alone.scores
    assert all(entry is not None and list(entry) == ["m-shadow"] for entry in shadows(scored))
    np.testing.assert_allclose(rows(scored).scores_of("m-shadow"), said_by(400), rtol=1e-6)
    assert np.isnan(rows(scored).scores_of("m-unknown")).all()


def test_the_canary_decides_for_the_rows_of_its_cards_as_a_whole() -> None:
    scored = run(lineup(CHAMPION, SHADOW, CANARY, **SHARE))
    found = scores(scored)
    assert 0.2 < ON_CANARY.mean() < 0.4
    assert [one.role == "canary" for one in found] == ON_CANARY.tolist()
    assert [one.model_version for one in found] == np.where(ON_CANARY, "m-canary", "m-champion").tolist()
    decided = np.where(ON_CANARY, said_by(250), said_by(200))
    np.testing.assert_allclose([one.score for one in found], decided, rtol=1e-6)
    assert [one.decision for one in found] == np.where(decided >= 0.5, "review", "approve").tolist()
    assert [bool(one.reason_codes) for one in found] == (decided >= 0.5).tolist()
    assert scored.degraded == 0
    log = rows(scored)
    assert log.strings("role") == [one.role for one in found]
    assert log.strings("model_version") == [one.model_version for one in found]
    for version, over in (("m-champion", 200), ("m-canary", 250), ("m-shadow", 400)):
        np.testing.assert_allclose(log.scores_of(version), said_by(over), rtol=1e-6)
    beside = [set(entry or ()) for entry in shadows(scored)]
    assert beside == [{"m-shadow", "m-champion" if on else "m-canary"} for on in ON_CANARY]


def test_the_canarys_own_thresholds_decide_for_its_cards() -> None:
    scored = run(lineup(CHAMPION, DecliningModel("m-canary"), **SHARE))
    high = np.array([one.amount_minor >= 15_000 for one in STORY])
    assert [one.decision == "decline" for one in scores(scored)] == (ON_CANARY & high).tolist()


@pytest.mark.parametrize("error", [BROKEN, RuntimeError("out of memory")])
def test_a_shadow_that_fails_leaves_nulls_and_payments_alone(error: Exception) -> None:
    scored = run(lineup(CHAMPION, SHADOW, FailingModel("m-broken", error)))
    assert scored.scores == run(lineup(CHAMPION)).scores
    assert {(entry or {})["m-broken"] for entry in shadows(scored)} == {None}
    np.testing.assert_allclose(rows(scored).scores_of("m-shadow"), said_by(400), rtol=1e-6)
    ((version, part, reason),) = scored.model_failures
    assert (version, part) == ("m-broken", "shadow")
    assert str(error) in reason


@pytest.mark.parametrize("wrong", [2.0, -0.1, math.nan, math.inf])
def test_a_model_whose_scores_no_reader_could_decode_has_failed(wrong: float) -> None:
    class Wild(AmountModel):
        def score(self, values: np.ndarray) -> np.ndarray:
            found = super().score(values)
            found[7] = wrong
            return found

    scored = run(lineup(CHAMPION, Wild("m-canary"), canary="m-canary", canary_share=1.0))
    assert scored.scores == run(lineup(CHAMPION)).scores
    assert [failure.part for failure in scored.model_failures] == ["canary"]


def test_a_model_that_answers_for_other_rows_than_it_was_asked_has_failed() -> None:
    class Short(AmountModel):
        def score(self, values: np.ndarray) -> np.ndarray:
            return super().score(values)[:1]

    scored = run(lineup(CHAMPION, Short("m-short")))
    assert [failure.version for failure in scored.model_failures] == ["m-short"]


def test_for_a_canary_that_fails_the_champion_decides_as_champion() -> None:
    scored = run(lineup(CHAMPION, FailingModel("m-canary", BROKEN), **SHARE))
    assert scored.scores == run(lineup(CHAMPION)).scores
    assert {(entry or {})["m-canary"] for entry in shadows(scored)} == {None}
    assert [failure.part for failure in scored.model_failures] == ["canary"]


def test_a_canary_that_cannot_give_reasons_still_decides_and_is_counted() -> None:
    class Speechless(DivisorModel):
        def explain(self, values: np.ndarray, top: int) -> list[list[tuple[int, float]]]:
            raise ValueError("no trees")

    scored = run(lineup(CHAMPION, Speechless("m-canary", 250), **SHARE))
    flagged = [one for one in scores(scored) if one.decision == "review"]
    assert {(one.role, bool(one.reason_codes)) for one in flagged} == {("canary", False), ("champion", True)}
    assert [failure.version for failure in scored.model_failures] == ["m-canary"]


def test_for_a_champion_that_fails_the_first_shadow_that_can_decides_degraded() -> None:
    broken = FailingModel("m-champion", BROKEN)
    scored = run(lineup(broken, FailingModel("m-first", BROKEN), SHADOW, CANARY, shadow=("m-first", "m-shadow")))
    assert_decided_by(scored, "m-shadow", 400, degraded=True)
    assert {(entry or {})["m-champion"] for entry in shadows(scored)} == {None}
    assert [failure.part for failure in scored.model_failures] == ["champion", "shadow"]


def test_with_a_champion_that_fails_the_canary_keeps_its_cards_and_they_are_not_degraded() -> None:
    scored = run(lineup(FailingModel("m-champion", BROKEN), SHADOW, CANARY, **SHARE))
    found = scores(scored)
    assert [one.model_version for one in found] == np.where(ON_CANARY, "m-canary", "m-shadow").tolist()
    assert [one.degraded for one in found] == (~ON_CANARY).tolist()
    assert scored.degraded == (~ON_CANARY).sum()


def test_a_canary_alone_beside_a_champion_that_fails_decides_everything() -> None:
    scored = run(lineup(FailingModel("m-champion", BROKEN), CANARY, **SHARE))
    found = scores(scored)
    assert {one.model_version for one in found} == {"m-canary"}
    assert [(one.role, one.degraded) for one in found] == [
        ("canary", False) if on else ("champion", True) for on in ON_CANARY
    ]
    assert {tuple(entry or ()) for entry in shadows(scored)} == {("m-champion",)}


def test_the_champion_before_stands_in_without_having_been_placed_and_is_asked_only_then() -> None:
    before = DivisorModel("m-before", 400)
    scored = run(lineup(FailingModel("m-champion", BROKEN), reserve=before))
    assert_decided_by(scored, "m-before", 400, degraded=True)
    assert {str(entry) for entry in shadows(scored)} == {"{'m-champion': None}"}
    assert scored.model_seconds == {}
    assert run(lineup(CHAMPION, reserve=FailingModel("m-before", BROKEN))).model_failures == []


def test_a_champion_that_fails_with_nobody_to_take_its_place_raises_its_own_error() -> None:
    with pytest.raises(ScoringError, match="row 3"):
        run(lineup(FailingModel("m-champion", BROKEN), FailingModel("m-shadow", RuntimeError("other"))))


def test_the_header_says_what_each_model_took_per_row() -> None:
    scored = run(lineup(CHAMPION, SHADOW, FailingModel("m-broken", BROKEN)))
    took = scored.features[0].header.model_us
    assert took["m-champion"] == took["m-shadow"] == pytest.approx(1e6 / len(STORY))
    assert math.isnan(took["m-broken"])


def test_a_batch_without_rows_says_nothing_of_any_model() -> None:
    scored = score_alone(lane(), batch([b"{"]), lineup(CHAMPION, SHADOW))
    assert scored.scores == []
    assert scored.features[0].header.model_us == {}
    assert len(rows(scored)) == 0


def test_rows_computed_again_keep_the_model_and_the_role_that_decided_them() -> None:
    whole = run(lineup(CHAMPION, CANARY, **SHARE))
    published = {
        one.source_offset: PublishedScore(one.score, one.decision, one.model_version, 1.0, one.role)
        for one in scores(whole)[:50]
    }
    models = {"m-champion": CHAMPION, "m-canary": CANARY}
    start = LaneStart(0, 300, published, models)  # type: ignore[arg-type]  # fakes
    again, first = rows(run(lineup(CHAMPION), start)), rows(whole)
    assert again.strings("role") == first.strings("role")[:50]
    assert again.strings("model_version") == first.strings("model_version")[:50]
    assert {"champion", "canary"} == set(again.strings("role"))
    assert again.numpy("verified").all()
    np.testing.assert_array_equal(again.numpy("score"), first.numpy("score")[:50])


def test_rows_whose_model_gives_no_number_any_more_are_not_verified_and_the_partition_opens() -> None:
    published = {3: PublishedScore(0.5, "approve", "m-champion")}
    start = LaneStart(0, 300, published, {"m-champion": FailingModel("m-champion", BROKEN)})  # type: ignore[dict-item]
    assert rows(run(lineup(CHAMPION), start)).numpy("verified").tolist() == [False]


def test_failures_and_seconds_are_metered_and_those_of_a_model_that_has_gone_end() -> None:
    metrics, placed = ScoringMetrics(), lineup(CHAMPION, SHADOW, FailingModel("m-broken", BROKEN), sequence=7)
    value = metrics.registry.get_sample_value
    metrics.lineup_swapped(placed)
    metrics.see(run(placed))
    assert value("fraudstream_placement_sequence") == 7
    assert value("fraudstream_models_loaded") == 3
    assert value("fraudstream_model_failures_total", {"version": "m-broken", "part": "shadow"}) == 1
    assert value("fraudstream_model_seconds_total", {"version": "m-shadow"}) == 1
    assert value("fraudstream_model_seconds_total", {"version": "m-broken"}) is None
    metrics.lineup_swapped(lineup(CHAMPION))
    assert value("fraudstream_model_seconds_total", {"version": "m-shadow"}) is None
    assert value("fraudstream_model_swaps_total") == 1


def test_a_model_that_fails_on_every_batch_is_named_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    notice, scored = ModelFailureNotice(), run(lineup(FailingModel("m-champion", BROKEN), SHADOW))
    for now_s in range(0, 90, 10):
        notice.see(scored, float(now_s))
    first, second = [record.getMessage() for record in caplog.records]
    assert "m-champion (champion) failed on 1 batches" in first
    assert "another model decides" in first
    assert "failed on 6 batches" in second


def test_a_card_stays_with_the_canary_in_every_batch() -> None:
    one, models = lane(), lineup(CHAMPION, CANARY, **SHARE)
    roles: dict[str, set[str]] = {}
    for at in range(0, 300, 7):
        part: list[Transaction] = STORY[at : at + 7]
        for score in scores(score_alone(one, batch(part, range(at, at + len(part))), models, now_ms=START_MS)):
            roles.setdefault(score.card_id, set()).add(score.role)
    assert {len(each) for each in roles.values()} == {1}
