"""The steps of a training as spans, told from what it reports: models know nothing of traces."""

from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from stream_app.telemetry.traces import span

_NEXT: Final = (
    ("reading the archive", "read archive"),
    ("recipe: ", "cross-fit and gate"),
    ("gate: pass", "refit, sign and calibrate"),
)
"""What stands at the beginning of a report, and which step begins with it."""
_AFTER_READING: Final = "choose recipe"


class TracedSteps:
    """Passes reports on; each that ends a step begins the next one's span.

    Parameters
    ----------
    report: told everything.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._open = ExitStack()
        self._step: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def report(self, text: str) -> None:
        """Pass on what is done, or begun."""
        self._report(text)
        step = next((step for beginning, step in _NEXT if text.startswith(beginning)), None)
        if step is None and self._step == _NEXT[0][1]:
            step = _AFTER_READING  # what was read is reported once
        if step is not None:
            self._open.close()
            self._open.enter_context(span(step))
            self._step = step
