"""A simulated bank at a fixed rate, and what the models decide on its transactions."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from bench.workload import HISTORY_DAYS, SEED
from models.schema import wire
from models.schema.score import Score
from models.schema.topics import TopicNames
from producers.kafka_client import Outbox
from producers.pace import EventsPerSecond, Unpaced
from producers.simulator.playback import Playback
from producers.simulator.population import Population
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import LAST_DAY, Simulation
from stream_app.topic_admin import describe_topics

BANK: Final = PopulationSettings(customers=6_700, terminals=10_000, transactions_per_day=20_000)
"""That of the model in bench.workload, from the day on behind those that it was trained on."""
PAST_DAYS: Final = 3
"""Sent at once: cards get a past, and the model scores what it has not learnt from."""


@contextmanager
def flowing(broker: str, topics: TopicNames, rate: float) -> Iterator[int]:
    """Send some days at once, say how many transactions they have, and go on at a fixed rate until the end.

    Parameters
    ----------
    broker: Kafka's address.
    topics: where they go.
    rate: transactions a second.
    """
    days = Simulation(Population(BANK, seed=SEED)).days(HISTORY_DAYS, LAST_DAY - HISTORY_DAYS)
    outbox = Outbox(broker, [topics.transactions])
    past, live = Playback(outbox, topics, Unpaced()), Playback(outbox, topics, EventsPerSecond(rate))
    past.run(islice(days, PAST_DAYS))
    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(live.run, days)
        try:
            yield past.sent.transactions
        finally:
            live.stop()
            sending.result()


class Decisions:
    """What comes on `scores`, counted by the model that decided.

    Parameters
    ----------
    broker: Kafka's address.
    topics: one of them is read from its beginning.

    Attributes
    ----------
    rows: by version of the model.
    stood_in: rows that another model decided because the champion gave no score.
    scores: all of them, in the order in which they came.
    """

    def __init__(self, broker: str, topics: TopicNames) -> None:
        self.rows = Counter[str]()
        self.stood_in = 0
        self.scores: list[float] = []
        settings = {"bootstrap.servers": broker, "group.id": "none", "enable.auto.commit": False, "log_level": 0}
        self._consumer = Consumer(settings)
        partitions = describe_topics(broker, [topics.scores])[topics.scores].partitions
        self._consumer.assign([TopicPartition(topics.scores, at, OFFSET_BEGINNING) for at in range(partitions)])

    def read(self) -> None:
        """Take what has come within some hundredths of a second."""
        for message in self._consumer.consume(10_000, timeout=0.02):
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            score = wire.decode(Score, message.value() or b"")
            self.rows[score.model_version] += 1
            self.stood_in += score.degraded
            self.scores.append(score.score)
