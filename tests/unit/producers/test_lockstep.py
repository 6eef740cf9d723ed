"""Waiting for the scorers."""

from typing import Any

import pytest

from models.schema.topics import TopicNames
from producers.lockstep import Lockstep, LockstepError
from tests.unit.producers.fakes import FakeClock, FakeRedis, FakeSink

MIDNIGHT_MS = 1_525_132_800_000
TOPICS = TopicNames()
KEY = "p:workers"


class World:
    """A lockstep among fakes; `then` happens after each sleep."""

    def __init__(self, **settings: Any) -> None:
        self.sink, self.redis, self.clock = FakeSink(), FakeRedis(), FakeClock()
        self.lockstep = Lockstep(
            self.sink,
            self.redis,  # type: ignore[arg-type]
            "p:",
            TOPICS,
            clock_s=self.clock,
            sleep=self.clock.sleep,
            **settings,
        )

    def report(self, writer: str, profiles_as_of: int, age_s: float = 0) -> None:
        self.redis.report(KEY, writer, profiles_as_of, self.clock() - age_s)


def test_a_step_ends_with_a_tick_that_says_how_far_to_read() -> None:
    world = World()
    world.report("w1", MIDNIGHT_MS)
    world.sink.send_all(TOPICS.transactions, [b"c"] * 3, [b"{}"] * 3)
    world.lockstep.close_step(MIDNIGHT_MS)
    (tick,) = world.sink.of(TOPICS.clock)
    assert tick == {"as_of": MIDNIGHT_MS, "transactions_end": {"0": 3}, "labels_end": {}, "schema_version": 1}
    assert world.sink.flushes == 2


def test_it_waits_until_the_slowest_live_worker_has_applied_the_step() -> None:
    world = World()
    world.report("fast", MIDNIGHT_MS)
    world.report("slow", MIDNIGHT_MS - 1)

    def catch_up() -> None:
        if world.clock() > 1003:
            world.report("slow", MIDNIGHT_MS)

    world.clock.then = catch_up
    world.lockstep.close_step(MIDNIGHT_MS)
    assert 1003 < world.clock() < 1003.1


def test_a_worker_that_has_been_silent_for_five_seconds_is_not_waited_for() -> None:
    world = World()
    world.report("dead", MIDNIGHT_MS - 5, age_s=5.1)
    world.report("alive", MIDNIGHT_MS)
    world.lockstep.close_step(MIDNIGHT_MS)
    assert world.clock() == 1000


def test_who_lags_is_named_with_what_it_has_applied() -> None:
    world = World(patience_s=60)
    world.clock.then = lambda: world.report("w7", MIDNIGHT_MS)
    with pytest.raises(
        LockstepError, match=r"1 of 1 .* worker w7 has applied 2018-05-01T00:00Z; is `fraudstream watch`"
    ):
        world.lockstep.close_step(MIDNIGHT_MS + 6 * 3_600_000)
    assert world.clock() > 1060


def test_patience_starts_anew_whenever_a_worker_moves() -> None:
    world = World(patience_s=10)
    started = world.clock()
    world.clock.then = lambda: world.report("w1", MIDNIGHT_MS - 10 + int((world.clock() - started) // 8))
    world.lockstep.close_step(MIDNIGHT_MS)
    assert world.clock() - started == pytest.approx(80, abs=0.1)


def test_a_scorer_that_dies_while_it_is_waited_for_is_an_error() -> None:
    world = World(patience_s=10)
    world.report("w1", MIDNIGHT_MS - 1)
    with pytest.raises(LockstepError, match=r"no scorer is alive; did .fraudstream score. end"):
        world.lockstep.close_step(MIDNIGHT_MS)


def test_without_a_live_worker_it_does_not_start() -> None:
    world = World()
    with pytest.raises(LockstepError, match=r"no scorer is alive.*p:workers.*fraudstream score"):
        world.lockstep.require_worker()
    world.report("w1", 0)
    world.lockstep.require_worker()
