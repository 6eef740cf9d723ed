"""Opening a partition whose topics, offsets or checkpoints were tampered with: it goes on or says why not."""

from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import NewPartitions

from models.schema import wire
from models.schema.score import Score
from models.schema.topics import SCORES, TRANSACTIONS
from stream_app.topic_admin import create_topics, delete_topics
from tests.support.payments import DAY_MS, START_MS, payments
from tests.support.scoring_world import ScoringWorld


def run_once(world: ScoringWorld, *options: str) -> None:
    """Score all there is and stop."""
    worker = world.start(*options)
    world.wait_for_all()
    assert worker.stop() == 0


def recreate_input(world: ScoringWorld, partitions: int = 2) -> None:
    """Delete `transactions` with all it holds and create it again."""
    delete_topics(world.broker, [world.topics.transactions])
    create_topics(world.broker, world.topics, partitions, only=[TRANSACTIONS])
    world.sent = {partition: [] for partition in range(partitions)}


def test_an_emptied_output_means_no_tail_and_the_commit_is_gone_on_from(world: ScoringWorld) -> None:
    world.send(payments(1000))
    killed = world.start()
    world.wait_for_all()
    killed.kill()
    world.delete_records(world.topics.scores)
    world.send(payments(500, part=1))
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()


def test_deleted_group_offsets_are_found_again_from_the_output(world: ScoringWorld) -> None:
    world.send(payments(1000))
    run_once(world)
    for deleted in world.admin.delete_consumer_groups([world.group]).values():
        deleted.result()
    world.send(payments(500, part=1))
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
    assert world.output.raw == 1500


def test_a_recreated_input_is_refused_and_goes_on_under_a_new_epoch_with_an_audit_record(world: ScoringWorld) -> None:
    world.send(payments(300))
    run_once(world)
    recreate_input(world)
    world.send(payments(800, part=1))
    refusal = world.start().refused()
    assert f"{world.topics.transactions} was recreated" in refusal
    assert "--new-epoch" in refusal

    reason = "a drill recreated the topic"
    worker = world.start("--new-epoch", reason)
    world.wait_for_scores(300 + 800)
    world.check_nothing_lost(epoch=1)
    assert worker.stop() == 0
    records = [record for record in world.registry.audit() if record.kind == "new-epoch"]
    assert sorted(one.subject for one in records) == [f"{world.topics.transactions}/{number}" for number in (0, 1)]
    assert {(record.details["epoch"], record.reason) for record in records} == {(1, reason)}

    world.send(payments(100, part=2))
    world.start()
    world.wait_for_scores(300 + 900)
    world.check_nothing_lost(epoch=1)
    assert world.output.raw == 300 + 900


def test_a_worker_whose_input_is_recreated_under_it_ends_and_scores_nothing_of_it(world: ScoringWorld) -> None:
    world.send(payments(300))
    worker = world.start()
    world.wait_for_all()
    recreate_input(world)
    assert world.topics.transactions in worker.refused()
    world.send(payments(800, part=1))
    assert "was recreated" in world.start().refused()
    world.start("--new-epoch", "a drill recreated the topic")
    world.wait_for_scores(300 + 800)
    world.check_nothing_lost(epoch=1)


def test_added_partitions_end_the_worker_and_are_refused_because_cards_have_moved(world: ScoringWorld) -> None:
    world.send(payments(300))
    worker = world.start()
    world.wait_for_all()
    add_partition(world, world.topics.transactions)
    refusal = worker.refused()
    assert "has 3 partitions" in refusal
    assert "must be equal" in refusal

    add_partition(world, world.topics.scores)
    add_partition(world, world.topics.features)
    refusal = world.start().refused()
    assert "had 2 partitions" in refusal
    assert "cards have moved" in refusal


def add_partition(world: ScoringWorld, topic: str) -> None:
    """Two partitions become three."""
    for added in world.admin.create_partitions([NewPartitions(topic, 3)]).values():
        added.result()


def test_a_tail_beyond_the_inputs_end_is_refused_until_a_new_epoch_is_begun(world: ScoringWorld) -> None:
    world.send(payments(100))
    score = Score(
        "lost", START_MS, "card-1", 0.1, 100, "approve", [], "m-1", "fs", "champion", START_MS, degraded=False,
        duplicate=False, source_offset=500, epoch=0, writer="another",
    )  # fmt: skip
    producer = Producer({"bootstrap.servers": world.broker})
    producer.produce(world.topics.scores, wire.encode(score), b"card-1", 0)
    assert producer.flush(10) == 0
    refusal = world.start().refused()
    assert "offset 500" in refusal
    assert "was shortened" in refusal
    world.start("--new-epoch", "the input was restored from a backup")
    world.wait_for_scores(1 + len(world.sent[0]) + len(world.sent[1]))
    found = {place: score.transaction_id for place, score in world.output.kept().items() if score.writer != "another"}
    assert sorted(found.values()) == sorted(one.transaction_id for part in world.sent.values() for one in part)


def test_scores_kept_shorter_than_transactions_are_refused(make_world) -> None:
    world = make_world(overrides={SCORES: {"retention.ms": "3600000"}})
    refusal = world.start().refused()
    assert "3600000 ms" in refusal
    assert "retention.ms" in refusal


def test_records_deleted_before_they_were_scored_are_refused(world: ScoringWorld) -> None:
    world.send(payments(300))
    run_once(world)
    world.send(payments(300, part=1))
    ends = [len(world.sent[0]), len(world.sent[1])]
    world.delete_records(world.topics.transactions, [ends[0] - 10, ends[1] - 10])
    assert "were deleted before they were scored" in world.start().refused()


def test_card_windows_that_cannot_be_rebuilt_are_refused_or_marked_degraded_until_they_are_full(
    world: ScoringWorld,
) -> None:
    world.send(payments(400))
    world.delete_records(world.topics.transactions, [100, 100])
    refusal = world.start().refused()
    assert "card windows cannot be rebuilt" in refusal
    assert "--accept-cold-state" in refusal

    world.sent = {partition: sent[100:] for partition, sent in world.sent.items()}
    run_once(world, "--accept-cold-state")
    assert all(score.degraded for score in world.output.kept().values())
    first = max(sent[0].event_time for sent in world.sent.values())
    world.send(payments(200, part=1, start_ms=first + 31 * DAY_MS, days=1))
    world.start()
    kept = world.wait_for_all()
    assert {score.degraded for score in kept.values() if score.transaction_id.startswith("x")} == {True}
    assert {score.degraded for score in kept.values() if score.transaction_id.startswith("y")} == {False}
    world.check_exactly_once()


@pytest.mark.parametrize("cut", ["newest", "every"])
def test_a_checkpoint_cut_short_is_passed_over_with_the_same_features_in_the_end(world: ScoringWorld, cut: str) -> None:
    world.send(payments(300))
    run_once(world)
    world.send(payments(300, part=1))
    run_once(world)
    for folder in {path.parent for path in files(world.checkpoints)}:
        names = sorted(path for path in files(folder) if path.parent == folder)
        for path in names[-1:] if cut == "newest" else names:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    world.send(payments(300, part=2))
    worker = world.start()
    world.wait_for_all()
    assert "checkpoint passed over" in worker.said
    assert ("state from 0," in worker.said) == (cut == "every")
    world.check_nothing_lost()


def files(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
