"""How a family's nodes become a lean ONNX model: one input `features`, one output `score`, pinned versions."""

from collections.abc import Sequence
from typing import Final

import onnx
from onnx import TensorProto, helper

INPUT: Final = "features"
OUTPUT: Final = "score"
TREE_DOMAIN: Final = "ai.onnx.ml"
# Old enough for every onnxruntime since 1.14, so a bundle can be scored by an older or a newer release.
IR_VERSION: Final = 8
OPSET: Final = 17
TREE_OPSET: Final = 3


def scoring_graph(
    name: str, nodes: Sequence[onnx.NodeProto], n_features: int, initializers: Sequence[onnx.TensorProto] = ()
) -> onnx.ModelProto:
    """Wrap nodes that lead from `features` [N, F] to `score` [N, 1] into a checked model."""
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["rows", n_features])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["rows", 1])],
        list(initializers),
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(TREE_DOMAIN, TREE_OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="fraudstream")
    onnx.checker.check_model(model)
    return model
