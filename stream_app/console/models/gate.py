"""What became of a retrain request, and the gate's report on its candidate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from models.gate.check import Check, Verdict
from models.gate.report import GateReport
from stream_app.console.models.interval import Interval
from stream_app.console.moment import moment
from stream_app.retrain.report import RetrainReport


@dataclass(frozen=True, slots=True)
class GateRow:
    """One check: its figure, interval and limits in words and as a drawing."""

    name: str
    verdict: Verdict
    figure: str
    interval: str
    limits: str
    unit: str
    sentence: str
    drawn: Interval | None

    @classmethod
    def of(cls, check: Check) -> "GateRow":
        """Lay a check out."""
        held = [
            f"{word} {limit:.4g}"
            for word, limit in (("at least", check.at_least), ("at most", check.at_most))
            if limit is not None
        ]
        has_interval = check.low is not None and check.high is not None
        return cls(
            name=check.name,
            verdict=check.verdict,
            figure="" if check.figure is None else f"{check.figure:.4g}",
            interval=f"{check.low:.4g} to {check.high:.4g}" if has_interval else "",
            limits=", ".join(held),
            unit=check.unit,
            sentence=check.sentence,
            drawn=Interval.of(check.figure, check.low, check.high, (check.at_least, check.at_most)),
        )


@dataclass(frozen=True, slots=True)
class GateView:
    """The verdict and what it rests on.

    Attributes
    ----------
    verdict: pass, fail or undecided.
    reasons: sentences of the checks that did not pass.
    facts: name and text.
    rows: the checks.
    from_manifest: whether the report is the one in the manifest, which holds no times.
    """

    verdict: Verdict
    reasons: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    rows: tuple[GateRow, ...]
    from_manifest: bool


def gate_view(report: RetrainReport | None, in_manifest: dict[str, Any] | None) -> GateView | None:
    """Return the gate's report, from the retrain where that is known, else from the manifest; None without one."""
    if report is not None and report.gate is not None:
        return _view(report.gate, _request_facts(report), from_manifest=False)
    if in_manifest is None:
        return None
    try:
        return _view(msgspec.convert(in_manifest, type=GateReport), (), from_manifest=True)
    except msgspec.ValidationError:  # written by another version; the card says that there is no report to show
        return None


def _view(gate: GateReport, more: Sequence[tuple[str, str]], *, from_manifest: bool) -> GateView:
    facts = [
        *more,
        ("judged on", f"{gate.rows:,} rows, {gate.frauds:,} frauds, {gate.deciding_frauds:,} of them deciding"),
        ("event time", f"{moment(gate.from_event_time)} to {moment(gate.to_event_time)} UTC"),
        ("change", "" if gate.changed_at is None else f"{moment(gate.changed_at)} UTC"),
        ("standard error", "" if gate.standard_error is None else f"{gate.standard_error:.4f} of the difference in AP"),
        (
            "smallest difference",
            ""
            if gate.smallest_detectable_difference is None
            else f"{gate.smallest_detectable_difference:.4f} would be seen in 4 of 5 cases",
        ),
        ("draws", f"{gate.resamples:,} of the cards, seed {gate.seed}"),
    ]
    return GateView(
        verdict=gate.verdict,
        reasons=tuple(gate.reasons),
        facts=tuple((name, text) for name, text in facts if text),
        rows=tuple(GateRow.of(check) for check in gate.checks),
        from_manifest=from_manifest,
    )


def _request_facts(report: RetrainReport) -> list[tuple[str, str]]:
    request = report.request
    return [
        ("asked", f"{request.cause}, by {request.actor}, as of {moment(request.as_of)} UTC: {request.reason}"),
        ("outcome", report.outcome),
        ("why", "; ".join(report.reasons)),
        ("held against", report.champion or ""),
        ("recipe", "" if report.choice is None else f"{report.choice.recipe.title}; {report.choice.reason}"),
        ("took", "" if report.training_s is None else f"{report.training_s:.0f} s"),
    ]
