"""What followers of the feed see, and what they are told when they missed something."""

import json

from stream_app.console.feed.journal import Journal
from stream_app.console.feed.thread_place import read, written
from stream_app.console.pages.events import Follower
from stream_app.console.people.role import Role


def filled(count: int, size: int = 5, first: int = 100, *, lossy: bool = False) -> Journal:
    journal = Journal("model", size, lossy=lossy)
    journal.begin(0, first)
    for offset in range(first, first + count):
        journal.append(0, offset, 1, {"n": offset})
    return journal


def told(follower: Follower) -> list[tuple[str, str, list]]:
    found = []
    for message in follower.messages():
        lines = dict(line.split(": ", 1) for line in message.decode().strip().splitlines())
        found.append((lines["event"], lines["id"], json.loads(lines["data"])))
    return found


def test_the_latest_are_the_oldest_first_and_no_more_than_are_kept() -> None:
    assert [entry.offset for entry in filled(8).latest(3)] == [105, 106, 107]
    assert [entry.offset for entry in filled(8).latest(99)] == [103, 104, 105, 106, 107]


def test_a_follower_hears_what_comes_and_where_it_stands() -> None:
    journal = filled(2)
    follower = Follower([journal], {}, Role.VIEWER)
    assert told(follower) == []
    journal.append(0, 102, 7, {"n": 102})
    assert told(follower) == [("model", "model:0.102", [{"n": 102, "at_ms": 7}])]


def test_a_follower_goes_on_where_it_stopped() -> None:
    journal = filled(4)
    follower = Follower([journal], read("model:0.101"), Role.VIEWER)
    assert [data["n"] for _, _, entries in told(follower) for data in entries] == [102, 103]


def test_a_restarted_console_goes_on_too_for_offsets_stay() -> None:
    after_restart = filled(4, size=50)
    assert after_restart.number_at({0: 101}) == 2
    assert after_restart.number_at({0: 99}) == 0


def test_who_missed_what_is_no_longer_kept_is_told_so() -> None:
    journal = filled(8)
    follower = Follower([journal], {"model": {0: 100}}, Role.VIEWER)
    assert [(event, data) for event, _, data in told(follower)] == [("reset", ["model"])]
    assert told(follower) == []


def test_a_sample_goes_on_without_a_word() -> None:
    journal = filled(8, lossy=True)
    follower = Follower([journal], {"model": {0: 100}}, Role.VIEWER)
    assert [data["n"] for _, _, entries in told(follower) for data in entries] == [103, 104, 105, 106, 107]


def test_a_topic_that_was_made_anew_resets_who_followed_the_old_one() -> None:
    journal = filled(3)
    follower = Follower([journal], {}, Role.VIEWER)
    journal.append(0, 0, 9, {"n": 0})
    assert [event for event, _, _ in told(follower)] == ["reset"]
    assert [entry.offset for entry in journal.latest(9)] == [0]
    assert Follower([journal], {"model": {0: 102}}, Role.VIEWER).lost == ["model"]


def test_a_place_is_read_as_it_was_written() -> None:
    place = {"model": {0: 7}, "score": {0: 5, 3: 11}}
    assert read(written(place)) == place


def test_a_viewer_is_told_four_characters_of_a_card() -> None:
    journal = Journal("score", 5, lossy=True)
    viewer, analyst = (Follower([journal], {}, role) for role in (Role.VIEWER, Role.ANALYST))
    journal.append(0, 0, 1, {"card_id": "card-00012345"})
    assert [told(one)[0][2][0]["card_id"] for one in (viewer, analyst)] == ["••••2345", "card-00012345"]


def test_a_viewer_is_not_sent_the_card() -> None:
    journal = Journal("score", 5, lossy=True)
    follower, analyst = (Follower([journal], {}, role) for role in (Role.VIEWER, Role.ANALYST))
    journal.append(0, 1, 7, {"card_id": "card-00012345"})
    assert b"card-00012345" not in b"".join(follower.messages())
    assert b"card-00012345" in b"".join(analyst.messages())
