"""The view `scored` on tables that were written without a broker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from models.metrics.scored_rows import DECLINE
from models.schema import wire
from models.schema.hashing import hash64
from models.schema.score import Score
from models.schema.shadow_scores import ShadowScores
from models.schema.topics import DAY_MS, FEATURES, LABELS, SCORES, TRANSACTIONS
from models.schema.transaction import Transaction
from models.side_by_side import side_by_side
from stream_app.archive.delta_table import ArchiveTable
from stream_app.archive.feature_columns import FeatureColumns, FeatureCoverage
from stream_app.archive.history import ArchivedHistory
from stream_app.archive.json_columns import label_rows, score_rows, transaction_rows
from stream_app.archive.reader_rule import ReaderRule
from stream_app.archive.tables import TABLES, ArchiveMissingError
from tests.support.archive_records import FIRST, STAMP_MS, feature_message, records
from tests.support.archive_world import MODEL, Sent, label_of, score_of
from tests.support.payments import START_MS, payments

DAY = START_MS // DAY_MS + 1
LATER = (DAY + 90) * DAY_MS
SENT = payments(6, start_ms=DAY * DAY_MS, days=1)


class Tables:
    """Four tables in a folder; each is written as the archive does it."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "archive")
        self._tables = {name: ArchiveTable(self.url, name, {}, 30) for name in TABLES}
        self._rule = ReaderRule({})
        self._positions = 0

    def send(self, transactions: Sequence[Transaction]) -> None:
        self._append(TRANSACTIONS, transaction_rows(records(*map(wire.encode, transactions))).rows)

    def score(self, *scores: Score) -> None:
        self._append(SCORES, score_rows(records(*map(wire.encode, scores)), self._rule).rows)

    def log(self, transactions: Sequence[Transaction], first: int, **changed: Any) -> None:
        message, headers = feature_message(list(transactions), first, **changed)
        self._append(FEATURES, FeatureColumns(FeatureCoverage()).rows(records(message, headers=[headers])).rows)

    def state(self, *labels: Any) -> None:
        self._append(LABELS, label_rows(records(*map(wire.encode, labels))).rows)

    def _append(self, name: str, rows: pa.RecordBatch) -> None:
        self._positions += 1
        self._tables[name].append(pa.Table.from_batches([rows]), {"id/0": self._positions})


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


def score(place: int, **changed: Any) -> Score:
    """The score of a transaction that `Tables.send` has put at FIRST + place."""
    return msgspec.structs.replace(score_of(Sent(SENT[place], 3, FIRST + place)), **changed)


def test_a_day_comes_back_as_scored_in_the_order_of_event_time_and_id(tables: Tables) -> None:
    twins = [msgspec.structs.replace(SENT[0], transaction_id=name, currency="JPY") for name in ("b", "a")]
    tables.send(twins)
    tables.score(
        *(score_of(Sent(twin, 3, FIRST + at)) for at, twin in enumerate(twins)),
    )
    tables.log(twins, FIRST)
    with ArchivedHistory(tables.url) as history:
        rows = history.scored_day(DAY, MODEL, LATER)
        bare = history.scored_day(DAY, MODEL, LATER, with_values=False)
        assert (history.days(), history.model_versions(DAY)) == ([DAY], [MODEL])
    assert rows.transaction.tolist() == [hash64("a"), hash64("b")]
    assert rows.card.tolist() == [hash64(SENT[0].card_id)] * 2
    assert rows.terminal.tolist() == [hash64(SENT[0].terminal_id)] * 2
    assert rows.score.tolist() == [np.float32(score_of(Sent(twin, 3, 0)).score) for twin in reversed(twins)]
    width = rows.values.shape[1]
    assert rows.values.tolist() == [list(range(width, 2 * width)), list(range(width))]
    assert (rows.amount_minor < SENT[0].amount_minor).all() == (SENT[0].amount_minor > 0)
    scored_at = score(0).scored_at
    assert rows.latency_ms.tolist() == [scored_at - STAMP_MS - FIRST - 1, scored_at - STAMP_MS - FIRST]
    assert bare.values.shape == (2, 0)
    assert bare.event_time.tolist() == rows.event_time.tolist()


