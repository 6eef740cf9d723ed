"""A record that is published, with its key and the context in its headers."""

from dataclasses import dataclass
from typing import Final

import msgspec

from models.schema import wire
from models.schema.cloud_event import CloudEvent, event_id
from models.schema.drift_event import DriftEvent
from models.schema.drift_statistics import DriftStatistics
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DRIFT_EVENTS, DRIFT_STATISTICS, PERFORMANCE, RETRAIN_REQUESTS

FEEDBACK_SOURCE: Final = "watch/feedback"
DRIFT_SOURCE: Final = "watch/drift"
REQUEST_TYPE: Final = "retrain.request"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What goes out.

    Attributes
    ----------
    topic: bare name of the topic.
    key: record key.
    event: context; its id is the same however often the announcement is made.
    record: the data.
    """

    topic: str
    key: str
    event: CloudEvent
    record: msgspec.Struct

    @property
    def value(self) -> bytes:
        """The data as bytes."""
        return wire.encode(self.record)


def of_performance(record: Performance, cause: str) -> Announcement:
    """Announce the figures of a week, caused by a commit of the archive."""
    event = CloudEvent(
        id=record.event_id,
        type=f"performance.{record.state}",
        source=FEEDBACK_SOURCE,
        time_ms=record.as_of,
        subject=f"{record.model_version}/{record.week}",
        correlation_id=record.event_id,
        causation_id=cause,
    )
    return Announcement(PERFORMANCE, record.model_version, event, record)


def of_drift(found: DriftEvent, cause: str) -> Announcement:
    """Announce a finding, caused by a commit of the archive."""
    identity = event_id("drift", found.level, found.kind, found.feature, found.model_version, found.as_of)
    event = CloudEvent(
        id=identity,
        type=f"drift.{found.level}",
        source=DRIFT_SOURCE,
        time_ms=found.as_of,
        subject=found.feature,
        correlation_id=found.incident or identity,
        causation_id=cause,
    )
    return Announcement(DRIFT_EVENTS, found.feature, event, found)


def of_statistics(record: DriftStatistics, cause: str) -> Announcement:
    """Announce what the tests of a version computed for a day, caused by a commit of the archive."""
    identity = event_id("drift-statistics", record.model_version, record.as_of)
    event = CloudEvent(
        id=identity,
        type="drift.statistics",
        source=DRIFT_SOURCE,
        time_ms=record.as_of,
        subject=f"{record.model_version}/{record.event_day}",
        correlation_id=identity,
        causation_id=cause,
    )
    return Announcement(DRIFT_STATISTICS, record.model_version, event, record)


def of_request(request: RetrainRequest, cause: str | None) -> Announcement:
    """Announce a request, caused by its incident's alarm, by a commit, or by nothing but a person."""
    event = CloudEvent(
        id=request.request_id,
        type=REQUEST_TYPE,
        source=request.actor,
        time_ms=request.as_of,
        subject=request.model_version,
        correlation_id=request.correlation_id,
        causation_id=cause,
    )
    return Announcement(RETRAIN_REQUESTS, request.correlation_id, event, request)
