"""Rows that are decoded and not committed yet, by table."""

from collections.abc import Callable
from typing import Final

import pyarrow as pa

from models.schema.topics import FEATURES, LABELS, SCORES, TRANSACTIONS, TopicNames
from stream_app.archive.feature_columns import FeatureColumns, FeatureCoverage
from stream_app.archive.json_columns import label_rows, score_rows, transaction_rows
from stream_app.archive.reader_rule import ReaderRule
from stream_app.archive.records import Decoded, Records
from stream_app.archive.tables import SCHEMAS, TABLES


class Intake:
    """Takes records and holds their rows as columns until they are committed.

    Parameters
    ----------
    topics: names of the topics.
    rule: the reader's rule over scores.
    coverage: what feature rows cover.
    """

    def __init__(self, topics: TopicNames, rule: ReaderRule, coverage: FeatureCoverage) -> None:
        self.rule: Final = rule
        self.coverage: Final = coverage
        self._tables = {topics.of(name): name for name in TABLES}
        self._decoders: dict[str, Callable[[Records], Decoded]] = {
            TRANSACTIONS: transaction_rows,
            LABELS: label_rows,
            FEATURES: FeatureColumns(coverage).rows,
            SCORES: lambda records: score_rows(records, rule),
        }
        self._batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in TABLES}
        self.rows = 0
        """How many rows are held."""

    def take(self, records: Records) -> Decoded:
        """Decode records of one of the four topics, hold their rows, and return what came out."""
        table = self._tables[records.topic]
        decoded = self._decoders[table](records)
        if decoded.rows.num_rows:
            self._batches[table].append(decoded.rows)
            self.rows += decoded.rows.num_rows
        return decoded

    def table(self, name: str) -> pa.Table:
        """The rows held for a table."""
        return pa.Table.from_batches(self._batches[name], schema=SCHEMAS[name])

    def clear(self) -> None:
        """Forget rows that are committed."""
        self._batches = {name: [] for name in TABLES}
        self.rows = 0
