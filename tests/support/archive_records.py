"""Records of the archive's topics as a consumer hands them out, without a broker."""

from typing import Any, cast

import numpy as np
from confluent_kafka import Message

from models.features.feature_set import DEFAULT
from models.schema.feature_batch import FeatureBatchEncoder, FeatureBatchHeader, ScoredColumns
from models.schema.transaction import Transaction
from stream_app.archive.records import Records

STAMP_MS = 1_764_000_000_000
FIRST = 100
PARTITION = 3


class FakeMessage:
    """What a consumer hands out."""

    def __init__(self, offset: int, value: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
        self._offset, self._value, self._headers = offset, value, headers

    def value(self) -> bytes | None:
        return self._value

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 1, STAMP_MS + self._offset

    def headers(self) -> list[tuple[str, bytes]] | None:
        return self._headers


def records(*values: bytes | None, headers: list[list[tuple[str, bytes]]] | None = None) -> Records:
    """Values as one partition brought them, from offset FIRST on."""
    messages = [
        FakeMessage(FIRST + at, value, None if headers is None else headers[at]) for at, value in enumerate(values)
    ]
    return Records("topic", PARTITION, cast("list[Message]", messages))


def feature_message(transactions: list[Transaction], first: int, **changed: Any) -> tuple[bytes, list[Any]]:
    """A message of `features` and its headers."""
    rows = len(transactions)
    scored = ScoredColumns(
        source_offset=np.arange(first, first + rows),
        score=np.full(rows, 0.5, np.float32),
        decision=np.zeros(rows, np.uint8),
        values=np.arange(rows * len(DEFAULT), dtype=np.float32).reshape(rows, len(DEFAULT)),
        writer=changed.get("writer", "w1"),
        epoch=0,
        role=changed.get("role", "champion"),
        model_version=changed.get("model_version", "m-1"),
        profiles_as_of=7,
        recomputed=changed.get("recomputed", False),
        verified=changed.get("verified", True),
        shadow_scores=changed.get("shadow_scores"),
    )
    last = first + max(rows, changed.get("covers", 0)) - 1
    header = FeatureBatchHeader(
        first, last, 0, scored.writer, "id", DEFAULT.version, scored.recomputed, changed.get("model_us", {})
    )
    return FeatureBatchEncoder(DEFAULT.names).encode(transactions, scored), header.encode()
