"""Workers that are killed, ended, started, joined, frozen, or whose clock jumps."""

from typing import Final

from stream_app.chaos.scenario import HANDED_OVER_S, STEADY_S, TAKEN_OVER_S, Scenario
from stream_app.chaos.world import SESSION_TIMEOUT_S, World


def kill_worker(world: World) -> None:
    """SIGKILL one of two."""
    world.flowing(2, 0.4)
    world.workers[0].kill()
    world.finish()
    world.expect_restarts(1)


def kill_in_checkpoint(world: World) -> None:
    """SIGKILL one of two half-way through a checkpoint."""
    world.flowing(2, 0.4, fault=f"dies_in_checkpoint({world.order!r})")
    world.give_order()
    world.finish()
    world.expect_restarts(1)


def terminate(world: World) -> None:
    """SIGTERM one of two; it is started again."""
    world.flowing(2, 0.4)
    world.workers[0].terminate()
    world.finish()
    world.expect_restarts(1)


def rolling_restart(world: World) -> None:
    """For each of two workers a new one joins, then the old one leaves."""
    world.flowing(2, 0.2)
    for old in list(world.workers):
        new = world.start_worker()
        world.wait(lambda new=new: " open: " in new.said, 30, "a new worker gets no partition")  # type: ignore[misc]
        old.retire()
    world.finish()


def join_and_leave(world: World) -> None:
    """Two workers become four, then two again."""
    world.flowing(2, 0.2)
    for _ in range(2):
        world.start_worker()
    world.await_ready(4)
    for worker in world.workers[:2]:
        worker.retire()
    world.finish()


def zombie(world: World) -> None:
    """SIGSTOP one of two until the other has taken over, then SIGCONT."""
    world.flowing(2, 0.3)
    frozen = world.workers[0]
    frozen.freeze()
    world.pass_time(SESSION_TIMEOUT_S + 2)
    frozen.thaw()
    world.finish()
    world.expect(frozen.running, "the frozen worker has not lived on")


def clock_jumps(world: World) -> None:
    """The wall clock of one of two jumps an hour ahead, an hour back, and home."""
    world.flowing(2, 0.2, fault=f"clock_jumps({world.order!r}, (3600, -3600, 86400), 1)")
    world.give_order()
    world.finish()
    world.expect_restarts(0)


SCENARIOS: Final = (
    Scenario("kill-worker", "SIGKILL a worker", kill_worker, TAKEN_OVER_S, short=True),
    Scenario("kill-in-checkpoint", "SIGKILL in a checkpoint", kill_in_checkpoint, TAKEN_OVER_S, short=True),
    Scenario("terminate", "SIGTERM a worker", terminate, HANDED_OVER_S),
    Scenario("rolling-restart", "replace all workers, one by one", rolling_restart, HANDED_OVER_S, short=True),
    Scenario("join-and-leave", "two workers become four and two again", join_and_leave, HANDED_OVER_S),
    Scenario("zombie", "SIGSTOP a worker beyond the session time-out, then SIGCONT", zombie, TAKEN_OVER_S),
    Scenario("clock-jumps", "a worker's wall clock jumps by hours", clock_jumps, STEADY_S, short=True),
)
