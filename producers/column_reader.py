"""Rows of a Parquet or CSV file as columns of transaction fields, a chunk at a time."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from models.errors import FraudstreamError, one_line
from models.schema.iso_codes import CURRENCY_EXPONENTS
from producers.column_mapping import ColumnMapping, ColumnText, TimeUnit

ROWS_PER_CHUNK: Final = 50_000
_CSV_BLOCK_BYTES: Final = 4 << 20
_MS_PER_UNIT: Final[dict[TimeUnit, float]] = {"s": 1000, "ms": 1, "us": 0.001}
_MINOR_DIGITS: Final = 2
_LONGEST_NAME, _NAMES_SHOWN = 40, 20

Column: TypeAlias = "pa.Array[Any]"


class HistoryFileError(FraudstreamError):
    """Raised when a file cannot be read, lacks a column, or holds what a field cannot be."""


class ColumnReader:
    """Reads the columns a mapping names, without ever holding the whole file.

    Parameters
    ----------
    path: a file whose name ends in .parquet or .csv.
    mapping: which column is which field.
    fields: the fields wanted, each of which the mapping gives as a column.

    Raises
    ------
    HistoryFileError: when the file is not there, is of neither kind, or lacks a column.
    """

    def __init__(self, path: Path, mapping: ColumnMapping, fields: tuple[str, ...]) -> None:
        self.path = path
        self._time_unit = mapping.time_unit
        self._texts = {field: text for field in fields if (text := mapping.column(field)) is not None}
        present = self._column_names()
        for field, text in self._texts.items():
            if text.column not in present:
                raise HistoryFileError(
                    f"{path} has no column {text.column!r} for {field}; there are: {_listed(present)}"
                )

    @property
    def rows(self) -> int | None:
        """Number of rows, where the file says it."""
        return int(pq.read_metadata(self.path).num_rows) if self._is_parquet else None

    def chunks(self) -> Iterator["Chunk"]:
        """Yield the rows in the file's order."""
        first_row = 0
        for batch in self._batches():
            columns = {field: batch.column(batch.schema.names.index(t.column)) for field, t in self._texts.items()}
            yield Chunk(self.path, first_row, batch.num_rows, columns, self._texts, self._time_unit)
            first_row += batch.num_rows

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix.lower() in {".parquet", ".pq"}

    def _column_names(self) -> list[str]:
        if not self.path.is_file():
            raise HistoryFileError(f"there is no file {self.path}")
        if not self._is_parquet and self.path.suffix.lower() != ".csv":
            raise HistoryFileError(f"{self.path} is neither .parquet nor .csv by its name; convert it")
        try:
            if self._is_parquet:
                return list(pq.read_schema(self.path).names)
            with pa_csv.open_csv(self.path, read_options=pa_csv.ReadOptions(block_size=_CSV_BLOCK_BYTES)) as reader:
                return list(reader.schema.names)
        except OSError as error:
            raise HistoryFileError(f"cannot read {self.path}: {error.strerror or one_line(error)}") from None
        except (pa.ArrowException, UnicodeDecodeError) as error:
            raise HistoryFileError(f"{self.path} is not a readable file of its kind: {one_line(error)}") from None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        names = sorted({text.column for text in self._texts.values()})
        try:
            if self._is_parquet:
                with pq.ParquetFile(self.path) as file:
                    yield from file.iter_batches(batch_size=ROWS_PER_CHUNK, columns=names)
                return
            # Ids are text: as numbers they would lose their leading zeros.
            text = {t.column: pa.string() for field, t in self._texts.items() if field not in {"amount", "is_fraud"}}
            times = {self._texts["event_time"].column} if "event_time" in self._texts else set()
            convert = pa_csv.ConvertOptions(
                include_columns=names,
                column_types={name: kind for name, kind in text.items() if name not in times},
                strings_can_be_null=True,
            )
            read = pa_csv.ReadOptions(block_size=_CSV_BLOCK_BYTES)
            with pa_csv.open_csv(self.path, read_options=read, convert_options=convert) as reader:
                yield from reader
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise HistoryFileError(f"cannot read {self.path} further: {one_line(error)}") from None


