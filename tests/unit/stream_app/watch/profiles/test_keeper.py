"""The keeper without Kafka: what it counts, when it closes, and that a checkpoint holds all of it."""

from pathlib import Path

import numpy as np
import pytest

from models.features.feature_set import DEFAULT
from models.features.profile_keeper import MATURITY_MS, STEP_MS
from models.schema.clock_tick import ClockTick
from models.schema.feature_batch import (
    FeatureBatchEncoder,
    FeatureBatchHeader,
    FeatureRows,
    ScoredColumns,
    decode_feature_batch,
)
from models.schema.label import Label
from models.schema.terminal_profile import TerminalProfile
from models.schema.transaction import Transaction
from stream_app.checkpoints import CheckpointStore
from stream_app.watch.profiles.keeper import ProfileKeeper
from stream_app.watch.profiles.keeper_checkpoint import KeeperCheckpoint, KeeperCheckpointError, KeeperCheckpoints

START = 70_488 * STEP_MS
MATURE = START + MATURITY_MS + STEP_MS
DECLINE = 2


def header(first: int, last: int) -> FeatureBatchHeader:
    return FeatureBatchHeader(first, last, 0, "w1", "id", DEFAULT.version, recomputed=False)


def batch(first: int, terminals: list[str], decision: int = 0, *, explained: bool = False) -> FeatureRows:
    """Scored transactions of one card, a second apart."""
    transactions = [
        Transaction(f"t{first + at}", START + 1000 * (first + at), "c1", terminal, 100, "EUR")
        for at, terminal in enumerate(terminals)
    ]
    values = np.zeros((len(terminals), len(DEFAULT)), np.float32)
    values[:, DEFAULT.index("card_amount_to_usual")] = 1e3 if explained else 0.0
    scored = ScoredColumns(
        source_offset=np.arange(first, first + len(terminals)),
        score=np.zeros(len(terminals), np.float32),
        decision=np.full(len(terminals), decision, np.uint8),
        values=values,
        writer="w1",
        epoch=0,
        role="champion",
        model_version="m-1",
        profiles_as_of=0,
        recomputed=False,
        verified=True,
    )
    return decode_feature_batch(FeatureBatchEncoder(DEFAULT.names).encode(transactions, scored))


def keeper() -> ProfileKeeper:
    return ProfileKeeper(partitions=2, maturity_ms=MATURITY_MS, idle_after_s=10)


def profile(of: ProfileKeeper, as_of: int = MATURE) -> TerminalProfile:
    (changed,) = of.close_step(as_of).changed
    return changed


def label(transaction: int, labelled_at: int) -> Label:
    return Label(f"t{transaction}", "c1", "a", START + 1000 * transaction, True, "chargeback", labelled_at)


def test_a_batch_that_is_sent_again_counts_once() -> None:
    one = keeper()
    assert one.add_features(0, header(0, 2), batch(0, ["a", "a", "a"]), now_s=0) == 3
    assert one.add_features(0, header(1, 3), batch(1, ["a", "a", "a"]), now_s=0) == 1
    assert profile(one).approved == [4, 4, 4, 4]


def test_declines_are_counted_apart() -> None:
    one = keeper()
    one.add_features(0, header(0, 1), batch(0, ["a", "a"], DECLINE), now_s=0)
    one.add_features(0, header(2, 2), batch(2, ["a"]), now_s=0)
    found = profile(one)
    assert (found.approved[0], found.declines[0]) == (1, 2)


@pytest.mark.parametrize(("explained", "unexplained"), [(True, 0), (False, 1)])
def test_the_feature_values_say_whether_an_amount_explains_a_fraud(explained: bool, unexplained: int) -> None:
    one = keeper()
    one.add_features(0, header(0, 0), batch(0, ["a"], explained=explained), now_s=0)
    one.add_label(label(0, START + MATURITY_MS), partition=0, offset=0)
    found = profile(one)
    assert (found.frauds[0], found.unexplained_frauds[0]) == (1, unexplained)


def test_a_batch_of_rejected_records_moves_the_position_alone() -> None:
    one = keeper()
    assert one.add_features(1, header(0, 9), None, now_s=0) == 0
    assert one.positions.transactions == {0: 0, 1: 10}


