"""The feature log: Arrow IPC messages of one or more scored batches, every feature value as it was used."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.errors import FraudstreamError, one_line
from models.schema.arrow_columns import ALL_VALID, Column, fixed, per_row, texts
from models.schema.arrow_message import refuse_compressed
from models.schema.arrow_stream import BatchStream, Names
from models.schema.field_types import EARLIEST_MS, LATEST_MS
from models.schema.score import Decision, Role
from models.schema.shadow_scores import SHADOW_SCORES, ShadowScores, no_shadow_scores, shadow_scores_of
from models.schema.transaction import Transaction
from models.schema.transaction_fields import TransactionFields

DECISIONS: Final[tuple[Decision, ...]] = ("approve", "review", "decline")
MOST_ROWS: Final = 10_000
"""As many records as a worker scores at once at most (`fraudstream score --batch`)."""
_LARGEST_OFFSET: Final = 2**62
_LARGEST_EPOCH: Final = 2**31 - 1
_LARGEST_DICTIONARY_BYTES: Final = 8192
"""Of the names of models, of roles, decisions or writers in a message; every row may repeat the longest."""
ROLES: Final[tuple[Role, ...]] = ("champion", "canary")


class FeatureBatchError(FraudstreamError):
    """Raised when a message of the feature log cannot be decoded."""


@dataclass(frozen=True, slots=True)
class FeatureBatchHeader:
    """What a reader must know before opening the message; it travels in the record's headers.

    `first_offset` to `last_offset` is the range of `transactions` offsets that this message covers, with those that
    were rejected or are gaps; a message without rows says that the whole range was rejected. `model_us` says what each
    model took for the batch, in microseconds a row, NaN for one that gave no scores; it is there only while models are
    placed beside the champion.
    """

    first_offset: int
    last_offset: int
    epoch: int
    writer: str
    topic_id: str
    feature_set: str
    recomputed: bool
    model_us: Mapping[str, float] = field(default_factory=dict, hash=False)

    def encode(self) -> list[tuple[str, bytes]]:
        """The header as Kafka record headers."""
        headers = [
            ("first_offset", str(self.first_offset).encode()),
            ("last_offset", str(self.last_offset).encode()),
            ("epoch", str(self.epoch).encode()),
            ("writer", self.writer.encode()),
            ("topic_id", self.topic_id.encode()),
            ("feature_set", self.feature_set.encode()),
            ("recomputed", b"1" if self.recomputed else b"0"),
        ]
        if self.model_us:
            text = ",".join(f"{version}={us:.2f}" for version, us in self.model_us.items())
            headers.append(("model_us", text.encode()))
        return headers

    @classmethod
    def decode(cls, headers: Iterable[tuple[str, bytes | None]]) -> "FeatureBatchHeader":
        """The header out of Kafka record headers; raises FeatureBatchError naming what is missing or malformed."""
        found = {key: value.decode("utf-8", "replace") for key, value in headers if isinstance(value, bytes)}
        try:
            first = _number(found, "first_offset", _LARGEST_OFFSET)
            return cls(
                first_offset=first,
                last_offset=_number(found, "last_offset", _LARGEST_OFFSET, first),
                epoch=_number(found, "epoch", _LARGEST_EPOCH),
                writer=found["writer"],
                topic_id=found["topic_id"],
                feature_set=found["feature_set"],
                recomputed=found["recomputed"] == "1",
                model_us=_model_us(found.get("model_us", "")),
            )
        except (KeyError, ValueError) as error:
            raise FeatureBatchError(f"feature batch header is missing or malformed: {one_line(error)}") from error


def _number(found: Mapping[str, str], name: str, largest: int, smallest: int = 0) -> int:
    number = int(found[name])
    if not smallest <= number <= largest:
        raise ValueError(f"{name} {found[name][:40]} lies outside {smallest} to {largest}")
    return number


def _model_us(text: str) -> dict[str, float]:
    """Read `VERSION=MICROSECONDS,...`; raises ValueError for anything else."""
    found: dict[str, float] = {}
    for entry in text.split(",") if text else ():
        version, equals, number = entry.partition("=")
        us = float(number)
        if not version or not equals or version in found or us < 0 or us == float("inf"):
            raise ValueError(f"model_us has {entry!r}, which is no VERSION=MICROSECONDS")
        found[version] = us
    return found


@dataclass(frozen=True, slots=True)
class ScoredColumns:
    """What scoring adds to a batch of transactions, one entry per row (constants as scalars).

    `source_offset`, `score`, `decision` (index into DECISIONS), `values` float32 [n, features]; `verified` is False
    on a recomputed row whose score did not come out as the one that was published: such a row is not trained on.
    `control` is True on a decline that was let pass at random (its decision reads approve), `pass_probability` is the
    chance of a row to pass: 1 where nothing would have stopped it, 0 where it could not. `shadow_scores` are those of
    the models that did not decide, None where no other scored.
    """

    source_offset: NDArray[np.int64]
    score: NDArray[np.float32]
    decision: NDArray[np.uint8]
    values: NDArray[np.float32]
    writer: str
    epoch: int
    role: Sequence[str] | str
    model_version: Sequence[str] | str
    profiles_as_of: int
    recomputed: bool
    verified: NDArray[np.bool_] | bool
    control: NDArray[np.bool_] | bool = False
    pass_probability: NDArray[np.float32] | float = 1.0
    shadow_scores: ShadowScores | None = None


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
        if not pa.types.is_dictionary(column.type):
            return list(column.to_pylist())
        names = column.dictionary.to_pylist()
        return [names[code] for code in column.indices.to_pylist()]

    def scores_of(self, version: str) -> NDArray[np.float32]:
        """What a model said of each row, whether it decided it or not; NaN where it said nothing."""
        decided = np.array([name == version for name in self.strings("model_version")], np.bool_)
        scores = np.where(decided, self.numpy("score"), np.float32(np.nan)).astype(np.float32)
        rows, beside = shadow_scores_of(self.table.column("shadow_scores"), version)
        scores[rows] = beside
        return scores


class FeatureBatchEncoder:
    """Turns a scored batch into the bytes of one message."""

    def __init__(self, feature_names: Sequence[str]) -> None:
        schema = pa.schema([*_FIELDS, _values_field(len(feature_names))])
        self._stream = BatchStream(schema.with_metadata({"feature_names": ",".join(feature_names)}))

    def encode(self, transactions: TransactionFields | Sequence[Transaction], scored: ScoredColumns) -> bytes:
        """Bytes of an Arrow IPC stream with one record batch.

        Parameters
        ----------
        transactions:
            The n transactions of the batch, in offset order, or what was taken of them.
        scored:
            What scoring found for the same rows.
        """
        rows = len(transactions)
        taken = transactions if isinstance(transactions, TransactionFields) else TransactionFields.of(transactions)
        transaction_id, card_id, terminal_id, currency, mcc, country, channel = texts(
            (
                taken.transaction_id, taken.card_id, taken.terminal_id,
                taken.currency, taken.mcc, taken.merchant_country, taken.channel,
            ),
            rows,
        )  # fmt: skip
        roles, role = _names(scored.role)
        models, model = _names(scored.model_version)
        columns = (
            fixed(scored.source_offset, np.int64),
            per_row(scored.epoch, np.int32, rows),
            per_row(0, np.int8, rows),
            transaction_id,
            fixed(taken.event_time, np.int64),
            card_id,
            terminal_id,
            fixed(taken.amount_minor, np.int64),
            currency,
            mcc,
            country,
            channel,
            fixed(scored.score, np.float32),
            fixed(scored.decision, np.int8),
            per_row(role, np.int8, rows),
            per_row(model, np.int8, rows),
            per_row(scored.control, np.bool_, rows),
            per_row(scored.pass_probability, np.float32, rows),
            no_shadow_scores(rows) if scored.shadow_scores is None else scored.shadow_scores.to_column(),
            per_row(scored.profiles_as_of, np.int64, rows),
            per_row(scored.recomputed, np.bool_, rows),
            per_row(scored.verified, np.bool_, rows),
            _matrix(scored.values),
        )
        return self._stream.encode(rows, columns, ((scored.writer,), DECISIONS, roles, models))


def decode_feature_batch(message: bytes) -> FeatureRows:
    """Rows of one message; raises FeatureBatchError when it is not an Arrow stream of this shape.

    Nothing of the message is believed before it is checked: a length that it claims is held against its bytes, a
    compressed one is refused before it is unfolded, and text, offsets and codes are valid before anyone looks at them.
    """
    try:
        refuse_compressed(message)
        with pa.ipc.open_stream(message) as reader:
            batch = reader.read_next_batch()
            metadata = reader.schema.metadata or {}
        names = tuple(metadata[b"feature_names"].decode().split(","))
        _check(batch, len(names))
        column: Any = batch.column("values")
        values = column.flatten().to_numpy(zero_copy_only=False).reshape(batch.num_rows, len(names))
        return FeatureRows(batch.drop_columns(["values"]), values, names)
    except (pa.ArrowException, KeyError, ValueError, StopIteration, OSError) as error:
        raise FeatureBatchError(
            f"feature batch of {len(message)} bytes cannot be decoded: {one_line(error)}"
        ) from error


def _check(batch: pa.RecordBatch, width: int) -> None:
    """Raise ValueError or ArrowInvalid unless every column is of its type and holds what its type says."""
    if batch.num_rows > MOST_ROWS:
        raise ValueError(f"{batch.num_rows} rows; at most {MOST_ROWS} are read")
    if batch.schema not in _proven:
        _check_schema(batch.schema, width)
        _proven.append(batch.schema)
    batch.validate(full=True)
    columns: dict[str, Any] = dict(zip(batch.schema.names, batch.columns, strict=True))
    for name, column in columns.items():
        if name not in _MAY_BE_NULL and column.null_count:
            raise ValueError(f"column {name} has {column.null_count} nulls")
        if name in _NAMED and column.dictionary.nbytes > _LARGEST_DICTIONARY_BYTES:
            raise ValueError(f"the names of column {name} take {column.dictionary.nbytes} bytes")
    if batch.num_rows:
        _check_range("event_time", batch, EARLIEST_MS, LATEST_MS - 1)
        _check_range("source_offset", batch, 0, _LARGEST_OFFSET)


def _check_schema(schema: pa.Schema, width: int) -> None:
    types = {known.name: known.type for known in (*_FIELDS, _values_field(width))}
    missing = types.keys() - set(schema.names)
    if missing:
        raise ValueError(f"column {min(missing)} is missing")
    if len(set(schema.names)) != len(schema.names):
        raise ValueError("a column stands twice")
    for found in schema:
        if found.type != types.get(found.name, found.type):
            raise ValueError(f"column {found.name} is {found.type}, not {types[found.name]}")


def _check_range(name: str, batch: pa.RecordBatch, smallest: int, largest: int) -> None:
    numbers = batch.column(name).to_numpy()
    if numbers.min() < smallest or numbers.max() > largest:
        raise ValueError(f"{name} from {numbers.min()} to {numbers.max()}")


def _values_field(width: int) -> "pa.Field[Any]":
    return pa.field("values", pa.list_(pa.field("item", pa.float32(), nullable=False), width))


_MAY_BE_NULL: Final = {"mcc", "country", "channel", "shadow_scores"}
_proven: Final[deque[pa.Schema]] = deque(maxlen=8)
"""Schemas that were found to be right: to look at one costs more than to decode a batch."""
_NAME = pa.dictionary(pa.int8(), pa.string())
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
    pa.field("shadow_scores", SHADOW_SCORES),
    pa.field("profiles_as_of", pa.int64()),
    pa.field("recomputed", pa.bool_()),
    pa.field("verified", pa.bool_()),
]


_NAMED: Final = {named.name for named in _FIELDS if named.type == _NAME}


def _names(found: Sequence[str] | str) -> tuple[Names, NDArray[np.int8] | int]:
    """The names of a column, and the code of each row or of all."""
    if isinstance(found, str):
        return (found,), 0
    names = tuple(sorted(set(found)))
    codes = {name: code for code, name in enumerate(names)}
    return names, np.array([codes[name] for name in found], np.int8)


def _matrix(values: NDArray[np.float32]) -> Column:
    """A list of fixed size for each row, over numpy's own memory."""
    flat = np.ascontiguousarray(values, np.float32).reshape(-1)
    return Column((len(values), 0, len(flat), 0), (ALL_VALID, ALL_VALID, flat.view(np.uint8)))
