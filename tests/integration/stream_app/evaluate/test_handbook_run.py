"""The evaluation on a file small enough for every test run."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.schema.topics import TopicNames
from stream_app.evaluate.handbook import HandbookEvaluation, HandbookPlan
from stream_app.stack.local_stack import LocalStack
from stream_app.worker_processes import Connections

DAY_MS = 86_400_000
DAYS = 17
ROWS_A_DAY = 250


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The handbook's columns; a fraud is a large amount or lies on one of two terminals."""
    chance = np.random.default_rng(5)
    rows = DAYS * ROWS_A_DAY
    terminal = chance.integers(0, 40, rows)
    large = chance.random(rows) < 0.02
    bad_terminal = (terminal < 2) & (chance.random(rows) < 0.6)
    start_ms = int(datetime(2018, 4, 1, tzinfo=UTC).timestamp() * 1000)
    times = np.sort(chance.integers(0, DAYS * DAY_MS, rows)) + start_ms
    table = {
        "TRANSACTION_ID": pa.array(np.arange(rows), pa.int32()),
        "TX_DATETIME": pa.array(times, pa.timestamp("ms")),
        "CUSTOMER_ID": pa.array(chance.integers(0, 90, rows), pa.int16()),
        "TERMINAL_ID": pa.array(terminal, pa.int16()),
        "TX_AMOUNT": np.where(large, 400.0, 20.0) + chance.random(rows) * 30,
        "TX_FRAUD": pa.array((large | bad_terminal).astype(np.int8)),
    }
    path = tmp_path / "transactions.parquet"
    pq.write_table(pa.table(table), path)
    return path


@pytest.mark.slow
def test_the_stream_reaches_what_the_same_model_reaches_offline(
    stack: LocalStack, file: Path, tmp_path: Path, unique: str, redis_prefix: str
) -> None:
    connections = Connections(stack.broker, stack.redis_url, TopicNames(f"{unique}."), redis_prefix)
    plan = HandbookPlan(test_weeks=(10,), train_from_day=0, parameters={"max_iter": 10})
    report = HandbookEvaluation(file, plan, connections, tmp_path).run()
    (week,) = report.weeks
    assert (report.transactions, report.lost, report.duplicated) == (DAYS * ROWS_A_DAY, 0, 0)
    assert (report.unequal_feature_rows, report.rows_of_another_step) == (0, 0)
    assert week.ap == week.offline_ap
    assert week.ap > 0.3
    assert report.youngest_label_days >= 7
