"""Bytes to columns: what is read, what is refused and what the reader's rule says."""

import msgspec
import numpy as np
import pytest

from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.shadow_scores import ShadowScores
from models.schema.transaction import Transaction
from stream_app.archive.feature_columns import FeatureColumns, FeatureCoverage
from stream_app.archive.json_columns import label_rows, score_rows, transaction_rows
from stream_app.archive.reader_rule import ReaderRule, source_key
from tests.support.archive_records import FIRST, PARTITION, STAMP_MS, feature_message, records
from tests.support.archive_world import Sent, label_of, score_of
from tests.support.payments import DAY_MS, payments


def test_a_transaction_keeps_all_its_fields_and_says_where_it_lay() -> None:
    sent = payments(3)
    rows = transaction_rows(records(*map(wire.encode, sent))).rows.to_pylist()
    assert [{name: row[name] for name in Transaction.__struct_fields__} for row in rows] == [
        msgspec.structs.asdict(one) for one in sent
    ]
    assert [row["kafka_offset"] for row in rows] == [FIRST, FIRST + 1, FIRST + 2]
    assert rows[0]["kafka_partition"] == PARTITION
    assert rows[0]["kafka_timestamp"] == STAMP_MS + FIRST
    assert [row["event_day"].toordinal() - 719_163 for row in rows] == [one.event_time // DAY_MS for one in sent]


def test_what_cannot_be_decoded_is_refused_and_its_neighbours_keep_their_offsets() -> None:
    first, second = payments(2)
    decoded = transaction_rows(records(wire.encode(first), b"{}", None, wire.encode(second)))
    assert decoded.rows.column("kafka_offset").to_pylist() == [FIRST, FIRST + 3]
    assert [rejection.index for rejection in decoded.refused] == [1, 2]


def test_a_label_keeps_all_its_fields() -> None:
    statement = label_of(payments(1)[0], STAMP_MS)
    (row,) = label_rows(records(wire.encode(statement))).rows.to_pylist()
    assert {name: row[name] for name in msgspec.structs.asdict(statement)} == msgspec.structs.asdict(statement)


def test_a_score_keeps_all_its_fields_with_its_reason_codes() -> None:
    scores = [score_of(Sent(one, PARTITION, offset)) for offset, one in enumerate(payments(40))]
    rows = score_rows(records(*map(wire.encode, scores)), ReaderRule({})).rows.to_pylist()
    expected = [msgspec.to_builtins(score) for score in scores]
    assert [{name: row[name] for name in of} for row, of in zip(rows, expected, strict=True)] == expected
    assert {len(row["reason_codes"]) for row in rows} == {0, 2}


def test_repeated_scores_stay_in_the_table_and_do_not_count() -> None:
    scores = [score_of(Sent(payments(9)[offset], 3, offset)) for offset in (4, 5, 4, 5, 6)]
    rule = ReaderRule({PARTITION: source_key(0, 4)})
    rows = score_rows(records(*map(wire.encode, scores)), rule).rows
    assert rows.column("kept").to_pylist() == [False, True, False, False, True]
    assert rule.last == {PARTITION: source_key(0, 6)}


def test_a_new_epoch_counts_from_its_first_offset() -> None:
    sent = [Sent(one, PARTITION, offset) for offset, one in enumerate(payments(2))]
    scores = [score_of(sent[1], epoch=0), score_of(sent[0], epoch=1), score_of(sent[1], epoch=0)]
    rows = score_rows(records(*map(wire.encode, scores)), ReaderRule({})).rows
    assert rows.column("kept").to_pylist() == [True, True, False]


@pytest.mark.parametrize("field", ["epoch", "source_offset"])
def test_a_position_larger_than_any_there_can_be_is_refused(field: str) -> None:
    good = score_of(Sent(payments(1)[0], PARTITION, 0))
    bad = msgspec.structs.replace(good, **{field: 1 << 60})
    decoded = score_rows(records(wire.encode(bad), wire.encode(good)), ReaderRule({}))
    assert decoded.rows.column("kafka_offset").to_pylist() == [FIRST + 1]
    assert [rejection.index for rejection in decoded.refused] == [0]


def test_feature_rows_of_many_messages_become_one_batch() -> None:
    sent = payments(5)
    first, second = feature_message(sent[:2], 10), feature_message(sent[2:], 12, model_version="m-2")
    columns = FeatureColumns(FeatureCoverage())
    rows = columns.rows(records(first[0], second[0], headers=[first[1], second[1]])).rows.to_pylist()
    assert [row["transaction_id"] for row in rows] == [one.transaction_id for one in sent]
    assert [row["model_version"] for row in rows] == ["m-1", "m-1", "m-2", "m-2", "m-2"]
    assert [row["kafka_offset"] for row in rows] == [FIRST, FIRST, FIRST + 1, FIRST + 1, FIRST + 1]
    assert rows[4]["values"] == [float(value) for value in range(2 * len(DEFAULT), 3 * len(DEFAULT))]
    assert {row["feature_set"] for row in rows} == {DEFAULT.version}


def test_shadow_scores_and_canary_rows_stand_beside_rows_of_a_time_when_nothing_was_placed() -> None:
    sent = payments(4)
    shadow = ShadowScores(("m-1", "m-2"), np.array([[0.25, 0.5], [0.75, np.nan]], np.float32), np.array([0, 1]))
    placed = feature_message(
        sent[:2], 10, model_version=["m-1", "m-2"], role=["champion", "canary"], shadow_scores=shadow,
        model_us={"m-1": 4.2, "m-2": 5.1},
    )  # fmt: skip
    plain = feature_message(sent[2:], 12)
    columns = FeatureColumns(FeatureCoverage())
    rows = columns.rows(records(placed[0], plain[0], headers=[placed[1], plain[1]])).rows.to_pylist()
    assert [row["role"] for row in rows] == ["champion", "canary", "champion", "champion"]
    assert [row["model_version"] for row in rows] == ["m-1", "m-2", "m-1", "m-1"]
    assert [row["shadow_scores"] for row in rows] == [
        [{"model_version": "m-2", "score": 0.75}],
        [{"model_version": "m-1", "score": 0.5}],
        None,
        None,
    ]
    assert columns.coverage.last_rows == {PARTITION: source_key(0, 13)}


def test_a_message_without_rows_covers_what_was_rejected() -> None:
    message, headers = feature_message([], 10, covers=4)
    columns = FeatureColumns(FeatureCoverage())
    decoded = columns.rows(records(message, headers=[headers]))
    assert (decoded.rows.num_rows, decoded.refused) == (0, [])
    assert columns.coverage.covered == {PARTITION: source_key(0, 14)}
    assert columns.coverage.last_rows == {}


def test_a_feature_message_that_does_not_fit_the_table_is_refused_alone() -> None:
    sent = payments(2)
    good = feature_message(sent, 10)
    stranger = msgspec.structs.replace(sent[0], event_time=1)
    hostile = feature_message([stranger], 12)
    decoded = FeatureColumns(FeatureCoverage()).rows(
        records(b"no arrow", good[0], hostile[0], good[0], headers=[good[1], good[1], hostile[1], []])
    )
    assert decoded.rows.num_rows == 2
    assert [rejection.index for rejection in decoded.refused] == [0, 2, 3]
