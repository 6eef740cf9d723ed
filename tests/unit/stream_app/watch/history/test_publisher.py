"""Announcements on their way out, and what their headers say."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaProducer

from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent, DriftLevel
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS, TopicNames
from stream_app.lease import Lease, LeaseLostError
from stream_app.watch.history.announcement import Announcement, of_drift, of_performance, of_request, of_statistics
from stream_app.watch.history.publisher import Publisher
from tests.support.performance_records import record
from tests.support.statistics_records import statistics


class FakeProducer:
    """Remembers what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, str]] = []

    async def send_and_wait(self, topic: str, _value: bytes, *, key: bytes, headers: Any) -> None:
        self.sent.append((topic, key, CloudEvent.read(headers).id))


class FakeLease:
    """Is lost after some checks."""

    def __init__(self, checks: int) -> None:
        self._checks = checks

    def check(self) -> None:
        self._checks -= 1
        if self._checks < 0:
            raise LeaseLostError("lost")


def publisher(producer: FakeProducer, published: set[str], checks: int = 99) -> Publisher:
    return Publisher(cast("AIOKafkaProducer", producer), TopicNames("p."), cast("Lease", FakeLease(checks)), published)


def event(level: DriftLevel = "alarm", feature: str = "amount", incident: str | None = "i1") -> DriftEvent:
    return DriftEvent(
        model_version="m-1",
        as_of=100 * DAY_MS,
        day=100,
        level=level,
        kind="performance",
        feature=feature,
        since=90 * DAY_MS,
        window_days=3,
        summary="it misses more",
        evidence=[],
        incident=incident,
        reference="four weeks",
        table_versions={"scores": 3},
    )


def request(incident: str | None = "i1") -> RetrainRequest:
    return RetrainRequest(
        request_id="r1",
        cause="drift" if incident else "schedule",
        incident=incident,
        number=1,
        model_version="m-1",
        as_of=100 * DAY_MS,
        changed_at=90 * DAY_MS,
        frauds_since_change=12,
        reason="it misses more",
        actor="watch/drift",
        table_versions={"scores": 3},
    )


def test_what_is_on_the_topic_already_is_left_out_and_the_rest_keeps_its_order() -> None:
    producer = FakeProducer()
    alarm, asked, week = of_drift(event(), "c1"), of_request(request(), "a1"), of_performance(record(3), "c1")
    sent = asyncio.run(publisher(producer, {alarm.event.id}).publish([week, alarm, asked]))
    assert sent == [week, asked]
    assert producer.sent == [("p.performance", b"m-1", week.event.id), ("p.retrain-requests", b"i1", "r1")]


def test_nothing_is_sent_once_the_lease_is_lost() -> None:
    producer = FakeProducer()
    announcements = [of_drift(event(feature=name), "c1") for name in ("amount", "channel")]
    with pytest.raises(LeaseLostError):
        asyncio.run(publisher(producer, set(), checks=1).publish(announcements))
    assert [key for _, key, _ in producer.sent] == [b"amount"]


def test_the_same_finding_has_the_same_id_and_another_one_another() -> None:
    def identity(announcement: Announcement) -> str:
        return announcement.event.id

    assert identity(of_drift(event(), "c1")) == identity(of_drift(event(), "c2"))
    others = [event("recovery"), event(feature="channel"), event(incident=None)]
    assert len({identity(of_drift(one, "c1")) for one in [event(), *others]}) == 3  # an incident is no part of it


def test_everything_of_an_incident_shares_its_correlation_and_names_its_cause() -> None:
    alarm = of_drift(event(), "c1").event
    asked = of_request(request(), alarm.id).event
    assert (alarm.type, alarm.subject, alarm.correlation_id, alarm.causation_id) == (
        "drift.alarm",
        "amount",
        "i1",
        "c1",
    )
    assert (asked.type, asked.correlation_id, asked.causation_id) == ("retrain.request", "i1", alarm.id)


def test_what_belongs_to_no_incident_is_its_own_correlation() -> None:
    warning, scheduled = of_drift(event("warning", incident=None), "c1"), of_request(request(None), "c1")
    week = of_performance(record(3), "c1")
    computed = of_statistics(statistics(100), "c1")
    for announcement in (warning, scheduled, week, computed):
        assert announcement.event.correlation_id == announcement.event.id
    assert scheduled.key == "r1"
    assert (week.event.type, week.event.subject) == ("performance.mature", "m-1/3")
    assert (computed.event.type, computed.event.subject) == ("drift.statistics", "m-1/100")


def test_the_statistics_of_a_day_have_one_id_whatever_they_say_and_another_for_each_version_and_day() -> None:
    again = statistics(100, amount=0.9)
    assert of_statistics(statistics(100), "c1").event.id == of_statistics(again, "c2").event.id
    others = [statistics(100), statistics(101), statistics(100, version="m-2")]
    assert len({of_statistics(one, "c1").event.id for one in others}) == 3
