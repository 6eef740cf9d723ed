"""JSON records of `transactions`, `labels` and `scores` as columns of their tables."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from models.schema import wire
from models.schema.decoding import Rejection, decode_labels, decode_scores, decode_transactions
from models.schema.field_types import EARLIEST_MS
from models.schema.label import Label
from models.schema.money import default_reporting_currency
from models.schema.score import ReasonCode, Score
from models.schema.topics import LABELS, SCORES, TRANSACTIONS
from models.schema.transaction import Transaction
from stream_app.archive.reader_rule import LARGEST_EPOCH, LARGEST_OFFSET, ReaderRule, source_keys
from stream_app.archive.records import Decoded, Records, row_batch
from stream_app.archive.tables import SCHEMAS

_REASON_CODES: Final = SCHEMAS[SCORES].field("reason_codes").type
_REASON_FIELDS: Final = attrgetter(*ReasonCode.__struct_fields__)


class StructColumns:
    """Turns records of one struct into columns, one call per column.

    Parameters
    ----------
    record: the struct; its table's schema has a column of each name.
    """

    def __init__(self, record: type[msgspec.Struct]) -> None:
        self._fields = {name: attrgetter(name) for name in record.__struct_fields__}

    def columns(self, records: Sequence[Any]) -> dict[str, Sequence[Any]]:
        """The columns by name. One pass per column: a tuple per record, turned around, takes five times as long."""
        return {name: list(map(field, records)) for name, field in self._fields.items()}


_transactions = StructColumns(Transaction)
_labels = StructColumns(Label)
_scores = StructColumns(Score)


def transaction_rows(records: Records) -> Decoded:
    """Rows of `transactions`: what the scorer would take, so a currency without a rate is refused here too."""
    good, indices, refused = decode_transactions(records.values, default_reporting_currency())
    columns = _transactions.columns(good)
    return Decoded(row_batch(SCHEMAS[TRANSACTIONS], columns, records, *records.origin(indices)), refused)


def label_rows(records: Records) -> Decoded:
    """Rows of `labels`."""
    good, indices, refused = decode_labels(records.values)
    return Decoded(row_batch(SCHEMAS[LABELS], _labels.columns(good), records, *records.origin(indices)), refused)


def score_rows(records: Records, rule: ReaderRule) -> Decoded:
    """Rows of `scores`, with what the reader's rule says of each."""
    good, indices, refused = decode_scores(records.values)
    columns: dict[str, Any] = dict(_scores.columns(good))
    if good and (max(columns["epoch"]) > LARGEST_EPOCH or max(columns["source_offset"]) > LARGEST_OFFSET):
        impossible = [at for at, score in enumerate(good) if not _is_possible(score)]
        refused = sorted([*refused, *(_impossible(records, indices[at], good[at]) for at in impossible)])
        indices = [index for at, index in enumerate(indices) if at not in impossible]
        columns = dict(_scores.columns([score for at, score in enumerate(good) if at not in impossible]))
    keys = source_keys(np.array(columns["epoch"], np.int64), np.array(columns["source_offset"], np.int64))
    columns["kept"] = rule.kept(records.partition, keys)
    columns["reason_codes"] = _reason_codes(columns["reason_codes"])
    return Decoded(row_batch(SCHEMAS[SCORES], columns, records, *records.origin(indices)), refused)


def load_kernels() -> None:
    """Load what is compiled, by a made-up label: the first record must not hold the process up for a second."""
    decode_labels([wire.encode(Label("a", "b", "c", EARLIEST_MS, True, "analyst", EARLIEST_MS))])


def _is_possible(score: Score) -> bool:
    return score.source_offset <= LARGEST_OFFSET and score.epoch <= LARGEST_EPOCH


def _impossible(records: Records, index: int, score: Score) -> Rejection:
    reason = f"epoch {score.epoch} or source_offset {score.source_offset} is larger than any there can be"
    return Rejection.of(index, reason, records.messages[index].value())


def _reason_codes(lists: Sequence[Sequence[ReasonCode]]) -> "pa.Array[Any]":
    """Most scores carry none: the few that do are flattened, field by field."""
    ends = np.cumsum(np.fromiter(map(len, lists), np.int32, len(lists)), dtype=np.int32)
    flat = [code for codes in lists if codes for code in codes]
    taken = list(zip(*map(_REASON_FIELDS, flat), strict=True)) if flat else [()] * _REASON_CODES.value_type.num_fields
    children = [pa.array(column, field.type) for column, field in zip(taken, _REASON_CODES.value_type, strict=True)]
    values = pa.StructArray.from_arrays(children, fields=list(_REASON_CODES.value_type))
    return pa.ListArray.from_arrays(pa.array(np.concatenate(([0], ends)), pa.int32()), values, type=_REASON_CODES)
