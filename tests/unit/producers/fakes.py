"""Stand-ins for Kafka, Redis and the clock."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec


class FakeSink:
    """Keeps records in order of sending; one partition per topic."""

    def __init__(self) -> None:
        self.records: list[tuple[str, bytes | None, bytes]] = []
        self.flushes = 0

    def send(self, topic: str, key: bytes | None, value: bytes) -> None:
        self.records.append((topic, key, value))

    def send_all(self, topic: str, keys: Sequence[bytes | None], values: Sequence[bytes]) -> None:
        for key, value in zip(keys, values, strict=True):
            self.send(topic, key, value)

    def poll(self) -> None:
        pass

    def flush(self) -> None:
        self.flushes += 1

    def ends(self, topic: str) -> dict[int, int]:
        count = len(self.of(topic))
        return {0: count} if count else {}

    def of(self, topic: str) -> list[dict[str, Any]]:
        """The records of one topic, decoded."""
        return [msgspec.json.decode(value) for name, _, value in self.records if name == topic]


class FakeClock:
    """A clock that goes on only when somebody sleeps; `then` happens after each sleep."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.now_s = 1000.0
        self.then = then

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        self.then()


class FakeRedis:
    """Hashes, as bytes."""

    def __init__(self) -> None:
        self.hashes: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        return dict(self.hashes[key])

    def report(self, key: str, writer: str, profiles_as_of: int, at_s: float) -> None:
        """Write what a worker writes of itself."""
        status = {"writer": writer, "profiles_as_of": profiles_as_of, "at": int(at_s * 1000), "web": None}
        self.hashes[key][writer.encode()] = json.dumps(status).encode()
