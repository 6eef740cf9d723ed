"""Reads a labelled table out of a Parquet or CSV file."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from models.drift.tables.labelled_table import UNKNOWN_CLASS, LabelledTable, TableError
from models.errors import one_line
from models.schema.hashing import hash64_column

MOST_CLASSES: Final = 30
_IDENTIFIER_SHARE: Final = 0.1
"""A column of texts with more distinct ones than this share of the reference's rows names rows, not kinds."""
_FEWEST_COUNTED: Final = 10
"""Values that a column must pass through in one direction to be taken for a counter."""
_LONGEST_NAME, _NAMES_SHOWN = 40, 60
_READERS: Final = {".parquet": "parquet", ".csv": "csv", ".gz": "csv", ".tsv": "csv"}

Column: TypeAlias = "pa.ChunkedArray[Any]"


@dataclass(frozen=True, slots=True)
class TableColumns:
    """Which columns of a file are what.

    Attributes
    ----------
    label, time: their names.
    score, cluster: names of columns that hold them; None without.
    only: features to use; all others are left out. Empty takes every column.
    exclude: columns that are no features.
    """

    label: str
    time: str
    score: str | None = None
    cluster: str | None = None
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @property
    def named(self) -> list[str]:
        """All names that a person gave."""
        one_each = [self.label, self.time, self.score, self.cluster]
        return [name for name in (*one_each, *self.only, *self.exclude) if name is not None]

    @property
    def no_features(self) -> set[str | None]:
        """Columns that are never features."""
        return {self.label, self.time, self.score, self.cluster, *self.exclude}


def read_table(path: Path, columns: TableColumns, reference_rows: int) -> LabelledTable:
    """Read a table in the order of its time column; rows of the same time stay in the file's order.

    Raises
    ------
    TableError: the file, a column or the labels are not what they must be.
    """
    table = _rows(path)
    missing = [name for name in columns.named if name not in table.column_names]
    if missing:
        raise TableError(f"{path} has no column {missing[0]!r}: choose among {_listed(table.column_names)}")
    table, time_ms = _in_time(table, columns.time)
    label, classes = _labels(table[columns.label], columns.label)
    features = [name for name in (columns.only or table.column_names) if name not in columns.no_features]
    read = LabelledTable(
        names=[],
        values=np.zeros((len(label), 0), np.float32),
        texts={},
        label=label,
        classes=classes,
        score=None if columns.score is None else _score(table[columns.score], columns.score, classes),
        cluster=None if columns.cluster is None else _clusters(table[columns.cluster]),
        time_ms=time_ms,
    )
    return _with_features(read, table, features, reference_rows)


def _listed(names: list[str]) -> str:
    return ", ".join(" ".join(name.split())[:_LONGEST_NAME] for name in names[:_NAMES_SHOWN])


def _rows(path: Path) -> pa.Table:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise TableError(f"{path} is neither Parquet nor CSV: give a file that ends with one of {', '.join(_READERS)}")
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            relation = connection.read_parquet(str(path)) if reader == "parquet" else connection.read_csv(str(path))
            rows: pa.Table = relation.to_arrow_table()
            return rows
    except duckdb.Error as error:
        raise TableError(f"{path} cannot be read: {one_line(error)}") from error


def _in_time(table: pa.Table, name: str) -> tuple[pa.Table, npt.NDArray[np.int64] | None]:
    column = table[name]
    if column.null_count:
        raise TableError(f"{column.null_count} rows have no {name!r}: remove them or give them a time")
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        moments = column.cast(pa.timestamp("ms"), safe=False).cast(pa.int64()).to_numpy()
        order = np.argsort(moments, kind="stable")
        return table.take(order), moments[order]
    if not _is_number(column):
        raise TableError(f"{name!r} holds {column.type}: give a column of numbers, dates or moments as --time")
    return table.take(np.argsort(column.to_numpy(), kind="stable")), None


def _labels(column: Column, name: str) -> tuple[npt.NDArray[np.int64], list[str]]:
    texts = column.cast(pa.string())
    classes = _distinct(texts)
    if not 2 <= len(classes) <= MOST_CLASSES:  # noqa: PLR2004
        raise TableError(
            f"{name!r} has {len(classes)} distinct values: the battery needs classes, 2 to {MOST_CLASSES} of them"
        )
    codes = _codes(texts, classes)
    return np.where(np.isnan(codes), UNKNOWN_CLASS, codes).astype(np.int64), classes


def _score(column: Column, name: str, classes: list[str]) -> npt.NDArray[np.float32]:
    if len(classes) != 2:  # noqa: PLR2004
        raise TableError(f"a score needs two classes of labels, got {len(classes)}: leave --score out")
    score = _numbers(column)
    if np.isnan(score).any() or score.min() < 0 or score.max() > 1:
        raise TableError(f"{name!r} is no score: give a chance from 0 to 1 of label {classes[1]!r} in every row")
    return score


def _clusters(column: Column) -> npt.NDArray[np.uint64]:
    return hash64_column([text or "" for text in column.cast(pa.string()).to_pylist()])


def _numbers(column: Column) -> npt.NDArray[np.float32]:
    return np.asarray(column.cast(pa.float32(), safe=False).to_numpy(zero_copy_only=False), np.float32)


def _distinct(texts: Column) -> list[str]:
    return sorted(text for text in pc.unique(texts).to_pylist() if text is not None)


def _codes(column: Column, texts: list[str]) -> npt.NDArray[np.float32]:
    places: Any = pc.index_in(column, value_set=pa.array(texts, column.type))
    return _numbers(places)


def _with_features(read: LabelledTable, table: pa.Table, features: list[str], reference_rows: int) -> LabelledTable:
    """Add the columns that can serve as features, with a note on each that cannot."""
    kept: dict[str, npt.NDArray[np.float32]] = {}
    texts: dict[str, list[str]] = {}
    notes = []
    for name in features:
        column = table[name]
        is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
        if not (is_text or pa.types.is_boolean(column.type) or pa.types.is_decimal(column.type) or _is_number(column)):
            notes.append(f"{name} is left out: {column.type} is no feature")
            continue
        found = _distinct(column) if is_text else []
        value = _codes(column, found) if is_text else _numbers(column)
        reason = _unfit(value, reference_rows, is_text=is_text)
        if reason is not None:
            notes.append(f"{name} is left out: {reason}")
            continue
        kept[name] = value
        texts |= {name: found} if is_text else {}
    if not kept:
        raise TableError(f"none of {', '.join(features) or 'no columns'} can serve as a feature: give --columns")
    return replace(read, names=list(kept), values=np.column_stack(list(kept.values())), texts=texts, notes=notes)


def _is_number(column: Column) -> bool:
    return pa.types.is_integer(column.type) or pa.types.is_floating(column.type)


def _unfit(value: npt.NDArray[np.float32], reference_rows: int, *, is_text: bool) -> str | None:
    """Say why a column cannot serve as a feature; None where it can."""
    known = value[~np.isnan(value)]
    reference = value[:reference_rows][~np.isnan(value[:reference_rows])]
    distinct = len(np.unique(reference))
    if len(np.unique(known)) + (len(known) < len(value)) < 2:  # noqa: PLR2004
        return "it is constant"
    if is_text and distinct > _IDENTIFIER_SHARE * reference_rows:
        return f"its {distinct} texts name rows, not kinds"
    steps = np.diff(reference)
    if not is_text and distinct > _FEWEST_COUNTED and (bool((steps >= 0).all()) or bool((steps <= 0).all())):
        return "it counts rows or time"
    return None
