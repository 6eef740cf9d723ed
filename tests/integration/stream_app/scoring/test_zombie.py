"""A worker that stands still while another takes over, and wakes up in the belief that nothing happened."""

from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld


def test_a_worker_that_wakes_up_after_losing_its_partitions_spoils_nothing(world: ScoringWorld) -> None:
    world.send(payments(4000))
    zombie = world.start("--batch", "20")
    world.wait_for_scores(400)
    zombie.freeze()
    world.send(payments(500, part=1))
    heir = world.start()
    world.wait_for_all()
    zombie.thaw()
    zombie.wait_for("what was buffered is fetched again")
    world.send(payments(500, part=2))
    world.wait_for_all()
    world.check_nothing_lost()
    assert heir.stop() == 0
    world.send(payments(500, part=3))
    world.wait_for_all()
    world.check_nothing_lost()
    assert zombie.stop() == 0
