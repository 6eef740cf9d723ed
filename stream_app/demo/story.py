"""The run from beginning to end: a bank's past, two models, its traffic, three swaps, a new tactic, the account."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from models.drift.words import date
from models.manifest import Manifest
from models.registry import Registry
from models.schema.hashing import hash64_column
from models.training import DAY_MS, Provenance
from stream_app.demo.accounting import Period, account, caught, latencies_ms, latency, throughput
from stream_app.demo.bank import Bank, Traffic
from stream_app.demo.closed_days import ClosedDays
from stream_app.demo.findings import Findings
from stream_app.demo.follower import Follower
from stream_app.demo.found import DriftFound, RetrainAsked, Tactic
from stream_app.demo.narrator import Narrator
from stream_app.demo.phases import BURST, LIVE, WARM_UP
from stream_app.demo.plan import MATURITY_DAYS, DemoPlan
from stream_app.demo.releases import Releases
from stream_app.demo.report import DemoReport, DemoResult
from stream_app.demo.sender import Sender
from stream_app.demo.swaps import swaps, usual_gap_ms
from stream_app.demo.watching import Parties, Watching
from stream_app.topic_admin import create_topics
from stream_app.worker_processes import Connections, Processes

PROFILES_WAIT_S = 20.0
"""Longest wait for the terminal profiles to come up to the present; scoring goes on with older ones."""
CLOSING_WAIT_S = 40.0
"""Longest wait for the watch to look at the last day that was sent."""
ALARM_WAIT_S = 120.0
"""The same while it has not found the new tactic: other work may keep the machine busy."""

TACTIC = "a sham shop takes honest orders and pays real shops with stolen cards"
Move = tuple[int, Callable[[], None]]
"""After how many events at the fixed rate something is done."""


class Demo:
    """One run on a Kafka and a Redis that nobody else uses, or on topics and keys of its own.

    Parameters
    ----------
    plan
        What to do.
    connections
        Where Kafka and Redis are, and what topics and keys begin with.
    folder
        For keys, checkpoints and logs.
    narrator
        Tells it.
    code_commit
        The code that runs, for the models' manifests.
    """

    def __init__(
        self, plan: DemoPlan, connections: Connections, folder: Path, narrator: Narrator, code_commit: str
    ) -> None:
        self._plan = plan
        self._connections = connections
        self._folder = folder
        self._narrator = narrator
        self._bank = Bank(plan)
        registry = Registry(connections.redis_url, connections.redis_prefix)
        provenance = Provenance(time.time_ns() // 1_000_000, code_commit)
        self._releases = Releases(registry, folder, plan, provenance)

    def run(self) -> DemoResult:
        """Run it and return the figures; whatever was started has ended by then."""
        plan, connections, say = self._plan, self._connections, self._narrator.say
        create_topics(connections.broker, connections.topics, plan.partitions)
        say(f"topics are there, transactions and scores with {plan.partitions} partitions each")
        with ExitStack() as stack:
            sender = stack.enter_context(Sender(self._folder, connections.broker, connections.topics, plan))
            processes = stack.enter_context(Processes(connections, self._folder, date(self._day_ms(0))))
            say("started a scoring worker, a watch, an archive and a sender, each a process of its own")
            versions = self._train()
            self._releases.promote(versions[0], "the demo's first model")
            processes.wait_ready()
            say(f"promoted {versions[0]}: champion in Redis, loaded by the worker, which is ready")
            follower = stack.enter_context(Follower(connections.broker, connections.topics, plan.partitions))
            findings = stack.enter_context(closing(Findings(connections.broker, connections.topics)))
            closed_days = ClosedDays(self._folder, connections.topics)
            parties = Parties(connections, sender, processes, follower, findings, closed_days)
            return self._stream(parties, versions)

    def _train(self) -> tuple[str, str]:
        """Train a model as of a week ago and one as of today."""
        plan, narrator = self._plan, self._narrator
        past = self._bank.past()
        narrator.say(
            f"simulated {plan.history_days} days of a bank: {len(past):,} payments, {int(past.is_fraud.sum()):,} of "
            "them fraud by five tactics"
        )
        self._releases.learn(past, self._bank.start_ms)
        narrator.say("computed their features, with the code that the worker uses")
        today = plan.history_days
        first = self._releases.train(today - MATURITY_DAYS, plan.seed, watched=False)
        narrator.say(f"trained and signed {first.version}, as of a week ago: {_figures(first)}")
        second = self._releases.train(today, plan.seed + 1, watched=True)
        narrator.say(f"trained and signed {second.version}, with a week more: {_figures(second)}")
        narrator.add("four more fits on other terminals' payments tell what it is used to: its drift reference")
        return first.version, second.version

    def _stream(self, parties: Parties, versions: tuple[str, str]) -> DemoResult:
        traffic = self._bank.traffic()
        tactics = traffic.frauds()
        watching = Watching(parties, self._narrator, tactics)
        self._warm_up(parties, watching, traffic.warm_up_events)
        live, promoted = self._live(parties, watching, traffic, versions)
        burst_at_ms = self._burst(parties, watching, traffic.warm_up_events + traffic.live_events)
        self._catch_up(watching, traffic)
        ledger = parties.follower.ledger
        counted = account(ledger)
        day_0 = self._bank.start_ms // DAY_MS
        new = [transaction for transaction, tactic in tactics.items() if tactic == self._plan.tactic.title]
        caught_new = caught(ledger, live.start_ms, hash64_column(new))
        report = DemoReport(
            events=counted.transactions,
            events_per_s=round(throughput(ledger, burst_at_ms), 1),
            latency_ms=latency(latencies_ms(ledger, live)),
            lost=counted.lost,
            duplicated=counted.duplicated,
            swaps=swaps(ledger, promoted),
            tactic_day=self._plan.history_days + self._plan.tactic_day,
            drift_events=[DriftFound.of(event, day_0) for event in parties.findings.events],
            retrain_requests=[RetrainAsked.of(request, day_0) for request in parties.findings.requests],
            elapsed_s=round(self._narrator.elapsed_s, 1),
        )
        return DemoResult(
            report=report,
            account=counted,
            caught=caught(ledger, live.start_ms, hash64_column(list(tactics))),
            tactic=Tactic(day_0, report.tactic_day, caught_new.frauds, caught_new.both, traffic.last_whole_day),
            weeks=parties.findings.weeks,
            usual_gap_ms=usual_gap_ms(ledger, live),
            rate=self._plan.rate,
            warm_up_events=traffic.warm_up_events,
            cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        )

    def _warm_up(self, parties: Parties, watching: Watching, events: int) -> None:
        plan, say = self._plan, self._narrator.say
        say(f"streaming the bank's last {plan.warm_up_days} days at full speed: cards and terminals get their past")
        parties.sender.signals.give(WARM_UP)
        watching.until_scored(events, watching.rate)
        today_ms = self._bank.start_ms + plan.history_days * DAY_MS
        _wait_until(lambda: all(w.profiles_as_of >= today_ms - DAY_MS for w in parties.processes.workers()))
        parties.follower.flagged.clear()
        say(f"{watching.scored:,} scored, terminal profiles are up to date")

    def _live(
        self, parties: Parties, watching: Watching, traffic: Traffic, versions: tuple[str, str]
    ) -> tuple[Period, list[str]]:
        """Let events flow at the fixed rate; meanwhile change the model three times, and a new tactic begins."""
        plan, narrator = self._plan, self._narrator
        first, second = versions
        swapping: tuple[tuple[str, str, Callable[[], None]], ...] = (
            ("promoted", second, lambda: self._releases.promote(second, "a week more of data")),
            ("rolled back to", first, lambda: self._releases.roll_back("to show that it can be done")),
            ("promoted again", second, lambda: self._releases.promote(second, "the newer data after all")),
        )
        swaps_at = zip(plan.swaps_at, swapping, strict=True)
        moves: list[Move] = [(at, partial(self._swap, parties, watching, *swap)) for at, swap in swaps_at]
        moves.append((traffic.events_before(plan.history_days + plan.tactic_day), self._tell_tactic))
        narrator.say(f"live: {plan.events:,} new payments at {plan.rate:,.0f} events/s, a bank's day every few seconds")
        start_ms = time.time_ns() / 1e6
        parties.sender.signals.give(LIVE)
        for at, move in sorted(moves, key=lambda one: one[0]):
            watching.until_scored(traffic.warm_up_events + min(at, plan.events), watching.rate_and_latency)
            move()
        watching.until_scored(traffic.warm_up_events + plan.events, watching.rate_and_latency)
        watching.tell_example()
        return Period(start_ms, time.time_ns() / 1e6), [first, *(version for _, version, _ in swapping)]

    def _swap(self, parties: Parties, watching: Watching, what: str, version: str, move: Callable[[], None]) -> None:
        watching.tell_example()
        move()
        parties.processes.wait_for_model(version)
        self._narrator.say(f"{what} {version}; the worker swapped between two batches")

    def _tell_tactic(self) -> None:
        plan, narrator = self._plan, self._narrator
        narrator.say(f"a new tactic begins on {date(self._day_ms(plan.tactic_day))}, which no model has seen: {TACTIC}")
        narrator.add(
            f"its first labels are mature after {MATURITY_DAYS} days, on "
            f"{date(self._day_ms(plan.tactic_day + MATURITY_DAYS + 1))}: nobody can know before what is missed"
        )

    def _burst(self, parties: Parties, watching: Watching, events: int) -> float:
        """Send the rest at full speed and return when that began (ms)."""
        self._narrator.say(f"a burst: {self._plan.burst:,} payments at full speed")
        at_ms = time.time_ns() / 1e6
        parties.sender.signals.give(BURST)
        watching.until_scored(events, watching.rate)
        return float(int(at_ms))

    def _catch_up(self, watching: Watching, traffic: Traffic) -> None:
        """Let archive and watch come to the end of what was sent."""
        last = traffic.last_whole_day - self._plan.history_days
        if last < 0:
            return
        self._narrator.say(f"the archive and the watch, which yield to the scoring, come to {date(self._day_ms(last))}")
        last_day = self._day_ms(last) // DAY_MS
        if not watching.until_closed(last_day, CLOSING_WAIT_S, ALARM_WAIT_S):
            self._narrator.say("they need longer than this demo waits; what they found so far is reported")

    def _day_ms(self, new_day: int) -> int:
        """Event time at which a new day begins."""
        return self._bank.start_ms + (self._plan.history_days + new_day) * DAY_MS


def _figures(manifest: Manifest) -> str:
    """Say in words what a model reached on days it was not fitted on."""
    figures = manifest.metrics["hold_out"].values
    return (
        f"{manifest.data.rows:,} payments; tried on days that it had not seen, it flagged {figures['alert_rate']:.1%} "
        f"and found {figures['alert_recall']:.0%} of the fraud"
    )


def _wait_until(reached: Callable[[], bool]) -> None:
    until = time.monotonic() + PROFILES_WAIT_S
    while not reached() and time.monotonic() < until:
        time.sleep(0.05)
