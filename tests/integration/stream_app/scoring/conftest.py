"""A world of its own for each fault test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stream_app.chaos.tiny_models import TinyModels
from stream_app.stack.local_stack import LocalStack
from tests.support.scoring_world import ScoringWorld
from tests.support.worker_process import prepare

WorldFactory = Callable[..., ScoringWorld]


@pytest.fixture(scope="session", autouse=True)
def _prepared() -> None:
    """Workers' imports are loaded while Kafka starts."""
    prepare()


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    """Models for every test of the run."""
    return TinyModels(tmp_path_factory.mktemp("tiny-models"))


@pytest.fixture
def make_world(
    stack: LocalStack, make_topics, redis_prefix: str, tmp_path: Path, tiny_models: TinyModels
) -> Iterator[WorldFactory]:
    """Makes worlds: `make_world(partitions=2, overrides={...})`; the first model is promoted."""
    with ExitStack() as worlds:

        def make(partitions: int = 2, *, champion: bool = True, **settings: object) -> ScoringWorld:
            topics = make_topics(partitions=partitions, **settings)
            world = ScoringWorld(stack.broker, stack.redis_url, redis_prefix, topics, tmp_path, tiny_models, partitions)
            worlds.callback(world.close)
            if champion:
                world.promote(tiny_models.first)
            return world

        yield make


@pytest.fixture
def world(make_world: WorldFactory) -> ScoringWorld:
    """A world of two partitions with a promoted model."""
    return make_world()
