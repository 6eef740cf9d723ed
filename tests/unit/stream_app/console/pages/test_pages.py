"""Pages as they are sent, without a script."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from models.alias import Alias
from stream_app.console.console import Console
from stream_app.console.feed.feed import SCORE, TICK
from stream_app.console.now.tick import SERIES, tick_of
from stream_app.console.now.vitals import PartitionVitals, Traffic, Vitals
from stream_app.console.pages import events
from stream_app.console.pages.events import Follower
from stream_app.console.people.person import Person
from stream_app.console.people.role import Role
from stream_app.worker_status import WorkerStatus
from tests.unit.stream_app.console.conftest import PASSWORD, send

Visit = Callable[..., TestClient]


@pytest.fixture
def vitals() -> Vitals:
    """A worker on one of two partitions, half a second behind."""
    return Vitals(
        at_ms=1_764_000_000_000,
        traffic=Traffic(120.0, 7_000, 7_000, 35, 80, [4.0, 6.0, 900.0], 0.2),
        partitions=[PartitionVitals(0, 1_234, 5, 0.5), PartitionVitals(1, 10, 0, 0.0)],
        workers=[WorkerStatus("w-1", 1, None, True, "m-1", 1, 0, [0, 1], 1)],
        aliases={"champion": Alias("champion", "m-1", 1, "ada", "why", 1_763_000_000_000)},
    )


def test_the_first_page_says_all_without_a_script(console: Console, visit: Visit, vitals: Vitals) -> None:
    console.feed.tell(TICK, tick_of(vitals))
    text = visit(Role.VIEWER).get("/").text
    assert "All 2 partitions are scored by 1 worker, 0.5 s behind." in text
    assert "m-1" in text
    assert "1,234" in text
    assert "showing 80 of 7000 in the last minute" in text


def test_charts_get_the_past_as_columns(console: Console, visit: Visit, vitals: Vitals) -> None:
    for _ in range(3):
        console.feed.tell(TICK, tick_of(vitals))
    found = visit(Role.VIEWER).get("/now/data").json()
    assert found.keys() == set(SERIES)
    assert found["p99_ms"] == [900.0] * 3


def test_what_a_transaction_says_of_itself_is_never_markup(console: Console, visit: Visit) -> None:
    nasty = "<script>alert(1)</script>"
    data = {"transaction_id": nasty, "card_id": nasty, "decision": "decline", "score_scaled": 1, "scored_at": 1}
    console.feed.journal(SCORE).append(0, 0, 1, data | {"why": [nasty]})
    text = visit(Role.ANALYST).get("/").text
    assert nasty not in text
    assert "&lt;script&gt;" in text


def test_a_new_follower_is_told_at_once_how_things_stand(console: Console, vitals: Vitals) -> None:
    for _ in range(2):
        console.feed.tell(TICK, tick_of(vitals))
    (message,) = Follower([console.feed.journal(TICK)], {}, Role.VIEWER).messages()
    assert message.startswith(b"id: \nevent: tick\ndata: [{")


@pytest.mark.parametrize(("query", "said"), [("", "are named"), ("?kinds=score,gossip", "gossip")])
def test_events_that_there_are_not_are_refused_by_name(visit: Visit, query: str, said: str) -> None:
    person = visit(Role.VIEWER)
    person.headers["accept"] = "application/json"
    answer = person.get(f"/events{query}")
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_nothing_is_changed_that_cannot_be_written_into_the_audit(visit: Visit, console: Console) -> None:
    fields = {"name": "eve", "role": "viewer", "password": PASSWORD}
    answer = send(visit(Role.ADMIN), "/people/put", fields)
    assert answer.status_code == 400
    assert "no Redis at" in answer.text
    assert console.accounts.get("eve") is None


def test_nobody_takes_their_own_rights(visit: Visit) -> None:
    admin = visit(Role.ADMIN)
    for path, fields in (("/people/role", {"role": "viewer"}), ("/people/disable", {"disabled": "yes"})):
        answer = send(admin, path, {"name": "admin", **fields})
        assert answer.status_code == 400
        assert "another admin has to do this" in answer.text


def test_what_is_read_and_what_is_not_is_counted_for_prometheus(visit: Visit) -> None:
    visit(Role.VIEWER)
    text = visit().get("/metrics").text
    assert 'fraudstream_console_sign_ins_total{outcome="entered"} 1.0' in text
    assert "fraudstream_console_open_pages 0.0" in text
    assert 'fraudstream_console_scores_total{part="written"} 0.0' in text


def test_a_person_holds_no_end_of_pages_open(console: Console) -> None:
    """One person's streams are full; another's are not, and one that ends makes room."""
    (route,) = events.routes(console)
    assert isinstance(route, Route)

    def asked(name: str) -> Request:
        scope = {"type": "http", "method": "GET", "path": "/events", "query_string": b"kinds=tick", "headers": []}
        return Request({**scope, "state": {"person": Person(name, Role.VIEWER, "s")}})

    async def fill() -> None:
        console.feed.bell.hang_up(asyncio.get_running_loop())
        streams = [(await route.endpoint(asked("ada"))).body_iterator for _ in range(events.MOST_OPEN)]
        for stream in streams:
            await anext(stream)
        with pytest.raises(HTTPException, match="stand open for ada"):
            await route.endpoint(asked("ada"))
        await route.endpoint(asked("grace"))
        await streams[0].aclose()
        await route.endpoint(asked("ada"))
        for stream in streams:
            await stream.aclose()

    asyncio.run(fill())
