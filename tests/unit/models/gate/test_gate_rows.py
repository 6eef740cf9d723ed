"""What the gate refuses to judge by."""

from dataclasses import replace

import numpy as np
import pytest

from models.gate.limits import GateError
from tests.unit.models.gate.small_gate import made_gate_rows

rows = made_gate_rows(rows=100, frauds=10)
spoiled = rows.champion.copy()
spoiled[0] = np.nan


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"card": rows.card[:5]}, "give one entry per row"),
        ({"values": rows.values[:, :3]}, "do not have 7 features"),
        ({"champion": spoiled}, "1 scores of the champion are not finite"),
        ({"weight": np.zeros(100)}, "leave declined rows out"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(wrong, words):
    with pytest.raises(GateError, match=words):
        replace(rows, **wrong)


def test_no_rows_are_refused():
    empty = {
        name: getattr(rows, name)[:0]
        for name in ("values", "is_fraud", "event_time", "card", "amount_minor", "champion", "candidate")
    }
    with pytest.raises(GateError, match="hold some out"):
        replace(rows, **empty)


def test_without_a_change_no_row_is_since_it_and_every_row_weighs_one():
    assert not replace(rows, changed_at=None).since_change.any()
    assert rows.since_change.sum() + (~rows.since_change).sum() == 100
    assert rows.weights.tolist() == [1.0] * 100
