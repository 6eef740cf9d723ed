"""One flagged transaction in an analyst's words."""

from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, TopicPartition

from models.features.feature_set import FeatureSet
from models.schema import wire
from models.schema.iso_codes import CURRENCY_EXPONENTS
from models.schema.score import ReasonCode, Score
from models.schema.transaction import Transaction
from stream_app.demo.ledger import Flagged

REASONS = 3
_ANSWER_S = 5.0

_VALUE_IN_WORDS: Mapping[str, Callable[[float], str]] = {
    "flag": lambda _: "",
    "code": lambda _: "",
    "ratio": lambda value: f" ({value:.1f} times)",
    "share": lambda value: f" ({value:.0%})",
    "100 minor units": lambda value: f" ({value:,.2f})",
}
"""By the unit of a feature; other units are said behind the value."""


def describe(score: Score, transaction: Transaction, feature_set: FeatureSet, tactic: str | None) -> str:
    """Say what was flagged and why; `tactic` is the simulator's truth, None for a genuine payment."""
    amount = transaction.amount_minor / 10 ** CURRENCY_EXPONENTS[transaction.currency]
    why = "; ".join(_reason(code, feature_set) for code in score.reason_codes[:REASONS])
    truth = "genuine" if tactic is None else tactic.replace("_", " ")
    return (
        f"{score.decision} {score.score_scaled}/999: {amount:,.2f} {transaction.currency} at terminal "
        f"{transaction.terminal_id} by card {transaction.card_id}. Why: {why or 'no single reason'}. In truth: {truth}"
    )


def _reason(code: ReasonCode, feature_set: FeatureSet) -> str:
    feature = feature_set.features[feature_set.index(code.feature)]
    in_words = _VALUE_IN_WORDS.get(feature.unit, lambda value: f" ({value:,.4g} {feature.unit})")
    return feature.reason + in_words(code.value)


def read_transaction(broker: str, topic: str, flagged: Flagged) -> Transaction | None:
    """Return the transaction behind a flagged score; None when the broker does not answer in time."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "fraudstream-demo", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, flagged.partition, flagged.source_offset)])
        message = consumer.poll(_ANSWER_S)
    finally:
        consumer.close()
    if message is None or message.error() is not None:
        return None
    return wire.decode(Transaction, message.value() or b"")
