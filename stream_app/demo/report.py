"""The closing table, each figure with what it means, and the same as JSON."""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from models.errors import FraudstreamError
from models.schema.performance import Performance
from stream_app.demo.accounting import Account, Caught, Latency
from stream_app.demo.found import DriftFound, Promotion, RetrainAsked, RollBack, Tactic
from stream_app.demo.picture import Mark
from stream_app.demo.recall import DayOfFrauds, Recall
from stream_app.demo.swaps import Swap
from stream_app.demo.tidings import shortly


class ReportError(FraudstreamError):
    """Raised when the report cannot be written where it should go."""


def require_place(path: Path) -> None:
    """Refuse a place that cannot be written, before a run that would end there."""
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise ReportError(f"cannot write {path}: no such folder, or no permission; name another place with --report")


class DemoReport(msgspec.Struct, frozen=True):
    """What `demo-report.json` holds; days are counted from the first of the bank's past."""

    events: int
    events_per_s: float
    latency_ms: Latency
    lost: int
    duplicated: int
    swaps: list[Swap]
    tactic_day: int
    drift_events: list[DriftFound]
    retrain_requests: list[RetrainAsked]
    recall: Recall
    promotions: list[Promotion]
    rollbacks: list[RollBack]
    elapsed_s: float

    def json(self) -> str:
        """One JSON object."""
        fields = msgspec.structs.asdict(self) | {"latency_ms": self.latency_ms._asdict()}
        return msgspec.json.format(msgspec.json.encode(fields)).decode()

    def write(self, path: Path) -> None:
        """Write the JSON to a file."""
        try:
            path.write_text(self.json() + "\n")
        except OSError as error:
            raise ReportError(f"cannot write {path}: {error.strerror}; name another place with --report") from error


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The figures of a run, and what is said beside them.

    `usual_gap_ms` is the 99th percentile of the time between two batches of scores on a partition at the fixed rate.
    """

    report: DemoReport
    account: Account
    caught: Caught
    tactic: Tactic
    weeks: list[Performance]
    days: list[DayOfFrauds]
    marks: list[Mark]
    usual_gap_ms: float
    rate: float
    warm_up_events: int
    cores: int

    def print_to(self, console: Console) -> None:
        """Print the table."""
        table = Table(title="What was measured, from the topics themselves", box=SIMPLE, show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True, style="bold")
        table.add_column(ratio=1)
        for row in self._rows():
            table.add_row(*row)
        console.print(table)

    def _rows(self) -> list[tuple[str, str, str]]:
        report = self.report
        shared = f"one worker that shares {self.cores} cores with Kafka, sender and reader"
        return [
            ("events", f"{report.events:,}", f"transactions sent; {self.warm_up_events:,} of them are the past"),
            ("events/s", f"{report.events_per_s:,.0f}", f"scored at full speed by {shared}"),
            ("latency p50", _ms(report.latency_ms.p50), "from a transaction's Kafka timestamp to a reader's receipt"),
            ("latency p99", _ms(report.latency_ms.p99), f"the same, at {self.rate:,.0f} events/s, swaps included"),
            ("lost", f"{report.lost:,}", "transactions without a score"),
            ("duplicated", f"{report.duplicated:,}", self._duplicated_meaning()),
            *self._swap_rows(),
            *self._recall_rows(),
            ("flagged", f"{self.caught.flagged:,}", self._flagged_meaning()),
            *self._drift_rows(),
            *self._release_rows(),
            ("elapsed", f"{report.elapsed_s:.0f} s", "from the first step to the last score"),
        ]

    def _duplicated_meaning(self) -> str:
        dropped = f"{self.account.repetitions:,} repeated records were dropped by its rule"
        return f"transactions that a reader sees scored twice; {dropped}"

    def _flagged_meaning(self) -> str:
        truth = f"{self.caught.both:,} are fraud, of {self.caught.frauds:,} frauds in all"
        return f"new transactions declined or sent to review; {truth}"

    def _drift_rows(self) -> list[tuple[str, str, str]]:
        report, tactic = self.report, self.tactic
        after = _share(tactic.flagged_after, tactic.payments_after)
        meaning = (
            f"of {tactic.payments:,} payments of it, which began on {tactic.date(tactic.day)}; {after} of "
            f"{tactic.payments_after:,} once a retrained model was champion"
        )
        warnings = sum(event.level == "warning" for event in report.drift_events)
        alarmed, how = tactic.in_words(report.drift_events)
        asked = ""
        if report.retrain_requests:
            first, last = report.retrain_requests[0], report.retrain_requests[-1]
            asked = f"from {first.frauds_since_change} known frauds to learn from to {last.frauds_since_change}"
        weeks = {(week.model_version, week.week) for week in self.weeks}
        again = len(self.weeks) - len(weeks)
        return [
            ("new tactic flagged", _share(tactic.flagged, tactic.payments), meaning),
            ("drift alarm", alarmed, how),
            (
                "drift warnings",
                f"{warnings}",
                "hints that ask for nothing: what moved in the payments, not in the fraud",
            ),
            ("retrain requests", f"{len(report.retrain_requests)}", asked),
            (
                "weeks measured",
                f"{len(weeks)}",
                f"by model and week, once labels matured; {again} times restated later",
            ),
        ]

    def _recall_rows(self) -> list[tuple[str, str, str]]:
        recall, tactic = self.report.recall, self.tactic
        return [
            ("recall before", _percent(recall.before), "of all fraud was flagged, by the simulator's truth"),
            (
                "recall during",
                _percent(recall.during),
                f"from {tactic.date(tactic.day)} on, a new tactic among the fraud",
            ),
            ("recall after", _percent(recall.after), "once a retrained model was champion"),
        ]

    def _release_rows(self) -> list[tuple[str, str, str]]:
        report, tactic = self.report, self.tactic
        promoted = [
            ("promoted", tactic.date(one.day), f"{one.version} in place of {one.before}: {one.cause}")
            for one in report.promotions
        ]
        released = {one.version for one in report.promotions}
        back = [
            (
                "rolled back",
                f"{one.seconds:.1f} s",
                (
                    f"after {one.before} was {'promoted' if one.before in released else 'pushed by a person'}; "
                    f"it decided on {one.transactions:,} transactions. "
                    f"{shortly(one.cause)}"
                ),
            )
            for one in report.rollbacks
        ]
        return [*(promoted or [("promoted", "none", "no retrained model became champion")]), *back]

    def _swap_rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for number, swap in enumerate(self.report.swaps, start=1):
            usual = f"; between other batches up to {_ms(self.usual_gap_ms)} (p99)" if number == 1 else ""
            meaning = f"longest wait of a partition before the first score of {swap.version}{usual}"
            rows.append((f"swap {number} gap", _ms(swap.gap_ms), meaning))
        return rows


def _ms(value: float) -> str:
    return f"{value:,.1f} ms"


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{share:.0%}"


def _share(part: int, whole: int) -> str:
    return _percent(part / whole if whole else None)
