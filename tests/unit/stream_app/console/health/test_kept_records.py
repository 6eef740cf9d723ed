"""What the feed has read, as the page is given it."""

import msgspec

from models.registry import Registry
from models.schema.performance import Performance
from models.schema.topics import DRIFT_EVENTS, DRIFT_STATISTICS, MODEL_EVENTS, PERFORMANCE, RETRAIN_REQUESTS, TopicNames
from stream_app.console.feed.feed import Feed
from stream_app.console.feed.journal import Journal
from stream_app.console.health.kept_records import HealthDesk, KeptRecords
from stream_app.console.health.records import HealthRecords
from stream_app.console.health.view import health_view
from tests.support.health_story import published, story

KINDS = {
    PERFORMANCE: "performance",
    DRIFT_STATISTICS: "statistics",
    DRIFT_EVENTS: "drift",
    RETRAIN_REQUESTS: "request",
    MODEL_EVENTS: "model",
}


def feed_with(records: HealthRecords) -> Feed:
    """A feed that connects to nothing, with records in its journals."""
    feed = Feed("nobody:1", TopicNames(), Registry("redis://127.0.0.1:1").log)
    append(feed, records)
    return feed


def append(feed: Feed, records: HealthRecords) -> None:
    for topic, context, record in published(records):
        journal = feed.journal(KINDS[topic])
        data = msgspec.to_builtins(record) | {"event": msgspec.to_builtins(context)}
        journal.append(0, journal.number, 0, data)


def test_the_page_from_the_journals_is_the_page_from_the_records() -> None:
    assert HealthDesk(feed_with(story())).view(12) == health_view(story(), 12)


def test_nothing_is_made_anew_until_something_comes() -> None:
    feed = feed_with(story(50))
    desk = HealthDesk(feed)
    before = desk.view(12)
    assert desk.view(12) is before
    assert len(desk.view(None).features) > len(before.features)
    append(feed, HealthRecords(events=story().events[-1:]))
    assert desk.view(12).marks[0].kind == "recovery"


def test_an_event_that_was_published_twice_counts_once() -> None:
    feed = feed_with(story())
    append(feed, HealthRecords(events=story().events))
    assert len(HealthDesk(feed).view(12).marks) == len(health_view(story()).marks)


def test_a_topic_that_was_created_anew_begins_anew() -> None:
    journal = Journal("performance", 100)
    kept = KeptRecords(journal, Performance)
    told = [msgspec.to_builtins(record) | {"event": {"id": record.event_id}} for record in story().performance]
    for at, data in enumerate(told):
        journal.append(0, at, 0, data)
    assert len(kept.all()) == len(told)
    journal.append(0, 0, 0, told[0])
    assert [record.event_id for record in kept.all()] == [told[0]["event_id"]]
