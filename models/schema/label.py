"""A statement about a transaction on the topic `labels`, keyed by card_id: fraud, or not after all."""

from typing import Literal

import msgspec

from models.schema.field_types import Identifier, TimeMs, Version1, version_1

LabelSource = Literal["chargeback", "issuer_report", "analyst", "customer_report"]


class Label(msgspec.Struct, frozen=True, gc=False):
    """Says whether a transaction was fraud; of several the latest labelled_at, then the last offset, wins."""

    transaction_id: Identifier
    card_id: Identifier
    terminal_id: Identifier
    event_time: TimeMs
    is_fraud: bool
    label_source: LabelSource
    labelled_at: TimeMs
    schema_version: Version1 = msgspec.field(default_factory=version_1)
