"""Cells of a table's columns in words."""

from collections.abc import Mapping, Sequence

from models.drift.bins import Column


def cell_words(column: Column, cell: int, texts: Mapping[str, Sequence[str]]) -> str:
    """Return which values a cell holds; texts by their name.

    Examples
    --------
    >>> cell_words(Column("colour", [0.0, 1.0], codes=True), 1, {"colour": ["blue", "red"]})
    'red'
    """
    if column.codes and column.name in texts and cell < len(column.edges):
        return texts[column.name][int(column.edges[cell])]
    return column.cell_text(cell)
