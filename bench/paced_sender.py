"""Transactions at a fixed rate, sent by a process of their own: whoever receives must not wait for the sender."""

import gc
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec
from confluent_kafka import KafkaError, Message, Producer

Messages = Sequence[tuple[bytes, bytes]]
TICK_NS: Final = 1_000_000
LINGER_MS: Final = 5
"""What Kafka's own producer waits for company by default since 4.0 (KIP-1030). At 1 ms the sender takes half a core,
and the broker as much for requests of one or two messages: of two cores little is left for what is measured."""
LEAD_NS: Final = 20_000_000
"""From the order until the first message is due."""
DELIVERY_S: Final = 30
"""The broker acknowledges a message within this time, or has refused it."""


class Order(NamedTuple):
    """What is to be sent: so many messages from `first` on, `rate` of them a second."""

    topic: str
    first: int
    messages: int
    rate: int


class Outcome(NamedTuple):
    """By how much the worst message of an order was late, ns, and what went wrong, empty if nothing did."""

    late_ns: int
    failure: str = ""


class PacedSender:
    """Sends what it is told to, by the clock, whatever the receiver does.

    Message i of an order is due i / rate after the first. Each millisecond goes out what is due by then. The broker
    acknowledges each message, and nothing is sent twice: one that is refused fails its order.

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
        """Wait until the order is carried out; return by how much its worst message was late, ms.

        Raises
        ------
        RuntimeError: the broker has not acknowledged all of its messages.
        """
        if not self._orders.poll(2 * DELIVERY_S):
            raise RuntimeError(f"the sender has said nothing for {2 * DELIVERY_S} s")
        outcome: Outcome = self._orders.recv()
        if outcome.failure:
            raise RuntimeError(outcome.failure)
        return outcome.late_ns / 1e6


class _TopicSender:
    """A producer for one topic alone: a later round must not inherit what the client remembers of a deleted one."""

    def __init__(self, broker: str, topic: str) -> None:
        self.topic = topic
        settings = {
            "bootstrap.servers": broker,
            "partitioner": "murmur2_random",
            "linger.ms": LINGER_MS,
            "log_level": 0,
        }
        delivery = {"acks": 1, "retries": 0, "message.timeout.ms": DELIVERY_S * 1000}
        reports = {"delivery.report.only.error": True, "on_delivery": self._reported}
        self._producer = Producer({**settings, **delivery, **reports})
        self._producer.list_topics(topic, timeout=DELIVERY_S)
        self._refused = Counter[str]()

    def send(self, messages: Messages, order: Order, began: int) -> Outcome:
        """Carry out an order."""
        late = self._paced(messages, order, began)
        left = self._producer.flush(DELIVERY_S)
        if not left and not self._refused:
            return Outcome(late)
        left_out = f"{left} are still on their way, refused: {dict(self._refused)}"
        return Outcome(late, f"of {order.messages} messages to {order.topic}, {left_out}")

    def _paced(self, messages: Messages, order: Order, began: int) -> int:
        sent, worst = 0, 0
        time.sleep(max(0, began - time.monotonic_ns()) / 1e9)
        while sent < order.messages:
            passed = time.monotonic_ns() - began
            due = max(sent, min(order.messages, passed * order.rate // 1_000_000_000 + 1))
            if due > sent:
                worst = max(worst, passed - sent * 1_000_000_000 // order.rate)
            for key, value in messages[sent:due]:
                self._producer.produce(order.topic, value, key)
            sent = due
            self._producer.poll(0)
            time.sleep((TICK_NS - time.monotonic_ns() % TICK_NS) / 1e9)
        return worst

    def _reported(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused[error.str()] += 1


def _serve(orders: Connection, broker: str, path: str) -> None:
    messages = msgspec.msgpack.decode(Path(path).read_bytes(), type=list[tuple[bytes, bytes]])
    gc.disable()
    orders.send(None)
    sender: _TopicSender | None = None
    while True:
        order = Order(*orders.recv())
        if sender is None or sender.topic != order.topic:
            sender = _TopicSender(broker, order.topic)
        began = time.monotonic_ns() + LEAD_NS
        orders.send(began)
        orders.send(sender.send(messages[order.first : order.first + order.messages], order, began))
