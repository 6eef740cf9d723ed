"""The process that sends the bank's traffic, so that neither the reader nor the screen slows it down."""

import itertools
import sys
from pathlib import Path
from typing import Self

import msgspec

from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from producers.kafka_client import Outbox
from producers.simulator.playback import Playback
from stream_app.demo.bank import Bank
from stream_app.demo.phases import SENT, Phase, PhasedPace, Signals
from stream_app.demo.plan import DemoPlan
from stream_app.stack.server_process import ServerProcess

PROGRAM = "import sys; from stream_app.demo.sender import main; sys.exit(main(sys.argv[1]))"
STOP_S = 5.0


class SenderError(FraudstreamError):
    """Raised when the sender has ended before everything was sent."""


class SendingOrder(msgspec.Struct, frozen=True):
    """What the sender is told: where to, what, and the folder in which signals are given."""

    broker: str
    topic_prefix: str
    plan: DemoPlan
    signals: str
    stay_rate: float | None = None


class Sender:
    """The sending process, as its starter sees it; it ends with its starter, however that ends."""

    def __init__(
        self, folder: Path, broker: str, topics: TopicNames, plan: DemoPlan, stay_rate: float | None = None
    ) -> None:
        self._folder = folder / "sender"
        self._process = ServerProcess("sender", self._folder, tethered=True)
        self._order = SendingOrder(broker, topics.prefix, plan, str(self._folder), stay_rate)
        self.signals = Signals(self._folder)

    def __enter__(self) -> Self:
        self._process.start([sys.executable, "-c", PROGRAM, msgspec.json.encode(self._order).decode()])
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop(STOP_S)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.identity() is not None

    def check(self) -> None:
        """Raise when it has ended before everything was sent."""
        if not self.running and not self.signals.given(SENT):
            words = self._process.last_words()
            raise SenderError(f"the sender has ended early: {words}; its log is {self._process.log}")


def send(order: SendingOrder) -> None:
    """Make all days, then send them phase by phase."""
    topics, plan = TopicNames(order.topic_prefix), order.plan
    outbox = Outbox(order.broker, [topics.transactions, topics.labels])
    bank = Bank(plan)
    traffic = bank.traffic()
    at_rate = (Phase(events, plan.rate) for events in (plan.events, plan.release, plan.bad))
    staying = [] if order.stay_rate is None else [Phase(sys.maxsize, order.stay_rate)]
    phases = (Phase(traffic.warm_up_events, None), *at_rate, Phase(plan.burst, None), *staying)
    further = bank.days_behind(traffic) if staying else ()
    signals = Signals(Path(order.signals))
    pace = PhasedPace(phases, signals.given)
    Playback(outbox, topics, pace, labels_seed=plan.seed).run(itertools.chain(traffic.warm_up, traffic.live, further))
    outbox.flush()
    signals.give(SENT)


def main(order: str) -> int:
    """Entry point of the process; returns its exit code."""
    try:
        send(msgspec.json.decode(order, type=SendingOrder))
    except FraudstreamError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 2
    return 0
