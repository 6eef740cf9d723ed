"""Sends that the broker refuses: the process ends with one line before anything later is sent."""

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from models.schema.topics import DEAD_LETTER, FEATURES, SCORES
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld


def set_largest_message(world: ScoringWorld, topic: str, size: int) -> None:
    """Let the broker take no more than so many bytes at once on a topic."""
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    for changed in world.admin.incremental_alter_configs([resource]).values():
        changed.result()


@pytest.mark.parametrize("bare", [SCORES, FEATURES])
def test_a_refused_send_ends_the_process_and_after_mending_nothing_is_lost(world: ScoringWorld, bare: str) -> None:
    set_largest_message(world, world.topics.of(bare), 200)
    world.send(payments(500))
    assert "failed" in world.start("--batch", "100").refused()
    set_largest_message(world, world.topics.of(bare), 1 << 20)
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()


def test_nothing_after_a_poison_record_is_scored_while_its_dead_letter_is_refused(world: ScoringWorld) -> None:
    dead_letter = world.topics.of(DEAD_LETTER)
    set_largest_message(world, dead_letter, 50)
    world.send(payments(200))
    poison = b'{"amount_minor": "' + b"x" * 200 + b'"}'
    world.put_bytes(poison, b"card-7", 1)
    world.flush()
    before = len(world.sent[1])
    world.send(payments(200, part=1))
    assert "dead letter could not be sent" in world.start("--batch", "50").refused()
    world.output.scores.read_to_end()
    assert max((place[2] for place in world.output.kept() if place[0] == 1), default=-1) < before
    assert world.output.buried() == []

    set_largest_message(world, dead_letter, 1 << 20)
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
    (letter,) = world.output.buried()
    assert (letter.topic, letter.partition, letter.offset) == (world.topics.transactions, 1, before)
    assert letter.value == poison
    assert letter.reason
