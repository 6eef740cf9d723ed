"""The feature log of the Kafka Streams app, read back; see FeatureLog.java for its bytes."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

_FIXED: Final = struct.Struct("<qqqfb")
_TEXTS: Final = 7


@dataclass(frozen=True, slots=True)
class FeatureLogRows:
    """The n rows of a message: source_offset int64[n], transaction_id [n], values float32[n, F]."""

    source_offset: npt.NDArray[np.int64]
    transaction_id: list[str]
    values: npt.NDArray[np.float32]


def decode_feature_log(message: bytes) -> FeatureLogRows:
    """Return the rows of one message; ValueError or struct.error if it is none."""
    rows, width = struct.unpack_from("<ii", message)
    at, offsets, ids = 8, np.empty(rows, np.int64), list[str]()
    for row in range(rows):
        offsets[row] = _FIXED.unpack_from(message, at)[0]
        at += _FIXED.size
        for text in range(_TEXTS):
            behind = at + 1 + message[at]
            if text == 0:
                ids.append(message[at + 1 : behind].decode())
            at = behind
    return FeatureLogRows(offsets, ids, np.frombuffer(message, "<f4", rows * width, at).reshape(rows, width))
