"""The reader that the package ships, restarted between a score and its repetition."""

from confluent_kafka import Producer

from stream_app.scores_reader import ScoresReader
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld


def test_a_reader_restarted_between_a_record_and_its_repetition_drops_the_repetition(world: ScoringWorld) -> None:
    worker = world.start()
    world.send(payments(300))
    world.wait_for_all()
    assert worker.stop() == 0
    assert len(read(world)[0]) == 300

    repeat_last_scores(world, 40)
    world.send(payments(100, part=1))
    world.start()
    world.wait_for_all()
    found, dropped = read(world)
    assert sorted(found) == sorted(f"y{number}" for number in range(100))
    assert dropped == 80
    world.check_nothing_lost()


def read(world: ScoringWorld) -> tuple[list[str], int]:
    """What a fresh reader of one group is given, and how many repetitions it dropped."""
    with ScoresReader(world.broker, f"{world.group}-reader", topic=world.topics.scores, idle_timeout_s=2) as reader:
        return [score.transaction_id for score in reader], reader.dropped


def repeat_last_scores(world: ScoringWorld, count: int) -> None:
    """What a zombie's late sends look like: the last scores of each partition once more, by another writer."""
    producer = Producer({"bootstrap.servers": world.broker})
    for partition, records in world.output.scores.records.items():
        for record in records[-count:]:
            producer.produce(world.topics.scores, record.value(), record.key(), partition)
    assert producer.flush(10) == 0
