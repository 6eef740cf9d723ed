"""Which archived rows a retrain learns from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.features.feature_set import WARM_UP_DAYS
from models.features.history import NO_LABEL
from models.retraining.evidence import Evidence
from models.schema.hashing import hash64
from models.schema.topics import DAY_MS
from models.training_rows import TrainingError
from stream_app.archive.history import ArchivedHistory
from stream_app.retrain.training_set import TrainingSet
from tests.support.archived_bank import FIRST_DAY, FRAUDS, ROWS, ArchivedBank, BankArchive

BANK = ArchivedBank(tactic_from=3)
DAYS = 14
AS_OF = (FIRST_DAY + 12) * DAY_MS
"""Its last mature day is the fifth, day 4."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> BankArchive:
    """A bank of two weeks; somebody takes a statement back, and somebody makes one when it is too late."""
    made = BankArchive(tmp_path_factory.mktemp("bank"), BANK)
    first, second = BANK.day(1), BANK.day(2)
    made.state(first, int(first.rows.is_fraud.argmax()), AS_OF - DAY_MS, is_fraud=False)
    made.state(second, int((~second.rows.is_fraud).argmax()), AS_OF + 1)
    made.add_days(0, DAYS)
    return made


def read(archive: BankArchive, as_of: int = AS_OF, train_from: int | None = FIRST_DAY) -> Evidence:
    with ArchivedHistory(archive.url) as history:
        return TrainingSet(history, as_of, 7.0, train_from).read(20.0, {})


def test_rows_are_those_of_the_whole_mature_days_as_they_were_scored(archive: BankArchive) -> None:
    evidence = read(archive)
    rows = evidence.rows
    days = [BANK.day(number) for number in range(5)]
    order = [np.lexsort((np.array(day.ids), day.rows.event_time)) for day in days]
    assert len(rows) == 5 * ROWS
    for name, found in {
        "values": rows.values, "event_time": rows.event_time, "score": evidence.live,
        "amount_minor": evidence.amount_minor,
    }.items():  # fmt: skip
        sent = np.concatenate([getattr(day.rows, name)[by] for day, by in zip(days, order, strict=True)])
        np.testing.assert_array_equal(found, sent, name)
    cards = [hash64(day.cards[place]) for day, by in zip(days, order, strict=True) for place in by]
    terminals = [hash64(day.terminals[place]) for day, by in zip(days, order, strict=True) for place in by]
    np.testing.assert_array_equal(rows.card, np.array(cards, np.uint64))
    assert rows.terminal is not None
    np.testing.assert_array_equal(rows.terminal, np.array(terminals, np.uint64))
    assert rows.weight is None
    assert rows.reference_days == (FIRST_DAY, FIRST_DAY + 5)
    assert rows.description == f"archive, {archive.date(0)} to {archive.date(4)}, labels as of {archive.date(12)}"


def test_labels_are_those_known_at_the_moment_and_the_latest_of_them_wins(archive: BankArchive) -> None:
    at_the_time, later = read(archive).rows, read(archive, AS_OF + DAY_MS).rows
    # Three days of the usual fraud, two with the tactic's beside it, less the one that was taken back.
    assert at_the_time.is_fraud.sum() == 5 * FRAUDS + 2 * FRAUDS - 1
    assert later.is_fraud[: len(at_the_time)].sum() == at_the_time.is_fraud.sum() + 1
    assert at_the_time.labelled_at is not None
    assert np.all(at_the_time.is_fraud <= (at_the_time.labelled_at != NO_LABEL))
    assert at_the_time.labelled_at.max() == AS_OF - DAY_MS


def test_pinned_tables_give_the_same_rows_however_the_archive_grows(tmp_path: Path) -> None:
    archive = BankArchive(tmp_path, BANK)
    archive.add_days(0, 12)
    versions = archive.announcements[-1][1].tables
    before = read(archive)
    archive.add_days(12, 14)
    with ArchivedHistory(archive.url, versions) as history:
        after = TrainingSet(history, AS_OF, 7.0, FIRST_DAY).read(20.0, {})
    assert before.rows.summary() == after.rows.summary()
    assert after.rows.table_versions == versions


@pytest.mark.parametrize(
    ("changes", "kept", "weights"),
    [
        ({"verified": False}, 0, None),
        ({"duplicate": True}, 0, None),
        ({"decision": "decline"}, 2 * FRAUDS, None),
        ({"feature_set": "another"}, 0, None),
        ({"control": True, "pass_probability": 0.05}, ROWS, 20.0),
        ({"control": True, "pass_probability": 0.01}, ROWS, 20.0),
        ({"control": True, "pass_probability": 0.5}, ROWS, 2.0),
    ],
)
def test_a_day_counts_as_far_as_it_can_be_learned_from(
    tmp_path: Path, changes: dict[str, Any], kept: int, weights: float | None
) -> None:
    archive = BankArchive(tmp_path, BANK)
    archive.add_days(2, 4)
    archive.add_days(4, 5, **changes)
    archive.add_days(5, 8)
    rows = read(archive).rows
    assert len(rows) == 2 * ROWS + kept
    if weights is None:
        assert rows.weight is None
    else:
        assert rows.weight is not None
        np.testing.assert_allclose(np.unique(rows.weight), [1.0, weights], rtol=1e-6)


def test_what_is_missing_is_said_in_one_line(archive: BankArchive, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=f"rows count from {archive.date(WARM_UP_DAYS)} on") as refused:
        read(archive, train_from=None)
    assert "give an earlier --train-from" in str(refused.value)
    assert "\n" not in str(refused.value)
    with pytest.raises(TrainingError, match="holds no scored transaction"):
        read(BankArchive(tmp_path, BANK))
