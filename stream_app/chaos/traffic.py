"""The payments of a chaos run: made once, sent at a steady rate by a thread of their own."""

import threading
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from models.access.kafka_settings import confluent_settings
from producers.simulator.population import Population
from producers.simulator.script import BASE_MIX
from producers.simulator.settings import PopulationSettings
from producers.simulator.simulation import Simulation

TRANSACTIONS_PER_DAY: Final = 10_000.0
LONGEST_RECORD_BYTES: Final = 8 << 20
_SLICE_S: Final = 0.01
_DELIVERY_S: Final = 300
"""Longer than any outage of a scenario: what the bank has sent is to be counted, not lost on its own side."""


class Record(NamedTuple):
    """A record for `transactions`; a partition of -1 is that of its key, or any where there is none."""

    key: bytes | None
    value: bytes | None
    partition: int = -1


def bank_records(events: int, seed: int) -> list[Record]:
    """Return so many payments of a simulated bank, in order of event time; same arguments, same bytes."""
    settings = PopulationSettings(customers=4_000, terminals=800, transactions_per_day=TRANSACTIONS_PER_DAY)
    simulation = Simulation(Population(settings, seed), BASE_MIX)
    records: list[Record] = []
    for day in simulation.days(0, 2 + int(1.3 * events / TRANSACTIONS_PER_DAY)):
        records += [Record(key, value) for key, value in day.encoded()]
        if len(records) >= events:
            break
    return records[:events]


class Sending(threading.Thread):
    """Sends records in order at a rate, each stamped with the wall clock, until all are acknowledged.

    Parameters
    ----------
    broker, topic: where to.
    records: what.
    rate: events a second; None sends as fast as the broker takes them.
    """

    def __init__(self, broker: str, topic: str, records: Sequence[Record], rate: float | None) -> None:
        super().__init__(name="chaos-sending", daemon=True)
        self._topic = topic
        self._records = records
        self._rate = rate
        self._stop_asked = threading.Event()
        self.sent = 0
        self.total = len(records)
        self.failures: list[str] = []
        self._producer = Producer(
            {
                **confluent_settings(broker),
                "partitioner": "murmur2_random",
                "enable.idempotence": True,
                "linger.ms": 5,
                "compression.type": "lz4",
                "queue.buffering.max.messages": 1_000_000,
                "delivery.timeout.ms": _DELIVERY_S * 1000,
                "message.max.bytes": LONGEST_RECORD_BYTES,
                "delivery.report.only.error": True,
                "on_delivery": self._note,
                "log_level": 0,
            }
        )

    def run(self) -> None:
        """Send, then wait for the acknowledgements."""
        try:
            self._send_all()
        except KafkaException as error:
            self.failures.append(str(error))

    def _send_all(self) -> None:
        began = time.monotonic()
        while self.sent < self.total and not self._stop_asked.is_set():
            due = self.total
            if self._rate is not None:
                due = min(due, int((time.monotonic() - began) * self._rate))
            self._send(due)
            time.sleep(_SLICE_S)
        self._producer.flush(_DELIVERY_S)

    def _send(self, due: int) -> None:
        topic = self._topic
        while self.sent < due:
            key, value, partition = self._records[self.sent]
            try:
                self._producer.produce(topic, value, key, partition)
            except BufferError:
                self._producer.poll(0.05)
                continue
            self.sent += 1
        self._producer.poll(0)

    def end(self) -> None:
        """Send nothing more, and wait for what was sent."""
        self._stop_asked.set()
        self.join()

    def _note(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self.failures.append(f"{message.topic()}[{message.partition()}]: {error.str()}")
