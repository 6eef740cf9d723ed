"""Who is measured end to end: a name, how it is started, and how much it is given."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.worker import Worker
from models.schema.topics import TopicNames

REDIS_PREFIX: Final = "bench:"
"""Where the rounds' model lies."""
RATES: Final = (1_000, 5_000, 20_000)
"""Events a second at which latency is measured."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a round takes place.

    Attributes
    ----------
    broker, redis_url: addresses.
    topics: of this round alone.
    folder: for logs and state; `promote_model` has laid the model there.
    """

    broker: str
    redis_url: str
    topics: TopicNames
    folder: Path

    @property
    def state(self) -> Path:
        """Folder for what a peer keeps in files."""
        return self.folder / f"{self.topics.prefix}state"

    @property
    def environment(self) -> dict[str, str]:
        """What a peer is told."""
        return {
            "BROKER": self.broker,
            "TOPIC_PREFIX": self.topics.prefix,
            "MODEL": str(self.folder),
            "DATADIR": str(self.state),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }


def scoring_worker(place: Place) -> Worker:
    """Return a `fraudstream score` with all defaults, to be entered."""
    prefix = place.topics.prefix
    options = ["score", "--topic-prefix", prefix, "--redis-prefix", REDIS_PREFIX, "--group", prefix]
    environment = {
        "FRAUDSTREAM_BROKER": place.broker,
        "FRAUDSTREAM_REDIS": place.redis_url,
        "FRAUDSTREAM_DATA": str(place.folder),
    }
    return Worker.fraudstream(options, environment, place.folder / f"{prefix}fraudstream.log")


@dataclass(frozen=True, slots=True)
class Peer:
    """One of those measured.

    It reads `transactions` from the beginning and writes to `scores` one record with the `source_offset` of each, into
    the same partition and in the same order.

    Attributes
    ----------
    name: in tables and JSON.
    start: makes the process, which is not started yet.
    events: that it is given in a round of throughput; enough for some seconds.
    warm_up: events before those that count, in every round.
    rates: events a second at which its latency is measured.
    durable: whether its cards' past outlives the process.
    install: called once before any round; raises FraudstreamError or subprocess.SubprocessError where it cannot run.
    """

    name: str
    start: Callable[[Place], Worker]
    events: int
    warm_up: int = 5_000
    rates: tuple[int, ...] = ()
    durable: bool = False
    install: Callable[[], object] = lambda: None
