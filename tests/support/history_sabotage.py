"""Crashes of a watcher at a named step, put in before its command runs; called in the child process only."""

import functools
import os
import signal
from collections.abc import Callable

from models.schema.topics import DRIFT_EVENTS, DRIFT_STATISTICS, PERFORMANCE, RETRAIN_REQUESTS
from stream_app.watch.history.announcement import Announcement
from stream_app.watch.history.closings import Closing, Closings
from stream_app.watch.history.publisher import Publisher


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def dies_at_a_publish(topic: str, *, after: bool) -> None:
    """A record of a topic is about to be sent, or has been acknowledged."""
    whole = Publisher._send

    async def send(publisher: Publisher, announcement: Announcement) -> None:
        if announcement.topic == topic and not after:
            _crash()
        await whole(publisher, announcement)
        if announcement.topic == topic:
            _crash()

    Publisher._send = send  # type: ignore[method-assign, assignment]


def dies_at_a_closing(agent: str, *, after: bool) -> None:
    """All that a day brought is acknowledged and the closing is about to be written, or has been."""
    whole = Closings.write

    def write(closings: Closings, closing: Closing) -> None:
        mine = closings._kind.endswith(agent)
        if mine and not after:
            _crash()
        whole(closings, closing)
        if mine:
            _crash()

    Closings.write = write  # type: ignore[method-assign, assignment]


_CLOSING = functools.partial(functools.partial, dies_at_a_closing)
_PUBLISH = functools.partial(functools.partial, dies_at_a_publish)

STEPS: dict[str, Callable[[], None]] = {
    "before feedback's closing": _CLOSING("feedback", after=False),
    "after feedback's closing": _CLOSING("feedback", after=True),
    "before drift's closing": _CLOSING("drift", after=False),
    "after drift's closing": _CLOSING("drift", after=True),
    "before a day's statistics": _PUBLISH(DRIFT_STATISTICS, after=False),
    "after a day's statistics": _PUBLISH(DRIFT_STATISTICS, after=True),
    "before an alarm": _PUBLISH(DRIFT_EVENTS, after=False),
    "after an alarm": _PUBLISH(DRIFT_EVENTS, after=True),
    "before a request": _PUBLISH(RETRAIN_REQUESTS, after=False),
    "after a request": _PUBLISH(RETRAIN_REQUESTS, after=True),
    "before a week": _PUBLISH(PERFORMANCE, after=False),
    "after a week": _PUBLISH(PERFORMANCE, after=True),
}
"""Every step that leaves something behind, in the order in which a history comes to them."""
