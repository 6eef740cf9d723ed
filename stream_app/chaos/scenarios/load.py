"""More payments than the workers can score."""

from typing import Final

from stream_app.chaos.scenario import Scenario
from stream_app.chaos.world import World

OVERDUE_S: Final = 1.0
FLOOD_RATE: Final = 1e6
"""Events a second: as fast as the broker takes them."""
GROWTH_BYTES: Final = 300 << 20
"""Most that a worker may grow by under a flood: its card windows, and buffers that do not depend on the flood."""
REST_SHARE: Final = 0.95
FLOODED_S: Final = 5.0
"""Partitions take turns, with full batches."""


def overload(world: World) -> None:
    """All at once, several times what a worker can do; then some more at a rate that it can."""
    worker = world.start_worker("--overdue-after", f"{OVERDUE_S:g}")
    world.await_ready(1)
    before = largest = worker.resident_bytes
    world.send(share=REST_SHARE, rate=FLOOD_RATE)
    while world.sending or world.unscored() > 0:
        largest = max(largest, worker.resident_bytes)
        world.pass_time(0.25)
    world.accounts.read_scores()
    marked = world.accounts.degraded
    world.send_rest(REST_SHARE)
    world.finish()
    calm = world.accounts.degraded - marked
    world.expect_restarts(0)
    world.expect(marked > 0, "no transaction was marked degraded, so the worker was not above its capacity")
    world.expect(calm == 0, f"{calm} transactions were marked degraded behind the flood")
    grown = largest - before
    world.expect(grown < GROWTH_BYTES, f"the worker grew by {grown >> 20} MiB under the flood")


SCENARIOS: Final = (Scenario("overload", "several times what a worker can score", overload, FLOODED_S),)
