"""What is known of a running local stack: the file `stack.json` in its data folder."""

from pathlib import Path
from typing import Final

import msgspec

from models.errors import FraudstreamError, one_line

STATE_FILE: Final = "stack.json"


class StackStateError(FraudstreamError):
    """Raised when `stack.json` is not what `fraudstream stack up` writes."""


class StackState(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses and processes of a stack that answered when it was started."""

    broker: str
    redis: str
    kafka_pid: int
    kafka_started_at: float
    redis_pid: int
    redis_started_at: float

    @staticmethod
    def read(data_folder: Path) -> "StackState | None":
        """Return what the folder's file says, None when there is no file."""
        path = data_folder / STATE_FILE
        try:
            return msgspec.json.decode(path.read_bytes(), type=StackState)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise StackStateError(
                f"{path} is not readable ({one_line(error)}); run `fraudstream stack down`"
            ) from error

    def write(self, data_folder: Path) -> None:
        """Write the file whole or not at all."""
        path = data_folder / STATE_FILE
        unfinished = path.with_suffix(".json.new")
        unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")
        unfinished.replace(path)

    @staticmethod
    def remove(data_folder: Path) -> None:
        """Remove the file if it is there."""
        (data_folder / STATE_FILE).unlink(missing_ok=True)
