"""Feature batches turned into pairs."""

from typing import Any, cast

import numpy as np
import pytest
from confluent_kafka import Message

from models.manifest import Thresholds
from models.schema.shadow_scores import ShadowScores
from stream_app.retrain.release.paired_rows import Judged, PairedRows
from tests.support.archive_records import PARTITION, feature_message
from tests.support.payments import payments

NEW, OLD = Judged("m-2", Thresholds(0.4)), Judged("m-1", Thresholds(0.6, 0.9))
SCORES = np.array([[0.1, 0.7, 0.95, 0.2], [0.5, 0.3, np.nan, 0.2]], np.float32)
"""What m-1 and m-2 say of four transactions."""


class Batch:
    """A message as a consumer hands it out."""

    def __init__(self, offset: int, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        self._offset, self._value, self._headers = offset, value, headers

    def partition(self) -> int:
        return PARTITION

    def offset(self) -> int:
        return self._offset

    def value(self) -> bytes:
        return self._value

    def headers(self) -> list[tuple[str, bytes]]:
        return self._headers


def batch(offset: int = 10, versions: tuple[str, ...] = ("m-1", "m-2"), **changed: Any) -> Message:
    """Four rows; the first version decides them unless told otherwise."""
    decided = changed.pop("decided_by", np.zeros(4, np.intp))
    shadow = ShadowScores(versions, SCORES[: len(versions)], decided) if len(versions) > 1 else None
    settings = {"model_version": [versions[at] for at in decided], "shadow_scores": shadow, **changed}
    value, headers = feature_message(payments(4), 0, **settings)
    return cast("Message", Batch(offset, value, headers))


@pytest.fixture
def rows() -> PairedRows:
    return PairedRows(NEW, OLD, {0: 5, PARTITION: 7})


def test_both_scores_of_a_row_stand_side_by_side_with_each_ones_decision(rows: PairedRows) -> None:
    assert rows.take([batch(model_us={"m-1": 30.0, "m-2": 45.5})]) == 4
    pairs = rows.pairs()
    # The score of the deciding model is the row's own, one half in these messages.
    assert pairs.baseline_score.tolist() == [0.5] * 4
    np.testing.assert_array_equal(pairs.score, SCORES[1])
    assert pairs.decision.tolist()[:2] == [1, 0]
    assert pairs.baseline_decision.tolist() == [0] * 4
    assert (pairs.us.tolist(), pairs.baseline_us.tolist()) == ([45.5] * 4, [30.0] * 4)
    assert pairs.event_time.tolist() == [payment.event_time for payment in payments(4)]
    assert (rows.rows, rows.unpaired, rows.canary_rows) == (4, 0, 0)


def test_rows_that_one_model_was_not_asked_about_are_counted_apart(rows: PairedRows) -> None:
    assert rows.take([batch(versions=("m-1",)), batch(versions=("m-1", "m-9"))]) == 8
    assert (rows.rows, rows.unpaired, rows.unasked, rows.since) == (0, 8, 8, None)
    assert rows.as_of > 0
    rows.take([batch(versions=("m-2",)), batch(versions=("m-2", "m-9"))])
    assert (rows.rows, rows.unpaired, rows.unasked) == (0, 16, 8)
    rows.take([batch()])
    assert (rows.rows, rows.unpaired, rows.unasked) == (4, 16, 8)


def test_a_canarys_rows_begin_with_the_first_that_it_decides(rows: PairedRows) -> None:
    decided = np.array([0, 1, 0, 0])
    rows.take([batch(), batch(decided_by=decided, role=["champion", "canary", "champion", "champion"]), batch()])
    assert (rows.rows, rows.canary_rows) == (12, 7)
    assert rows.pairs().canary.tolist() == [False] * 5 + [True] + [False] * 6
    assert rows.canary_since is not None


def test_a_model_that_failed_has_no_score_and_no_time(rows: PairedRows) -> None:
    rows.take([batch(versions=("m-2", "m-1"), decided_by=np.ones(4, np.intp), model_us={"m-2": np.nan, "m-1": 30.0})])
    assert np.isnan(rows.pairs().us).all()


def test_what_was_recomputed_or_cannot_be_read_is_passed_over(rows: PairedRows) -> None:
    broken = cast("Message", Batch(11, b"no arrow", []))
    assert rows.take([batch(recomputed=True), broken]) == 0
    assert rows.positions() == {0: 5, PARTITION: 12}
    assert PairedRows.moment([broken]) is None
    assert PairedRows.moment([batch(), broken]) is not None


def test_a_window_keeps_the_latest_rows_and_says_where_they_lie() -> None:
    rows = PairedRows(NEW, OLD, {0: 5, PARTITION: 7}, window_rows=8)
    assert rows.positions() == {0: 5, PARTITION: 7}
    rows.take([batch(offset) for offset in range(10, 15)])
    assert (rows.rows, len(rows.pairs())) == (20, 8)
    assert rows.positions() == {0: 5, PARTITION: 13}
