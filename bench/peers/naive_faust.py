"""The naive Faust agent: Faust's own consumer, one event at a time, the model called for each.

The same features (with the same kernels), the same model, the same scores and feature rows as `fraudstream score`;
without its exactly-once view, checkpoints, profiles topic, hot swap and dead letters, so what it leaves out is to its
advantage.
"""

import os
import sys
import time
from pathlib import Path

import faust
import numpy as np
from faust.types import StreamT

from models.features.card_state import CardState
from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.registry import CHAMPION, Registry
from models.schema import wire
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.feature_batch import DECISIONS, FeatureBatchEncoder, ScoredColumns
from models.schema.money import default_reporting_currency
from models.schema.score import ReasonCode, Score
from models.scorer import LoadedModel
from models.signing import AllowedSigners

PREFIX = os.environ["TOPIC_PREFIX"]
registry = Registry(os.environ["REDIS"], os.environ["REDIS_PREFIX"])
alias = registry.alias(CHAMPION)
assert alias is not None
model = LoadedModel.load(registry.get(alias.version), AllowedSigners.in_folder(Path(os.environ["SIGNERS"])))
cards, profiles, currency = CardState(DEFAULT), ProfileTable(DEFAULT), default_reporting_currency()
encoder = FeatureBatchEncoder(DEFAULT.names)

app = faust.App(
    f"{PREFIX}naive",
    broker=f"kafka://{os.environ['BROKER']}",
    value_serializer="raw",
    key_serializer="raw",
    web_enabled=False,
    store="memory://",
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    datadir=os.environ["DATADIR"],
)
transactions = app.topic(f"{PREFIX}transactions", value_type=bytes, key_type=bytes)
scores = app.topic(f"{PREFIX}scores", value_type=bytes, key_type=bytes)
features = app.topic(f"{PREFIX}features", value_type=bytes, key_type=bytes)


@app.agent(transactions)
async def score(stream: StreamT[bytes]) -> None:
    async for event in stream.events():
        message = event.message
        (transaction,), _, _ = decode_transactions([message.value])
        columns = TransactionColumns.from_transactions([transaction], currency)
        values, status = np.empty((1, len(DEFAULT)), np.float32), np.zeros(1, np.uint8)
        profiles.fill(columns, values)
        cards.advance(columns, values, status)
        probability = model.score(values)
        decision = model.decide(probability)
        reasons = []
        if decision[0]:
            top = model.explain(values)[0]
            reasons = [ReasonCode(DEFAULT.names[i].upper(), DEFAULT.names[i], float(values[0, i]), c) for i, c in top]
        now_ms = time.time_ns() // 1_000_000
        scored = Score(
            transaction.transaction_id,
            transaction.event_time,
            transaction.card_id,
            float(probability[0]),
            int(min(probability[0] * 1000, 999)),
            DECISIONS[decision[0]],
            reasons,
            model.version,
            DEFAULT.version,
            "champion",
            now_ms,
            False,
            bool(status[0] & 1),
            message.offset,
            0,
            "naive",
        )
        await scores.send(key=message.key, value=wire.encode(scored), partition=message.partition)
        row = ScoredColumns(
            np.array([message.offset]),
            probability,
            decision,
            values,
            "naive",
            0,
            "champion",
            model.version,
            0,
            False,
            True,
        )
        await features.send(key=None, value=encoder.encode([transaction], row), partition=message.partition)


if __name__ == "__main__":
    sys.argv = ["naive_faust", "worker", "-l", "error", "--without-web"]
    app.main()
