"""The secret key of the control group's draw, in a file that only its owner can read."""

import os
import secrets
from pathlib import Path

from models.control_group import ControlGroupError

_BYTES = 32


def load_or_create_seed(path: Path) -> bytes:
    """Read the seed, or make one there.

    Workers on several machines need the same file: a transaction that is sent twice could otherwise be drawn twice.

    Raises
    ------
    ControlGroupError
        When the file cannot be read or made, or is open to other users.
    """
    try:
        if not path.exists():
            _create(path)
        if path.stat().st_mode & 0o077:
            raise ControlGroupError(f"control seed {path} is open to other users: chmod 600 {path}")
        return path.read_bytes().strip()
    except OSError as error:
        raise ControlGroupError(
            f"control seed {path} cannot be read or made ({error.strerror}); name another file with --control-seed"
        ) from error


def _create(path: Path) -> None:
    """Written beside and linked into place whole: another worker that starts now reads all of it, or makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_hex(_BYTES).encode())
    try:
        path.hardlink_to(draft)
    except FileExistsError:  # another process made it in the meantime
        pass
    finally:
        draft.unlink()
