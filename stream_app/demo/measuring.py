"""The figures of a run, from what the topics held and when things happened."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from models.manifest import Manifest
from models.schema.hashing import hash64_column
from models.schema.topics import DAY_MS
from stream_app.demo.accounting import Period, account, caught, latencies_ms, latency, throughput
from stream_app.demo.bank import Traffic
from stream_app.demo.findings import Published
from stream_app.demo.found import DriftFound, Promotion, RetrainAsked, RollBack, Tactic
from stream_app.demo.ledger import Ledger
from stream_app.demo.picture import Mark
from stream_app.demo.plan import DemoPlan
from stream_app.demo.recall import FraudsSeen
from stream_app.demo.report import DemoReport, DemoResult
from stream_app.demo.swaps import swaps, usual_gap_ms
from stream_app.demo.watching import Parties

_BEGINNING, _GOOD, _BAD = "#8a3b12", "#0b6e4f", "#c1121f"


@dataclass(frozen=True, slots=True)
class Moments:
    """When things happened, wall clock (ms).

    Attributes
    ----------
    fixed_rate: while transactions were sent at the fixed rate.
    pushed_ms: the bad model was pushed.
    burst_ms: the burst began.
    elapsed_s: of the whole run.
    """

    fixed_rate: Period
    pushed_ms: float
    burst_ms: float
    elapsed_s: float


def result(plan: DemoPlan, parties: Parties, traffic: Traffic, first: Manifest, when: Moments) -> DemoResult:
    """Count and measure everything; `first` is the first model."""
    ledger, findings, frauds = parties.follower.ledger, parties.findings, traffic.frauds()
    first_day, counted, tactic_day = traffic.first_day, account(ledger), plan.history_days + plan.tactic_day
    promoted = [one for one in findings.models if one.event.kind == "promoted"]
    seen = FraudsSeen.of(ledger, frauds, plan.tactic.title)
    trained_until = first.data.to_event_time // DAY_MS - first_day
    report = DemoReport(
        events=counted.transactions,
        events_per_s=round(throughput(ledger, when.burst_ms), 1),
        latency_ms=latency(latencies_ms(ledger, when.fixed_rate)),
        lost=counted.lost,
        duplicated=counted.duplicated,
        swaps=swaps(ledger, [first.version, *(one.event.version for one in findings.moves)]),
        tactic_day=tactic_day,
        drift_events=[DriftFound.of(event, first_day) for event in findings.events],
        retrain_requests=[RetrainAsked.of(request, first_day) for request in findings.requests],
        recall=seen.recall(trained_until, tactic_day, promoted[0].at_ms if promoted else None, when.pushed_ms),
        promotions=[Promotion.of(one.event, first_day) for one in promoted],
        rollbacks=_rollbacks(ledger, findings.models, first_day, when),
        elapsed_s=round(when.elapsed_s, 1),
    )
    return DemoResult(
        report=report,
        account=counted,
        caught=caught(ledger, when.fixed_rate.start_ms, hash64_column(list(frauds))),
        tactic=_tactic(seen, plan, traffic, first_day, (promoted[0].at_ms if promoted else when.pushed_ms, when)),
        weeks=findings.weeks,
        days=seen.by_day(trained_until + 1),
        marks=_marks(report),
        usual_gap_ms=usual_gap_ms(ledger, when.fixed_rate),
        rate=plan.rate,
        warm_up_events=traffic.warm_up_events,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def _rollbacks(ledger: Ledger, models: Sequence[Published], first_day: int, when: Moments) -> list[RollBack]:
    promoted_ms = {one.event.version: one.at_ms for one in models if one.event.kind == "promoted"}
    return [
        RollBack.of(
            one.event,
            first_day,
            (one.at_ms - promoted_ms.get(one.event.before or "", when.pushed_ms)) / 1000,
            ledger.decided_by(one.event.before or ""),
        )
        for one in models
        if one.event.kind == "rolled back"
    ]


def _tactic(
    seen: FraudsSeen, plan: DemoPlan, traffic: Traffic, first_day: int, promotion: tuple[float, Moments]
) -> Tactic:
    promoted_ms, when = promotion
    during = seen.new & (seen.received_at < promoted_ms)
    after = seen.new & (seen.received_at >= promoted_ms) & (seen.received_at < when.pushed_ms)
    return Tactic(
        first_day,
        plan.history_days + plan.tactic_day,
        payments=int(during.sum()),
        flagged=int(seen.flagged[during].sum()),
        payments_after=int(after.sum()),
        flagged_after=int(seen.flagged[after].sum()),
        last_day=traffic.last_whole_day(plan.events + plan.release),
    )


def _marks(report: DemoReport) -> list[Mark]:
    """Return what the picture points out."""
    alarm = next((one for one in report.drift_events if one.level == "alarm"), None)
    return [
        Mark(report.tactic_day, "a new tactic begins", _BEGINNING),
        *([] if alarm is None else [Mark(alarm.day, "drift alarm", _BAD)]),
        *(Mark(one.day, f"promoted {one.version}", _GOOD) for one in report.promotions),
        *(Mark(one.day, f"{one.before} rolled back", _BAD) for one in report.rollbacks),
    ]
