"""The four Delta tables of the archive: their names, their columns, and the order in which they are written."""

from typing import Any, Final

import pyarrow as pa

from models.errors import FraudstreamError
from models.schema.shadow_scores import SHADOW_SCORES
from models.schema.topics import FEATURES, LABELS, SCORES, TRANSACTIONS

TABLES: Final = (TRANSACTIONS, LABELS, FEATURES, SCORES)
"""In the order of writing: when a score is in its table, so is what was taken in with it."""

EVENT_DAY: Final = "event_day"
_ORIGIN: Final = (
    pa.field("kafka_partition", pa.int32()),
    pa.field("kafka_offset", pa.int64()),
    pa.field("kafka_timestamp", pa.int64()),
    pa.field(EVENT_DAY, pa.date32()),
)
_REASON_CODES: Final = pa.list_(
    pa.struct(
        [("code", pa.string()), ("feature", pa.string()), ("value", pa.float64()), ("contribution", pa.float64())]
    )
)


class ArchiveMissingError(FraudstreamError):
    """Raised when there is no archive at a URL."""


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([*(pa.field(name, of_type) for name, of_type in columns.items()), *_ORIGIN])


SCHEMAS: Final[dict[str, pa.Schema]] = {
    TRANSACTIONS: _schema(
        transaction_id=pa.string(),
        event_time=pa.int64(),
        card_id=pa.string(),
        terminal_id=pa.string(),
        amount_minor=pa.int64(),
        currency=pa.string(),
        schema_version=pa.int32(),
        customer_id=pa.string(),
        account_id=pa.string(),
        merchant_id=pa.string(),
        mcc=pa.string(),
        merchant_country=pa.string(),
        channel=pa.string(),
        entry_mode=pa.string(),
        device_id=pa.string(),
    ),
    LABELS: _schema(
        transaction_id=pa.string(),
        card_id=pa.string(),
        terminal_id=pa.string(),
        event_time=pa.int64(),
        is_fraud=pa.bool_(),
        label_source=pa.string(),
        labelled_at=pa.int64(),
        schema_version=pa.int32(),
    ),
    FEATURES: _schema(
        source_offset=pa.int64(),
        epoch=pa.int32(),
        writer=pa.string(),
        transaction_id=pa.string(),
        event_time=pa.int64(),
        card_id=pa.string(),
        terminal_id=pa.string(),
        amount_minor=pa.int64(),
        currency=pa.string(),
        mcc=pa.string(),
        country=pa.string(),
        channel=pa.string(),
        score=pa.float32(),
        decision=pa.string(),
        role=pa.string(),
        model_version=pa.string(),
        control=pa.bool_(),
        pass_probability=pa.float32(),
        shadow_scores=SHADOW_SCORES,
        profiles_as_of=pa.int64(),
        recomputed=pa.bool_(),
        verified=pa.bool_(),
        values=pa.list_(pa.float32()),
        feature_set=pa.string(),
    ),
    SCORES: _schema(
        transaction_id=pa.string(),
        event_time=pa.int64(),
        card_id=pa.string(),
        score=pa.float64(),
        score_scaled=pa.int32(),
        decision=pa.string(),
        reason_codes=_REASON_CODES,
        model_version=pa.string(),
        feature_set=pa.string(),
        role=pa.string(),
        scored_at=pa.int64(),
        degraded=pa.bool_(),
        duplicate=pa.bool_(),
        source_offset=pa.int64(),
        epoch=pa.int32(),
        writer=pa.string(),
        schema_version=pa.int32(),
        kept=pa.bool_(),
    ),
}


def event_days(rows: Any, column: str = EVENT_DAY) -> list[int]:
    """Return the event day of each row of a table."""
    days: list[int] = rows.column(column).cast(pa.int32()).to_pylist()
    return days


def table_url(base: str, table: str) -> str:
    """Return where a table lies under the archive's URL."""
    return f"{base.rstrip('/')}/{table}"
