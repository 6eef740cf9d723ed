"""Unusual input: old and future times, another partitioner, aborted transactions, repetitions, late events."""

import asyncio
import itertools
import time
import urllib.request
from datetime import UTC, datetime

import numpy as np
from confluent_kafka import Producer, TopicPartition

from models.schema import wire
from models.schema.hashing import hash64
from models.schema.murmur2 import murmur2_partition
from models.schema.topics import FEATURES, SCORES, TRANSACTIONS
from models.schema.transaction import Transaction
from stream_app.scoring.commit_metadata import committed_offsets
from stream_app.stack.port import free_ports
from tests.support.payments import START_MS, payments
from tests.support.scored_output import undisturbed
from tests.support.scoring_world import ScoringWorld
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import wait_until

HOUR_MS = 3_600_000


def metrics(port: int) -> dict[str, float]:
    """What a worker tells Prometheus."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}


def test_event_times_of_2018_and_2030_outlive_a_retention_check_and_are_scored(make_world) -> None:
    day = {"retention.ms": "86400000"}
    world = make_world(overrides={TRANSACTIONS: day, SCORES: day, FEATURES: day})
    old = int(datetime(2018, 4, 1, tzinfo=UTC).timestamp() * 1000)
    coming = int(datetime(2030, 4, 1, tzinfo=UTC).timestamp() * 1000)
    world.send(payments(300, start_ms=old))
    world.send(payments(300, part=1, start_ms=coming))
    world.start()
    world.wait_for_all()

    # A record that does carry event time goes within a check: once it has gone, a check has run.
    producer = Producer({"bootstrap.servers": world.broker})
    aged = make_world(champion=False, overrides={TRANSACTIONS: day})
    producer.produce(aged.topics.transactions, b"{}", b"card-1", 0, timestamp=old)
    assert producer.flush(10) == 0
    admin_view = TopicRecorder(world.broker, aged.topics.transactions)
    place = TopicPartition(aged.topics.transactions, 0)
    wait_until(
        lambda: admin_view._consumer.get_watermark_offsets(place, timeout=5)[0] == 1, "a retention check", every_s=0.2
    )
    admin_view.close()

    world.check_nothing_lost()
    now = time.time() * 1000
    for topic in (world.topics.transactions, world.topics.scores, world.topics.features):
        recorder = TopicRecorder(world.broker, topic)
        recorder.read_to_end()
        stamps = [record.timestamp()[1] for records in recorder.records.values() for record in records]
        recorder.close()
        assert stamps
        assert now - HOUR_MS < min(stamps)
        assert max(stamps) <= now + 1000


def test_transactions_of_another_partitioner_are_scored_marked_degraded_metered_and_named(world: ScoringWorld) -> None:
    (port,) = free_ports(1)
    world.send(payments(200))
    astray = payments(20, part=1, cards=1)
    right = murmur2_partition(astray[0].card_id.encode(), 2)
    for transaction in astray:
        world.put(transaction, 1 - right)
    world.flush()
    worker = world.start("--web-port", str(port))
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert {score.degraded for score in kept.values() if score.transaction_id.startswith("y")} == {True}
    assert {score.degraded for score in kept.values() if score.transaction_id.startswith("x")} == {False}
    assert metrics(port)["fraudstream_transactions_misrouted_total"] == 20
    worker.wait_for(f"{hash64(astray[0].card_id):016x}")
    notices = [line for line in worker.said.splitlines() if "murmur2" in line]
    assert len(notices) == 1
    assert f"partition {1 - right}:" in notices[0]
    assert astray[0].card_id not in notices[0]


def test_an_aborted_producer_transaction_leaves_gaps_that_lag_commits_and_ranges_pass_over(
    world: ScoringWorld, unique: str
) -> None:
    (port,) = free_ports(1)
    world.send(payments(100))
    producer = Producer({"bootstrap.servers": world.broker, "transactional.id": unique})
    producer.init_transactions(30)
    in_transaction(producer, world, payments(50, name="aborted-"), commit=False)
    in_transaction(producer, world, payments(100, part=1), commit=True)
    in_transaction(producer, world, payments(50, name="late-aborted-"), commit=False)
    worker = world.start("--web-port", str(port))
    kept = world.wait_for_all()
    assert len(kept) == 200
    world.check_nothing_lost()
    recorder = TopicRecorder(world.broker, world.topics.transactions)
    ends = [
        recorder._consumer.get_watermark_offsets(TopicPartition(world.topics.transactions, partition), timeout=5)[1]
        for partition in (0, 1)
    ]
    recorder.close()
    assert sum(ends) > 300
    wait_until(lambda: committed(world) == ends, lambda: f"commits at {ends}; they are at {committed(world)}")
    lags = "fraudstream_partition_lag_records"
    wait_until(
        lambda: [metrics(port).get(f'{lags}{{partition="{partition}"}}') for partition in (0, 1)] == [0, 0], "no lag"
    )

    world.send(payments(100, part=2))
    world.wait_for_all()
    for ranges in world.output.covered().values():
        assert ranges[0][0] == 0
        assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(ranges))
    assert worker.stop() == 0
    world.check_nothing_lost()


def in_transaction(producer: Producer, world: ScoringWorld, transactions: list[Transaction], *, commit: bool) -> None:
    """Publish in one producer transaction and end it."""
    producer.begin_transaction()
    for transaction in transactions:
        partition = murmur2_partition(transaction.card_id.encode(), world.partitions)
        producer.produce(world.topics.transactions, wire.encode(transaction), transaction.card_id, partition)
        if commit:
            world.sent[partition].append(transaction)
    producer.flush(30)
    if commit:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)


def committed(world: ScoringWorld) -> list[int]:
    """The group's committed offsets by partition."""
    found = asyncio.run(committed_offsets(world.broker, world.group, world.topics.transactions))
    return [found[partition].offset if partition in found else -1 for partition in range(world.partitions)]


def card_story(count: int, step_ms: int = HOUR_MS) -> list[Transaction]:
    """One card's transactions, one an hour."""
    return [
        Transaction(
            f"t{number}", START_MS + number * step_ms, "card-1", f"terminal-{number % 3}", 1000 + 137 * number, "EUR"
        )
        for number in range(count)
    ]


def test_a_repeated_transaction_is_scored_marked_duplicate_and_not_counted(world: ScoringWorld) -> None:
    story = card_story(12)
    world.send([*story[:6], story[2], story[5], *story[6:]])
    world.start()
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert [score.duplicate for score in kept.values()] == [False] * 6 + [True] * 2 + [False] * 6
    rows = list(world.output.counted_rows().values())
    counted = np.stack([row.values for row in rows[:6] + rows[8:]])
    assert np.array_equal(counted, undisturbed(story)[0], equal_nan=True)


def test_an_event_two_hours_late_is_inserted_in_order(world: ScoringWorld) -> None:
    story = card_story(12)
    late = story[5]
    world.send([*story[:5], *story[6:8], late, *story[8:]])
    world.start()
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert not any(score.duplicate or score.degraded for score in kept.values())
    rows = {row.transaction_id: row.values for row in world.output.counted_rows().values()}
    in_order, _ = undisturbed(story)
    for number in (5, 8, 9, 10, 11):
        assert np.array_equal(rows[f"t{number}"], in_order[number], equal_nan=True), number
