"""A worker that is killed or breaks: nothing lost, nothing counted twice, features as undisturbed."""

import signal

import pytest
from confluent_kafka import Producer

from models.schema import wire
from models.schema.terminal_profile import MARKER_KEY, ProfileMarker, TerminalProfile
from tests.support import sabotage
from tests.support.payments import START_MS, payments
from tests.support.scoring_world import ScoringWorld

POISON = b'{"transaction_id": "half a transaction"'


@pytest.mark.slow
def test_a_worker_killed_amid_100_000_events_loses_and_repeats_nothing(world: ScoringWorld) -> None:
    world.send(payments(100_000, cards=5000))
    worker = world.start()
    world.wait_for_scores(20_000)
    worker.kill()
    assert len(world.output.kept()) < 100_000
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()


def test_an_exception_in_the_agent_ends_the_process_and_the_next_one_loses_nothing(world: ScoringWorld) -> None:
    world.send(payments(2000))
    broken = world.start("--batch", "100", sabotage=sabotage.scoring_raises)
    assert broken.ended() == 1
    assert f"error: ArithmeticError: {sabotage.FAULT}" in broken.said
    assert len(world.output.kept()) < 2000
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()


def test_a_poison_record_whose_dead_letter_was_not_acknowledged_at_the_kill_is_buried_by_the_next_worker(
    world: ScoringWorld,
) -> None:
    world.send(payments(500))
    world.put_bytes(POISON, b"card-1", 0)
    world.flush()
    world.send(payments(500, part=1))
    killed = world.start("--batch", "50", sabotage=sabotage.dies_before_the_dead_letter_is_acknowledged)
    assert killed.ended() == -signal.SIGKILL
    poison = len([one for one in payments(500) if one in world.sent[0]])
    assert max((place[2] for place in world.output.kept() if place[0] == 0), default=-1) < poison
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
    letters = [letter for letter in world.output.buried() if letter.topic]
    assert {(letter.partition, letter.offset) for letter in letters} == {(0, poison)}
    assert {(letter.topic, letter.key, letter.value) for letter in letters} == {
        (world.topics.transactions, b"card-1", POISON)
    }
    assert all("JSON" in letter.reason for letter in letters)


def test_feature_rows_that_a_crash_kept_back_are_computed_again_and_proved(world: ScoringWorld) -> None:
    world.send(payments(1000))
    killed = world.start("--batch", "100", sabotage=sabotage.dies_between_scores_and_feature_rows)
    assert killed.ended() == -signal.SIGKILL
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
    again = [row for row in world.output.counted_rows().values() if row.recomputed]
    assert again
    assert all(row.verified for row in again)


def test_feature_rows_computed_again_with_other_profiles_are_marked_unverified(world: ScoringWorld) -> None:
    world.send(payments(1000))
    killed = world.start("--batch", "100", sabotage=sabotage.dies_between_scores_and_feature_rows)
    assert killed.ended() == -signal.SIGKILL
    publish_profiles(world, [f"terminal-{number}" for number in range(500)])
    world.start()
    world.wait_for_all()
    world.check_exactly_once()
    rows = world.output.counted_rows()
    assert len(rows) == 1000
    again = [row for row in rows.values() if row.recomputed]
    assert again
    assert not any(row.verified for row in again)
    assert all(row.verified for row in rows.values() if not row.recomputed)


def publish_profiles(world: ScoringWorld, terminals: list[str]) -> None:
    """One step in which every terminal is risky."""
    as_of = START_MS + 30 * 86_400_000
    producer = Producer({"bootstrap.servers": world.broker})
    counts = [10, 10, 10, 10]
    for terminal in terminals:
        profile = TerminalProfile(terminal, as_of, counts, counts, counts, counts, None)
        producer.produce(world.topics.profiles, wire.encode(profile), terminal, 0)
    marker = ProfileMarker(as_of, len(terminals), None, "test", 1)
    producer.produce(world.topics.profiles, wire.encode(marker), MARKER_KEY, 0)
    assert producer.flush(10) == 0