def test_what_a_zombie_sent_again_appears_once_with_the_row_of_the_score_that_counts(tables: Tables) -> None:
    tables.send(SENT)
    tables.log(SENT[:4], FIRST, writer="zombie")
    tables.score(*(score(at, writer="zombie", score=0.1) for at in range(2)))
    tables.score(*(score(at, writer="w2", score=0.2) for at in range(6)))
    tables.log(SENT, FIRST, writer="w2")
    tables.log(SENT, FIRST, writer="w3", recomputed=True)
    with ArchivedHistory(tables.url) as history:
        found = history.scored([DAY], LATER).order("source_offset").to_arrow_table().to_pylist()
    assert [row["source_offset"] for row in found] == [FIRST + at for at in range(6)]
    assert [row["writer"] for row in found] == ["zombie"] * 2 + ["w2"] * 4
    assert not any(row["recomputed"] for row in found)
    assert found[2]["values"] == [float(value) for value in range(2 * 70, 3 * 70)]


def test_a_recomputed_row_stands_in_and_says_whether_it_was_verified(tables: Tables) -> None:
    tables.send(SENT[:2])
    tables.score(score(0), score(1))
    tables.log(SENT[:1], FIRST, writer="w9", recomputed=True, verified=False)
    with ArchivedHistory(tables.url) as history:
        found = history.scored([DAY], LATER).order("source_offset").to_arrow_table().to_pylist()
        rows = history.scored_day(DAY, MODEL, LATER)
    assert [(row["recomputed"], row["verified"]) for row in found] == [(True, False), (None, False)]
    assert [row["amount_minor"] for row in found] == [one.amount_minor for one in SENT[:2]]
    assert np.isnan(rows.values).all(axis=1).tolist() == [False, True]


def test_shadow_scores_come_back_from_the_table_and_a_canary_row_is_its_own_models(tables: Tables) -> None:
    scores = np.array([[0.25, 0.5, 0.125], [0.75, np.nan, np.nan]], np.float32)
    shadow = ShadowScores((MODEL, "m-2"), scores, np.array([0, 1, 0]))
    decided = [MODEL, "m-2", MODEL]
    tables.send(SENT[:4])
    tables.log(SENT[:3], FIRST, model_version=decided, role=["champion", "canary", "champion"], shadow_scores=shadow)
    tables.log(SENT[3:4], FIRST + 3)
    canary = {"model_version": "m-2", "role": "canary"}
    tables.score(*(score(at, writer="w1", **(canary if at == 1 else {})) for at in range(4)))
    with ArchivedHistory(tables.url) as history:
        found = history.scored([DAY], LATER).order("source_offset").to_arrow_table().to_pylist()
        rows = {version: history.scored_day(DAY, version, LATER) for version in (MODEL, "m-2")}
    assert [(row["model_version"], row["role"]) for row in found[:3]] == [
        (MODEL, "champion"), ("m-2", "canary"), (MODEL, "champion"),
    ]  # fmt: skip
    assert [row["shadow_scores"] for row in found] == [
        [{"model_version": "m-2", "score": 0.75}],
        [{"model_version": MODEL, "score": 0.5}],
        [{"model_version": "m-2", "score": None}],
        None,
    ]
    assert [len(rows[version].score) for version in (MODEL, "m-2")] == [3, 1]


def test_the_latest_statement_known_by_then_counts_and_a_reversal_is_one(tables: Tables) -> None:
    tables.send(SENT[:3])
    tables.score(score(0), score(1), score(2))
    fraud, reversed_ = label_of(SENT[0], DAY * DAY_MS + 100), label_of(SENT[0], DAY * DAY_MS + 300, is_fraud=False)
    twice = [label_of(SENT[1], DAY * DAY_MS + 100, is_fraud=is_fraud) for is_fraud in (False, True)]
    tables.state(reversed_, fraud, *twice)

    def known(as_of: int) -> tuple[list[bool], list[bool]]:
        with ArchivedHistory(tables.url) as history:
            rows = history.scored_day(DAY, MODEL, DAY * DAY_MS + as_of)
        return rows.is_fraud.tolist(), rows.stated.tolist()

    assert known(99) == ([False] * 3, [False] * 3)
    assert known(100) == ([True, True, False], [True, True, False])
    assert known(300) == ([False, True, False], [True, True, False])


