"""Transactions as columns."""

from dataclasses import replace

import numpy as np
import pytest

from models.schema.columns import ColumnsError, TransactionColumns
from models.schema.hashing import hash64
from models.schema.money import RatesError, ReportingCurrency, default_reporting_currency
from models.schema.transaction import Transaction
from tests.unit.models.schema.messages import MIDNIGHT_MS

RATES = default_reporting_currency()


def transaction(number: int = 1, **changes: object) -> Transaction:
    fields: dict[str, object] = {
        "transaction_id": f"tx-{number}",
        "event_time": MIDNIGHT_MS + number,
        "card_id": f"c{number}",
        "terminal_id": f"t{number}",
        "amount_minor": 100 * number,
        "currency": "EUR",
        **changes,
    }
    return Transaction(**fields)  # type: ignore[arg-type]


def test_each_field_becomes_a_column() -> None:
    full = transaction(merchant_country="DE", channel="ecommerce", entry_mode="chip", mcc="5411")
    columns = TransactionColumns.from_transactions([full, transaction(2)], RATES)
    assert columns.event_time.tolist() == [MIDNIGHT_MS + 1, MIDNIGHT_MS + 2]
    assert columns.amount.tolist() == [100, 200]
    assert columns.card.tolist() == [hash64("c1"), hash64("c2")]
    assert columns.transaction.tolist() == [hash64("tx-1"), hash64("tx-2")]
    assert columns.terminal.tolist() == [hash64("t1"), hash64("t2")]
    assert columns.country.tolist() == [276, 0]
    assert columns.channel.tolist() == [2, 0]
    assert columns.entry_mode.tolist() == [1, 0]
    assert columns.mcc.tolist() == [5411, 0]


def test_amounts_are_in_the_reporting_currency() -> None:
    rates = ReportingCurrency("EUR", "test", {"JPY": "0.006"})
    columns = TransactionColumns.from_transactions(
        [transaction(currency="JPY", amount_minor=1000), transaction(2)], rates
    )
    assert columns.amount.tolist() == [600, 200]


def test_a_currency_without_a_rate_is_an_error() -> None:
    with pytest.raises(RatesError, match="no rate for USD"):
        TransactionColumns.from_transactions([transaction(currency="USD")], ReportingCurrency("EUR", "test", {}))


def test_arrays_of_a_history_give_the_same_columns_as_its_transactions() -> None:
    transactions = [transaction(n, mcc="0742", channel="atm", merchant_country="FR") for n in range(1, 20)]
    streamed = TransactionColumns.from_transactions(transactions, RATES)
    offline = TransactionColumns.from_arrays(
        event_time=[one.event_time for one in transactions],
        amount=[one.amount_minor for one in transactions],
        card_ids=np.array([one.card_id for one in transactions]),
        transaction_ids=[one.transaction_id for one in transactions],
        terminal_ids=np.array([hash64(one.terminal_id) for one in transactions], np.uint64),
        country=["FR"] * 19,
        channel=np.array(["atm"] * 19).tolist(),
        mcc=("0742",) * 19,
    )
    for name in ("event_time", "amount", "card", "transaction", "terminal", "country", "channel", "entry_mode", "mcc"):
        assert getattr(streamed, name).dtype == getattr(offline, name).dtype
        assert getattr(streamed, name).tolist() == getattr(offline, name).tolist()


def test_parts_put_together_are_the_whole() -> None:
    whole = TransactionColumns.from_transactions([transaction(n) for n in range(10)], RATES)
    parts = [whole.slice(0, 4), whole.slice(4, 4), whole.slice(4, 10)]
    assert TransactionColumns.concat(parts).card.tolist() == whole.card.tolist()
    assert len(TransactionColumns.concat([])) == 0


def test_rows_can_be_picked() -> None:
    whole = TransactionColumns.from_transactions([transaction(n) for n in range(4)], RATES)
    assert whole.take(whole.amount > 100).amount.tolist() == [200, 300]
    assert whole.take(np.array([3, 0])).amount.tolist() == [300, 0]


def test_no_transactions_give_empty_columns() -> None:
    assert len(TransactionColumns.from_transactions([], RATES)) == 0


def test_columns_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(ColumnsError, match="column mcc is 1 x uint16, it must be 0 x uint16"):
        replace(TransactionColumns.empty(), mcc=np.zeros(1, np.uint16))
