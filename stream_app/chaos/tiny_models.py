"""Small signed models for workers that are made to fail, and what must be refused."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from models.bundle import Bundle
from models.families.catalogue import family
from models.families.graph import INPUT, OUTPUT, scoring_graph
from models.features.feature_set import DEFAULT
from models.manifest import Golden, Manifest, Thresholds, TrainingData
from models.signing import SigningKey

_NEVER_DECLINES = Thresholds(0.3, 0.9)
_AMOUNT = DEFAULT.index("amount")
_RISK = DEFAULT.index("terminal_risk_7d")
_RISKY = 1.3
BREAKS_ABOVE = 150.0
"""Amount above which a breaking model's score is no number: that of a quarter of the made-up payments."""


def tiny_bundle(
    key: SigningKey, seed: int, thresholds: Thresholds = _NEVER_DECLINES, *, breaking: bool = False
) -> Bundle:
    """Twenty small trees over random rows, some of which are flagged; a breaking one is sound on its golden rows."""
    draw = np.random.default_rng(seed)
    rows = draw.uniform(0, 1, (2000, len(DEFAULT))).astype(np.float32)
    risky = rows[:, _AMOUNT] + rows[:, DEFAULT.index("card_count_7d")] + rows[:, _RISK]
    frauds = risky + draw.normal(0, 0.1, len(rows)) > _RISKY
    rows[:, _AMOUNT] *= 200
    rows[:, DEFAULT.index("card_count_7d")] *= 10
    trees = family("hist_gradient_boosting")
    estimator = trees.fit(rows, frauds, None, seed, max_iter=20, max_leaf_nodes=8)
    proof = rows[rows[:, _AMOUNT] < BREAKS_ABOVE][:8]
    golden = Golden.of(proof, estimator.predict_proba(proof)[:, 1].astype(np.float32))
    graph = trees.to_onnx(estimator, len(DEFAULT))
    manifest = Manifest(
        created_at=1_700_000_000_000 + seed,
        family=trees.name,
        parameters={},
        seed=seed,
        feature_set=DEFAULT.version,
        feature_names=list(DEFAULT.names),
        onnx_sha256="",
        data=TrainingData("random rows", 0, 1, len(rows), int(frauds.sum())),
        code_commit="test",
        metrics={},
        thresholds=thresholds,
        golden=golden,
    )
    return Bundle.build(manifest, _broken(graph) if breaking else graph, key)


def _broken(graph: onnx.ModelProto) -> onnx.ModelProto:
    """The same with NaN in place of the score of a large amount."""
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in graph.graph.node]
    nodes[-1].output[0] = "sound"
    nodes += [
        helper.make_node("Gather", [INPUT, "place"], ["amount"], axis=1),
        helper.make_node("Greater", ["amount", "limit"], ["large"]),
        helper.make_node("Where", ["large", "nan", "sound"], [OUTPUT]),
    ]
    constants = {
        "place": np.array([_AMOUNT]),
        "limit": np.array([BREAKS_ABOVE], np.float32),
        "nan": np.array([np.nan], np.float32),
    }
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    return scoring_graph("breaking", nodes, len(DEFAULT), [*graph.graph.initializer, *tensors])


@dataclass(frozen=True)
class TinyModels:
    """Models of an allowed signer, and what must be refused."""

    folder: Path

    @cached_property
    def signers(self) -> Path:
        """The folder of allowed public keys."""
        return self._key.publish(self.folder / "allowed-signers").parent

    @cached_property
    def _key(self) -> SigningKey:
        return SigningKey.load_or_create(self.folder / "signing-key.pem")

    @cached_property
    def first(self) -> Bundle:
        """The champion."""
        return tiny_bundle(self._key, 1)

    @cached_property
    def second(self) -> Bundle:
        """Its successor."""
        return tiny_bundle(self._key, 2)

    @cached_property
    def declining(self) -> Bundle:
        """One whose highest scores are declined."""
        return tiny_bundle(self._key, 5, Thresholds(0.3, 0.7))

    @cached_property
    def breaking(self) -> Bundle:
        """One that passes every check and gives NaN for large amounts."""
        return tiny_bundle(self._key, 6, breaking=True)

    @cached_property
    def foreign(self) -> Bundle:
        """Whole, but signed by a key that nobody allowed."""
        return tiny_bundle(SigningKey.load_or_create(self.folder / "foreign-key.pem"), 3)

    @cached_property
    def bent(self) -> Bundle:
        """Signed by an allowed key, with one bit of the graph turned over afterwards."""
        whole = tiny_bundle(self._key, 4)
        onnx = bytearray(whole.onnx)
        onnx[len(onnx) // 2] ^= 1
        return replace(whole, onnx=bytes(onnx))

    @cached_property
    def truncated(self) -> Bundle:
        """Signed by an allowed key, its graph cut off behind the middle."""
        whole = tiny_bundle(self._key, 7)
        return replace(whole, onnx=whole.onnx[: len(whole.onnx) // 2])
