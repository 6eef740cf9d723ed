"""CPU microseconds per message, bytes to columns, beside `json.loads` of the same messages, which checks nothing."""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence

from models.schema.columns import TransactionColumns
from models.schema.decoding import decode_transactions
from models.schema.money import default_reporting_currency
from models.schema.transaction import Transaction
from models.schema.wire import encode

BATCH = 500
BATCHES = 40
ROUNDS = 9


def messages(*, full: bool) -> list[list[bytes]]:
    """Return batches of messages, with the required fields only or with all of them."""
    optional = {
        "customer_id": "u1",
        "account_id": "a1",
        "merchant_id": "m1",
        "mcc": "5411",
        "merchant_country": "DE",
        "channel": "pos",
        "entry_mode": "chip",
        "device_id": "d1",
    }
    values = [
        encode(
            Transaction(
                f"tx-{number}",
                1_525_132_800_000 + number,
                f"c{number % 5000}",
                f"t{number % 9000}",
                number % 100_000,
                "EUR",
                **(optional if full else {}),  # type: ignore[arg-type]  # texts all
            )
        )
        for number in range(BATCH * BATCHES)
    ]
    return [values[start : start + BATCH] for start in range(0, len(values), BATCH)]


def us_per_message(work: Callable[[list[bytes]], object], batches: list[list[bytes]]) -> float:
    """Return the median over rounds of the CPU time per message."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.thread_time()
        for batch in batches:
            work(batch)
        rounds.append((time.thread_time() - started) / (BATCH * BATCHES) * 1e6)
    return round(statistics.median(rounds), 3)


def measure(*, full: bool) -> dict[str, float]:
    """Return the microseconds per message of each way."""
    rates = default_reporting_currency()
    batches = messages(full=full)

    def decode(batch: list[bytes]) -> object:
        return decode_transactions(batch, rates)

    def decode_to_columns(batch: list[bytes]) -> object:
        return TransactionColumns.from_transactions(decode_transactions(batch, rates)[0], rates)

    return {
        "json_loads_us": us_per_message(lambda batch: list(map(json.loads, batch)), batches),
        "decode_us": us_per_message(decode, batches),
        "decode_to_columns_us": us_per_message(decode_to_columns, batches),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args(arguments).json
    figures = {"required fields": measure(full=False), "all fields": measure(full=True)}
    if as_json:
        print(json.dumps(figures))
        return
    for name, row in figures.items():
        print(f"{name}: " + ", ".join(f"{key.removesuffix('_us')} {value:.2f} us" for key, value in row.items()))


if __name__ == "__main__":
    main()
