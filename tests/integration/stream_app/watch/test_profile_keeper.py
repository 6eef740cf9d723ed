"""The profile keeper as a process on real Kafka and Redis."""

import json
import random
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from models.features.profile_keeper import STEP_MS
from models.schema.topics import TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from tests.support.keeper_world import (
    DAY_MS,
    START,
    Expected,
    Keepers,
    KeeperWorld,
    Row,
    header_of,
    keepers,
    label,
    row,
    steps_from,
    table,
)


@pytest.fixture
def world(stack: LocalStack, topics: TopicNames) -> Iterator[KeeperWorld]:
    made = KeeperWorld(stack.broker, topics)
    yield made
    made.close()


@pytest.fixture
def watch(stack: LocalStack, topics: TopicNames, redis_prefix: str, tmp_path: Path) -> Iterator[Keepers]:
    with keepers(stack.broker, stack.redis_url, redis_prefix, topics, tmp_path) as started:
        yield started


def a_day(number: int, rows: int = 40) -> list[Row]:
    """Rows of one event day, some declined, some explained, on all partitions and a few terminals."""
    chance = random.Random(number)
    return [
        row(
            number * rows + at,
            START + number * DAY_MS + at * (DAY_MS // rows),
            f"terminal-{chance.randrange(12)}",
            declined=chance.random() < 0.1,
            explained=chance.random() < 0.3,
        )
        for at in range(rows)
    ]


@pytest.mark.slow
def test_profiles_after_kills_equal_those_of_an_undisturbed_run(world: KeeperWorld, watch: Keepers) -> None:
    expected = Expected()
    keeper = watch.start()
    late: dict[int, list[Row]] = {}
    chance = random.Random(7)
    kills = {START + 11 * DAY_MS, START + 14 * DAY_MS + STEP_MS}
    for day in range(18):
        rows = a_day(day)
        late[day] = chance.sample(rows, 5)
        made = [label(one, one.transaction.event_time + 7 * DAY_MS) for one in late.get(day - 7, [])]
        world.score(rows)
        world.state(*made)
        expected.score(rows)
        expected.state(*made)
        for as_of in steps_from(START + day * DAY_MS, 4):
            wanted = expected.close(as_of)
            world.tick(as_of)
            if as_of in kills:
                # Somewhere between the tick and the checkpoint after it.
                time.sleep(chance.random() * 0.1)
                keeper.kill()
                keeper = watch.start()
        assert table(world.wait_for_step(as_of)) == wanted
    epochs = [step.marker.keeper_epoch for step in world.steps()]
    assert epochs == sorted(epochs)
    assert epochs[-1] == 1 + len(kills)


def test_a_keeper_without_a_checkpoint_removes_profiles_that_it_does_not_know(
    world: KeeperWorld, watch: Keepers
) -> None:
    world.write(world.topics.profiles, b"{}", key=b"terminal-of-another-time")
    world.write(world.topics.profiles, b"{}", key=b"terminal-0")
    known = row(0, START, "terminal-0")
    world.score([known])
    watch.start()
    mature = START + 7 * DAY_MS
    world.tick(mature)
    removed = {m.key() for m in world.wait_for_records(world.topics.profiles, count=5) if m.value() is None}
    assert removed == {b"terminal-of-another-time"}


def test_a_label_counts_from_the_step_at_which_it_was_made_and_not_before(world: KeeperWorld, watch: Keepers) -> None:
    fraud, later = row(0, START, "terminal-1"), row(1, START + 1, "terminal-2")
    world.score([fraud, later])
    mature = START + 7 * DAY_MS
    world.state(label(fraud, mature), label(later, mature + 1))
    watch.start()
    world.tick(mature)
    (first,) = world.wait_for_step(mature)
    world.tick(mature + STEP_MS)
    _, second = world.wait_for_step(mature + STEP_MS)
    assert first.changed["terminal-1"].frauds == [1, 1, 1, 1]
    assert "terminal-2" not in first.changed
    assert second.changed["terminal-2"].frauds == [1, 1, 1, 1]
    assert first.marker.youngest_label_event_time == START
    assert second.marker.youngest_label_event_time == START + 1


def test_an_unreadable_record_goes_to_the_dead_letters_and_the_rest_counts(world: KeeperWorld, watch: Keepers) -> None:
    good = row(0, START, "terminal-1", partition=0)
    world.write(world.topics.features, b"no arrow 4111111111111111")
    world.write(world.topics.labels, b"{}")
    world.labels += 1
    world.write(world.topics.clock, b"tock")
    world.score([good])
    world.state(label(good, START + 7 * DAY_MS))
    world.reject(1, records=5)
    watch.start()
    mature = START + 7 * DAY_MS
    world.tick(mature)
    (step,) = world.wait_for_step(mature)
    assert step.changed["terminal-1"].frauds == [1, 1, 1, 1]
    dead = [message for partition in range(4) for message in world.read(world.topics.dead_letter, partition)]
    origins = sorted(header_of(message, "topic") for message in dead)
    assert origins == sorted([world.topics.features, world.topics.labels, world.topics.clock])
    assert all(header_of(message, "reason") for message in dead)
    assert b"no arrow 411111******1111" in [message.value() for message in dead]


def test_a_standby_takes_over_when_the_active_keeper_dies(world: KeeperWorld, watch: Keepers) -> None:
    first = watch.start()
    second = watch.start(active=False)
    second.wait_for("standing by")
    world.score(a_day(0))
    expected = Expected()
    expected.score(a_day(0))
    mature = START + 8 * DAY_MS
    first.kill()
    world.tick(mature)
    steps = world.wait_for_step(mature)
    assert table(steps) == expected.close(mature)
    assert steps[-1].marker.keeper_epoch == 2


def test_a_keeper_that_loses_its_lease_ends_with_the_reason(
    watch: Keepers, redis_client: "redis.Redis", redis_prefix: str
) -> None:
    keeper = watch.start()
    redis_client.set(f"{redis_prefix}profile-keeper", b"somebody else@9")
    assert keeper.ended(10) == 2
    assert "error: lease" in keeper.said


def test_a_stopped_keeper_saves_and_the_next_one_goes_on_without_waiting(world: KeeperWorld, watch: Keepers) -> None:
    keeper = watch.start("--checkpoint-every", "3600")
    world.score(a_day(0))
    mature = START + 8 * DAY_MS
    world.tick(mature)
    world.wait_for_step(mature)
    assert keeper.stop() == 0
    assert "error" not in keeper.said
    (port,) = free_ports(1)
    following = watch.start("--lease", "60", "--web-port", str(port))
    assert f"active as keeper 2 from step {mature}" in following.said
    world.tick(mature + STEP_MS)
    assert [step.marker.as_of for step in world.wait_for_step(mature + STEP_MS)] == [mature, mature + STEP_MS]
    assert json.loads(page(port, "healthz"))["status"] == "ok"
    assert json.loads(page(port, "readyz"))["profiles"]["as_of"] == mature + STEP_MS
    assert "fraudstream_profile_steps_total 1.0" in page(port, "metrics")


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
        return str(answer.read().decode())


def test_without_ticks_steps_close_by_the_events_and_not_by_one_far_ahead(world: KeeperWorld, watch: Keepers) -> None:
    watch.start()
    ahead = row(10_000, START + 400 * DAY_MS, "terminal-0", partition=2)
    world.score(a_day(0, rows=400))
    world.score([ahead])
    world.score(a_day(1, rows=400))
    steps = world.wait_for_step(START + DAY_MS)
    assert max(step.marker.as_of for step in steps) < START + 2 * DAY_MS
