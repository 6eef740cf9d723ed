"""What mature labels of archived rows say of a champion and the model before it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from models.release.matured import MaturedRows, compare_matured
from models.release.state import ReleaseState
from models.schema.archive_commit import ArchiveCommit
from models.schema.model_event import Check
from models.schema.topics import DAY_MS
from stream_app.archive.history import ArchivedHistory
from stream_app.retrain.release.matured_rows import matured_rows
from stream_app.retrain.release.matured_verdicts import MaturedVerdicts
from tests.support.archived_bank import FIRST_DAY, FRAUDS, ROWS, ArchivedBank, BankArchive, BankDay

BANK = ArchivedBank(tactic_from=0)
"""Half of its fraud scores low."""
BEFORE = "m-before"
MATURITY_MS = 7 * DAY_MS
PROMOTED_AT = FIRST_DAY * DAY_MS + DAY_MS // 2
AS_OF = (FIRST_DAY + 10) * DAY_MS
"""Days 0 to 2 are mature."""


def sees_all(day: BankDay) -> Mapping[str, Any]:
    """The model before tells the fraud, another one in shadow says nothing."""
    draw = np.random.default_rng(day.day)
    seen = np.where(day.rows.is_fraud, draw.uniform(0.5, 1, len(day.rows)), draw.uniform(0, 0.6, len(day.rows)))
    return {"m-other": np.zeros(len(day.rows)), BEFORE: seen.astype(np.float32)}


def sees_nothing(day: BankDay) -> Mapping[str, Any]:
    return {BEFORE: np.random.default_rng(day.day).random(len(day.rows)).astype(np.float32)}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> BankArchive:
    made = BankArchive(tmp_path_factory.mktemp("bank"), BANK, sees_all)
    made.add_days(0, 16)
    return made


def read(archive: BankArchive, since: int = PROMOTED_AT, as_of: int = AS_OF) -> MaturedRows:
    with ArchivedHistory(archive.url) as history:
        return matured_rows(
            history, archive.bank.model, BEFORE, since=since, until=as_of - MATURITY_MS, as_of=as_of,
            largest_weight=20.0,
        )  # fmt: skip


def test_rows_are_those_from_the_promotion_on_that_are_mature_with_both_scores(archive: BankArchive) -> None:
    rows = read(archive)
    days = [BANK.day(number) for number in range(3)]
    times, score, is_fraud = (
        np.concatenate([getattr(day.rows, name) for day in days]) for name in ("event_time", "score", "is_fraud")
    )
    before = np.concatenate([sees_all(day)[BEFORE] for day in days])
    expected = times >= PROMOTED_AT
    assert rows.weight is None
    order, sent = np.argsort(rows.score), np.flatnonzero(expected)[np.argsort(score[expected])]
    for found, whole in ((rows.score, score), (rows.previous_score, before), (rows.is_fraud, is_fraud)):
        np.testing.assert_array_equal(found[order], whole[sent])
    cards = np.concatenate([day.cards for day in days])[sent]
    pairs = set(zip(rows.card[order].tolist(), cards.tolist(), strict=True))
    assert len(pairs) == len(set(cards.tolist())) == len(np.unique(rows.card))


def test_labels_are_those_known_at_the_moment(tmp_path: Path) -> None:
    archive = BankArchive(tmp_path, BANK, sees_all)
    day = BANK.day(1)
    known, late = np.flatnonzero(~day.rows.is_fraud)[:2]
    archive.state(day, int(known), AS_OF)
    archive.state(day, int(late), AS_OF + 1)
    archive.add_days(0, 12)
    assert read(archive, FIRST_DAY * DAY_MS).is_fraud.sum() == 3 * 2 * FRAUDS + 1
    assert read(archive, FIRST_DAY * DAY_MS, AS_OF + DAY_MS).is_fraud.sum() == 4 * 2 * FRAUDS + 2


@pytest.mark.parametrize(
    ("changed", "kept", "weight"),
    [
        ({"duplicate": True}, 0, None),
        ({"verified": False}, 0, None),
        ({"model_version": BEFORE}, 0, None),
        ({"shadow_scores": None}, 0, None),
        ({"shadow_scores": [{"model_version": BEFORE, "score": None}]}, 0, None),
        ({"shadow_scores": [{"model_version": "m-other", "score": 0.5}]}, 0, None),
        ({"decision": "decline"}, 2 * FRAUDS, None),
        ({"control": True, "pass_probability": 0.01}, ROWS, 20.0),
        ({"control": True, "pass_probability": 0.5}, ROWS, 2.0),
    ],
)
def test_a_day_counts_as_far_as_it_tells_the_two_apart(
    tmp_path: Path, changed: dict[str, Any], kept: int, weight: float | None
) -> None:
    archive = BankArchive(tmp_path, BANK, sees_all)
    archive.add_days(0, 1)
    archive.add_days(1, 2, **changed)
    archive.add_days(2, 6)
    rows = read(archive, FIRST_DAY * DAY_MS, (FIRST_DAY + 9) * DAY_MS)
    assert len(rows.score) == ROWS + kept
    if weight is None:
        assert rows.weight is None
    else:
        assert rows.weight is not None
        np.testing.assert_allclose(np.unique(rows.weight), [1.0, weight], rtol=1e-6)


def test_an_archive_without_such_days_has_no_rows(tmp_path: Path) -> None:
    assert len(read(BankArchive(tmp_path, BANK)).score) == 0


class Releases:
    """A release loop that keeps what it is told."""

    def __init__(self, model: str) -> None:
        self.active_state: ReleaseState | None = ReleaseState(
            stage="watch", release="r-1", version=model, baseline=BEFORE, promoted_at=PROMOTED_AT
        )
        self.checks: list[Check] = []
        self.judged: list[tuple[str, str]] = []

    def matured(self, rows: MaturedRows, version: str, baseline: str) -> Check:
        self.judged.append((version, baseline))
        self.checks.append(compare_matured(rows))
        return self.checks[-1]

    def become(self, **changed: Any) -> None:
        assert self.active_state is not None
        self.active_state = msgspec.structs.replace(self.active_state, **changed)


class World:
    """Verdicts on an archive whose announcements come one by one."""

    def __init__(self, archive: BankArchive) -> None:
        self.archive, self.releases = archive, Releases(archive.bank.model)
        self.commit: ArchiveCommit | None = None
        self.opened = 0
        self.url = archive.url
        self.verdicts = self.next_process()

    def next_process(self) -> MaturedVerdicts:
        self.verdicts = MaturedVerdicts(
            self._open, lambda: self.commit, self.releases, maturity_ms=MATURITY_MS, largest_weight=20.0, wait_s=0.0
        )
        return self.verdicts

    def close_day(self, number: int) -> None:
        """A day is archived: its watermark is the beginning of the next."""
        self.commit = self.archive.announcements[number][1]

    def _open(self, versions: Mapping[str, int]) -> ArchivedHistory:
        self.opened += 1
        return ArchivedHistory(self.url, versions)


def test_a_champion_that_ranks_worse_than_the_one_before_is_broken_and_the_log_says_why(
    archive: BankArchive, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(archive)
    world.close_day(13)
    with caplog.at_level(logging.INFO):
        world.verdicts.turn()
    assert [check.verdict for check in world.releases.checks] == ["broken"]
    assert world.releases.judged == [(BANK.model, BEFORE)]
    (line,) = caplog.messages
    assert world.releases.checks[0].sentence in line
    assert archive.date(14) in line


def test_one_that_ranks_better_is_not(tmp_path: Path) -> None:
    archive = BankArchive(tmp_path, BANK, sees_nothing)
    archive.add_days(0, 14)
    world = World(archive)
    world.close_day(13)
    world.verdicts.turn()
    assert [check.verdict for check in world.releases.checks] == ["ok"]


def test_each_event_day_is_judged_once_and_again_by_the_next_process(archive: BankArchive) -> None:
    world = World(archive)
    for number in (8, 8, 9, 9, 10):
        world.close_day(number)
        world.verdicts.turn()
    until = [FIRST_DAY + 2, FIRST_DAY + 3, FIRST_DAY + 4]
    rows = [sum(np.sum(BANK.day(day - FIRST_DAY).rows.event_time >= PROMOTED_AT) for day in range(FIRST_DAY, end))
            for end in until]  # fmt: skip
    assert [check.rows for check in world.releases.checks] == rows
    assert world.opened == 3
    world.next_process().turn()
    assert world.opened == 4
    assert world.releases.checks[3] == world.releases.checks[2]
    world.releases.become(release="r-2")
    world.verdicts.turn()
    assert world.opened == 5, "the same day of another release is another"


def test_six_hours_more_of_a_day_that_was_judged_are_left_for_the_next_day(archive: BankArchive) -> None:
    world = World(archive)
    world.close_day(9)
    world.verdicts.turn()
    assert world.commit is not None
    world.commit = msgspec.structs.replace(world.commit, watermark=world.commit.watermark + DAY_MS // 4)
    world.verdicts.turn()
    assert world.opened == 1


def test_nothing_is_read_before_the_first_row_is_mature(archive: BankArchive) -> None:
    world = World(archive)
    world.verdicts.turn()
    for number in range(7):
        world.close_day(number)
        world.verdicts.turn()
    assert (world.opened, world.releases.checks) == (0, [])


@pytest.mark.parametrize(
    "changed",
    [{"stage": "idle"}, {"stage": "shadow"}, {"stage": "canary"}, {"promoted_at": None}, {"baseline": None}, None],
)
def test_nothing_is_read_where_labels_cannot_roll_back_or_another_process_releases(
    archive: BankArchive, changed: dict[str, Any] | None
) -> None:
    world = World(archive)
    world.close_day(13)
    if changed is None:
        world.releases.active_state = None
    else:
        world.releases.become(**changed)
    world.verdicts.turn()
    assert (world.opened, world.releases.checks) == (0, [])


def test_the_labels_of_a_watch_are_judged_while_they_mature(archive: BankArchive) -> None:
    world = World(archive)
    world.releases.become(stage="maturing")
    world.close_day(13)
    world.verdicts.turn()
    assert len(world.releases.checks) == 1


def test_an_archive_that_cannot_be_read_is_told_of_once_and_asked_again(
    archive: BankArchive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(archive)
    world.close_day(13)
    world.url = str(tmp_path / "nothing yet")
    for _ in range(3):
        world.verdicts.turn()
    assert world.opened == 3
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    world.url = archive.url
    world.verdicts.turn()
    assert len(world.releases.checks) == 1


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_files_that_are_gone_for_a_moment_are_an_archive_that_cannot_be_read(tmp_path: Path, scheme: str) -> None:
    archive = BankArchive(tmp_path, BANK, sees_all)
    archive.add_days(0, 14)
    world = World(archive)
    world.close_day(13)
    world.url = scheme + archive.url
    files = list((tmp_path / "archive" / "features").rglob("*.parquet"))
    for file in files:
        file.rename(file.with_suffix(".away"))
    world.verdicts.turn()
    assert (world.opened, world.releases.checks) == (1, [])
    for file in files:
        file.with_suffix(".away").rename(file)
    world.verdicts.turn()
    assert len(world.releases.checks) == 1


def test_what_is_wrong_with_the_code_ends_the_process(archive: BankArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(archive)
    world.close_day(13)

    def fail(*_: Any) -> Any:
        raise TypeError("no such column")

    monkeypatch.setattr(ArchivedHistory, "scored", fail)
    with pytest.raises(TypeError):
        world.verdicts.turn()
