"""The run from beginning to end: a new tactic, a drift alarm, a retrain, its release, a bad model and its way back."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Protocol

from models.drift.words import date
from models.manifest import Manifest
from models.registry import Registry
from models.training import DAY_MS, Provenance
from stream_app.demo.accounting import Period
from stream_app.demo.bank import Bank, Traffic
from stream_app.demo.closed_days import ClosedDays
from stream_app.demo.findings import Findings, Published
from stream_app.demo.follower import Follower
from stream_app.demo.measuring import Moments, result
from stream_app.demo.narrator import Narrator
from stream_app.demo.phases import BAD, BURST, LIVE, RELEASE, STAY, WARM_UP
from stream_app.demo.plan import MATURITY_DAYS, DemoPlan
from stream_app.demo.releases import Releases
from stream_app.demo.report import DemoResult
from stream_app.demo.retrainer import RetrainerSeen
from stream_app.demo.sender import Sender, SenderError
from stream_app.demo.watching import Parties, Watching
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.topic_admin import create_topics
from stream_app.worker_processes import Connections, Processes

PROFILES_WAIT_S = 20.0
"""Longest wait for the terminal profiles to come up to the present; scoring goes on with older ones."""
CANDIDATE_WAIT_S = 150.0
"""Longest wait for alarm, retrain and gate, while no payment flows: other work may keep the machine busy."""
QUIET_WAIT_S = 10.0
"""The same for what else is asked for until the bad model is pushed: after that nothing is promoted anyway."""
ROLLED_BACK_WAIT_S = 60.0
BEFORE_BAD_SHARE = 0.1
"""Of the events of that phase, that come before the bad model."""

TACTIC = "copied cards are used at a few cash machines and shops abroad, which change every few days"


class Stay(Protocol):
    """What a demo that is not to end is told."""

    @property
    def rate(self) -> float:
        """Events a second behind the story."""
        ...

    def begin(self, stack: ExitStack) -> None:
        """Start what stays beside the story, now that the topics are there; it ends with the stack."""
        ...

    def go_on(self, result: DemoResult, check: Callable[[], None]) -> None:
        """Wait behind the story, for as long as it is wished; `check` raises when something has ended."""
        ...


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
        self._first_day = self._bank.first_day
        registry = Registry(connections.redis_url, connections.redis_prefix)
        provenance = Provenance(time.time_ns() // 1_000_000, code_commit)
        self._releases = Releases(registry, folder, plan, provenance)

    def run(self, stay: Stay | None = None) -> DemoResult:
        """Run it and return the figures; whatever was started has ended by then.

        With `stay` everything goes on behind the story, at a moderate rate, for as long as that takes.
        """
        plan, connections, say = self._plan, self._connections, self._narrator.say
        create_topics(connections.broker, connections.topics, plan.partitions)
        say(f"topics are there, transactions and scores with {plan.partitions} partitions each")
        plan_file = self._folder / "retrain-plan.json"
        plan_file.write_bytes(plan.retraining())
        with ExitStack() as stack:
            rate = None if stay is None else stay.rate
            sender = stack.enter_context(Sender(self._folder, connections.broker, connections.topics, plan, rate))
            if stay is not None:
                stay.begin(stack)
            self._learn()
            # Behind the features: the first to compute some compiles the kernels, and then all others find them.
            processes = stack.enter_context(
                Processes(
                    connections,
                    self._folder,
                    # Warm-up days go by too fast for terminal profiles: what was missed then tells nothing.
                    history_from=self._date(plan.history_days + MATURITY_DAYS),
                    train_from=self._date(plan.history_days - plan.retrain_days),
                    retrain_plan=plan_file,
                )
            )
            say("started a scoring worker, a watch, an archive and a retrainer, each a process of its own")
            first = self._train()
            self._releases.promote(first.version, "the demo's first model")
            processes.wait_ready()
            say(f"promoted {first.version}: champion in Redis, loaded by the worker, which is ready")
            result = self._watched(sender, processes, first)
            if stay is not None:
                sender.signals.give(STAY)
                stay.go_on(result, partial(_check, sender, processes))
            return result

    def _watched(self, sender: Sender, processes: Processes, first: Manifest) -> DemoResult:
        """Let events flow, and follow all that comes of them until the story ends."""
        connections = self._connections
        with ExitStack() as stack:
            follower = stack.enter_context(Follower(connections.broker, connections.topics, self._plan.partitions))
            findings = stack.enter_context(closing(Findings(connections.broker, connections.topics)))
            store = RetrainStore(connections.redis_url, connections.redis_prefix)
            retrainer = stack.enter_context(closing(RetrainerSeen(store)))
            closed_days = ClosedDays(self._folder, connections.topics)
            parties = Parties(connections, sender, processes, follower, findings, closed_days, retrainer)
            return self._stream(parties, first)

    def _learn(self) -> None:
        """Simulate the past up to today and compute its features."""
        plan, narrator = self._plan, self._narrator
        past = self._bank.past()
        narrator.say(
            f"simulated {plan.history_days} days of a bank: {len(past):,} payments, {int(past.is_fraud.sum()):,} of "
            "them fraud by five tactics"
        )
        self._releases.learn(past, self._bank.start_ms)
        narrator.say("computed their features, with the code that the worker uses")

    def _train(self) -> Manifest:
        """Train the first model as of today."""
        narrator = self._narrator
        first = self._releases.train()
        narrator.say(f"trained and signed {first.version}: {_figures(first)}")
        narrator.add("four more fits on other terminals' payments tell what it is used to: its drift reference")
        return first

    def _stream(self, parties: Parties, first: Manifest) -> DemoResult:
        plan, narrator, traffic = self._plan, self._narrator, self._bank.traffic()
        watching = Watching(parties, narrator, traffic.frauds())
        self._warm_up(parties, watching, traffic.warm_up_events)
        start_ms = time.time_ns() / 1e6
        events = traffic.warm_up_events + plan.events
        self._live(parties, watching, traffic)
        self._await_candidate(parties, watching, traffic)
        events += plan.release
        self._release(parties, watching, events)
        self._await_quiet(parties, watching, traffic)
        pushed_ms = self._push_bad(parties, watching, events)
        fixed_rate = Period(start_ms, time.time_ns() / 1e6)
        burst_ms = self._burst(parties, watching, events + plan.bad + plan.burst)
        return result(plan, parties, traffic, first, Moments(fixed_rate, pushed_ms, burst_ms, narrator.elapsed_s))

    def _warm_up(self, parties: Parties, watching: Watching, events: int) -> None:
        plan, say = self._plan, self._narrator.say
        say(f"streaming the bank's last {plan.warm_up_days} days at full speed: cards and terminals get their past")
        parties.sender.signals.give(WARM_UP)
        watching.until_scored(events, watching.rate)
        today_ms = self._bank.start_ms + plan.history_days * DAY_MS
        _wait_until(lambda: all(w.profiles_as_of >= today_ms - DAY_MS for w in parties.processes.workers()))
        parties.follower.flagged.clear()
        say(f"{watching.scored:,} scored, terminal profiles are up to date")

    def _live(self, parties: Parties, watching: Watching, traffic: Traffic) -> None:
        """Let events flow at the fixed rate; meanwhile a new tactic begins."""
        plan, narrator = self._plan, self._narrator
        narrator.say(f"live: {plan.events:,} new payments at {plan.rate:,.0f} events/s, a bank's day every few seconds")
        parties.sender.signals.give(LIVE)
        tactic_day = plan.history_days + plan.tactic_day
        before = min(traffic.events_before(tactic_day), plan.events)
        watching.until_scored(traffic.warm_up_events + before, watching.rate_and_latency)
        watching.tell_example()
        narrator.say(f"a new tactic begins on {self._date(tactic_day)}, which no model has seen: {TACTIC}")
        narrator.add(
            f"its first labels are mature after {MATURITY_DAYS} days, on "
            f"{self._date(tactic_day + MATURITY_DAYS + 1)}: nobody can know before what is missed"
        )
        watching.until_scored(traffic.warm_up_events + plan.events, watching.rate_and_latency)
        watching.tell_example()

    def _await_candidate(self, parties: Parties, watching: Watching, traffic: Traffic) -> None:
        """Let nothing flow until a retrained model may."""
        self._narrator.say("no payment flows for a while: archive, watch and retrainer come to what was sent")

        def ready() -> bool:
            if not self._settled(parties, traffic, self._plan.events):
                return False
            answers = parties.retrainer.answered(parties.findings.requests)
            offered = any(answer.outcome == "offered" for answer in answers or ())
            return bool(parties.findings.requests) and (
                not offered or parties.findings.last("shadow started") is not None
            )

        if not watching.until(ready, CANDIDATE_WAIT_S, lambda: self._waiting(parties)):
            self._narrator.say("they need longer than this demo waits; it goes on")

    def _release(self, parties: Parties, watching: Watching, events: int) -> None:
        plan = self._plan
        self._narrator.say(
            f"payments flow again, {plan.release:,} at {plan.rate:,.0f} events/s: {plan.stage:,} for the shadow and "
            f"{plan.stage:,} for the canary stage, the rest behind the promotion"
        )
        parties.sender.signals.give(RELEASE)
        watching.until_scored(events, watching.rate_and_latency)
        watching.tell_example()

    def _await_quiet(self, parties: Parties, watching: Watching, traffic: Traffic) -> None:
        """Let nothing newer come between the bad model and its watch."""
        sent = self._plan.events + self._plan.release
        watching.until(lambda: self._settled(parties, traffic, sent), QUIET_WAIT_S, lambda: self._waiting(parties))

    def _push_bad(self, parties: Parties, watching: Watching, events: int) -> float:
        """Push a model that scores the other way round and wait until it is gone; return when it was pushed (ms)."""
        plan, narrator = self._plan, self._narrator
        bad = self._releases.spoil()
        parties.sender.signals.give(BAD)
        watching.until_scored(events + round(plan.bad * BEFORE_BAD_SHARE), watching.rate_and_latency)
        narrator.say(f"a person pushes {bad.version} past the gate, signed and in order, but it scores 1 - score")
        pushed_ms = time.time_ns() / 1e6
        self._releases.promote(bad.version, "it looked good on a laptop")
        rolled_back = lambda: _rolled_back(parties, bad) is not None  # noqa: E731  short and used once
        watching.until_scored(events + plan.bad, watching.rate_and_latency)
        if watching.until(rolled_back, ROLLED_BACK_WAIT_S, watching.rate_and_latency):
            back = _rolled_back(parties, bad)
            assert back is not None
            narrator.add(
                f"{(back.at_ms - pushed_ms) / 1000:.1f} s after it was pushed; it decided on "
                f"{parties.follower.ledger.decided_by(bad.version):,} transactions"
            )
        return pushed_ms

    def _burst(self, parties: Parties, watching: Watching, events: int) -> float:
        """Send the rest at full speed and return when that began (ms)."""
        self._narrator.say(f"a burst: {self._plan.burst:,} payments at full speed")
        at_ms = time.time_ns() / 1e6
        parties.sender.signals.give(BURST)
        watching.until_scored(events, watching.rate)
        watching.tell_findings()
        return float(int(at_ms))

    def _settled(self, parties: Parties, traffic: Traffic, sent: int) -> bool:
        """Whether the watch has looked at all days that were sent, and all that it has asked for is answered."""
        last_day = self._first_day + traffic.last_whole_day(sent)
        if parties.closed_days.last() < last_day:
            return False
        return parties.retrainer.answered(parties.findings.requests) is not None

    def _waiting(self, parties: Parties) -> str:
        requests, closed = parties.findings.requests, parties.closed_days.last()
        works = "trains" if requests and parties.retrainer.answered(requests) is None else "waits"
        return f"the watch has looked at the days up to {date(closed * DAY_MS)}; the retrainer {works}"

    def _date(self, day: int) -> str:
        """Date of one of the bank's days."""
        return date((self._first_day + day) * DAY_MS)


def _check(sender: Sender, processes: Processes) -> None:
    processes.check()
    if not sender.running:
        raise SenderError("the sender has ended, though the demo was to stay; see its log with --data")


def _rolled_back(parties: Parties, bad: Manifest) -> Published | None:
    back = parties.findings.last("rolled back")
    return back if back is not None and back.event.before == bad.version else None


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
