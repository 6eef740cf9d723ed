"""Names for what numba kernels take; numba infers the machine types itself, these are for the reader and for mypy."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Int: TypeAlias = Any
"""A whole number: Python's or numpy's, int64 once compiled."""
Record: TypeAlias = Any
"""One element of a structured array."""
Records: TypeAlias = Any
"""A structured array, whose elements have their fields as attributes once compiled."""
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]
Hashes = npt.NDArray[np.uint64]
Shorts = npt.NDArray[np.uint16]
Octets = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float32]
