"""Checkpoints of a lane: never ahead of what is acknowledged, restored from the newest whole chain."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from stream_app.checkpoints import CheckpointStore
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.checkpointing import LaneCheckpoints, kind_of, restore
from stream_app.scoring.lane import LaneStart
from tests.support.payments import payments
from tests.support.scored_output import undisturbed
from tests.unit.stream_app.scoring.fakes import AmountModel, batch, lane, lineup, score_alone

STORY = payments(80, cards=6)
KIND = kind_of("topic-id", 0, DEFAULT.version)


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(str(tmp_path))


def write(
    store: CheckpointStore, edges: list[int], increments: int = 20, start: LaneStart | None = None, at_once: int = 100
) -> None:
    """Score up to each edge and write a checkpoint there."""

    async def story() -> None:
        one = lane(start)
        done = Acknowledgements(0, lambda _error: None)
        checkpoints = LaneCheckpoints(store, one, DEFAULT.version, increments, at_once)
        for a, b in zip([0, *edges], edges, strict=False):
            score_alone(one, batch(STORY[a:b], range(a, b)), lineup(AmountModel()))
            done.expect(b, [])
            assert await checkpoints.write(done) > 0
            assert await checkpoints.write(done) == 0

    asyncio.run(story())


def rest_is_right(parts: list[dict[str, np.ndarray]], offset: int) -> bool:
    """Whether what follows comes out as in an undisturbed run."""
    cards = CardState(DEFAULT)
    cards.restore(parts)
    one = lane(LaneStart(offset, offset))
    one.cards = cards
    scored = score_alone(one, batch(STORY[offset:], range(offset, 80)), lineup(AmountModel()))
    from models.schema.feature_batch import decode_feature_batch  # noqa: PLC0415

    return np.array_equal(decode_feature_batch(scored.features[0].value).values, undisturbed(STORY)[0][offset:])


@pytest.mark.parametrize("increments", [0, 1, 20])
def test_what_was_restored_goes_on_as_if_nothing_had_happened(store: CheckpointStore, increments: int) -> None:
    write(store, [20, 40, 60], increments)
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.offset == 60
    assert rest_is_right(restored.parts, 60)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_a_whole_checkpoint_of_several_files_is_taken_while_scoring_goes_on(
    store: CheckpointStore, at_once: int
) -> None:
    async def story() -> None:
        one = lane()
        done = Acknowledgements(80, lambda _error: None)
        checkpoints = LaneCheckpoints(store, one, DEFAULT.version, 20, at_once)

        def score(a: int, b: int) -> None:
            score_alone(one, batch(STORY[a:b], range(a, b)), lineup(AmountModel()))

        score(0, 20)
        writing = asyncio.create_task(checkpoints.write(done))
        at = 20
        while not writing.done():
            if at < 60:
                score(at, at + 2)
                at += 2
            await asyncio.sleep(0.001)
        assert await writing > 0
        score(at, 70)
        assert await checkpoints.write(done) > 0

    asyncio.run(story())
    assert [name.rsplit(".", 1)[1] for name in store.names(KIND)][-2:] == ["whole", "increment"]
    for not_beyond in (None, 69):
        restored = restore(store, KIND, not_beyond)
        assert restored is not None
        assert rest_is_right(restored.parts, restored.offset)


def test_the_first_files_of_a_whole_checkpoint_are_none_without_the_last(store: CheckpointStore) -> None:
    write(store, [20, 40], increments=0, at_once=2)
    names = store.names(KIND)
    store.delete(KIND, names[-1])
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.offset == 20
    store.delete(KIND, names[0])
    assert restore(store, KIND, None) is None


def test_a_checkpoint_beyond_the_limit_is_not_used(store: CheckpointStore) -> None:
    write(store, [20, 40, 60])
    restored = restore(store, KIND, 59)
    assert restored is not None
    assert restored.offset == 40
    assert rest_is_right(restored.parts, 40)
    assert restore(store, KIND, 19) is None


def test_a_chain_with_a_broken_part_is_passed_over_with_a_warning(
    store: CheckpointStore, caplog: pytest.LogCaptureFixture
) -> None:
    write(store, [20, 40, 60], increments=0)
    newest = Path(store.url) / KIND / store.names(KIND)[-1]
    newest.write_bytes(newest.read_bytes()[:-1])
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.offset == 40
    assert newest.name in caplog.text


def rewrite(store: CheckpointStore, name: str, header: dict[str, Any], arrays: dict[str, Any] | None = None) -> None:
    """Put other content under a name that there is."""
    found = store.read(KIND, name)
    store.delete(KIND, name)
    store.write(KIND, name, found.header | header, found.arrays | (arrays or {}))


@pytest.mark.parametrize(
    ("header", "arrays", "reason"),
    [
        ({"offset": "60"}, {}, "has another header"),
        ({"offset": 61}, {}, "says that it is of offset 61"),
        ({"parent": 7}, {}, "has another header"),
        ({"parent": "~"}, {}, "which is no earlier one"),
        ({"parent": f"{0:020d}.000000.w.whole"}, {}, "cannot be read"),
        ({"parent": "../0"}, {}, "which is no earlier one"),
        ({"parent": f"{0:020d}.000000./../../w.whole"}, {}, "which is no earlier one"),
        ({"parent": "\0"}, {}, "which is no earlier one"),
        ({}, {"cards": np.zeros(1, np.uint64)}, "their lengths say"),
        ({}, {"cards": np.zeros((6, 1), np.uint64)}, "as cards"),
        ({}, {"lengths": np.array([2**31 - 1, -(2**31) + 1] * 3, np.int32)}, "their lengths say"),
        ({}, {"entries": np.zeros(60)}, "as entries"),
    ],
)
def test_a_checkpoint_that_is_none_is_passed_over_with_a_warning(
    store: CheckpointStore, caplog: pytest.LogCaptureFixture, header: dict, arrays: dict, reason: str
) -> None:
    write(store, [20, 40, 60], increments=0)
    name = store.names(KIND)[-1]
    rewrite(store, name, {"parent": name} if header.get("parent") == "~" else header, arrays)
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.offset == 40
    assert reason in caplog.text


def test_a_file_that_is_no_checkpoint_is_no_trouble(store: CheckpointStore) -> None:
    write(store, [20])
    for name in ("README", "zzz.tmp", "9" * 20):
        (Path(store.url) / KIND / name).write_text("")
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.offset == 20


def test_a_checkpoint_of_an_earlier_epoch_is_passed_over_with_a_warning(
    store: CheckpointStore, caplog: pytest.LogCaptureFixture
) -> None:
    write(store, [20, 40, 60], increments=0)
    rewrite(store, store.names(KIND)[-2], {"epoch": 1})
    restored = restore(store, KIND, None, epoch=1)
    assert restored is not None
    assert restored.offset == 40
    assert "is of epoch 0, which epoch 1 has replaced" in caplog.text


def test_one_who_has_lost_the_partition_never_replaces_a_newer_checkpoint(store: CheckpointStore) -> None:
    async def story() -> None:
        zombie, owner = lane(), lane()
        owner.identity = replace(owner.identity, writer="owner")
        done = Acknowledgements(80, lambda _error: None)
        late = LaneCheckpoints(store, zombie, DEFAULT.version, increments=0)
        current = LaneCheckpoints(store, owner, DEFAULT.version, increments=0)
        for offset in (10, 20, 30):
            score_alone(zombie, batch(STORY[:offset], range(offset)), lineup(AmountModel()))
            score_alone(owner, batch(STORY[: 2 * offset], range(2 * offset)), lineup(AmountModel()))
            assert await current.write(done) > 0
            assert await late.write(done) > 0

    asyncio.run(story())
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.offset == 60
    assert ".owner." in store.names(KIND)[-1]
    assert rest_is_right(restored.parts, 60)


def test_a_worker_on_another_machine_goes_on_from_the_same_checkpoints(store: CheckpointStore, tmp_path: Path) -> None:
    write(store, [20, 40])
    elsewhere = CheckpointStore(str(tmp_path / "mounted" / "elsewhere"))
    shutil.copytree(Path(store.url) / "cards", Path(elsewhere.url) / "cards")
    restored = restore(elsewhere, KIND, None)
    assert restored is not None
    assert rest_is_right(restored.parts, 40)


def test_checkpoints_of_another_feature_set_are_passed_over_with_a_warning(
    store: CheckpointStore, caplog: pytest.LogCaptureFixture
) -> None:
    write(store, [20])
    assert restore(store, kind_of("topic-id", 0, "fs-another"), None) is None
    assert f"passed over: those of {DEFAULT.version}" in caplog.text


def test_nothing_is_written_before_all_below_it_is_acknowledged(store: CheckpointStore) -> None:
    async def story() -> None:
        one = lane()
        done = Acknowledgements(0, lambda _error: None)
        score_alone(one, batch(STORY[:10]), lineup(AmountModel()))
        send = asyncio.get_running_loop().create_future()
        done.expect(10, [send])
        writing = asyncio.create_task(LaneCheckpoints(store, one, DEFAULT.version, 3).write(done))
        for _ in range(5):
            await asyncio.sleep(0)
        assert store.names(KIND) == []
        send.set_result(None)
        assert await writing > 0

    asyncio.run(story())
    assert len(store.names(KIND)) == 1


def test_two_whole_chains_are_kept(store: CheckpointStore) -> None:
    write(store, list(range(10, 81, 10)), increments=1)
    names = store.names(KIND)
    assert [name.rsplit(".", 1)[1] for name in names] == ["whole", "increment", "whole", "increment"]


def test_two_whole_chains_of_several_files_are_kept(store: CheckpointStore) -> None:
    write(store, list(range(10, 81, 10)), increments=1, at_once=4)
    assert [name.rsplit(".", 1)[1] for name in store.names(KIND)] == ["part", "whole", "increment"] * 2


def test_until_when_windows_are_cold_is_restored_too(store: CheckpointStore) -> None:
    write(store, [20], start=LaneStart(0, 0, cold_before=None))
    restored = restore(store, KIND, None)
    assert restored is not None
    assert restored.cold_before == STORY[0].event_time + 30 * 86_400_000
