"""A desk that is filled as Kafka would fill it, and what it is filled with."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.feature_batch import DECISIONS, FeatureBatchEncoder, ScoredColumns, decode_feature_batch
from models.schema.label import Label
from models.schema.money import ReportingCurrency
from models.schema.score import ReasonCode, Score
from models.schema.transaction import Transaction
from stream_app.console.records.statements import Statement
from stream_app.console.review.desk import Desk
from stream_app.console.review.worth import Worth

AT_MS = 1_764_000_000_000
MONEY = ReportingCurrency("EUR", "test-1", {"JPY": "0.01"})


def score(offset: int, chance: float = 0.5, decision: Any = "review", **changed: Any) -> Score:
    fields: dict[str, Any] = {
        "transaction_id": f"t{offset}",
        "event_time": AT_MS,
        "card_id": "card-7",
        "score": chance,
        "score_scaled": int(chance * 999),
        "decision": decision,
        "reason_codes": [ReasonCode("AMOUNT", "amount", 9.5, 0.25)],
        "model_version": "m-1",
        "feature_set": DEFAULT.version,
        "role": "champion",
        "scored_at": AT_MS + offset,
        "degraded": False,
        "duplicate": False,
        "source_offset": offset,
        "epoch": 0,
        "writer": "w1",
    }
    return Score(**{**fields, **changed})


def rows(scores: Sequence[Score], amounts: Sequence[int], *, writer: str = "w1", currency: str = "EUR") -> Any:
    """A message of the feature log about some scores."""
    transactions = [
        Transaction(one.transaction_id, one.event_time, one.card_id, "terminal-3", amount, currency, mcc="5411")
        for one, amount in zip(scores, amounts, strict=True)
    ]
    scored = ScoredColumns(
        source_offset=np.array([one.source_offset for one in scores]),
        score=np.array([one.score for one in scores], np.float32),
        decision=np.array([DECISIONS.index(one.decision) for one in scores], np.uint8),
        values=np.zeros((len(scores), len(DEFAULT)), np.float32),
        writer=writer,
        epoch=0,
        role="champion",
        model_version="m-1",
        profiles_as_of=0,
        recomputed=writer != "w1",
        verified=True,
    )
    return decode_feature_batch(FeatureBatchEncoder(DEFAULT.names).encode(transactions, scored))


def desk(*seen: tuple[Score, int], review_cost_minor: int = 500) -> Desk:
    """A desk that has seen scores with their amounts, on partition 2."""
    made = Desk(Worth(MONEY, review_cost_minor))
    for one, amount in seen:
        made.see_score(2, wire.encode(one))
        made.see_rows(2, rows([one], [amount]))
    return made


def said(number: int, *, is_fraud: bool, source: Any = "analyst", at_ms: int = AT_MS, **changed: Any) -> Statement:
    """A statement about the transaction `t<number>`."""
    label = Label(f"t{number}", "card-7", "terminal-3", AT_MS, is_fraud, source, at_ms)
    return Statement(label, 0, changed.pop("offset", 0), **changed)
