"""What the bank sends, and topics that somebody changes under the workers."""

import time
from collections.abc import Sequence
from typing import Final

from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewPartitions

from models.schema.murmur2 import murmur2_partition
from models.schema.topics import TRANSACTIONS
from stream_app.chaos.hostile_records import fuzzed_records
from stream_app.chaos.scenario import STARTED_AGAIN_S, STEADY_S, Scenario
from stream_app.chaos.traffic import Record
from stream_app.chaos.world import World
from stream_app.scores_reader import ScoresReader
from stream_app.topic_admin import REQUEST_S

POISON: Final = (
    b"",
    b"\xff\xfe",
    b"{",
    b'{"transaction_id": "half a',
    b"[" * 10_000,
    b"null",
    b'{"amount_minor": 1e400}',
)
EVERY: Final = 200
LARGE_S: Final = 2.0
"""A record may have 8 MiB."""


def poison(world: World) -> None:
    """Every 200th record is none."""
    records: list[Record] = []
    for place, record in enumerate(world.records):
        if place % EVERY == EVERY - 1:
            records.append(Record(record.key, POISON[place // EVERY % len(POISON)]))
        records.append(record)
    world.start_workers(1)
    world.send(records)
    world.finish()
    buried = len(world.accounts.buried())
    world.expect(buried == len(records) - len(world.records), f"{buried} dead letters")
    world.expect_restarts(0)


def hostile(world: World) -> None:
    """Records of a broken, careless or hostile producer: each is scored or refused with its reason."""
    records = [Record(key, value) for key, value in fuzzed_records(len(world.records), seed=1)]
    world.start_workers(1)
    world.send(records)
    world.finish()
    answered = world.accounts.answered
    world.expect(answered == len(records), f"{answered:,} records are scored or refused, not {len(records):,}")
    world.expect_restarts(0)


def wrong_partitions(world: World) -> None:
    """A tenth of the records of some cards go to another partition: scored, marked degraded, and said."""
    records = []
    strays = 0
    for place, record in enumerate(world.records):
        home = murmur2_partition(record.key or b"", world.partitions)
        strays += place % 10 == 0
        records.append(record._replace(partition=(home + (place % 10 == 0)) % world.partitions))
    world.start_workers(1)
    world.send(records)
    world.finish()
    degraded = world.accounts.degraded
    world.expect(degraded == strays, f"{degraded} scores are marked degraded, not {strays}")
    world.expect("belong on other partitions" in world.said, "no worker says that cards lie on two partitions")


def output_emptied(world: World) -> None:
    """All records of `scores` and `features` are deleted while workers run, and again before all are killed."""
    world.start_workers(2)
    world.send(share=0.5)
    world.until_sent(0.5)
    _empty_output(world)
    world.finish()
    for worker in world.workers:
        worker.leave_ended()
        worker.kill()
    _empty_output(world)
    world.start_workers(2)
    world.send_rest(0.5)
    world.finish()


def _empty_output(world: World) -> None:
    """Delete what a reader has read."""
    world.accounts.read_output()
    ends = world.accounts.output_ends()
    places = [TopicPartition(topic, partition, end) for (topic, partition), end in ends.items() if end > 0]
    for deleted in world.admin.delete_records(places).values():
        deleted.result()


def input_recreated(world: World) -> None:
    """`transactions` is deleted and created anew: the workers refuse and name the remedy, which then helps."""
    world.start_workers(1)
    world.send(share=0.5)
    world.finish()
    _recreate_input(world)
    _refused(world, "was recreated")
    world.start_worker("--new-epoch", "the topic was recreated")
    world.await_ready(1)
    world.send_rest(0.5)
    world.finish()


def partitions_added(world: World) -> None:
    """`transactions` gets more partitions: the workers refuse; recreated and replayed, all is scored."""
    world.start_workers(1)
    world.send(share=0.5)
    world.finish()
    topics = world.topics
    world.partitions += 2
    grown = [NewPartitions(name, world.partitions) for name in (topics.transactions, topics.scores, topics.features)]
    for future in world.admin.create_partitions(grown, request_timeout=REQUEST_S).values():
        future.result()
    _refused(world, "partitions")
    _recreate_input(world)
    world.start_worker("--new-epoch", "the topic has more partitions")
    world.await_ready(1)
    world.send()
    world.finish()


def _recreate_input(world: World) -> None:
    world.accounts.next_epoch()
    name = world.topics.transactions
    for future in world.admin.delete_topics([name], request_timeout=REQUEST_S).values():
        future.result()
    # The name is free only when the broker has let go of the old one.
    world.wait(lambda: name not in world.admin.list_topics(timeout=REQUEST_S).topics, 30, f"{name} is not deleted")
    time.sleep(0.5)
    world.create_topics([TRANSACTIONS])


def _refused(world: World, words: str) -> None:
    """Start the worker anew: it ends with one line that holds these words."""
    for worker in world.workers:
        worker.bury()
    worker = world.start_worker()
    worker.leave_ended()
    world.wait(lambda: not worker.running, 60, "a worker goes on although its input is another")
    world.expect(len(worker.errors) == 1 and words in worker.errors[0], f"a worker ended with {worker.errors}")


def group_offsets_deleted(world: World) -> None:
    """The group with all its commits is deleted while no worker runs."""
    world.start_workers(1)
    world.send(share=0.5)
    world.until_sent(0.5)
    for worker in world.workers:
        worker.bury()

    def deleted() -> bool:
        futures = world.admin.delete_consumer_groups([world.group], request_timeout=REQUEST_S)
        return all(future.exception() is None for future in futures.values())

    world.wait(deleted, 30, "the group cannot be deleted")
    world.start_workers(1)
    world.finish()
    world.send_rest(0.5)
    world.finish()


def slow_downstream(world: World) -> None:
    """A reader of scores pauses for long and is started anew: it reads every score once, and scoring goes on."""
    world.start_workers(1)
    world.send()
    seen: list[str] = []
    for share, pause_s in ((0.2, 3.0), (0.5, 2.0)):
        world.until_sent(share)
        seen += _read_some(world, round(len(world.records) * share / 2), 10)
        world.pass_time(pause_s)
    world.finish()
    seen += _read_some(world, len(world.records), 5)
    world.expect(len(seen) == len(set(seen)) == len(world.records), f"a slow reader saw {len(seen):,} scores")


def _read_some(world: World, most: int, idle_s: float) -> Sequence[str]:
    read = []
    with ScoresReader(world.broker, f"{world.name}.slow", topic=world.topics.scores, idle_timeout_s=idle_s) as scores:
        for score in scores:
            read.append(score.transaction_id)
            if len(read) >= most:
                break
    return read


SCENARIOS: Final = (
    Scenario("poison", "records that are none between good ones", poison, STEADY_S),
    Scenario("hostile", "half of the records are wrong, in as many ways as there are", hostile, LARGE_S),
    Scenario("wrong-partitions", "a card's records on two partitions", wrong_partitions, STEADY_S),
    Scenario("output-emptied", "all scores and features are deleted", output_emptied, STARTED_AGAIN_S, short=True),
    Scenario("input-recreated", "transactions is deleted and created anew", input_recreated, STARTED_AGAIN_S),
    Scenario("partitions-added", "transactions gets more partitions", partitions_added, STARTED_AGAIN_S),
    Scenario("group-deleted", "the group's offsets are deleted", group_offsets_deleted, STARTED_AGAIN_S),
    Scenario("slow-downstream", "a reader of scores that falls behind", slow_downstream, STEADY_S),
)
