"""A worker that stands still while another takes over, and wakes up in the belief that nothing happened."""

from tests.support import sabotage
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


def test_a_worker_that_stood_still_between_scores_and_feature_rows_leaves_the_rows_to_its_heir(
    world: ScoringWorld,
) -> None:
    world.send(payments(2000))
    zombie = world.start("--batch", "20", sabotage=sabotage.stands_still_between_scores_and_feature_rows)
    world.wait_for_scores(100)
    world.start()
    world.wait_for_all()
    zombie.thaw()
    zombie.wait_for("what was buffered is fetched again")
    world.send(payments(500, part=1))
    world.wait_for_all()
    world.check_nothing_lost()
    rows = world.output.rows()
    assert {len(each) for each in rows.values()} == {1}
    assert any(row.recomputed for each in rows.values() for row in each)
