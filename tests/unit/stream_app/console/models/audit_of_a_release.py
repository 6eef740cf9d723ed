"""The audit of one retrain from the asking to the roll-back, as the processes write it."""

from models.audit.chain import Entry, chained
from models.gate.check import Check
from models.gate.report import GateReport
from models.schema.audit_record import AuditRecord
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent, DriftLevel
from models.schema.model_event import ModelEventKind
from models.schema.retrain_request import RetrainRequest
from stream_app.drift.stream import Told
from stream_app.retrain.request_entry import request_entry

HOUR_MS = 3_600_000
START_MS = 1_763_985_600_000
OLD, NEW = "m-old", "m-new"
REQUEST = RetrainRequest(
    request_id="q1",
    cause="drift",
    incident="i1",
    number=1,
    model_version=OLD,
    as_of=5_000,
    changed_at=1_000,
    frauds_since_change=60,
    reason="the model misses fraud",
    actor="watch/drift",
    table_versions={},
)


CHECKS = [
    Check(
        name="average precision since the change",
        verdict="pass",
        figure=0.05,
        low=0.01,
        high=0.09,
        at_least=0.0,
        unit="difference",
        sentence="better by .05",
    ),
    Check(name="latency", verdict="undecided", figure=None, unit="us a row", sentence="was not timed"),
]
GATE = GateReport(
    verdict="undecided",
    cause="drift",
    changed_at=1_000,
    rows=4_000,
    frauds=70,
    deciding_frauds=40,
    from_event_time=0,
    to_event_time=9_000,
    standard_error=0.015,
    smallest_detectable_difference=0.042,
    checks=CHECKS,
    expected_pairing=None,
    seed=1,
    resamples=400,
)


def move(alias: str, version: str, before: str | None, action: str = "promote", actor: str = "release") -> Entry:
    """Return a move of an alias."""
    return Entry("alias-move", actor, f"{action} of {version}", version, {
        "action": action, "alias": alias, "before": before,
    })  # fmt: skip


def step(kind: ModelEventKind, version: str, before: str | None, alias_sequence: int | None = None) -> Entry:
    """Return a step of the release loop, or the gate's verdict."""
    verdict = kind in {"registered", "rejected", "undecided"}
    return Entry(
        "gate-verdict" if verdict else "release",
        "retrain" if verdict else "release",
        f"because {kind}",
        version,
        {
            "event": kind,
            "before": before,
            "release": "r1",
            "request_id": "q1",
            "incident": "i1",
            "alias_sequence": alias_sequence,
        },
        event_id=f"event of {kind}",
    )


def whole_release() -> list[AuditRecord]:
    """From the first champion over a retrain to its roll-back, an hour between records."""
    entries = [
        move("champion", OLD, None, actor="ada"),
        request_entry(REQUEST),
        step("undecided", "request:q1", OLD),
        step("registered", NEW, OLD),
        Entry("retrain-outcome", "retrain", "it passed", "q1", {"outcome": "offered", "version": NEW, "tries": 2}),
        move("challenger", NEW, None, action="move"),
        step("shadow started", NEW, OLD),
        step("canary started", NEW, OLD),
        move("previous", OLD, None),
        move("champion", NEW, OLD),
        step("promoted", NEW, OLD, alias_sequence=10),
        move("previous", NEW, OLD, action="rollback"),
        move("champion", OLD, NEW, action="rollback"),
        step("rolled back", OLD, NEW, alias_sequence=13),
        step("frozen", OLD, None),
    ]
    records: list[AuditRecord] = []
    for number, entry in enumerate(entries):
        records += chained(records[-1] if records else None, [entry], START_MS + number * HOUR_MS)
    return records


def told_drift(level: DriftLevel, as_of: int, incident: str | None = "i1") -> Told:
    """Return a drift event with its context."""
    event = DriftEvent(
        model_version=OLD,
        as_of=as_of,
        day=0,
        level=level,
        kind="performance",
        feature="performance",
        since=1_000,
        window_days=7,
        summary=f"a {level} at {as_of}",
        evidence=[],
        incident=incident,
        reference="",
        table_versions={},
    )
    return Told(CloudEvent(f"d{as_of}", f"drift.{level}", "watch/drift", as_of, "performance", "i1", "a commit"), event)


def told_request() -> Told:
    """Return the request with its context."""
    return Told(CloudEvent("q1", "retrain.request", "watch/drift", 5_000, OLD, "i1", "d4000"), REQUEST)
