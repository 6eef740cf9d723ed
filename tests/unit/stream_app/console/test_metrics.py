"""What the console counts of its requests and its feed."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from models.schema.topics import TopicNames
from stream_app.console.feed.feed import Feed
from stream_app.console.metrics import ConsoleMetrics, Measured


async def ask(metrics: ConsoleMetrics, path: str) -> list[float | None]:
    """Ask a small app; returns how many pages stood open while it answered."""
    open_pages: list[float | None] = []

    async def page(_request: Request) -> Response:
        open_pages.append(metrics.registry.get_sample_value("fraudstream_console_open_pages"))
        return PlainTextResponse("there")

    async def broken(_request: Request) -> Response:
        raise ZeroDivisionError

    routes = [Route("/", page), Route("/events", page), Route("/broken", broken)]
    app = Starlette(routes=routes, middleware=[Middleware(Measured, metrics=metrics)])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        pass

    scope = {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
        "http_version": "1.1", "scheme": "http", "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return open_pages


def test_requests_are_counted_by_class_of_status_and_never_by_address() -> None:
    metrics = ConsoleMetrics()
    value = metrics.registry.get_sample_value
    asyncio.run(ask(metrics, "/"))
    asyncio.run(ask(metrics, "/4000123412341234"))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask(metrics, "/broken"))
    counts = [value("fraudstream_console_requests_total", {"status": f"{one}xx"}) for one in (2, 3, 4, 5)]
    assert counts == [1, 0, 1, 1]
    assert value("fraudstream_console_request_seconds_count") == 3


def test_a_page_that_follows_is_counted_while_it_stands_open_and_is_no_request() -> None:
    metrics = ConsoleMetrics()
    assert asyncio.run(ask(metrics, "/events")) == [1]
    assert metrics.registry.get_sample_value("fraudstream_console_open_pages") == 0
    assert metrics.registry.get_sample_value("fraudstream_console_request_seconds_count") == 0


def test_what_the_feed_has_read_is_looked_up_when_somebody_asks() -> None:
    metrics, feed = ConsoleMetrics(), Feed("127.0.0.1:1", TopicNames())
    metrics.see_feed(feed)
    value = metrics.registry.get_sample_value
    feed.journal("model").append(0, 7, 1, {})
    feed.tell("tick", {})
    feed.undecodable["labels"] = 2
    assert value("fraudstream_console_feed_entries_total", {"kind": "model"}) == 1
    assert value("fraudstream_console_feed_entries_total", {"kind": "score"}) == 0
    assert value("fraudstream_console_undecodable_total", {"topic": "labels"}) == 2
    assert value("fraudstream_console_feed_up") == 1
    feed._problems["scores"] = "no broker"
    assert value("fraudstream_console_feed_up") == 0
