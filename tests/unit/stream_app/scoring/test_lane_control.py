"""The control group in a partition's scoring: published, recorded, and the same after a crash at any place."""

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pytest

from models.control_group import ControlGroup, ControlPolicy
from models.schema.feature_batch import FeatureBatchHeader, FeatureRows, decode_feature_batch
from models.schema.score import Score
from stream_app.scoring.control_marks import USED, headers_of, read_marks
from stream_app.scoring.lane import LaneStart
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.output_tail import OutputTail, _TailScore
from stream_app.scoring.record_batch import Scored
from tests.support.payments import START_MS, payments
from tests.unit.stream_app.scoring.fakes import DecliningModel, batch, lane, lineup, score_alone

MODEL = DecliningModel()
STORY = payments(600, cards=20, days=3)
POLICY = ControlPolicy(0.5, amount_cap_minor=18_000, seed=bytes(range(32)))
DAY_CAP = 15
"""Used up in every day of the story."""


def run(start: LaneStart | None = None, used: str = "", *, step: int = 600, first: int = 0) -> list[Scored]:
    one = lane(start, control=ControlGroup(POLICY, DAY_CAP, used))
    return [
        score_alone(one, batch(STORY[at : at + step], range(at, min(at + step, 600))), lineup(MODEL), now_ms=START_MS)
        for at in range(first, 600, step)
    ]


def rows(*scored: Scored) -> FeatureRows:
    (message,) = [message for one in scored for message in one.features if len(decode_feature_batch(message.value))]
    return decode_feature_batch(message.value)


@dataclass
class Published:
    """The undisturbed run: scores with their headers as the sink writes them, batches of 100."""

    tail: list[_TailScore]
    rows: dict[str, np.ndarray]

    @classmethod
    def whole(cls) -> "Published":
        tail, columns = [], []
        for one in run(step=100):
            first = [(USED, one.control_used.encode())]
            for row, (_, value) in enumerate(one.scores):
                headers = (first if row == 0 else []) + (headers_of(one.marks[row]) if row in one.marks else [])
                score = msgspec.json.decode(value, type=_TailScore)
                tail.append(msgspec.structs.replace(score, marks=read_marks(headers)))
            columns.append(recorded(rows(one)))
        return cls(tail, {name: np.concatenate([part[name] for part in columns]) for name in columns[0]})


def recorded(found: FeatureRows) -> dict[str, np.ndarray]:
    columns: dict[str, Any] = {name: found.numpy(name) for name in ("control", "pass_probability", "score")}
    return {**columns, "decision": np.array(found.strings("decision")), "values": found.values}


def assert_equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column, err_msg=name)


@pytest.fixture(scope="module")
def published() -> Published:
    return Published.whole()


def test_a_row_let_pass_is_published_as_an_approval_without_reasons_and_recorded_as_control() -> None:
    (scored,) = run()
    scores = [msgspec.json.decode(value, type=Score) for _, value in scored.scores]
    found = recorded(rows(scored))
    assert 0 < found["control"].sum() == scored.control
    for score, control, decision in zip(scores, found["control"], found["decision"], strict=True):
        assert score.decision == decision
        assert bool(score.reason_codes) is (decision != "approve")
        if control:
            assert (score.decision, score.score >= 0.75) == ("approve", True)
    assert scored.flagged == sum(score.decision != "approve" for score in scores)


def test_rows_let_pass_are_metered() -> None:
    metrics = ScoringMetrics()
    (scored,) = run()
    metrics.see(scored)
    assert metrics.registry.get_sample_value("fraudstream_control_rows_total") == scored.control > 0


def test_the_chance_is_recorded_for_every_row(published: Published) -> None:
    asked = published.rows["score"] >= np.float32(0.75)
    over = np.array([one.amount_minor > 18_000 for one in STORY])
    chance = published.rows["pass_probability"]
    assert set(chance[~asked]) == {1.0}
    assert set(chance[asked & over]) == {0.0}
    assert set(chance[asked & ~over]) == {0.0, 0.5}
    assert set(chance[published.rows["control"]]) == {0.5}
    assert np.unique(np.array([one.event_time for one in STORY])[published.rows["control"]] // 86_400_000).size == 4
    assert published.rows["control"].sum() == pytest.approx(3 * DAY_CAP, abs=DAY_CAP)


def test_any_split_into_batches_draws_the_same(published: Published) -> None:
    assert_equal(recorded(rows(*run())), published.rows)


@pytest.mark.parametrize("end", [1, 137, 300, 555])
def test_a_lane_that_opens_at_the_end_of_the_output_goes_on_with_the_same_draw(published: Published, end: int) -> None:
    used = OutputTail(0, end - 1, "id", tuple(published.tail[:end])).control_used()
    scored = run(LaneStart(0, end), used)
    assert_equal(recorded(rows(*scored)), {name: column[end:] for name, column in published.rows.items()})


def test_feature_rows_computed_again_agree_with_what_was_published(published: Published) -> None:
    covered = FeatureBatchHeader(0, 99, 0, "w", "id", "fs", recomputed=False)
    tail = OutputTail(0, 399, "id", tuple(published.tail[:400]))
    missing = tail.missing(0, [covered])
    assert list(missing) == list(range(100, 400))
    start = LaneStart(0, 400, missing, {MODEL.version: MODEL})  # type: ignore[dict-item]  # a fake
    again, _ = (decode_feature_batch(message.value) for message in run(start, tail.control_used())[0].features)
    assert again.numpy("recomputed").all()
    assert again.numpy("verified").all()
    assert_equal(recorded(again), {name: column[100:400] for name, column in published.rows.items()})


def test_a_transaction_sent_again_is_drawn_as_the_first_time() -> None:
    one = lane(control=ControlGroup(POLICY, day_cap=10_000))
    twice = score_alone(one, batch([*STORY, *STORY]), lineup(MODEL), now_ms=START_MS)
    control = rows(twice).numpy("control")
    assert twice.duplicates == 600
    assert control.any()
    np.testing.assert_array_equal(control[:600], control[600:])
