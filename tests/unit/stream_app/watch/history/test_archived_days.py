"""Days read back from tables that were written without a broker."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.schema.topics import DAY_MS
from stream_app.watch.history.archived_days import ArchivedDays, joined
from tests.support.archived_bank import FIRST_DAY, ArchivedBank, BankArchive


class SmallBank(ArchivedBank):
    """One whose model needs no reference."""

    @property
    def model(self) -> str:
        return "m-1"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> BankArchive:
    made = BankArchive(tmp_path_factory.mktemp("bank"), SmallBank(rows=100))
    made.add_days(0, 5)
    return made


def open_days(archive: BankArchive, commit: int) -> ArchivedDays:
    return ArchivedDays(archive.url, {}, archive.announcements[commit][1].tables)


def test_several_days_come_as_one_for_each_version_with_what_was_known_by_then(archive: BankArchive) -> None:
    as_of = (FIRST_DAY + 5) * DAY_MS
    with open_days(archive, 4) as days:
        (rows,) = days.range(FIRST_DAY, FIRST_DAY + 3, as_of)
        each = [days.rows(FIRST_DAY + number, as_of)[0] for number in range(3)]
    bank = [archive.bank.day(number).rows for number in range(3)]
    assert (len(rows), rows.model_version, rows.as_of) == (300, "m-1", as_of)
    assert rows.score.tolist() == [score for day in each for score in day.score.tolist()]
    assert rows.score.tolist() == [score for day in bank for score in day.score.tolist()]
    assert np.array_equal(rows.values, np.concatenate([day.values for day in bank]))
    known = np.concatenate([day.is_fraud & (day.stated_at <= as_of) for day in bank])
    assert rows.is_fraud.tolist() == known.tolist()
    assert 0 < known.sum() < sum(int(day.is_fraud.sum()) for day in bank)


def test_pinned_versions_do_not_show_what_came_later(archive: BankArchive) -> None:
    with open_days(archive, 1) as days:
        assert days.first_day() == FIRST_DAY
        assert len(days.rows(FIRST_DAY + 1, 1)) == 1
        assert days.rows(FIRST_DAY + 2, 1) == []


def test_a_version_that_is_gone_is_read_as_the_newest_one_and_said(
    archive: BankArchive, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), ArchivedDays(archive.url, {}, {"scores": 9_999}) as days:
        assert len(days.rows(FIRST_DAY + 4, 1)) == 1
        assert days.versions == {"scores": 9_999}
    assert "reading the newest tables instead" in caplog.text


def test_a_day_without_feature_rows_joins_the_others_with_unknown_values(archive: BankArchive, tmp_path: Path) -> None:
    whole, bare = archive.bank.day(0).rows, archive.bank.day(1).rows
    rows = joined([whole, replace(bare, values=np.empty((100, 0), np.float32))])
    assert rows.values.shape == (200, whole.values.shape[1])
    assert np.isnan(rows.values).all(axis=1).tolist() == [False] * 100 + [True] * 100
