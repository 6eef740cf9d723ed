"""The feature log: CPU to encode a batch's rows as one Arrow message, beside one Arrow column per feature."""

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa

from bench.hot_path import HotPath, batches_of, in_turn, run
from bench.scored_batch import ScoredBatch, scored_batches, trained_model
from models.features.feature_set import DEFAULT
from models.schema.feature_batch import FeatureBatchEncoder

SIZES: Final = (1, 20, 500)
BATCHES: Final = 20


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        model = trained_model(Path(folder))
    encoder = FeatureBatchEncoder(DEFAULT.names)

    def encode(cut: Sequence[ScoredBatch]) -> bytes:
        return encoder.encode(cut[0].taken, cut[0].columns)

    for size in SIZES:
        batches = batches_of(scored_batches(model, size * rounds * BATCHES, size), 1, rounds, BATCHES)
        yield in_turn(
            f"feature log, batch of {size}", encode, batches, "a column a feature", _columns, batches, events=_rows
        )


def _columns(cut: Sequence[ScoredBatch]) -> bytes:
    """The features alone, without what the log says of the transactions."""
    batch = pa.RecordBatch.from_arrays([pa.array(column) for column in cut[0].values.T], names=list(DEFAULT.names))
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _rows(cut: Sequence[ScoredBatch]) -> int:
    return len(cut[0])


if __name__ == "__main__":
    run(__doc__, measure)
