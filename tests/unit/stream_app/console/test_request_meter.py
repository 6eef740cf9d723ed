"""What the console counts of its requests."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from stream_app.console.guard.request_meter import RequestMeter
from tests.support.metric_catalogue import console_gauges


async def page(_request: Request) -> Response:
    return PlainTextResponse("there")


async def broken(_request: Request) -> Response:
    raise ZeroDivisionError


def asked(*paths: str) -> CollectorRegistry:
    """The registry after requests to a small app; an error is passed on after the last."""
    gauges = console_gauges()
    routes = [Route("/", page), Route("/events", page), Route("/broken", broken)]
    app = Starlette(routes=routes, middleware=[Middleware(RequestMeter, gauges=gauges)])

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_message: Message) -> None:
        pass

    for path in paths:
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
            "headers": [], "http_version": "1.1", "scheme": "http", "root_path": "",
        }  # fmt: skip
        if path == "/broken":
            with pytest.raises(ZeroDivisionError):
                asyncio.run(app(scope, receive, send))
        else:
            asyncio.run(app(scope, receive, send))
    return gauges.registry


def test_requests_are_counted_by_class_of_status_and_never_by_address() -> None:
    value = asked("/", "/4000123412341234", "/broken").get_sample_value
    counts = [value("fraudstream_console_requests_total", {"status": f"{one}xx"}) for one in (2, 4, 5)]
    assert counts == [1, 1, 1]
    assert value("fraudstream_console_request_seconds_count") == 3


def test_a_page_that_stands_open_is_no_request() -> None:
    assert asked("/events").get_sample_value("fraudstream_console_request_seconds_count") == 0
