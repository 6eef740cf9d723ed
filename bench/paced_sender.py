"""Transactions at a fixed rate, sent by a process of their own: whoever receives must not wait for the sender."""

import gc
import multiprocessing
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec
from confluent_kafka import KafkaError, KafkaException, Message, Producer

Messages = Sequence[tuple[bytes, bytes]]
TICK_NS: Final = 1_000_000
LEAD_NS: Final = 20_000_000
"""From the order until the first message is due."""


class Order(NamedTuple):
    """What is to be sent: so many messages from `first` on, `rate` of them a second."""

    topic: str
    first: int
    messages: int
    rate: int


class PacedSender:
    """Sends what it is told to, by the clock, whatever the receiver does.

    Message i of an order is due i / rate after the first. Each millisecond goes out what is due by then.

    Parameters
    ----------
    broker: Kafka's address.
    messages: key and value of all that can be sent.
    folder: for a file through which the process gets them.
    """

    def __init__(self, broker: str, messages: Messages, folder: Path) -> None:
        path = folder / "messages.msgpack"
        path.write_bytes(msgspec.msgpack.encode(messages))
        context = multiprocessing.get_context("spawn")
        self._orders, orders = context.Pipe()
        self._process = context.Process(target=_serve, args=(orders, broker, str(path)), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._orders.recv()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.join()

    def begin(self, order: Order) -> int:
        """Give an order and return when its first message is due, ns of the monotonic clock."""
        self._orders.send(order)
        began: int = self._orders.recv()
        return began

    def finish(self) -> float:
        """Wait until the order is carried out; return by how much its worst message was late, ms."""
        late_ns: int = self._orders.recv()
        return late_ns / 1e6


def _serve(orders: Connection, broker: str, path: str) -> None:
    messages = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[tuple[bytes, bytes]])
    settings = {"bootstrap.servers": broker, "partitioner": "murmur2_random", "enable.idempotence": True}
    reports = {"delivery.report.only.error": True, "on_delivery": _refuse}
    producer = Producer({**settings, **reports, "linger.ms": 5, "log_level": 0})
    gc.disable()
    orders.send(None)
    while True:
        order = Order(*orders.recv())
        began = time.monotonic_ns() + LEAD_NS
        orders.send(began)
        orders.send(_send(producer, messages[order.first : order.first + order.messages], order, began))


def _refuse(error: KafkaError | None, _message: Message) -> None:
    if error is not None:
        raise KafkaException(error)


def _send(producer: Producer, messages: Messages, order: Order, began: int) -> int:
    sent, worst = 0, 0
    time.sleep(max(0, began - time.monotonic_ns()) / 1e9)
    while sent < order.messages:
        passed = time.monotonic_ns() - began
        due = max(sent, min(order.messages, passed * order.rate // 1_000_000_000 + 1))
        if due > sent:
            worst = max(worst, passed - sent * 1_000_000_000 // order.rate)
        for key, value in messages[sent:due]:
            producer.produce(order.topic, value, key)
        sent = due
        producer.poll(0)
        time.sleep((TICK_NS - time.monotonic_ns() % TICK_NS) / 1e9)
    producer.flush()
    return worst
