"""Hostile input to a real worker: each record is scored, or lies in `dead-letter` with a reason, and the sums agree.

FRAUDSTREAM_HOSTILE_RECORDS says how many records are sent; with 200000 the test takes some minutes on two cores.
"""

import json
import os
import time

import pytest
from confluent_kafka import Producer

from models.schema.dead_letter import DeadLetter
from models.schema.decoding import KEPT_BYTES
from models.schema.murmur2 import murmur2_partition
from stream_app.chaos.hostile_records import LARGEST_VALUE_BYTES, fuzzed_records
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld
from tests.support.topic_recorder import TopicRecorder

RECORDS = int(os.environ.get("FRAUDSTREAM_HOSTILE_RECORDS", "20000"))
SEED = int(os.environ.get("FRAUDSTREAM_HOSTILE_SEED", "1"))
DEADLINE_S = 60 + RECORDS // 500

InputPlace = tuple[int, int]
"""Partition and offset in `transactions`."""


def send(world: ScoringWorld, records: int) -> None:
    """Publish as a careless client does: the partition is the key's, and a message as long as the broker takes."""
    producer = Producer({"bootstrap.servers": world.broker, "linger.ms": 5, "message.max.bytes": 8 << 20})
    for number, (key, value) in enumerate(fuzzed_records(records, SEED)):
        partition = number % world.partitions if key is None else murmur2_partition(key, world.partitions)
        while True:
            try:
                producer.produce(world.topics.transactions, value, key, partition)
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
    assert producer.flush(60) == 0


def received(world: ScoringWorld) -> dict[InputPlace, bytes]:
    """What the broker holds of it."""
    recorder = TopicRecorder(world.broker, world.topics.transactions)
    try:
        recorder.read_to_end(DEADLINE_S)
        return {
            (partition, record.offset() or 0): record.value() or b""
            for partition, records in recorder.records.items()
            for record in records
        }
    finally:
        recorder.close()


def scored_and_buried(world: ScoringWorld, count: int) -> tuple[dict[InputPlace, str], dict[InputPlace, DeadLetter]]:
    """Transaction ids of the kept scores, and dead letters, once they are so many or the worker has ended."""
    output, until = world.output, time.monotonic() + DEADLINE_S
    while True:
        output.scores.read_to_end()
        scored = {(place[0], place[2]): score.transaction_id for place, score in output.kept().items()}
        letters = output.buried()
        buried = {(letter.partition, letter.offset): letter for letter in letters}
        if len(scored) + len(buried) >= count:
            # A worker that stands still for too long takes its last batch again: the same letters, none else.
            assert all(buried[letter.partition, letter.offset] == letter for letter in letters)
            assert len(letters) == len(buried) or "fetched again" in world.workers[-1].said
            return scored, buried
        assert world.workers[-1].running, world.workers[-1].said
        assert time.monotonic() < until, f"{len(scored)} scored and {len(buried)} buried of {count}"


def holds(letter: DeadLetter, value: bytes) -> bool:
    """Whether a letter holds a message's beginning, at most some digits of card numbers masked."""
    kept = value[:KEPT_BYTES]
    return letter.value == kept or (
        len(letter.value) == len(kept)
        and all(now == ord("*") for now, before in zip(letter.value, kept, strict=True) if now != before)
    )


def id_in(value: bytes) -> str:
    """The transaction_id by another decoder; fields that nobody knows may hold no text and any number."""
    found: str = json.loads(value.decode("utf-8", "replace"), parse_int=len)["transaction_id"]
    return found


@pytest.mark.timeout(4 * DEADLINE_S + 120)
def test_every_hostile_record_is_scored_once_or_lies_in_dead_letter_with_a_reason(world: ScoringWorld) -> None:
    send(world, RECORDS)
    sent = received(world)
    assert len(sent) == RECORDS
    assert max(map(len, sent.values())) > LARGEST_VALUE_BYTES - 30 or RECORDS <= 25_000
    began = time.monotonic()
    worker = world.start()
    scored, buried = scored_and_buried(world, RECORDS)
    took_s = time.monotonic() - began

    assert scored.keys().isdisjoint(buried)
    assert scored.keys() | buried.keys() == sent.keys()
    assert min(len(scored), len(buried)) > RECORDS // 4
    assert all(id_in(sent[place]) == transaction_id for place, transaction_id in scored.items())
    assert all(letter.reason and letter.reason.isprintable() for letter in buried.values())
    assert all(holds(letter, sent[place]) for place, letter in buried.items())
    world.check_nothing_lost()

    world.send(payments(50, part=2))
    world.wait_for_scores(len(scored) + 50)
    assert worker.stop() == 0
    print(f"{RECORDS} records: {len(scored)} scored, {len(buried)} in dead-letter, {took_s:.1f} s")  # noqa: T201
