"""A worker that is killed: nothing lost, nothing counted twice, no feature other than in an undisturbed run."""

from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld


def test_a_worker_killed_amid_100_000_events_loses_and_repeats_nothing(world: ScoringWorld) -> None:
    world.send(payments(100_000, cards=5000))
    worker = world.start()
    world.wait_for_scores(20_000)
    worker.kill()
    assert len(world.output.kept()) < 100_000
    world.start()
    world.wait_for_all()
    world.check_nothing_lost()
