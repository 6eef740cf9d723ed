"""Six models that go wrong once they serve: each loads, answers its golden vectors and is signed as any other."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from models.bundle import Bundle
from models.families.graph import INPUT, OUTPUT
from models.families.session import open_session
from models.features.feature_set import DEFAULT
from models.manifest import Golden, Lineage, Thresholds
from models.signing import SigningKey
from stream_app.demo.releases import inverted

NAMES: Final = ("constant", "inverted", "permuted", "three times the alerts", "slow", "not a number")
MORE_ALERTS: Final = 3
UNKNOWN_ABOVE: Final = 0.75
"""Quantile of the golden rows' amounts above which `not a number` has no score."""
SLOW_WIDTH: Final = 4096
SLOW_ROUNDS: Final = 40
"""Sines of so many numbers a row: 500 us here, in batches of one row as in batches of two hundred."""
_UPRIGHT: Final = "upright"
_STEPS: Final = (100, 1000)
"""Amounts are told apart to the cent, hours of the day to 3.6 s."""
_PRIMES: Final = (7919, 104_729)


class BadModels:
    """Spoils a model in six ways.

    Parameters
    ----------
    good: the model.
    key: what the spoilt ones are signed with.
    scores: float32[n] what the model said of transactions of the days before.
    """

    def __init__(self, good: Bundle, key: SigningKey, scores: npt.NDArray[np.float32]) -> None:
        self._good = good
        self._key = key
        self._scores = scores
        self._golden = good.manifest.golden.values(len(DEFAULT))

    def named(self, name: str) -> Bundle:
        """Return one of NAMES."""
        makers = (self._constant, self._inverted, self._permuted, self._alerting, self._slow, self._unknown)
        return dict(zip(NAMES, makers, strict=True))[name]()

    def _constant(self) -> Bundle:
        nodes = [_node("Mul", [_UPRIGHT, "nothing"], "flat"), _node("Add", ["flat", "usual"])]
        return self._signed(self._behind(nodes, {"nothing": 0.0, "usual": np.median(self._scores)}))

    def _inverted(self) -> Bundle:
        return inverted(self._good, self._key)

    def _permuted(self) -> Bundle:
        """Each row gets the score of another one: which, amount and time of day say. Each score keeps its share.

        Scores rolled by one within the batch would be no permutation of batches of a single row.
        """
        nodes = [
            _node("Gather", [INPUT, "columns"], "own", axis=1),
            _node("Mul", ["own", "steps"], "fine"),
            _node("Cast", ["fine"], "counts", to=onnx.TensorProto.INT64),
            _node("Mul", ["counts", "primes"], "spread"),
            _node("ReduceSum", ["spread", "across"], "mixed"),
            _node("Mod", ["mixed", "others"], "other"),
            _node("Gather", ["served", "other"]),
        ]
        constants: dict[str, npt.ArrayLike] = {
            "columns": [DEFAULT.index("amount"), DEFAULT.index("hour_of_day")],
            "steps": np.array(_STEPS, np.float32),
            "primes": _PRIMES,
            "across": [1],
            "others": len(self._scores),
            "served": self._scores,
        }
        return self._signed(self._behind(nodes, constants))

    def _alerting(self) -> Bundle:
        usual = self._good.manifest.thresholds
        alerts = np.mean(self._scores >= np.float32(usual.review))
        review = float(np.quantile(self._scores, 1 - MORE_ALERTS * alerts))
        return self._signed(onnx.load_model_from_string(self._good.onnx), thresholds=Thresholds(review, usual.decline))

    def _slow(self) -> Bundle:
        waves = [f"wave {at}" for at in range(SLOW_ROUNDS + 1)]
        nodes = [
            _node("MatMul", [_UPRIGHT, "wide"], waves[0]),
            *(_node("Sin", [before], after) for before, after in pairwise(waves)),
            _node("MatMul", [waves[-1], "nothing"], "zero"),
            _node("Add", [_UPRIGHT, "zero"]),
        ]
        wide, nothing = np.ones((1, SLOW_WIDTH)), np.zeros((SLOW_WIDTH, 1))
        return self._signed(self._behind(nodes, {"wide": wide, "nothing": nothing}))

    def _unknown(self) -> Bundle:
        column = DEFAULT.index("amount")
        amount = self._golden[:, column]
        most = np.quantile(amount, UNKNOWN_ABOVE)
        nodes = [
            _node("Gather", [INPUT, "column"], "amount", axis=1),
            _node("Greater", ["amount", "most"], "large"),
            _node("Where", ["large", "unknown", _UPRIGHT]),
        ]
        graph = self._behind(nodes, {"column": [column], "most": most, "unknown": np.nan})
        return self._signed(graph, golden=self._golden[amount <= most])

    def _behind(self, nodes: Sequence[onnx.NodeProto], constants: Mapping[str, npt.ArrayLike]) -> onnx.ModelProto:
        """The good graph with nodes that lead from its score to another; whole numbers are int64, others float32."""
        model = onnx.load_model_from_string(self._good.onnx)
        for node in model.graph.node:
            node.output[:] = [_UPRIGHT if name == OUTPUT else name for name in node.output]
        model.graph.node.extend(nodes)
        for name, value in constants.items():
            array = np.asarray(value)
            kind = np.int64 if np.issubdtype(array.dtype, np.integer) else np.float32
            model.graph.initializer.append(numpy_helper.from_array(array.astype(kind), name))
        onnx.checker.check_model(model)
        return model

    def _signed(
        self,
        graph: onnx.ModelProto,
        *,
        golden: npt.NDArray[np.float32] | None = None,
        thresholds: Thresholds | None = None,
    ) -> Bundle:
        """A bundle whose golden vectors are what the graph itself answers."""
        rows = self._golden if golden is None else golden
        scores = open_session(graph.SerializeToString()).run([OUTPUT], {INPUT: rows})[0].reshape(-1)
        manifest = msgspec.structs.replace(
            self._good.manifest,
            golden=Golden.of(rows, scores),
            thresholds=thresholds or self._good.manifest.thresholds,
            lineage=Lineage(parent=self._good.version),
        )
        return Bundle.build(manifest, graph, self._key)


def _node(kind: str, inputs: Sequence[str], output: str = OUTPUT, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)
