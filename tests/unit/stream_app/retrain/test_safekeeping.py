"""What is only in Redis is copied, and waits while nobody can take it."""

from pathlib import Path
from typing import Any, cast

import pytest

from models.audit.chain import AuditError
from models.bundle import Bundle
from models.registry import RegistryError
from models.signing import SigningKey
from stream_app.acknowledged_producer import DeliveryError
from stream_app.audit.copy import KafkaSilentError
from stream_app.model_store import ModelStore, ModelStoreError
from stream_app.retrain.safekeeping import Safekeeping
from stream_app.watermarks import NoAnswerError
from tests.unit.models.small_model import made_bundle

KEY = SigningKey.generate()


class FakePublisher:
    """Publishes, or fails as it is told."""

    def __init__(self) -> None:
        self.calls = 0
        self.failure: Exception | None = None

    def publish(self) -> int:
        self.calls += 1
        if self.failure is not None:
            raise self.failure
        return 0


class FakeModels:
    """Bundles by version."""

    def __init__(self) -> None:
        self.bundles: dict[str, Bundle] = {}
        self.fetched: list[str] = []
        self.silent = False

    def add(self, created_at: int) -> str:
        bundle = made_bundle(KEY, "logistic_regression", created_at=created_at)
        self.bundles[bundle.version] = bundle
        return bundle.version

    def versions(self) -> list[str]:
        if self.silent:
            raise RegistryError("no Redis")
        return list(self.bundles)

    def get(self, version: str) -> Bundle:
        self.fetched.append(version)
        return self.bundles[version]


class World:
    """Safekeeping into a folder that may be in the way."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "models"
        self.models, self.publisher = FakeModels(), FakePublisher()
        registry, publisher = cast("Any", self.models), cast("Any", self.publisher)
        self.keeping = Safekeeping(registry, publisher, lambda: ModelStore(str(self.folder)), sleep=lambda _: None)

    @property
    def kept(self) -> list[str]:
        return ModelStore(str(self.folder)).versions()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_each_model_is_copied_once(world: World) -> None:
    first = world.models.add(1)
    world.keeping.turn()
    second = world.models.add(2)
    world.keeping.turn()
    world.keeping.turn()
    assert world.kept == sorted([first, second])
    assert world.models.fetched == [first, second]
    assert ModelStore(str(world.folder)).get(second) == world.models.bundles[second]


@pytest.mark.parametrize(
    "failure",
    [DeliveryError("no Kafka"), KafkaSilentError("no Kafka"), NoAnswerError("no Kafka"), RegistryError("no Redis")],
)
def test_what_is_away_is_waited_for(world: World, failure: Exception) -> None:
    first = world.models.add(1)
    world.publisher.failure = failure
    world.keeping.turn()
    world.publisher.failure = None
    world.keeping.turn()
    assert (world.publisher.calls, world.kept) == (2, [first])


def test_a_storage_that_refuses_is_tried_again_and_the_audit_goes_on(world: World) -> None:
    first = world.models.add(1)
    world.folder.write_bytes(b"in the way")
    for _ in range(2):
        world.keeping.turn()
    assert world.publisher.calls == 2
    world.folder.unlink()
    world.keeping.turn()
    assert world.kept == [first]


def test_an_audit_that_does_not_go_on_ends_the_process(world: World) -> None:
    world.publisher.failure = AuditError("Redis was lost")
    with pytest.raises(AuditError):
        world.keeping.turn()


def test_a_model_that_is_not_whole_is_named(world: World) -> None:
    version = world.models.add(1)
    world.keeping.turn()
    (world.folder / version / "model.onnx").unlink()
    with pytest.raises(ModelStoreError, match=f"model {version} .* is not whole"):
        ModelStore(str(world.folder)).get(version)
    (world.folder / version / "signature").unlink()
    assert world.kept == []
