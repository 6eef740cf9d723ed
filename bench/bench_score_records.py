"""Score records: CPU for the JSON of a score, as a worker writes a batch of them, beside json.dumps of its fields."""

import itertools
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from bench.hot_path import HotPath, batches_of, in_turn, run
from bench.scored_batch import ScoredBatch, scored_batches, trained_model
from models.features.feature_set import DEFAULT
from models.schema.score import Score
from models.schema.wire import decode
from stream_app.scoring.batch_scores import BatchScores, Decider
from stream_app.scoring.score_records import Origin, score_records

SIZES: Final = (20, 500)
BATCHES: Final = 10
NOW_MS: Final = 1_700_000_000_000


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        model = trained_model(Path(folder))

    def write(batch: ScoredBatch) -> list[bytes]:
        rows, columns = len(batch), batch.columns
        said = BatchScores(columns.score, columns.decision, (Decider(model, "champion"),))
        origin = Origin(columns.source_offset, itertools.repeat(0), itertools.repeat("bench-writer"))
        no = np.zeros(rows, np.bool_)
        return score_records(batch.taken, origin, said, columns.decision, {}, no, no, DEFAULT.version, NOW_MS)

    for size in SIZES:
        batches = scored_batches(model, size * rounds * BATCHES, size)
        ours = batches_of(batches, 1, rounds, BATCHES)
        its = [[[msgspec.to_builtins(decode(Score, one)) for one in write(cut[0])] for cut in some] for some in ours]
        yield in_turn(
            f"score records, batch of {size}", lambda cut: write(cut[0]), ours, "json.dumps", _dumps, its, events=_rows
        )


def _dumps(records: list[dict[str, object]]) -> list[bytes]:
    return [json.dumps(record, separators=(",", ":")).encode() for record in records]


def _rows(batch: list[ScoredBatch] | list[dict[str, object]]) -> int:
    return len(batch[0]) if isinstance(batch[0], ScoredBatch) else len(batch)


if __name__ == "__main__":
    run(__doc__, measure)
