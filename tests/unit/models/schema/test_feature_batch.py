"""A message of the feature log and its header, written and read back."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.schema.arrow_columns import Column
from models.schema.arrow_stream import BatchStream
from models.schema.feature_batch import (
    FeatureBatchEncoder,
    FeatureBatchError,
    FeatureBatchHeader,
    ScoredColumns,
    decode_feature_batch,
)
from models.schema.shadow_scores import SHADOW_SCORES, ShadowScores, no_shadow_scores, shadow_scores_of
from models.schema.transaction import Transaction

HEADER = FeatureBatchHeader(3, 9, 1, "w", "id", "fs", recomputed=False)


AT = 1_525_132_800_000
PAYMENTS = [
    Transaction("t1", AT, "c7", "m1", 1250, "EUR", mcc="5411", merchant_country="DE", channel="pos"),
    Transaction("t2", AT + 1, "Zoë", "m2", 0, "USD", channel="ecommerce"),
    Transaction("t3", AT + 2, "c\x007", "m3", 10**12, "EUR", mcc="0001"),
]


def scored(rows: int, **changed: Any) -> ScoredColumns:
    columns: dict[str, Any] = {
        "source_offset": np.arange(5, 5 + rows), "score": np.linspace(0, 0.5, rows, dtype=np.float32),
        "decision": np.arange(rows, dtype=np.uint8), "values": np.arange(2 * rows, dtype=np.float32).reshape(rows, 2),
        "writer": "w", "epoch": 3, "role": "champion", "model_version": "m-1", "profiles_as_of": AT - 9,
        "recomputed": False, "verified": True,
    }  # fmt: skip
    return ScoredColumns(**columns | changed)


def read(column: Column, rows: int) -> Any:
    """A column `shadow_scores` as Arrow reads it."""
    message = BatchStream(pa.schema([("shadow_scores", SHADOW_SCORES)])).encode(rows, [column], [])
    with pa.ipc.open_stream(message) as reader:
        batch = reader.read_next_batch()
    batch.validate(full=True)
    return batch.column(0)


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
    column = read(ShadowScores(("a", "b", "c"), scores, np.array([0, 2])).to_column(), 2)
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


def test_where_no_model_scored_beside_the_champion_each_row_is_null() -> None:
    for rows in (0, 1, 9):
        assert read(no_shadow_scores(rows), rows).to_pylist() == [None] * rows


def test_a_message_says_of_each_row_what_was_found() -> None:
    found = scored(3, values=np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2])
    rows = decode_feature_batch(FeatureBatchEncoder(["a", "b"]).encode(PAYMENTS, found))
    assert rows.feature_names == ("a", "b")
    assert rows.values.tolist() == [[0, 2], [4, 6], [8, 10]]
    first, second, third = rows.table.to_pylist()
    assert first == {
        "source_offset": 5, "epoch": 3, "writer": "w", "transaction_id": "t1", "event_time": AT, "card_id": "c7",
        "terminal_id": "m1", "amount_minor": 1250, "currency": "EUR", "mcc": "5411", "country": "DE", "channel": "pos",
        "score": 0.0, "decision": "approve", "role": "champion", "model_version": "m-1", "control": False,
        "pass_probability": 1.0, "shadow_scores": None, "profiles_as_of": AT - 9, "recomputed": False, "verified": True,
    }  # fmt: skip
    assert (second["card_id"], second["mcc"], second["country"], second["channel"]) == ("Zoë", None, None, "ecommerce")
    assert (third["card_id"], third["mcc"], third["amount_minor"], third["channel"]) == ("c\x007", "0001", 10**12, None)
    assert rows.strings("decision") == ["approve", "review", "decline"]


def test_what_differs_from_row_to_row_is_kept_apart() -> None:
    found = scored(
        3, role=["canary", "champion", "canary"], model_version=["m-2", "m-1", "m-2"],
        verified=np.array([1, 0, 1], np.bool_), control=np.array([0, 0, 1], np.bool_),
        pass_probability=np.array([1, 0.5, 0.25], np.float32),
    )  # fmt: skip
    rows = decode_feature_batch(FeatureBatchEncoder(["a", "b"]).encode(PAYMENTS, found))
    assert rows.strings("role") == ["canary", "champion", "canary"]
    assert rows.strings("model_version") == ["m-2", "m-1", "m-2"]
    assert rows.numpy("verified").tolist() == [True, False, True]
    assert rows.numpy("control").tolist() == [False, False, True]
    assert rows.numpy("pass_probability").tolist() == [1, 0.5, 0.25]


def test_messages_of_one_encoder_do_not_take_over_names_of_each_other() -> None:
    encoder = FeatureBatchEncoder(["a", "b"])
    for version in ("m-1", "m-2", "m-1"):
        rows = decode_feature_batch(encoder.encode(PAYMENTS, scored(3, model_version=version)))
        assert rows.strings("model_version") == [version] * 3


def test_a_message_may_have_no_rows() -> None:
    rows = decode_feature_batch(FeatureBatchEncoder(["a", "b"]).encode([], scored(0)))
    assert (len(rows), rows.values.shape) == (0, (0, 2))


def test_columns_of_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="column score has 2 rows, it must have 3"):
        FeatureBatchEncoder(["a", "b"]).encode(PAYMENTS, scored(3, score=np.zeros(2, np.float32)))
