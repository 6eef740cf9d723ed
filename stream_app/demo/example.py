"""One flagged transaction in an analyst's words."""

from collections.abc import Callable, Mapping

from confluent_kafka import Consumer, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.features.feature import Feature
from models.features.feature_set import FeatureSet
from models.schema import wire
from models.schema.iso_codes import CURRENCY_EXPONENTS
from models.schema.score import ReasonCode, Score
from models.schema.transaction import Transaction
from stream_app.demo.ledger import Flagged

REASONS = 3
NEVER_HOURS = 720.0
"""What a feature in hours holds where there was nothing in its 30 days."""
_ANSWER_S = 5.0

_VALUE_IN_WORDS: Mapping[str, Callable[[float], str]] = {
    "flag": lambda _: "",
    "code": lambda _: "",
    "ratio": lambda value: f" ({value:.1f} times)",
    "share": lambda value: f" ({value:.0%})",
    "100 minor units": lambda value: f" ({value:,.2f})",
    "hours": lambda value: " (none in 30 days)" if value >= NEVER_HOURS else f" ({value:,.1f} hours)",
}
"""By the unit of a feature; other units are said behind the value."""


def describe(score: Score, transaction: Transaction, feature_set: FeatureSet, tactic: str | None) -> str:
    """Say what was flagged and why; `tactic` is the simulator's truth, None for a genuine payment."""
    digits = CURRENCY_EXPONENTS[transaction.currency]
    amount = f"{transaction.amount_minor / 10**digits:,.{digits}f} {transaction.currency}"
    # Several windows of one measure have one reason in words: the strongest of them speaks.
    reasons: dict[str, ReasonCode] = {}
    for code in score.reason_codes:
        reasons.setdefault(_feature(code, feature_set).reason, code)
    why = "; ".join([_in_words(code, feature_set) for code in reasons.values()][:REASONS])
    truth = "genuine" if tactic is None else tactic.replace("_", " ")
    return (
        f"{score.decision} {score.score_scaled}/999: {amount} at terminal {transaction.terminal_id} "
        f"by card {transaction.card_id}. Why: {why or 'no single reason'}. In truth: {truth}"
    )


def _feature(code: ReasonCode, feature_set: FeatureSet) -> Feature:
    return feature_set.features[feature_set.index(code.feature)]


def _in_words(code: ReasonCode, feature_set: FeatureSet) -> str:
    feature = _feature(code, feature_set)
    in_words = _VALUE_IN_WORDS.get(feature.unit)
    value = f" ({code.value:,.4g} {feature.unit})" if in_words is None else in_words(code.value)
    return feature.reason + value


def read_transaction(broker: str, topic: str, flagged: Flagged) -> Transaction | None:
    """Return the transaction behind a flagged score; None when the broker does not answer in time."""
    consumer = Consumer({**confluent_settings(broker), "group.id": "fraudstream-demo", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, flagged.partition, flagged.source_offset)])
        message = consumer.poll(_ANSWER_S)
    finally:
        consumer.close()
    if message is None or message.error() is not None:
        return None
    return wire.decode(Transaction, message.value() or b"")
