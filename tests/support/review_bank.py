"""A bank whose payments a real worker scores with small real models, beside a console."""

from collections.abc import Iterator
from contextlib import contextmanager

from models.release.placement import Placement
from models.schema.label import Label
from models.schema.transaction import Transaction
from models.schema.wire import decode
from stream_app.chaos.tiny_models import TinyModels
from tests.support.console_world import ConsoleWorld
from tests.support.payments import payments
from tests.support.scored_output import Place
from tests.support.scoring_world import ScoringWorld
from tests.support.topic_recorder import TopicRecorder

PARTITIONS = 4
SENT = 300


class ReviewBank:
    """What a test asks of it.

    Parameters
    ----------
    console: the console, on whose topics it pays.
    """

    def __init__(self, console: ConsoleWorld) -> None:
        self._console = console
        models = TinyModels(console.folder)
        self.scoring = ScoringWorld(
            console.stack.broker,
            console.stack.redis_url,
            console.redis_prefix,
            console.topics,
            console.folder,
            models,
            PARTITIONS,
        )
        assert models.signers.is_dir()
        self.champion = self.scoring.promote(models.declining)
        self.beside = self.scoring.registry.put(models.second)
        self.scoring.registry.place(Placement(sequence=1, shadow=(self.beside,)), "tester", "a test")
        self._labels = TopicRecorder(console.stack.broker, console.topics.labels)

    def pay(self, transactions: list[Transaction]) -> None:
        """Send payments and wait until they are scored."""
        self.scoring.send(transactions)
        self.scoring.wait_for_all()

    def flagged(self) -> dict[str, Place]:
        """What was flagged, by identifier."""
        kept = self.scoring.output.kept()
        return {score.transaction_id: place for place, score in kept.items() if score.decision != "approve"}

    def waiting(self) -> set[str]:
        """What is flagged and nobody has decided, or somebody has taken that back."""
        self._labels.read_to_end()
        records = [record for partition in self._labels.records.values() for record in partition]
        last = {decode(Label, record.value() or b"").transaction_id: record.headers() for record in records}
        taken_back = {identifier for identifier, headers in last.items() if ("review", b"undo") in (headers or [])}
        return set(self.flagged()) - (set(last) - taken_back)

    def stated(self, transaction_id: str) -> list[Label]:
        """What the topic says of a transaction, in its order."""
        self._labels.read_to_end()
        records = [record for partition in self._labels.records.values() for record in partition]
        labels = [(decode(Label, record.value() or b""), record.key()) for record in records]
        assert all(key == label.card_id.encode() for label, key in labels)
        return [label for label, _ in labels if label.transaction_id == transaction_id]

    def close(self) -> None:
        """End the worker and disconnect."""
        self._labels.close()
        self.scoring.close()


@contextmanager
def review_bank(console: ConsoleWorld) -> Iterator[ReviewBank]:
    """A bank that has paid a few hundred times."""
    bank = ReviewBank(console)
    try:
        bank.scoring.start()
        bank.pay(payments(SENT))
        yield bank
    finally:
        bank.close()
