"""The header of a feature message and its column `shadow_scores`, written and read back."""

import math

import numpy as np
import pytest

from models.schema.feature_batch import FeatureBatchError, FeatureBatchHeader
from models.schema.shadow_scores import SHADOW_SCORES, ShadowScores, shadow_scores_of

HEADER = FeatureBatchHeader(3, 9, 1, "w", "id", "fs", recomputed=False)


def with_times(text: str) -> list[tuple[str, bytes]]:
    return [*HEADER.encode(), ("model_us", text.encode())]


def test_what_the_models_took_is_written_only_when_it_is_known() -> None:
    assert FeatureBatchHeader.decode(HEADER.encode()) == HEADER
    assert FeatureBatchHeader.decode(HEADER.encode()).model_us == {}
    took = {"m-abc": 4.211, "m-def": 5.1, "m-x": math.nan}
    timed = FeatureBatchHeader(3, 9, 1, "w", "id", "fs", recomputed=False, model_us=took)
    assert dict(timed.encode())["model_us"] == b"m-abc=4.21,m-def=5.10,m-x=nan"
    found = FeatureBatchHeader.decode(timed.encode()).model_us
    assert (found["m-abc"], found["m-def"], math.isnan(found["m-x"])) == (4.21, 5.1, True)


@pytest.mark.parametrize("text", ["m-a", "m-a=", "=1", "m-a=x", "m-a=1,", "m-a=1,m-a=2", "m-a=-1", "m-a=inf", ","])
def test_what_is_no_list_of_times_is_refused(text: str) -> None:
    with pytest.raises(FeatureBatchError, match="malformed"):
        FeatureBatchHeader.decode(with_times(text))


def test_each_row_leaves_out_the_model_that_decided_it_and_a_missing_score_is_null() -> None:
    scores = np.array([[0.25, 0.5], [np.nan, np.nan], [0.75, 1.0]], np.float32)
    column = ShadowScores(("a", "b", "c"), scores, np.array([0, 2])).to_arrow()
    assert column.type == SHADOW_SCORES
    assert [[tuple(entry.values()) for entry in row] for row in column.to_pylist()] == [
        [("b", None), ("c", 0.75)],
        [("a", 0.5), ("b", None)],
    ]
    assert [part.tolist() for part in shadow_scores_of(column, "c")] == [[0], [0.75]]
    assert [part.tolist() for part in shadow_scores_of(column, "a")] == [[1], [0.5]]
    rows, none = shadow_scores_of(column, "b")
    assert rows.tolist() == [0, 1]
    assert np.isnan(none).all()
    assert [part.tolist() for part in shadow_scores_of(column[:0], "a")] == [[], []]
