"""The feature log: one Arrow IPC message per scored batch, every feature value as it was used."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.errors import FraudstreamError
from models.schema.score import Decision
from models.schema.transaction import Transaction

DECISIONS: Final[tuple[Decision, ...]] = ("approve", "review", "decline")
ROLES = ("champion", "canary")


class FeatureBatchError(FraudstreamError):
    """Raised when a message of the feature log cannot be decoded."""


@dataclass(frozen=True, slots=True)
class FeatureBatchHeader:
    """What a reader must know before opening the message; it travels in the record's headers.

    `first_offset` to `last_offset` is the range of `transactions` offsets that this message covers, with those that
    were rejected or are gaps; a message without rows says that the whole range was rejected.
    """

    first_offset: int
    last_offset: int
    epoch: int
    writer: str
    topic_id: str
    feature_set: str
    recomputed: bool

    def encode(self) -> list[tuple[str, bytes]]:
        """The header as Kafka record headers."""
        return [
            ("first_offset", str(self.first_offset).encode()),
            ("last_offset", str(self.last_offset).encode()),
            ("epoch", str(self.epoch).encode()),
            ("writer", self.writer.encode()),
            ("topic_id", self.topic_id.encode()),
            ("feature_set", self.feature_set.encode()),
            ("recomputed", b"1" if self.recomputed else b"0"),
        ]

    @classmethod
    def decode(cls, headers: Iterable[tuple[str, bytes]]) -> "FeatureBatchHeader":
        """The header out of Kafka record headers; raises FeatureBatchError naming what is missing or malformed."""
        found = {key: value.decode("utf-8", "replace") for key, value in headers}
        try:
            return cls(
                first_offset=int(found["first_offset"]),
                last_offset=int(found["last_offset"]),
                epoch=int(found["epoch"]),
                writer=found["writer"],
                topic_id=found["topic_id"],
                feature_set=found["feature_set"],
                recomputed=found["recomputed"] == "1",
            )
        except (KeyError, ValueError) as error:
            raise FeatureBatchError(f"feature batch header is missing or malformed: {error}") from error


@dataclass(frozen=True, slots=True)
class ScoredColumns:
    """What scoring adds to a batch of transactions, one entry per row (constants as scalars).

    `source_offset`, `score`, `decision` (index into DECISIONS), `values` float32 [n, features]; `verified` is False
    on a recomputed row whose score did not come out as the one that was published: such a row is not trained on.
    `control` is True on a decline that was let pass at random (its decision reads approve), `pass_probability` is the
    chance of a row to pass: 1 where nothing would have stopped it, 0 where it could not.
    """

    source_offset: NDArray[np.int64]
    score: NDArray[np.float32]
    decision: NDArray[np.uint8]
    values: NDArray[np.float32]
    writer: str
    epoch: int
    role: str
    model_version: Sequence[str] | str
    profiles_as_of: int
    recomputed: bool
    verified: NDArray[np.bool_] | bool
    control: NDArray[np.bool_] | bool = False
    pass_probability: NDArray[np.float32] | float = 1.0


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """A decoded message: `table` holds every column but `values`, which is float32 [n, features]."""

    table: pa.RecordBatch
    values: NDArray[np.float32]
    feature_names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def numpy(self, name: str) -> NDArray[Any]:
        """One numeric or boolean column."""
        return np.asarray(self.table.column(name).to_numpy(zero_copy_only=False))

    def strings(self, name: str) -> list[str]:
        """One text column."""
        column: Any = self.table.column(name)
        return list((column.dictionary_decode() if pa.types.is_dictionary(column.type) else column).to_pylist())


class FeatureBatchEncoder:
    """Turns a scored batch into the bytes of one message; the Arrow schema is built once."""

    def __init__(self, feature_names: Sequence[str]) -> None:
        self._width = len(feature_names)
        item = pa.field("item", pa.float32(), nullable=False)
        self._schema = pa.schema([*_FIELDS, pa.field("values", pa.list_(item, self._width))]).with_metadata(
            {"feature_names": ",".join(feature_names)}
        )

    def encode(self, transactions: Sequence[Transaction], scored: ScoredColumns) -> bytes:
        """Bytes of an Arrow IPC stream with one record batch.

        Parameters
        ----------
        transactions:
            The n transactions of the batch, in offset order.
        scored:
            What scoring found for the same rows.
        """
        rows = len(transactions)
        taken = zip(*map(_FROM_TRANSACTION, transactions), strict=True) if rows else ((),) * len(_TRANSACTION_FIELDS)
        values: Any = pa.FixedSizeListArray.from_arrays(
            pa.array(np.ascontiguousarray(scored.values).reshape(-1)), self._width
        )
        arrays = [
            pa.array(scored.source_offset, pa.int64()),
            pa.array(np.full(rows, scored.epoch, np.int32)),
            _constant(scored.writer, rows),
            *(pa.array(column, of_type) for column, of_type in zip(taken, _TRANSACTION_TYPES, strict=True)),
            pa.array(scored.score, pa.float32()),
            pa.DictionaryArray.from_arrays(scored.decision.view(np.int8), _DECISION_NAMES),
            _constant(scored.role, rows),
            _model_versions(scored.model_version, rows),
            pa.array(np.broadcast_to(np.asarray(scored.control, np.bool_), rows)),
            pa.array(np.broadcast_to(np.asarray(scored.pass_probability, np.float32), rows)),
            pa.nulls(rows, _SHADOW_SCORES),
            pa.array(np.full(rows, scored.profiles_as_of, np.int64)),
            pa.array(np.full(rows, scored.recomputed)),
            pa.array(np.broadcast_to(np.asarray(scored.verified, np.bool_), rows)),
            values,
        ]
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self._schema) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        return sink.getvalue().to_pybytes()


def decode_feature_batch(message: bytes) -> FeatureRows:
    """Rows of one message; raises FeatureBatchError when it is not an Arrow stream of this shape."""
    try:
        with pa.ipc.open_stream(message) as reader:
            batch = reader.read_next_batch()
            metadata = reader.schema.metadata or {}
        names = tuple(metadata[b"feature_names"].decode().split(","))
        column: Any = batch.column("values")
        values = column.flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, len(names))
        return FeatureRows(batch.drop_columns(["values"]), values, names)
    except (pa.ArrowException, KeyError, ValueError, StopIteration, OSError) as error:
        raise FeatureBatchError(f"feature batch of {len(message)} bytes cannot be decoded: {error}") from error


_NAME = pa.dictionary(pa.int8(), pa.string())
_SHADOW_SCORES = pa.list_(pa.struct([("model_version", pa.string()), ("score", pa.float32())]))
_DECISION_NAMES = pa.array(DECISIONS)
_FIELDS = [
    pa.field("source_offset", pa.int64()),
    pa.field("epoch", pa.int32()),
    pa.field("writer", _NAME),
    pa.field("transaction_id", pa.string()),
    pa.field("event_time", pa.int64()),
    pa.field("card_id", pa.string()),
    pa.field("terminal_id", pa.string()),
    pa.field("amount_minor", pa.int64()),
    pa.field("currency", pa.string()),
    pa.field("mcc", pa.string()),
    pa.field("country", pa.string()),
    pa.field("channel", pa.string()),
    pa.field("score", pa.float32()),
    pa.field("decision", _NAME),
    pa.field("role", _NAME),
    pa.field("model_version", _NAME),
    pa.field("control", pa.bool_()),
    pa.field("pass_probability", pa.float32()),
    pa.field("shadow_scores", _SHADOW_SCORES),
    pa.field("profiles_as_of", pa.int64()),
    pa.field("recomputed", pa.bool_()),
    pa.field("verified", pa.bool_()),
]


_TRANSACTION_FIELDS = {
    "transaction_id": pa.string(),
    "event_time": pa.int64(),
    "card_id": pa.string(),
    "terminal_id": pa.string(),
    "amount_minor": pa.int64(),
    "currency": pa.string(),
    "mcc": pa.string(),
    "merchant_country": pa.string(),
    "channel": pa.string(),
}
_TRANSACTION_TYPES = tuple(_TRANSACTION_FIELDS.values())
_FROM_TRANSACTION = attrgetter(*_TRANSACTION_FIELDS)


def _constant(text: str, rows: int) -> Any:
    return pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), pa.array([text]))


def _model_versions(versions: Sequence[str] | str, rows: int) -> Any:
    if isinstance(versions, str):
        return _constant(versions, rows)
    names, codes = np.unique(np.asarray(versions), return_inverse=True)
    return pa.DictionaryArray.from_arrays(codes.astype(np.int8), pa.array(names.tolist(), pa.string()))
