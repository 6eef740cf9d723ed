"""Cells of the features' values: deciles of amounts and counts, one cell per code, and two for what is not known."""

from collections.abc import Sequence
from typing import Final

import msgspec
import numba
import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError

QUANTILE_BINS: Final = 10
MISSING: Final = QUANTILE_BINS
"""Cell of values that are unknown (NaN)."""
UNSEEN: Final = QUANTILE_BINS + 1
"""Cell of codes that the reference does not hold."""
CELLS: Final = QUANTILE_BINS + 2
"""Cells of every column."""
_MOST_CODES: Final = QUANTILE_BINS - 1
"""Codes with a cell of their own; rarer ones share the last."""
_SAMPLE: Final = 200_000

Values = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


class BinsError(FraudstreamError):
    """Raised for values that the bins were not made for."""


class Column(msgspec.Struct, frozen=True):
    """How one column is cut.

    Attributes
    ----------
    name: of the column.
    edges: upper ends of all bins but the last, ascending; for codes the codes with a cell of their own.
    codes: whether the values are codes; `rare` then lists those that share the last bin.
    rare: codes of the reference without a cell of their own.
    """

    name: str
    edges: list[float]
    codes: bool = False
    rare: list[float] = []

    def cell_text(self, cell: int) -> str:
        """Return the range or the code of a cell, in words.

        Examples
        --------
        >>> [Column("amount", [1.0, 5.0]).cell_text(cell) for cell in (0, 1, 2, MISSING)]
        ['at most 1', 'above 1 up to 5', 'above 5', 'missing']
        """
        if cell == MISSING:
            return "missing"
        if cell == UNSEEN:
            return "never seen before"
        if self.codes:
            return f"{self.edges[cell]:g}" if cell < len(self.edges) else "a rare one"
        if cell == 0:
            return f"at most {self.edges[0]:.4g}" if self.edges else "any"
        if cell >= len(self.edges):
            return f"above {self.edges[-1]:.4g}"
        return f"above {self.edges[cell - 1]:.4g} up to {self.edges[cell]:.4g}"


class Bins(msgspec.Struct, frozen=True):
    """The cells of all columns, made from reference rows.

    Examples
    --------
    >>> values = np.array([[1.0, 7], [2.0, 7], [3.0, 8], [4.0, 8]], np.float32)
    >>> bins = Bins.of(values, ["amount", "country"], [False, True])
    >>> bins.cells(np.array([[0.5, 8], [np.nan, 99]], np.float32)).tolist()
    [[0, 1], [10, 11]]
    """

    columns: list[Column]

    @classmethod
    def of(cls, values: Values, names: Sequence[str], are_codes: Sequence[bool]) -> "Bins":
        """Cut each column at the deciles of its known values, or by its most frequent codes.

        Parameters
        ----------
        values: float32[n, F], NaN where unknown.
        names, are_codes: [F] of the columns.
        """
        sample = values[:: max(1, len(values) // _SAMPLE)]
        columns = []
        for at, (name, is_code) in enumerate(zip(names, are_codes, strict=True)):
            known = (values if is_code else sample)[:, at]
            known = known[~np.isnan(known)]
            columns.append(_codes(name, known) if is_code else Column(name, _deciles(known)))
        return cls(columns)

    def __len__(self) -> int:
        """How many columns."""
        return len(self.columns)

    def cells(self, values: Values) -> Codes:
        """Return the cell of each value, uint8[n, F].

        Raises
        ------
        BinsError: another number of columns.
        """
        if values.shape[1:] != (len(self.columns),):
            raise BinsError(
                f"bins of {len(self.columns)} columns cannot sort rows of {values.shape[1:]}: "
                "was the reference made with another feature set?"
            )
        ends = np.full((len(self.columns), QUANTILE_BINS), np.inf, np.float32)
        rare = np.full((len(self.columns), max((len(c.rare) for c in self.columns), default=0)), np.inf, np.float32)
        for at, column in enumerate(self.columns):
            ends[at, : len(column.edges)] = column.edges
            rare[at, : len(column.rare)] = column.rare
        known = np.array([len(column.edges) for column in self.columns], np.int64)
        return _cells(np.ascontiguousarray(values), ends, known, np.array([c.codes for c in self.columns]), rare)


def _deciles(known: npt.NDArray[np.float32]) -> list[float]:
    if not len(known):
        return []
    cuts = np.unique(np.quantile(known, np.linspace(0, 1, QUANTILE_BINS + 1)[1:-1], method="lower"))
    # Cuts are values that occur, and the last leaves something above it: no bin is empty.
    return [float(cut) for cut in cuts if cut < known.max()]


def _codes(name: str, known: npt.NDArray[np.float32]) -> Column:
    found, counts = np.unique(known, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    frequent = sorted(float(code) for code in found[order[:_MOST_CODES]])
    rare = sorted(float(code) for code in found[order[_MOST_CODES:]])
    return Column(name, frequent, codes=True, rare=rare)


@numba.njit(cache=True, nogil=True)
def _code_cell(value: np.float32, frequent: npt.NDArray[np.float32], rare: npt.NDArray[np.float32]) -> int:
    for cell in range(len(frequent)):
        if frequent[cell] == value:
            return cell
    for code in rare:
        if code == value:
            return len(frequent)
    return UNSEEN


@numba.njit(cache=True, nogil=True)
def _cells(
    values: Values, ends: Values, known: npt.NDArray[np.int64], codes: npt.NDArray[np.bool_], rare: Values
) -> Codes:
    out = np.empty(values.shape, np.uint8)
    for row in range(values.shape[0]):
        for at in range(values.shape[1]):
            value = values[row, at]
            if np.isnan(value):
                out[row, at] = MISSING
            elif codes[at]:
                out[row, at] = _code_cell(value, ends[at, : known[at]], rare[at])
            else:
                cell = 0
                while cell < known[at] and value > ends[at, cell]:
                    cell += 1
                out[row, at] = cell
    return out
