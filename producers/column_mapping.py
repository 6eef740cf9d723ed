"""Which column of a file becomes which field of a transaction."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from models.errors import FraudstreamError, one_line
from models.schema.transaction import Transaction

TimeUnit = Literal["s", "ms", "us"]

_AMOUNT: Final = "amount"
_LABEL: Final = "is_fraud"
_FIELDS: Final = frozenset({*Transaction.__struct_fields__, _AMOUNT, _LABEL} - {"schema_version"})
_TRANSACTION: Final = ("transaction_id", "event_time", "card_id", "terminal_id")
_NUMBERS: Final = frozenset({"event_time", "amount_minor", _AMOUNT, _LABEL})
_TEMPLATE = re.compile(r"^(?P<before>[^{}]*)\{(?P<column>[^{}]+)\}(?P<after>[^{}]*)$")


class MappingError(FraudstreamError):
    """Raised when a mapping does not say where a field comes from, or says it in a form that is not known."""


class ColumnText(msgspec.Struct, frozen=True):
    """A column, with the text that is put around each of its values."""

    column: str
    before: str = ""
    after: str = ""

    @classmethod
    def parse(cls, text: str) -> "ColumnText":
        """Read a column's name, or text around a name in braces.

        Examples
        --------
        >>> ColumnText.parse("c{CUSTOMER_ID}")
        ColumnText(column='CUSTOMER_ID', before='c', after='')
        >>> ColumnText.parse("CUSTOMER_ID").before
        ''
        """
        match = _TEMPLATE.match(text)
        return cls(text) if match is None else cls(match["column"], match["before"], match["after"])


class ColumnMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where each field of a transaction, or of a label, comes from.

    Parameters
    ----------
    columns: field to column, as `ColumnText.parse` reads it. `amount` is a decimal number in whole units of the
        currency and is rounded to minor units; `amount_minor` is taken as it is. `is_fraud`, 0 or 1, is the label.
    constants: field to a value that every row has.
    time_unit: what a number in the column of `event_time` counts, since 1970; timestamps need no unit and are UTC.

    Raises
    ------
    MappingError: naming the field and the remedy.

    Examples
    --------
    >>> HANDBOOK.column("card_id")
    ColumnText(column='CUSTOMER_ID', before='c', after='')
    """

    columns: dict[str, str]
    constants: dict[str, str] = {}
    time_unit: TimeUnit = "ms"

    def __post_init__(self) -> None:
        """Refuse a field that is unknown, said twice, missing or in a form that cannot be."""
        for field in (*self.columns, *self.constants):
            if field not in _FIELDS:
                raise MappingError(f"a transaction has no field {field!r:.80}; there are: {', '.join(sorted(_FIELDS))}")
            if field in self.columns and field in self.constants:
                raise MappingError(f"{field} is given as a column and as a constant; give one")
        self._require(_TRANSACTION)
        for field in self.columns.keys() & _NUMBERS:
            text = ColumnText.parse(self.columns[field])
            if text.before or text.after:
                raise MappingError(f"{field} is a number, so {self.columns[field]!r:.80} may not put text around it")
        for field in self.constants.keys() & (_NUMBERS | {"transaction_id"}):
            raise MappingError(f"{field} cannot be the same for every row; give it a column")

    def require_transactions(self) -> None:
        """Refuse a mapping without an amount or a currency."""
        self._require(("currency",))
        if len({_AMOUNT, "amount_minor"} & self.columns.keys()) != 1:
            raise MappingError(
                "give either amount (in whole units) or amount_minor a column, with --column amount=COLUMN"
            )

    def require_labels(self) -> None:
        """Refuse a mapping without the column that tells fraud."""
        self._require((_LABEL,))

    def _require(self, fields: Sequence[str]) -> None:
        for field in fields:
            if not self.has(field):
                raise MappingError(f"nothing says where {field} comes from; add --column {field}=COLUMN")

    def has(self, field: str) -> bool:
        """Whether a field comes from a column or is a constant."""
        return field in self.columns or field in self.constants

    def column(self, field: str) -> ColumnText | None:
        """Return the column of a field, or None."""
        text = self.columns.get(field)
        return None if text is None else ColumnText.parse(text)

    def with_changes(self, columns: Mapping[str, str], constants: Mapping[str, str]) -> "ColumnMapping":
        """Return this mapping with some fields given otherwise."""
        dropped = {"amount", "amount_minor"} if {"amount", "amount_minor"} & columns.keys() else set()
        kept = {field: text for field, text in self.columns.items() if field not in constants.keys() | dropped}
        same = {field: text for field, text in self.constants.items() if field not in columns}
        return ColumnMapping({**kept, **columns}, {**same, **constants}, self.time_unit)


HANDBOOK: Final = ColumnMapping(
    columns={
        "transaction_id": "h{TRANSACTION_ID}",
        "event_time": "TX_DATETIME",
        "card_id": "c{CUSTOMER_ID}",
        "terminal_id": "t{TERMINAL_ID}",
        "amount": "TX_AMOUNT",
        "is_fraud": "TX_FRAUD",
    },
    constants={"currency": "EUR"},
)
"""The simulated transactions of the Fraud Detection Handbook."""

TRUTH: Final = ColumnMapping(
    columns={field: field for field in ("transaction_id", "event_time", "card_id", "terminal_id", "is_fraud")},
)
"""The truth file that `fraudstream simulate` writes: labels alone."""

READY: Final[Mapping[str, ColumnMapping]] = {"handbook": HANDBOOK, "truth": TRUTH}


def read_mapping(name_or_path: str | None, columns: Mapping[str, str], constants: Mapping[str, str]) -> ColumnMapping:
    """Return a ready mapping by name, or one from a JSON file, or one made of `columns` and `constants` alone.

    Raises
    ------
    MappingError: when there is no such mapping, or it is not in form.
    """
    if name_or_path is None:
        return ColumnMapping(dict(columns), dict(constants))
    if name_or_path in READY:
        return READY[name_or_path].with_changes(columns, constants)
    try:
        mapping = msgspec.json.decode(Path(name_or_path).read_bytes(), type=ColumnMapping)
    except OSError as error:
        raise MappingError(
            f"no mapping {name_or_path!r} ({error.strerror}); give a JSON file or one of: {', '.join(READY)}"
        ) from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise MappingError(f"{name_or_path} is not a mapping: {one_line(error)}") from None
    return mapping.with_changes(columns, constants)
