"""Which model decides: swaps under load, models that must be refused, and a registry that is away."""

import itertools
import threading

from stream_app.stack.port import free_ports
from tests.support.payments import payments
from tests.support.scoring_world import ScoringWorld


def test_a_model_promoted_under_load_takes_over_once_on_each_partition(world: ScoringWorld) -> None:
    worker = world.start()
    ended = threading.Event()

    def flow() -> None:
        everything = payments(40_000)
        for at in range(0, len(everything), 20):
            if ended.wait(0.02):
                return
            world.send(everything[at : at + 20])

    sending = threading.Thread(target=flow)
    sending.start()
    try:
        world.wait_for_scores(200)
        first, second = world.models.first.version, world.promote(world.models.second)
        worker.wait_for(f"champion {second}")
        world.wait_for_scores(len(world.output.kept()) + 200)
    finally:
        ended.set()
        sending.join()
    kept = world.wait_for_all()
    world.check_nothing_lost()
    assert not any(score.degraded for score in kept.values())
    for partition in (0, 1):
        versions = [score.model_version for place, score in kept.items() if place[0] == partition]
        assert [version for version, _ in itertools.groupby(versions)] == [first, second]


def test_a_model_that_does_not_verify_is_refused_and_the_old_one_stays(world: ScoringWorld) -> None:
    worker = world.start()
    world.send(payments(50))
    world.wait_for_all()
    for bundle in (world.models.foreign, world.models.bent, world.models.truncated):
        worker.wait_for(f"model {world.promote(bundle)} refused")
    world.send(payments(50, part=1))
    kept = world.wait_for_all()
    assert {score.model_version for score in kept.values()} == {world.models.first.version}
    second = world.promote(world.models.second)
    worker.wait_for(f"champion {second}")


def test_a_worker_that_starts_on_a_champion_that_does_not_verify_serves_the_last_good_one(world: ScoringWorld) -> None:
    worker = world.start()
    world.send(payments(50))
    world.wait_for_all()
    assert worker.stop() == 0
    refused = world.promote(world.models.bent)
    worker = world.start()
    world.send(payments(50, part=1))
    kept = world.wait_for_all()
    worker.wait_for(f"model {refused} refused")
    assert {score.model_version for score in kept.values()} == {world.models.first.version}
    assert {score.degraded for score in kept.values() if score.transaction_id.startswith("y")} == {True}


def test_without_redis_a_worker_starts_with_its_local_copy_and_marks_scores_degraded(world: ScoringWorld) -> None:
    (port,) = free_ports(1)
    nowhere = f"redis://127.0.0.1:{port}/0"
    worker = world.start()
    world.send(payments(50))
    world.wait_for_all()
    assert worker.stop() == 0
    assert f"127.0.0.1:{port}" in world.start(redis_url=nowhere, data="empty").refused()

    worker = world.start(redis_url=nowhere)
    world.send(payments(50, part=1))
    kept = world.wait_for_all()
    worker.wait_for("local copy")
    world.check_exactly_once()
    assert {score.degraded for score in kept.values() if score.transaction_id.startswith("y")} == {True}
    assert worker.stop() == 0
