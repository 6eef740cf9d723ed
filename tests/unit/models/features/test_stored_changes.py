"""Changes gathered a little at a time are those of all batches, in order."""

import numpy as np
import pytest

from models.features.card_entry import CHANGE, LARGEST_AMOUNT
from models.features.card_windows import DUPLICATE, LATE, TOO_LATE
from models.features.stored_changes import BATCHES_AT_ONCE, StoredChanges
from models.schema.columns import TransactionColumns


def some_columns(rng: np.random.Generator, rows: int) -> TransactionColumns:
    empty = TransactionColumns.empty()
    return TransactionColumns(
        **{
            name: rng.integers(0, 200 if name != "amount" else 2 * LARGEST_AMOUNT, rows).astype(
                getattr(empty, name).dtype
            )
            for name in TransactionColumns.__dataclass_fields__
        }
    )


@pytest.mark.parametrize("batches", [0, 1, BATCHES_AT_ONCE - 1, BATCHES_AT_ONCE, 3 * BATCHES_AT_ONCE + 5])
def test_changes_are_all_that_counted_in_order_however_many_batches_there_were(batches: int) -> None:
    rng = np.random.default_rng(batches)
    changes, expected = StoredChanges(), []
    for _ in range(batches):
        columns = some_columns(rng, int(rng.integers(0, 6)))
        status = rng.choice(np.array([0, LATE, DUPLICATE, TOO_LATE | LATE], np.uint8), len(columns))
        changes.add(columns, status)
        for row in np.flatnonzero((status == 0) | (status == LATE)):
            one = {name: int(getattr(columns, name)[row]) for name in CHANGE.names or ()}
            expected.append({**one, "amount": min(one["amount"], LARGEST_AMOUNT)})
    found = np.concatenate([np.zeros(0, CHANGE), *changes.take()])
    assert [{name: int(row[name]) for name in CHANGE.names or ()} for row in found] == expected
    assert changes.take() == []
