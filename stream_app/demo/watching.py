"""Watches the events flow: waits for scores, keeps the moving line, and tells a flagged transaction now and then."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models.features.feature_set import DEFAULT
from models.schema import wire
from models.schema.model_event import ModelEvent
from models.schema.score import Score
from stream_app.demo.accounting import Period, latencies_ms, latency
from stream_app.demo.bank import Fraud
from stream_app.demo.closed_days import ClosedDays
from stream_app.demo.example import describe, read_transaction
from stream_app.demo.findings import Findings
from stream_app.demo.follower import Follower
from stream_app.demo.narrator import Narrator
from stream_app.demo.retrainer import RetrainerSeen
from stream_app.demo.sender import Sender
from stream_app.demo.tidings import tidings
from stream_app.worker_processes import Connections, Processes

PATIENCE_S = 60.0
"""What has not been scored after so long without any movement is lost; the sender makes its days in less."""
LOOK_EVERY_S = 0.1
RECENT_MS = 2000.0
SETTLED_MS = 500.0
"""The moving line leaves out what was sent last: most of it is under way."""
EXAMPLES = 5
"""Flagged transactions that are told."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Everything that runs while events flow."""

    connections: Connections
    sender: Sender
    processes: Processes
    follower: Follower
    findings: Findings
    closed_days: ClosedDays
    retrainer: RetrainerSeen


class Watching:
    """Looks at the parties until so many transactions are scored.

    Parameters
    ----------
    parties
        What is watched.
    narrator
        Told what is seen.
    frauds
        The simulator's truth about the transactions that are fraud.
    """

    def __init__(self, parties: Parties, narrator: Narrator, frauds: Mapping[str, Fraud]) -> None:
        self._parties = parties
        self._narrator = narrator
        self._frauds = frauds
        self._examples_told = 0

    @property
    def scored(self) -> int:
        """How many transactions have a score."""
        return self._parties.follower.ledger.scores_seen

    def until_scored(self, events: int, say: Callable[[], str]) -> None:
        """Wait until so many have a score, or nothing has moved for PATIENCE_S; `say` makes the moving line."""
        ledger = self._parties.follower.ledger
        before, moved_s = -1, time.monotonic()
        with self._narrator.flow():
            while self.scored < events:
                self._check(events)
                seen = ledger.transactions_seen + self.scored
                if seen != before:
                    before, moved_s = seen, time.monotonic()
                elif time.monotonic() - moved_s > PATIENCE_S:
                    return
                self.tell_findings()
                self._narrator.show(say())
                time.sleep(LOOK_EVERY_S)

    def until(self, reached: Callable[[], bool], patience_s: float, say: Callable[[], str]) -> bool:
        """Wait for something that does not depend on scores; whether it has come within the time."""
        until_s = time.monotonic() + patience_s
        with self._narrator.flow():
            while not (come := reached()) and time.monotonic() < until_s:
                self._parties.processes.check()
                self._parties.follower.check()
                self.tell_findings()
                self._narrator.show(say())
                time.sleep(LOOK_EVERY_S)
        self.tell_findings()
        return come

    def rate(self) -> str:
        """Say how fast scores come, and how many are flagged."""
        pairs, since_ms = self._parties.follower.ledger.pairs(), time.time_ns() / 1e6 - RECENT_MS
        scores = [rows for _, rows in pairs]
        recent = sum(len(rows) - int(np.searchsorted(rows["received_at"], since_ms)) for rows in scores)
        flagged = sum(int(rows["flagged"].sum()) for rows in scores)
        return f"{self.scored:,} scored   {recent / RECENT_MS * 1000:,.0f} events/s   {flagged:,} flagged"

    def rate_and_latency(self) -> str:
        """Say the same and how late scores come."""
        now_ms = time.time_ns() / 1e6
        period = Period(now_ms - RECENT_MS - SETTLED_MS, now_ms - SETTLED_MS)
        found = latency(latencies_ms(self._parties.follower.ledger, period))
        return f"{self.rate()}   latency p50 {found.p50:,.1f} ms, p99 {found.p99:,.1f} ms"

    def tell_example(self) -> None:
        """Tell the highest of the scores flagged since the last time, up to EXAMPLES in all."""
        latest = self._parties.follower.flagged
        flagged = max(list(latest), key=lambda one: one.score, default=None)
        latest.clear()
        if flagged is None or self._examples_told == EXAMPLES:
            return
        connections = self._parties.connections
        transaction = read_transaction(connections.broker, connections.topics.transactions, flagged)
        if transaction is not None:
            self._examples_told += 1
            score = wire.decode(Score, flagged.value)
            fraud = self._frauds.get(transaction.transaction_id)
            self._narrator.add(describe(score, transaction, DEFAULT, None if fraud is None else fraud.tactic))

    def tell_findings(self) -> None:
        """Tell what watch, retrainer and release loop have said since the last time."""
        for found in self._parties.findings.new():
            said = tidings(found)
            if said is not None:
                self._narrator.say(said)
            if isinstance(found, ModelEvent):
                for detail in self._parties.retrainer.details(found):
                    self._narrator.add(detail)
        for said in self._parties.retrainer.new():
            self._narrator.say(said)

    def _check(self, events: int) -> None:
        self._parties.processes.check()
        self._parties.follower.check()
        if self._parties.follower.ledger.transactions_seen < events:
            self._parties.sender.check()
