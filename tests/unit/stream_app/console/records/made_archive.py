"""Four Delta tables in a folder, written as the archive writes them, without a broker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.schema import wire
from models.schema.score import Score
from models.schema.topics import DAY_MS, FEATURES, LABELS, SCORES, TRANSACTIONS
from models.schema.transaction import Transaction
from stream_app.archive.delta_table import ArchiveTable
from stream_app.archive.feature_columns import FeatureColumns, FeatureCoverage
from stream_app.archive.json_columns import label_rows, score_rows, transaction_rows
from stream_app.archive.reader_rule import ReaderRule
from stream_app.archive.tables import TABLES
from tests.support.archive_records import FIRST, PARTITION, feature_message, records
from tests.support.archive_world import Sent, score_of
from tests.support.payments import START_MS, payments

DAY = START_MS // DAY_MS + 1
SENT = payments(6, start_ms=DAY * DAY_MS, days=1, cards=2)


class MadeArchive:
    """An archive of one day's payments; more may be added."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "archive")
        self._tables = {name: ArchiveTable(self.url, name, {}, 30) for name in TABLES}
        self._rule = ReaderRule({})
        self._positions = 0

    def fill(self, transactions: Sequence[Transaction] = SENT) -> None:
        """Transactions, their scores and their feature rows."""
        self._append(TRANSACTIONS, transaction_rows(records(*map(wire.encode, transactions))).rows)
        scores: list[Score] = [score_of(Sent(one, PARTITION, FIRST + at)) for at, one in enumerate(transactions)]
        self._append(SCORES, score_rows(records(*map(wire.encode, scores)), self._rule).rows)
        message, headers = feature_message(list(transactions), FIRST)
        rows = FeatureColumns(FeatureCoverage()).rows(records(message, headers=[headers])).rows
        self._append(FEATURES, rows)

    def state(self, *labels: Any) -> None:
        """Labels."""
        self._append(LABELS, label_rows(records(*map(wire.encode, labels))).rows)

    def _append(self, name: str, rows: pa.RecordBatch) -> None:
        self._positions += 1
        self._tables[name].append(pa.Table.from_batches([rows]), {"id/0": self._positions})
