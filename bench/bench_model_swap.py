"""A model swap: CPU to verify, parse, load, warm up and prove a bundle, beside opening its graph and nothing else."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.hot_path import HotPath, in_turn, run
from bench.workload import train_model
from models.bundle import Bundle
from models.families.session import open_session
from models.scorer import LoadedModel
from models.signing import AllowedSigners

SWAPS: Final = 5
"""In a round."""


def measure(rounds: int) -> Iterator[HotPath]:
    with tempfile.TemporaryDirectory() as folder:
        bundle, _ = train_model(Path(folder))
        signers = AllowedSigners.in_folder(Path(folder) / "allowed-signers")

    def load(fetched: Bundle) -> LoadedModel:
        return LoadedModel.load(fetched, signers)

    def fetched() -> Bundle:
        return Bundle(bundle.manifest_bytes, bundle.onnx, bundle.signature, bundle.signer)

    ours = [[fetched() for _ in range(SWAPS)] for _ in range(rounds)]
    graphs = [[bundle.onnx] * SWAPS for _ in range(rounds)]
    yield in_turn("model swap", load, ours, "open the graph", open_session, graphs, events=lambda _: 1, event="swap")


if __name__ == "__main__":
    run(__doc__, measure)
