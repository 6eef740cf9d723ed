"""Kafka and Redis killed, stopped for a while, and a Redis that comes back empty."""

import os
import shutil
import signal
import time
from typing import Final

from stream_app.chaos.scenario import STARTED_AGAIN_S, STEADY_S, Scenario
from stream_app.chaos.world import World
from stream_app.model_store import ModelStore
from stream_app.recovery import back_up
from stream_app.stack.server_process import ServerProcess

DOWN_S: Final = 3.0
BROKER_PAUSE_S: Final = 20.0
REDIS_PAUSE_S: Final = 8.0
BROKER_START_S: Final = 15.0
"""What a broker of one node may need to come back after a kill, on a busy machine."""


def broker_killed(world: World) -> None:
    """SIGKILL the broker and start it again."""
    world.flowing(2, 0.4)
    world.stack.kafka.kill()
    world.pass_time(DOWN_S)
    world.stack.kafka.start()
    world.finish()


def broker_paused(world: World) -> None:
    """SIGSTOP the broker for 20 s."""
    world.flowing(2, 0.4)
    _pause(world, world.stack.kafka.process, BROKER_PAUSE_S)
    world.finish()


def redis_killed(world: World) -> None:
    """SIGKILL Redis and start it again with its data; then another model is promoted."""
    world.start_workers(1)
    world.send(share=0.6)
    world.until_sent(0.5)
    world.stack.redis.kill()
    world.pass_time(DOWN_S)
    world.stack.redis.start()
    second = world.promote(world.models.second)
    world.await_model(second)
    world.send_rest(0.6)
    world.finish()
    world.expect(world.accounts.models()[second], "the model promoted behind the outage has scored nothing")
    world.expect_restarts(0)


def redis_emptied(world: World) -> None:
    """SIGKILL Redis and start it again without its data: scoring goes on, and the registry is rebuilt from outside."""
    models = ("--models", str(world.folder / "kept"))
    world.start_workers(1)
    second = world.registry.put(world.models.second)
    world.command("audit", "publish")
    back_up(world.registry, ModelStore(models[1]))
    head = world.registry.audit()[-1]
    world.send(share=0.6)
    world.until_sent(0.5)
    world.stack.redis.kill()
    for kept in world.stack.redis.folder.glob("appendonly*"):
        shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
    world.stack.redis.start()
    signers = ("--allowed-signers", str(world.models.signers))
    world.command("models", "restore", *models, *signers, "--actor", "chaos", "--reason", "Redis was lost")
    restored = world.registry.audit()
    world.expect(head in restored, "the audit that is restored is another")
    world.registry.promote(second, "chaos", "on the restored registry")
    world.await_model(second)
    world.send_rest(0.6)
    world.finish()
    world.expect(world.accounts.models()[second], "the model promoted on the restored registry has scored nothing")
    world.expect_restarts(0)


def redis_paused(world: World) -> None:
    """SIGSTOP Redis for a while."""
    world.flowing(1, 0.3)
    _pause(world, world.stack.redis.process, REDIS_PAUSE_S)
    world.finish()
    world.expect_restarts(0)


def _pause(world: World, process: ServerProcess, seconds: float) -> None:
    identity = process.identity()
    assert identity is not None
    os.kill(identity.pid, signal.SIGSTOP)
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            world.supervise()
            time.sleep(0.05)
    finally:
        os.kill(identity.pid, signal.SIGCONT)


SCENARIOS: Final = (
    Scenario(
        "broker-killed", "SIGKILL Kafka and start it again", broker_killed, DOWN_S + BROKER_START_S + STARTED_AGAIN_S
    ),
    Scenario("broker-paused", "SIGSTOP Kafka for 20 s", broker_paused, BROKER_PAUSE_S + STARTED_AGAIN_S),
    Scenario("redis-killed", "SIGKILL Redis and start it again", redis_killed, STEADY_S, short=True),
    Scenario(
        "redis-emptied", "Redis comes back without its data, and the registry is rebuilt", redis_emptied, STEADY_S
    ),
    Scenario("redis-paused", "SIGSTOP Redis for 8 s", redis_paused, STEADY_S),
)
