"""What the fault suite counts: a break in the output must show in its sums."""

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pytest

from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.feature_batch import FeatureBatchEncoder, ScoredColumns
from models.schema.topics import TopicNames
from models.schema.transaction import Transaction
from stream_app.chaos.accounts import Accounts, _longest_gap_ms, _undisturbed
from tests.support.payments import payments


class Record:
    """As much of a Kafka record as the accounts read."""

    def __init__(self, value: bytes, offset: int, at_ms: int) -> None:
        self._value, self._offset, self._at_ms = value, offset, at_ms

    def value(self) -> bytes:
        return self._value

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 2, self._at_ms


class Log:
    """A topic that has been read."""

    def __init__(self, topic: str, records: Iterable[Record]) -> None:
        self.topic, self.records = topic, {0: list(records)}

    def read(self) -> None:
        """Nothing new."""


SENT = payments(40)


def score(offset: int, transaction: Transaction, writer: str = "w") -> bytes:
    return msgspec.json.encode(
        {
            "transaction_id": transaction.transaction_id,
            "source_offset": offset,
            "epoch": 0,
            "writer": writer,
            "model_version": "m",
            "degraded": False,
            "decision": "approve",
        }
    )


def accounts(scored: list[tuple[int, Transaction]], values: Any = None) -> Accounts:
    made = Accounts("nowhere:1", TopicNames())
    made._source = Log("transactions", [Record(wire.encode(one), i, 1000 + i) for i, one in enumerate(SENT)])  # type: ignore[assignment]
    made._scores = Log("scores", [Record(score(*one), i, 1010 + i) for i, one in enumerate(scored)])  # type: ignore[assignment]
    made._features = Log("features", [Record(feature_rows(_undisturbed(SENT) if values is None else values), 0, 0)])  # type: ignore[assignment]
    made._dead = Log("dead-letter", [])  # type: ignore[assignment]
    return made


def feature_rows(values: np.ndarray) -> bytes:
    rows = len(SENT)
    columns = ScoredColumns(
        np.arange(rows), np.zeros(rows, np.float32), np.zeros(rows, np.uint8), values, "w", 0, "champion", "m", 0,
        recomputed=False, verified=True,
    )  # fmt: skip
    return FeatureBatchEncoder(DEFAULT.names).encode(SENT, columns)


WHOLE = list(enumerate(SENT))


def test_a_whole_run_has_nothing_to_complain_of() -> None:
    sums = accounts(WHOLE).sums()
    assert (sums.events, sums.lost, sums.duplicated, sums.out_of_order, sums.feature_differences) == (40, 0, 0, 0, 0)


def test_a_score_that_never_came_is_lost() -> None:
    assert accounts(WHOLE[:10] + WHOLE[11:]).sums().lost == 1


def test_a_record_that_comes_again_is_dropped_by_the_readers_rule() -> None:
    sums = accounts(WHOLE[:10] + WHOLE[5:]).sums()
    assert (sums.duplicated, sums.duplicated_raw, sums.lost) == (0, 5, 0)


def test_a_transaction_scored_on_anothers_place_is_seen_twice_and_out_of_order() -> None:
    sums = accounts([*WHOLE[:10], (10, SENT[9]), *WHOLE[11:]]).sums()
    assert (sums.duplicated, sums.out_of_order) == (1, 1)


def test_one_bit_of_one_feature_is_a_difference() -> None:
    values = _undisturbed(SENT).copy()
    values.view(np.uint32)[7, 3] ^= 1
    assert accounts(WHOLE, values).sums().feature_differences == 1


@pytest.mark.parametrize(
    ("sent", "scored", "gap"),
    [
        ([0, 10, 20], [5, 15, 25], 5),
        ([0, 10, 5000], [5, 15, 5005], 5),  # the bank was silent, not the worker
        ([0, 10, 20], [5, 4015, 4016], 4005),
        ([0, 10, 20], [5, None, 3005], 2985),
    ],
)
def test_a_gap_is_the_time_a_partition_stands_still_while_a_transaction_waits(
    sent: list[int], scored: list[int | None], gap: int
) -> None:
    assert _longest_gap_ms(sent, scored, 0) == gap


def test_of_a_gap_that_began_before_gaps_count_only_the_rest_does() -> None:
    assert _longest_gap_ms([0, 10, 20, 30], [200, 300, 1300, 1301], since_ms=900) == 400
