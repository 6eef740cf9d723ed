"""A worker's partitions with as many cards as wanted, and their checkpoints for a real worker to start on."""

import asyncio
from pathlib import Path
from typing import Final

import numpy as np

from bench.card_population import CardPopulation
from bench.peer import Place, scoring_worker
from bench.worker import Worker
from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.schema.topics import TopicNames
from stream_app.checkpoints import CheckpointStore
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.checkpointing import LaneCheckpoints, kind_of, restore
from stream_app.scoring.lane import Lane, LaneIdentity, LaneStart
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics, describe_topics

PARTITIONS: Final = 4


class StockedPartitions:
    """The lanes of a worker, filled, with their checkpoints.

    Parameters
    ----------
    population: whose cards.
    folder: for the checkpoints.
    topic_id: of the topic that they say to be of.
    skewed: whether their past is as skewed as what comes; else all have thirty transactions.
    """

    def __init__(self, population: CardPopulation, folder: Path, topic_id: str, *, skewed: bool = False) -> None:
        self._store = CheckpointStore(str(folder))
        self._population = population
        self.lanes = []
        for at in range(PARTITIONS):
            identity, cards = LaneIdentity(at, PARTITIONS, topic_id, 0, "bench"), population.filled(at, skewed=skewed)
            self.lanes.append(Lane(identity, LaneStart(0, 0), cards))
        self._checkpoints = [LaneCheckpoints(self._store, lane, DEFAULT.version, increments=20) for lane in self.lanes]

    async def write(self) -> int:
        """Write one checkpoint of each partition, as a worker does; return the bytes of all."""
        size = 0
        for lane, checkpoints in zip(self.lanes, self._checkpoints, strict=True):
            size += await checkpoints.write(Acknowledgements(lane.next_offset, _fail))
        return size

    def change(self, events: int, seed: int) -> None:
        """Let transactions come."""
        columns = self._population.upcoming(events, seed)
        partition = self._population.partition_of[self._population.drawn(events, seed)]
        for at, lane in enumerate(self.lanes):
            own = columns.take(partition == at)
            lane.cards.advance(own, None, np.zeros(len(own), np.uint8))
            lane.next_offset += len(own)

    def read(self) -> int:
        """Read everything back, one partition after the other; return how many cards there are."""
        cards = 0
        for lane in self.lanes:
            found = restore(self._store, self._kind(lane), None)
            assert found is not None
            again = CardState(DEFAULT)
            again.restore(found.parts)
            cards += again.cards
        return cards

    def forget_increments(self) -> None:
        """Remove what was written behind the whole checkpoints: a topic does not hold what it is of."""
        for lane in self.lanes:
            for name in self._store.names(self._kind(lane)):
                if name.endswith(".increment"):
                    self._store.delete(self._kind(lane), name)

    @staticmethod
    def _kind(lane: Lane) -> str:
        return kind_of(lane.identity.topic_id, lane.identity.partition, DEFAULT.version)


class StockedWorker:
    """Topics of their own for a worker of `fraudstream score`, and checkpoints that it starts on.

    Parameters
    ----------
    stack: a running one, with the benches' model promoted.
    folder: data folder of the worker, with the model's signers.
    prefix: of the topics.
    """

    def __init__(self, stack: LocalStack, folder: Path, prefix: str) -> None:
        self._stack = stack
        self._folder = folder
        self.topics = TopicNames(prefix)
        create_topics(stack.broker, self.topics, partitions=PARTITIONS)
        name = self.topics.transactions
        self._topic_id = describe_topics(stack.broker, [name])[name].topic_id

    def partitions(self, population: CardPopulation, *, skewed: bool = False) -> StockedPartitions:
        """Partitions of these topics, not yet written."""
        return StockedPartitions(population, self._folder / "checkpoints", self._topic_id, skewed=skewed)

    def stock(self, population: CardPopulation, *, skewed: bool = False) -> None:
        """Write the checkpoints."""
        asyncio.run(self.partitions(population, skewed=skewed).write())

    def worker(self) -> Worker:
        """The worker, to be entered."""
        return scoring_worker(Place(self._stack.broker, self._stack.redis_url, self.topics, self._folder))


def _fail(error: BaseException) -> None:
    raise error
