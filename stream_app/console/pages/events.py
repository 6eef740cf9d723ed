"""/events: the feed as server-sent events."""

import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stream_app.console.console import Console
from stream_app.console.feed.entry import Entry
from stream_app.console.feed.feed import TICK
from stream_app.console.feed.journal import Journal
from stream_app.console.feed.thread_place import read, written
from stream_app.console.people.card_mask import mask_card
from stream_app.console.people.role import Role

_WAIT_S = 1.0
_RETRY_MS = 1_000
_CHECK_EVERY_S = 5.0
"""Whoever is kept out, or sees less from now on, is shown no more after this time."""
MOST_OPEN = 50
"""Streams of one person; a browser opens six."""


class Follower:
    """One open page: where it stands in each journal that it follows.

    Parameters
    ----------
    journals: what it follows.
    seen: kind -> partition -> offset of the last record it has; a kind that is not there begins with what comes.
    role: whose eyes it is for.
    """

    def __init__(self, journals: Iterable[Journal], seen: dict[str, dict[int, int]], role: Role) -> None:
        self._journals = list(journals)
        self._role = role
        self._numbers: dict[str, int] = {}
        self._generations = {journal.kind: journal.generation for journal in self._journals}
        self.place: dict[str, dict[int, int]] = {}
        self.lost: list[str] = []
        """Kinds of which something came that is no longer kept."""
        for journal in self._journals:
            self._begin(journal, seen.get(journal.kind))

    def _begin(self, journal: Journal, seen: dict[int, int] | None) -> None:
        kind = journal.kind
        number = journal.number if seen is None or kind == TICK else journal.number_at(seen)
        if number is None:
            if not journal.lossy:
                self.lost.append(kind)
            number = journal.number
        if kind == TICK:
            number = max(0, journal.number - 1)  # the last one says how things stand
        self._numbers[kind] = number
        self.place[kind] = {} if kind == TICK else dict(seen or journal.place())

    def messages(self) -> list[bytes]:
        """Return what is new, a message for each kind."""
        found = []
        for journal in self._journals:
            if journal.generation != self._generations[journal.kind]:
                self._generations[journal.kind] = journal.generation
                self.lost.append(journal.kind)
                self._numbers[journal.kind] = journal.number
                continue
            entries = journal.after(self._numbers[journal.kind])
            if entries:
                self._numbers[journal.kind] = entries[-1].number
                found.append(self._message(journal.kind, entries))
        if self.lost:
            found.append(self._event("reset", msgspec.json.encode(self.lost)))
            self.lost = []
        return found

    def _message(self, kind: str, entries: list[Entry]) -> bytes:
        if kind != TICK:
            for entry in entries:
                self.place[kind][entry.partition] = entry.offset
        return self._event(kind, msgspec.json.encode([shown(entry, self._role) for entry in entries]))

    def _event(self, kind: str, data: bytes) -> bytes:
        place = written({kind: offsets for kind, offsets in self.place.items() if offsets})
        return b"id: %s\nevent: %s\ndata: %s\n\n" % (place.encode(), kind.encode(), data)


def shown(entry: Entry, role: Role) -> dict[str, Any]:
    """Return the data of an entry as a role may see it, with Kafka's timestamp."""
    data = {**entry.data, "at_ms": entry.time_ms}
    if "card_id" in data:
        data["card_id"] = mask_card(data["card_id"], role)
    return data


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    open_by: Counter[str] = Counter()

    async def events(request: Request) -> Response:
        person = request.state.person
        if open_by[person.name] >= MOST_OPEN:
            raise HTTPException(429, f"{MOST_OPEN} pages stand open for {person.name}; close some")
        kinds = [kind for kind in request.query_params.get("kinds", "").split(",") if kind]
        unknown = sorted(set(kinds) - console.feed.kinds)
        if unknown or not kinds:
            there = ", ".join(sorted(console.feed.kinds))
            raise HTTPException(400, f"no events {', '.join(unknown) or 'are named'}; there are {there}")
        seen = read(request.headers.get("last-event-id") or request.query_params.get("since", ""))
        follower = Follower([console.feed.journal(kind) for kind in dict.fromkeys(kinds)], seen, person.role)
        return StreamingResponse(
            _counted(_stream(console, request, follower), open_by, person.name),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return [Route("/events", events)]


async def _counted(stream: AsyncGenerator[bytes, None], open_by: Counter[str], name: str) -> AsyncIterator[bytes]:
    open_by[name] += 1
    try:
        async with aclosing(stream):
            async for part in stream:
                yield part
    finally:
        open_by[name] -= 1
        if not open_by[name]:
            del open_by[name]


async def _stream(console: Console, request: Request, follower: Follower) -> AsyncGenerator[bytes, None]:
    """Send what comes, until the session ends or the page goes."""
    with console.gauges.open_pages.track_inprogress():
        yield b"retry: %d\n\n" % _RETRY_MS
        due_s = time.monotonic() + _CHECK_EVERY_S
        while not console.feed.bell.closed and not await request.is_disconnected():
            messages = follower.messages()
            for message in messages:
                yield message
            if not messages:
                yield b": \n\n"
            await console.feed.bell.heard(_WAIT_S)
            if time.monotonic() >= due_s:
                due_s += _CHECK_EVERY_S
                if await console.sessions.read(request.cookies.get(console.cookies.session)) is None:
                    return
