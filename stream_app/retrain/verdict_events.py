"""The gate's verdict on a candidate as an event on `model-events`."""

from typing import Final

from models.schema.cloud_event import event_id
from models.schema.model_event import ModelEvent, ModelEventKind
from stream_app.retrain.report import RetrainReport

ACTOR: Final = "retrain"
_KINDS: Final[dict[str, ModelEventKind]] = {"pass": "registered", "fail": "rejected", "undecided": "undecided"}


def verdict_event(report: RetrainReport) -> ModelEvent:
    """Return the event of a try that was judged; the same for the same try, so that it is told once."""
    assert report.verdict is not None, "only what was judged has a verdict"
    request = report.request
    return ModelEvent(
        kind=_KINDS[report.verdict],
        version=report.version or f"request:{request.request_id}",
        before=report.champion,
        cause=_cause(report),
        checks=(),
        as_of=report.as_of,
        release=event_id("verdict", request.request_id, report.number),
        incident=request.incident,
        request_id=request.request_id,
        actor=ACTOR,
        sequence=0,
    ).sealed("")


def _cause(report: RetrainReport) -> str:
    recipe = "" if report.choice is None else f"{report.choice.recipe.title}; "
    frauds = "" if report.gate is None else f" on {report.gate.rows:,} rows with {report.gate.frauds:,} frauds"
    if report.verdict == "pass":
        return f"{recipe}the gate let it pass{frauds}"
    return f"{recipe}try {report.number}{frauds}: {'; '.join(report.reasons)}"
