"""Scorers that are none: they follow aliases and placement, and write feature batches with made scores."""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from confluent_kafka import Message, Producer

from models.features.feature_set import DEFAULT
from models.registry import CHAMPION, Registry
from models.schema import wire
from models.schema.cloud_event import CloudEvent
from models.schema.feature_batch import FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.model_event import ModelEvent
from models.schema.shadow_scores import ShadowScores
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from tests.support.made_pairs import honest
from tests.support.topic_recorder import TopicRecorder

BATCH = 100
ROWS = 60_000
EVERY_S = 0.02
"""A hundred rows every 20 ms: 5,000 a second."""

Spoil = Callable[[np.ndarray], np.ndarray]


@dataclass
class FakeScorers:
    """Writes what scorers would write, from a thread of its own.

    The first champion scores as one of an honest pair, every other model as the other, unless `spoils` says how its
    scores are spoiled; NaN for a whole batch is a model that failed.
    """

    broker: str
    topics: TopicNames
    registry: Registry
    first: str
    spoils: dict[str, Spoil] = field(default_factory=dict)
    us: dict[str, float] = field(default_factory=dict)
    sent: int = 0

    def __post_init__(self) -> None:
        pairs = honest(ROWS, 3)
        self._scores = pairs.baseline_score, pairs.score
        self._pairs = pairs
        self._encoder = FeatureBatchEncoder(DEFAULT.names)
        self._producer = Producer({"bootstrap.servers": self.broker, "linger.ms": 0})
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._producer.flush()

    def _run(self) -> None:
        at = 0
        while not self._stopping.is_set():
            self._send(at % (ROWS - BATCH), partition=(at // BATCH) % 2)
            at += BATCH
            time.sleep(EVERY_S)

    def _send(self, start: int, partition: int) -> None:
        champion, placement = self.registry.alias(CHAMPION), self.registry.placement()
        if champion is None:
            return
        versions = list(dict.fromkeys((champion.version, *placement.versions)))
        rows = slice(start, start + BATCH)
        cards = [f"card-{card}" for card in self._pairs.card[rows]]
        scores = np.stack([self._said(version, rows) for version in versions])
        decided_by = np.zeros(BATCH, np.intp)
        if np.isnan(scores[0]).all() and len(versions) > 1:
            decided_by[:] = 1
        elif placement.canary in versions and not np.isnan(scores[versions.index(placement.canary)]).all():
            decided_by = np.where(placement.on_canary(cards), versions.index(placement.canary), 0)
        scored = ScoredColumns(
            source_offset=np.arange(self.sent, self.sent + BATCH),
            score=np.nan_to_num(scores[decided_by, np.arange(BATCH)]).astype(np.float32),
            decision=np.zeros(BATCH, np.uint8),
            values=np.zeros((BATCH, len(DEFAULT)), np.float32),
            writer="w1",
            epoch=0,
            role=["champion" if versions[by] != placement.canary else "canary" for by in decided_by],
            model_version=[versions[by] for by in decided_by],
            profiles_as_of=0,
            recomputed=False,
            verified=True,
            shadow_scores=ShadowScores(versions, scores, decided_by) if len(versions) > 1 else None,
        )
        us = {
            version: math.nan if np.isnan(score).all() else self.us.get(version, 30.0)
            for version, score in zip(versions, scores, strict=True)
        }
        header = FeatureBatchHeader(
            self.sent, self.sent + BATCH - 1, 0, "w1", "id", DEFAULT.version, recomputed=False,
            model_us=us if len(versions) > 1 else {},
        )  # fmt: skip
        transactions = [
            Transaction(f"t{self.sent + row}", int(at), card, "terminal-1", int(amount), "EUR")
            for row, (card, at, amount) in enumerate(
                zip(cards, self._pairs.event_time[rows], self._pairs.amount[rows], strict=True)
            )
        ]
        value = self._encoder.encode(transactions, scored)
        self._producer.produce(self.topics.features, value, partition=partition, headers=list(header.encode()))
        self._producer.poll(0)
        self.sent += BATCH

    def _said(self, version: str, rows: slice) -> np.ndarray:
        scores = self._scores[version != self.first][rows]
        spoil = self.spoils.get(version)
        return scores if spoil is None else spoil(scores).astype(np.float32)


def events_of(broker: str, topic: str) -> list[ModelEvent]:
    """Every event on a topic, each with headers that fit."""
    recorder = TopicRecorder(broker, topic)
    recorder.read_to_end()
    recorder.close()
    return [_event(message) for message in recorder.records[0]]


def _event(message: Message) -> ModelEvent:
    event = wire.decode(ModelEvent, message.value() or b"")
    headers = message.headers() or []
    context = CloudEvent.read(headers.items() if isinstance(headers, dict) else headers)
    assert (context.id, context.subject, context.source) == (event.event_id, event.version, event.actor)
    return event
