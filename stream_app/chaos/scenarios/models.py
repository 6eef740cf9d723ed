"""Models that change all the time, and models that must not be let in."""

import dataclasses
from typing import Final

from models.bundle import Bundle
from stream_app.chaos.scenario import STEADY_S, Scenario
from stream_app.chaos.world import World

SWAP_S: Final = 1.0
SWAP_GAP_S: Final = 0.1


def hot_swaps(world: World) -> None:
    """Another champion every second."""
    world.start_workers(1)
    versions = [world.models.first.version, world.registry.put(world.models.second)]
    world.send()
    world.pass_time(SWAP_S)
    world.count_gaps()
    swaps = 0
    while world.sending:
        world.pass_time(SWAP_S)
        swaps += 1
        world.registry.promote(versions[swaps % 2], "chaos", "a hot swap")
    world.finish()
    decided = world.accounts.models()
    world.expect(min(decided[version] for version in versions) > 0, f"not both models have scored: {dict(decided)}")


def bad_models(world: World) -> None:
    """A truncated, a bit-flipped and a foreign-signed model become champion: each is refused and the last one kept."""
    world.start_workers(1)
    world.send()
    good = world.models.first.version
    for place, bundle in enumerate((truncated(world.models.second), world.models.bent, world.models.foreign)):
        world.until_sent(0.2 + 0.2 * place)
        bad = world.promote(bundle)
        world.wait(lambda bad=bad: bad in world.said, 20, f"nobody says anything of {bad}")  # type: ignore[misc]
    world.finish()
    world.expect(set(world.accounts.models()) == {good}, f"others than {good} have scored: {world.accounts.models()}")


def truncated(whole: Bundle) -> Bundle:
    """The first half of its graph."""
    return dataclasses.replace(whole, onnx=whole.onnx[: len(whole.onnx) // 2])


SCENARIOS: Final = (
    Scenario("hot-swaps", "another champion every second", hot_swaps, SWAP_GAP_S, short=True),
    Scenario("bad-models", "a truncated, a bit-flipped and a foreign-signed champion", bad_models, STEADY_S),
)