def test_a_restored_keeper_goes_on_as_the_one_that_was_saved(tmp_path: Path) -> None:
    saved, restored = keeper(), keeper()
    saved.add_features(0, header(0, 1), batch(0, ["a", "b"]), now_s=0)
    saved.add_label(label(0, START + MATURITY_MS), partition=0, offset=0)
    saved.reach_labels(0, 1)
    saved.add_tick(ClockTick(MATURE, transactions_end={0: 3}, labels_end={0: 1}))
    checkpoints = KeeperCheckpoints(CheckpointStore(str(tmp_path)), "profile-keeper", kept=2)
    state, arrays = saved.snapshot()
    checkpoint = KeeperCheckpoint("k", 3, 8, {"features": {0: 1}}, {"features": "id"}, state)
    checkpoints.write(checkpoint, arrays)
    found = checkpoints.newest()
    assert found is not None
    assert found[0] == checkpoint
    restored.restore(found[0].state, found[1])
    for one in (saved, restored):
        assert one.due_steps() == []
        one.add_features(0, header(1, 2), batch(1, ["b", "b"]), now_s=1)
        assert one.due_steps() == [MATURE]
    assert restored.close_step(MATURE) == saved.close_step(MATURE)


def test_the_first_step_after_a_restore_holds_every_terminal() -> None:
    saved, restored = keeper(), keeper()
    saved.add_features(0, header(0, 1), batch(0, ["a", "b"]), now_s=0)
    saved.close_step(MATURE)
    restored.restore(*saved.snapshot())
    restored.add_features(0, header(2, 2), batch(2, ["new"]), now_s=0)
    after = MATURE + STEP_MS
    assert saved.close_step(after).changed == []
    step = restored.close_step(after)
    assert [each.terminal_id for each in step.changed] == ["a", "b", "new"]
    assert restored.close_step(after + STEP_MS).changed == []


def test_checkpoints_sort_by_holder_and_then_by_number_and_old_ones_go(tmp_path: Path) -> None:
    store = CheckpointStore(str(tmp_path))
    checkpoints = KeeperCheckpoints(store, "profile-keeper", kept=2)
    state, arrays = keeper().snapshot()
    for epoch, sequence in ((2, 12), (1, 13), (2, 11)):
        checkpoints.write(KeeperCheckpoint("k", epoch, sequence, {}, {}, state), arrays)
    found = checkpoints.newest()
    assert found is not None
    assert (found[0].keeper_epoch, found[0].sequence) == (2, 12)
    assert len(store.names("profile-keeper")) == 2


def test_a_checkpoint_of_a_topic_that_was_created_again_is_refused() -> None:
    state, _ = keeper().snapshot()
    checkpoint = KeeperCheckpoint("k", 1, 1, {}, {"features": "old"}, state)
    checkpoint.check_topics({"features": "old"}, "here")
    with pytest.raises(KeeperCheckpointError, match="topic features was created again"):
        checkpoint.check_topics({"features": "new"}, "here")


def test_a_checkpoint_of_the_keeper_that_cannot_be_used_is_passed_over_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = CheckpointStore(str(tmp_path))
    checkpoints = KeeperCheckpoints(store, "profile-keeper", kept=9)
    state, arrays = keeper().snapshot()
    for sequence in (1, 2, 3):
        checkpoints.write(KeeperCheckpoint("k", 1, sequence, {}, {}, state), arrays)
    third = store.names("profile-keeper")[2]
    store.write("profile-keeper", "2-of-another-release", {"keeper": 7}, {})
    (tmp_path / "profile-keeper" / third).write_bytes(b"FSCP0001")
    assert [found.sequence for found, _ in checkpoints.readable()] == [2, 1]
    assert "2-of-another-release has another header" in caplog.text
    assert f"{third} is cut short" in caplog.text


def test_arrays_of_another_release_do_not_fit_a_keeper() -> None:
    _, arrays = keeper().snapshot()
    assert keeper().misfit(arrays) is None
    for name, array in arrays.items():
        assert name in str(keeper().misfit({**arrays, name: np.zeros(array.shape, np.float16)}))
        assert name in str(keeper().misfit({other: arrays[other] for other in arrays if other != name}))
    assert "counts.times" in str(keeper().misfit({**arrays, "counts.times": np.zeros((0, 4), np.int64)}))
