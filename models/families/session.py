"""How a graph is run: in a way that gives a row the same score, bit by bit, in whatever batch it comes."""

import onnxruntime as ort


def open_session(content: bytes, threads: int = 1) -> ort.InferenceSession:
    """Open a serialised graph on the CPU.

    On one thread the trees of a row are always summed in the same order, so a score can be reproduced exactly; on
    several a row alone and the same row in a batch differ in the last bits. A batch of 500 rows is too small to share
    anyway, and spinning threads would take the core that Kafka's client needs.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
