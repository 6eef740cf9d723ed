"""The secret that signs cookies: given, or made at the first start and kept beside the accounts file."""

import os
import secrets
from pathlib import Path
from typing import Final

from models.access.secret import from_environment
from stream_app.console.settings import ConsoleSettingsError

VARIABLE: Final = "FRAUDSTREAM_CONSOLE_SECRET"
_SHORTEST: Final = 32


def console_secret(file: Path) -> str:
    """Return what the variable says, which may be `file:PATH`, else what the file holds, made where it is missing.

    Raises
    ------
    ConsoleSettingsError: the secret is too short to be one, or the file cannot be written.
    """
    given = from_environment(os.environ, VARIABLE)
    if given is not None:
        return _long_enough(given, VARIABLE)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as made:
            made.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConsoleSettingsError(f"{file} cannot be written ({error.strerror}); set {VARIABLE}") from error
    return _long_enough(file.read_text().strip(), str(file))


def _long_enough(secret: str, where: str) -> str:
    if len(secret) < _SHORTEST:
        raise ConsoleSettingsError(f"the secret in {where} has fewer than {_SHORTEST} characters; take a longer one")
    return secret
