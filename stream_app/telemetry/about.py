"""The ids that log lines and spans carry as fields: whose work a thread or a task is doing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

Field = str | int | float | bool | None
Fields = Mapping[str, Field]

_FIELDS: Final[ContextVar[Fields]] = ContextVar("fields of log lines", default={})  # noqa: B039  never changed in place


def fields() -> Fields:
    """Return what is said of the work under way here."""
    return _FIELDS.get()


@contextmanager
def about(**ids: Field) -> Iterator[None]:
    """Let all that is logged within carry these ids; None says nothing of one.

    Examples
    --------
    >>> with about(correlation_id="i-1", request_id=None):
    ...     with about(model_version="m-2"):
    ...         dict(fields())
    {'correlation_id': 'i-1', 'model_version': 'm-2'}
    """
    token = _FIELDS.set({**_FIELDS.get(), **{name: value for name, value in ids.items() if value is not None}})
    try:
        yield
    finally:
        _FIELDS.reset(token)