def test_statements_made_since_name_the_days_to_look_at_again(tables: Tables) -> None:
    tables.state(label_of(SENT[0], LATER), label_of(payments(1, part=2)[0], LATER + 1))
    with ArchivedHistory(tables.url) as history:
        assert history.restated_days(LATER - 1, LATER) == [DAY]
        assert history.restated_days(LATER, LATER + 1) == [payments(1, part=2)[0].event_time // DAY_MS]
        assert history.restated_days(LATER + 1, LATER + 9) == []


def test_a_pinned_version_gives_the_same_rows_whatever_comes_later(tables: Tables) -> None:
    tables.send(SENT)
    tables.score(score(0))
    with ArchivedHistory(tables.url) as history:
        pinned = history.versions
    tables.score(score(1))
    tables.state(label_of(SENT[0], DAY * DAY_MS))
    with ArchivedHistory(tables.url, pinned) as before, ArchivedHistory(tables.url) as after:
        assert len(before.scored_day(DAY, MODEL, LATER)) == 1
        assert not before.scored_day(DAY, MODEL, LATER).stated.any()
        assert len(after.scored_day(DAY, MODEL, LATER)) == 2


def test_a_topic_created_again_with_the_same_transactions_doubles_no_row(tables: Tables) -> None:
    for epoch in range(2):
        tables.send(SENT)
        tables.score(*(score(at, epoch=epoch, decision="decline") for at in range(6)))
    with ArchivedHistory(tables.url) as history:
        rows = history.scored_day(DAY, MODEL, LATER)
    assert len(rows) == 12
    assert (rows.decision == DECLINE).all()
    assert not rows.pass_probability.any()


def test_a_day_or_a_model_that_is_not_there_has_no_rows(tables: Tables) -> None:
    with ArchivedHistory(tables.url) as history:
        assert (history.days(), len(history.scored_day(DAY, MODEL, LATER))) == ([], 0)
        assert len(history.scored_day(DAY, "it's none", LATER)) == 0


def test_an_object_store_is_read_like_a_folder(tables: Tables) -> None:
    tables.send(SENT)
    tables.score(*(score(at) for at in range(6)))
    tables.log(SENT, FIRST)
    tables.state(label_of(SENT[0], DAY * DAY_MS))
    with ArchivedHistory(tables.url) as folder, ArchivedHistory(f"file://{tables.url}") as store:
        expected, found = (one.scored_day(DAY, MODEL, LATER) for one in (folder, store))
        assert store.restated_days(0, LATER) == [DAY]
    assert found.transaction.tolist() == expected.transaction.tolist()
    assert np.array_equal(found.values, expected.values)
    assert found.stated.tolist() == expected.stated.tolist()


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_two_threads_read_beside_each_other(tables: Tables, scheme: str) -> None:
    tables.send(SENT)
    tables.score(*(score(at) for at in range(6)))
    tables.log(SENT, FIRST)
    with ArchivedHistory(f"{scheme}{tables.url}") as history:

        def read() -> list[int]:
            with history.beside() as own:
                return [int(one) for one in own.scored_day(DAY, MODEL, LATER).transaction]

        expected = history.scored_day(DAY, MODEL, LATER).transaction.tolist()
        assert side_by_side([read] * 8) == [expected] * 8
        assert history.scored_day(DAY, MODEL, LATER).transaction.tolist() == expected


def test_a_folder_without_an_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArchiveMissingError, match="start `fraudstream archive`"):
        ArchivedHistory(str(tmp_path / "nothing"))
