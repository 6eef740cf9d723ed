"""Records to JSON bytes and back, for the topics whose writer is this package itself."""

from typing import Final, TypeVar

import msgspec

from models.errors import FraudstreamError, one_line

_Record = TypeVar("_Record", bound=msgspec.Struct)

encode = msgspec.json.Encoder().encode
"""Record to JSON bytes."""


LONGEST_RECORD_BYTES: Final = 1024 * 1024
"""As long as a topic takes by default. One number of that length takes seven seconds to read, a longer one minutes."""


class RecordError(FraudstreamError):
    """Raised when bytes are not the record they should be."""


def decode(record: type[_Record], value: bytes) -> _Record:
    """Return the record in `value`, validated.

    Raises
    ------
    RecordError: naming the record's type and what is wrong, on one line.
    """
    if len(value) > LONGEST_RECORD_BYTES:
        raise RecordError(f"not a {record.__name__}: {len(value)} bytes; at most {LONGEST_RECORD_BYTES} are read")
    try:
        return msgspec.json.decode(value, type=record)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise RecordError(f"not a {record.__name__}: {one_line(error)}; was it written by another version?") from None
