"""The contributions that raise a score most."""

import numba as nb
import numpy as np
import numpy.typing as npt

_Reals = npt.NDArray[np.float64]
_Columns = npt.NDArray[np.int64]


@nb.njit(cache=True, nogil=True)
def largest(contributions: _Reals, top: int) -> tuple[_Columns, _Reals]:  # pragma: no cover - compiled
    """Return the columns and sizes [N, top] of the `top` largest above zero of each row [N, F], the largest first.

    Of equal ones the first column leads; a row with fewer ends in zeros.
    """
    columns = np.zeros((len(contributions), top), np.int64)
    sizes = np.zeros((len(contributions), top))
    for row in range(len(contributions)):
        for column in range(contributions.shape[1]):
            size = contributions[row, column]
            place = top
            while place > 0 and size > sizes[row, place - 1]:
                place -= 1
            for behind in range(top - 1, place, -1):
                columns[row, behind], sizes[row, behind] = columns[row, behind - 1], sizes[row, behind - 1]
            if place < top:
                columns[row, place], sizes[row, place] = column, size
    return columns, sizes
