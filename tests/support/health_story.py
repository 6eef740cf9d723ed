"""Two months of a bank as they were published: a new tactic, an alarm, retrains, another champion, recovery."""

from collections.abc import Iterable, Iterator

import msgspec

from models.features.feature_set import DEFAULT
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent, DriftKind, DriftLevel, Evidence
from models.schema.drift_statistics import DriftStatistics
from models.schema.model_event import ModelEvent, ModelEventKind
from models.schema.performance import Performance
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS, DRIFT_EVENTS, DRIFT_STATISTICS, MODEL_EVENTS, PERFORMANCE, RETRAIN_REQUESTS
from stream_app.console.health.records import HealthRecords
from tests.support.performance_records import FIRST_DAY, record
from tests.support.statistics_records import feature, statistics

CHANGED, ALARM, PROMOTED, ENDED, LAST = 35, 43, 44, 64, 69
"""Days from FIRST_DAY on: what begins then, or is told at its first midnight; LAST is the last one closed."""
INCIDENT = "incident-1"


def ms(day: int) -> int:
    """The midnight at which a day of the story begins."""
    return (FIRST_DAY + day) * DAY_MS


def weeks() -> list[Performance]:
    """Recall of .82, .49 in the week of the tactic, and back with another champion; both decided in one week."""
    found = [record(week, recall=0.82) for week in range(5)]
    found.append(record(2, recall=0.80, state="restated", revision=2, as_of_day=FIRST_DAY + 40))
    found.append(record(5, recall=0.49))
    shared = record(6, recall=0.51)
    found.append(msgspec.structs.replace(shared, rows=19_000))
    return found + [record(week, version="m-2", recall=recall) for week, recall in ((6, 0.76), (7, 0.83), (8, 0.84))]


def event(
    day: int,
    level: DriftLevel,
    feature_name: str = "amount",
    *,
    kind: DriftKind = "performance",
    incident: str | None = None,
    since: int = CHANGED,
    version: str = "m-1",
) -> DriftEvent:
    """A finding told at the midnight at which `day` begins."""
    said = {
        "alarm": f"the model misses more fraud where {feature_name} is at most 0.99",
        "warning": f"{feature_name} moved (stability index 0.31 over a week)",
        "recovery": "average precision is back where it was",
    }
    evidence = [] if level == "recovery" else [Evidence(feature_name, "at most 0.99", 2.0, 31.0, "misses", 9.0, 5.0)]
    return DriftEvent(
        model_version=version,
        as_of=ms(day),
        day=FIRST_DAY + day,
        level=level,
        kind=kind,
        feature=feature_name,
        since=ms(since),
        window_days=7,
        summary=said[level],
        evidence=evidence,
        incident=incident,
        reference="four weeks",
        table_versions={"scores": 3},
    )


def request(day: int, number: int) -> RetrainRequest:
    """The incident asks for a retrain."""
    return RetrainRequest(
        request_id=f"request-{number}",
        cause="drift" if number == 1 else "drift follow-up",
        incident=INCIDENT,
        number=number,
        model_version="m-1",
        as_of=ms(day),
        changed_at=ms(CHANGED),
        frauds_since_change=40 * number,
        reason=f"{40 * number} frauds can be learned from",
        actor="watch/drift",
        table_versions={"scores": 3},
    )


def move(
    day: int,
    kind: ModelEventKind,
    version: str,
    *,
    before: str | None = "m-1",
    incident: str | None = INCIDENT,
    cause: str = "every check has passed",
    sequence: int = 0,
) -> ModelEvent:
    """A step of the release loop, or a verdict of the gate."""
    return ModelEvent(
        kind=kind,
        version=version,
        before=before,
        cause=cause,
        checks=(),
        as_of=ms(day),
        release=f"release-{version}",
        incident=incident,
        request_id=None,
        actor="release",
        sequence=sequence,
    )


def story(until: int = LAST) -> HealthRecords:
    """All that was published up to the midnight behind day `until`."""
    end = ms(until + 1)
    events = [
        event(40, "warning", "country", kind="population", since=33),
        event(ALARM, "alarm", incident=INCIDENT),
        event(ENDED, "recovery", incident=INCIDENT, since=58, version="m-2"),
    ]
    models = [
        move(PROMOTED, "registered", "m-2"),
        move(PROMOTED, "promoted", "m-2", sequence=1),
        move(46, "rejected", "request:request-2"),
        move(50, "undecided", "request:request-3"),
    ]
    return HealthRecords(
        performance=tuple(one for one in weeks() if one.as_of <= end),
        statistics=tuple(statistics_of(day) for day in range(until + 1)),
        events=tuple(one for one in events if one.as_of <= end),
        requests=tuple(one for one in (request(43, 1), request(45, 2), request(49, 3)) if one.as_of <= end),
        models=tuple(one for one in models if one.as_of <= end),
    )


def statistics_of(day: int, moved: float | None = None) -> DriftStatistics:
    """Small amounts come from CHANGED on; a day after a swap the new champion's window is not full.

    `moved` is the stability index of the amount, where it is to be another one.
    """
    version = "m-1" if day < PROMOTED else "m-2"
    filled = day >= 6 if day < PROMOTED else day >= PROMOTED + 6
    amount = 0.02 if day < CHANGED or version == "m-2" else min(0.05 * (day - CHANGED + 1), 0.3)
    names = [name for name in DEFAULT.names if name not in {"amount", "score"}]
    others = tuple(
        feature(name, 0.01 + 0.0005 * at + 0.004 * (day % 7) if filled else None) for at, name in enumerate(names)
    )
    return statistics(
        FIRST_DAY + day,
        version=version,
        amount=(amount if moved is None else moved) if filled else None,
        others=others,
        average_precision=0.71 if filled else None,
    )


def published(records: HealthRecords) -> Iterator[tuple[str, CloudEvent, msgspec.Struct]]:
    """Each record with its bare topic and context, as the watch and the retrainer write them."""
    kinds: Iterable[tuple[str, Iterable[msgspec.Struct]]] = (
        (PERFORMANCE, records.performance),
        (DRIFT_STATISTICS, records.statistics),
        (DRIFT_EVENTS, records.events),
        (RETRAIN_REQUESTS, records.requests),
        (MODEL_EVENTS, records.models),
    )
    for topic, found in kinds:
        for one in found:
            identity = f"{topic}/{getattr(one, 'version', getattr(one, 'model_version', ''))}/{one.as_of}"  # type: ignore[attr-defined]
            identity += f"/{getattr(one, 'revision', '')}{getattr(one, 'kind', '')}{getattr(one, 'feature', '')}"
            yield topic, CloudEvent(identity, "test", "test", one.as_of, "story", identity), one  # type: ignore[attr-defined]