class Chunk:
    """Some rows, whose fields are taken out one by one."""

    def __init__(
        self,
        path: Path,
        first_row: int,
        rows: int,
        columns: dict[str, Column],
        texts: dict[str, ColumnText],
        time_unit: TimeUnit,
    ) -> None:
        self.first_row = first_row
        self._path = path
        self._rows = rows
        self._columns = columns
        self._texts = texts
        self._time_unit: TimeUnit = time_unit

    def __len__(self) -> int:
        return self._rows

    def place(self, row: int) -> str:
        """Return the file and the row counted from 1, for messages."""
        return f"{self._path} row {self.first_row + row + 1}"

    def event_times(self) -> npt.NDArray[np.int64]:
        """Return event times in ms; timestamps without a zone are UTC."""
        column = self._full("event_time")
        if pa.types.is_string(column.type) or pa.types.is_date(column.type):
            column = self._cast(column, pa.timestamp("ms"), "event_time")
        if pa.types.is_timestamp(column.type):
            zone = column.type.tz
            return self._cast(column, pa.timestamp("ms", tz=zone), "event_time").cast(pa.int64()).to_numpy()
        if not _is_number(column.type):
            raise HistoryFileError(f"{self._named('event_time')} is {column.type}, neither a time nor a number")
        values = column.to_numpy(zero_copy_only=False)
        factor = _MS_PER_UNIT[self._time_unit]
        return np.rint(values * factor).astype(np.int64) if factor != 1 else values.astype(np.int64)

    def texts(self, field: str, rows: npt.NDArray[np.int64]) -> list[str]:
        """Return a text field of some rows, with the text that the mapping puts around it."""
        column = self._full(field)
        text = self._texts[field]
        if pa.types.is_integer(column.type):
            values = column.to_numpy(zero_copy_only=False)[rows].tolist()
            return [f"{text.before}{value}{text.after}" for value in values]
        values = [value or "" for value in self._cast(column, pa.string(), field).take(rows).to_pylist()]
        if text.before or text.after:
            return [f"{text.before}{value}{text.after}" for value in values]
        return values

    def optional_texts(self, field: str, rows: npt.NDArray[np.int64]) -> list[str | None]:
        """Return a text field of some rows that may be empty."""
        column, text = self._columns[field], self._texts[field]
        values = self._cast(column, pa.string(), field).take(rows).to_pylist()
        return [None if value is None else f"{text.before}{value}{text.after}" for value in values]

    def flags(self, field: str) -> npt.NDArray[np.bool_]:
        """Return which rows are true: 1, true, or text for either."""
        column = self._full(field)
        if pa.types.is_string(column.type):
            column = self._cast(column, pa.bool_(), field)
        return column.to_numpy(zero_copy_only=False).astype(np.bool_)

    def amounts_minor(self, currencies: list[str], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return amounts of some rows in minor units, rounded to them half to even."""
        if "amount_minor" in self._columns:
            column = self._cast(self._full("amount_minor"), pa.int64(), "amount_minor")
            return column.to_numpy()[rows]
        amounts = self._cast(self._full("amount"), pa.float64(), "amount").to_numpy(zero_copy_only=False)[rows]
        distinct = set(currencies)
        places = {code: CURRENCY_EXPONENTS.get(code, _MINOR_DIGITS) for code in distinct}
        if len(set(places.values())) == 1:
            minor = np.rint(amounts * 10.0 ** next(iter(places.values())))
        else:
            minor = np.rint(amounts * 10.0 ** np.array([places[code] for code in currencies]))
        wrong = ~np.isfinite(minor) | (np.abs(minor) > 2.0**53)
        if wrong.any():
            raise HistoryFileError(f"{self.place(int(rows[wrong.argmax()]))}: amount is no finite amount of money")
        return minor.astype(np.int64)

    def _full(self, field: str) -> Column:
        column = self._columns[field]
        if isinstance(column, pa.DictionaryArray):
            column = column.dictionary_decode()
        if column.null_count:
            row = int(pc.is_null(column).to_numpy(zero_copy_only=False).argmax())
            raise HistoryFileError(f"{self.place(row)}: column {self._texts[field].column} for {field} is empty")
        return column

    def _cast(self, column: Column, kind: pa.DataType, field: str) -> Column:
        if column.type == kind:
            return column
        if pa.types.is_floating(column.type) and pa.types.is_string(kind):
            raise HistoryFileError(
                f"{self._named(field)} holds decimal numbers, not text; convert it to text or integers"
            )
        try:
            return column.cast(kind, safe=not pa.types.is_timestamp(kind))
        except pa.ArrowException as error:
            raise HistoryFileError(f"{self._named(field)} does not read as {kind}: {one_line(error)}") from None

    def _named(self, field: str) -> str:
        return f"{self._path}: column {self._texts[field].column} for {field}"


def _listed(names: Sequence[str]) -> str:
    """The first names of a file's columns, whatever they are, on one line."""
    return ", ".join(" ".join(name.split())[:_LONGEST_NAME] for name in names[:_NAMES_SHOWN])


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
