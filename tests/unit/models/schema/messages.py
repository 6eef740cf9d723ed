"""Transactions as a bank would send them, to be broken in one place each."""

import json
from typing import Any

MIDNIGHT_MS = 1_525_132_800_000
CARD_NUMBER = "4111111111111111"


def message(**changes: Any) -> bytes:
    """A valid message with some fields changed; None takes a field out."""
    fields: dict[str, Any] = {
        "schema_version": 1,
        "transaction_id": "tx-1",
        "event_time": MIDNIGHT_MS,
        "card_id": "c1",
        "terminal_id": "t1",
        "amount_minor": 1250,
        "currency": "EUR",
    }
    fields.update(changes)
    return json.dumps({name: value for name, value in fields.items() if value is not None}).encode()
