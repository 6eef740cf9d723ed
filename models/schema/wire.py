"""Records to JSON bytes and back, for the topics whose writer is this package itself."""

from typing import TypeVar

import msgspec

from models.errors import FraudstreamError

_Record = TypeVar("_Record", bound=msgspec.Struct)

encode = msgspec.json.Encoder().encode
"""Record to JSON bytes."""


class RecordError(FraudstreamError):
    """Raised when bytes are not the record they should be."""


def decode(record: type[_Record], value: bytes) -> _Record:
    """Return the record in `value`, validated.

    Raises
    ------
    RecordError: naming the record's type and what is wrong.
    """
    try:
        return msgspec.json.decode(value, type=record)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordError(f"not a {record.__name__}: {error}; was it written by another version?") from None
