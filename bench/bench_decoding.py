"""Decoding: CPU per message, bytes to transactions and to columns, beside libraries that validate nothing.

With all fields that the simulator knows, and with the required ones alone.
"""

import json
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import Final

import msgspec
import pyarrow.json as pa_json

from bench.hot_path import HotPath, batches_of, in_turn, run
from bench.workload import Workload
from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from models.schema.transaction import Transaction

BATCH: Final = 500
BATCHES: Final = 20
REQUIRED: Final = ("transaction_id", "event_time", "card_id", "terminal_id", "amount_minor", "currency")
RATES: Final = default_reporting_currency()


def measure(rounds: int) -> Iterator[HotPath]:
    whole = [value for _, value in Workload.simulated(BATCH * BATCHES * rounds).messages]
    required = [_required(value) for value in whole]
    for fields, values in (("all fields", whole), ("required fields", required)):
        batches = batches_of(values, BATCH, rounds, BATCHES)
        yield in_turn(f"decode, {fields}", _decode, batches, "json.loads", _json_loads, batches)
        yield in_turn(f"decode to columns, {fields}", _columns, batches, "pyarrow.json", _arrow, batches)


def _required(value: bytes) -> bytes:
    found = msgspec.json.decode(value, type=Transaction)
    return msgspec.json.encode({name: getattr(found, name) for name in REQUIRED} | {"schema_version": 1})


def _decode(batch: Sequence[bytes]) -> object:
    return decode_transactions(batch, RATES)


def _columns(batch: Sequence[bytes]) -> object:
    return TransactionColumns.from_transactions(decode_transactions(batch, RATES)[0], RATES)


def _json_loads(batch: Sequence[bytes]) -> object:
    return list(map(json.loads, batch))


def _arrow(batch: Sequence[bytes]) -> object:
    options = pa_json.ReadOptions(use_threads=False)
    return pa_json.read_json(BytesIO(b"\n".join(batch)), read_options=options)


if __name__ == "__main__":
    run(__doc__, measure)
