"""Checkpoints cut short or gone, and disks that are full."""

import shutil
from typing import Final

from stream_app.chaos.scenario import STARTED_AGAIN_S, TAKEN_OVER_S, Scenario
from stream_app.chaos.world import World


def checkpoint_cut_short(world: World) -> None:
    """The newest checkpoints of every partition lose their end while all workers are down."""
    world.start_workers(1)
    world.send()
    world.until_sent(0.5)
    worker = world.workers[0]
    worker.bury()
    newest = {}
    for path in sorted(world.checkpoints.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            newest[path.parent] = path
    for path in newest.values():
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
    world.start_worker()
    world.finish()
    passed_over = world.said.count("checkpoint passed over")
    world.expect(newest, "there were no checkpoints")
    world.expect(passed_over >= len(newest), f"{passed_over} checkpoints were passed over, not {len(newest)}")


def checkpoints_gone(world: World) -> None:
    """The folder of all checkpoints is removed under running workers, which are then killed."""
    world.start_workers(2)
    world.send()
    world.until_sent(0.5)
    for worker in world.workers:
        worker.freeze()
    shutil.rmtree(world.checkpoints)
    world.restart_all()
    world.finish()


def checkpoint_disk_full(world: World) -> None:
    """For some seconds there is no space for checkpoints; then a worker is killed."""
    world.start_workers(2, fault="checkpoint_disk_is_full(5, 6)")
    world.send()
    world.until_sent(0.5)
    world.workers[0].kill()
    world.finish()
    world.expect("could not be written" in world.said, "no worker says that a checkpoint could not be written")


SCENARIOS: Final = (
    Scenario(
        "checkpoint-cut-short",
        "the newest checkpoints lose their end",
        checkpoint_cut_short,
        STARTED_AGAIN_S,
        short=True,
    ),
    Scenario("checkpoints-gone", "all checkpoints are removed", checkpoints_gone, STARTED_AGAIN_S),
    Scenario("checkpoint-disk-full", "no space for checkpoints", checkpoint_disk_full, TAKEN_OVER_S, short=True),
)
