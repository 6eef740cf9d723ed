"""Values that may stand in a file of their own, so that a secret needs no place in a command or a setting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.errors import FraudstreamError

FILE: Final = "file:"
HIDDEN: Final = "***"


class SecretError(FraudstreamError):
    """Raised when a value's file cannot be read or is empty."""


def resolved(name: str, value: str) -> str:
    """Return a value, or what its file holds when it is `file:PATH`, without the line end.

    Parameters
    ----------
    name: what errors call the value; they never tell the value itself.
    value: as it was set.

    Raises
    ------
    SecretError: the file cannot be read or is empty.

    Examples
    --------
    >>> resolved("client.id", "score-1")
    'score-1'
    """
    if not value.startswith(FILE):
        return value
    path = Path(value.removeprefix(FILE))
    try:
        content = path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SecretError(f"{name} names the file {path}, which cannot be read ({reason}); mend {name}") from None
    if not content:
        raise SecretError(f"{name} names the file {path}, which is empty; write the value into it")
    return content


def from_environment(environment: Mapping[str, str], name: str) -> str | None:
    """Return what a variable says, resolved; None where it is unset or empty."""
    value = environment.get(name)
    return resolved(name, value) if value else None


def hidden(text: str, *secrets: str | None) -> str:
    """Return a text without any of the secrets.

    Examples
    --------
    >>> hidden("user=me password=s3cret", "s3cret", None)
    'user=me password=***'
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, HIDDEN)
    return text
