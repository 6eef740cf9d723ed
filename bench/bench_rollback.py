"""How soon the release loop takes back a bad model that a person has promoted, and what it has decided until then.

Real Kafka and Redis, `fraudstream score`, `watch` and `retrain` as they are, simulated transactions at a fixed rate. A
model that is not taken back within a minute and 20,000 transactions makes the exit code 1.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.bad_models import NAMES, BadModels
from bench.live_traffic import Decisions, flowing
from bench.workload import promote_model
from models.audit.chain import check_chain
from models.bundle import Bundle
from models.registry import CHAMPION, Registry
from models.release.release import ACTOR
from models.schema.model_event import ModelEvent, check_events
from models.schema.topics import TopicNames
from models.signing import SigningKey
from stream_app.stack.local_stack import LocalStack
from stream_app.topic_admin import create_topics
from stream_app.worker_processes import Connections, Processes
from tests.support.release_world import events_of

LIMIT_S: Final = 60.0
LIMIT_TRANSACTIONS: Final = 20_000
BETWEEN: Final = 5_000
"""Transactions that the good model decides before and after each bad one."""
DEADLINE_S: Final = 180.0
PERSON: Final = "bench"
TOPICS: Final = TopicNames("rollback.")
PREFIX: Final = "rollback:"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one bad model.

    Attributes
    ----------
    seconds: from its promotion until the alias names the good one again; None where nobody took it back.
    transactions: that it decided.
    stood_in: that the good one decided because the bad one gave no score.
    guardrails: that had broken.
    cause: the same in words.
    chained: whether the move stands in the registry's chain and in that of the events, and both hold.
    """

    name: str
    seconds: float | None
    transactions: int
    stood_in: int
    guardrails: tuple[str, ...]
    cause: str
    chained: bool

    @property
    def within_limits(self) -> bool:
        """Whether it was taken back soon enough, for everybody to see."""
        return self.seconds is not None and self.transactions <= LIMIT_TRANSACTIONS and self.chained


class Bench:
    """A good model that serves, and bad ones that are promoted."""

    def __init__(self, stack: LocalStack, processes: Processes, good: Bundle) -> None:
        self._broker, self._processes, self._good = stack.broker, processes, good
        self._registry = Registry(stack.redis_url, PREFIX)
        self._decisions = Decisions(stack.broker, TOPICS)

    def warm_up(self, transactions: int, key: SigningKey) -> BadModels:
        """Wait until the good model has decided the past, and return what can be made of it."""
        self._let_decide(transactions + BETWEEN)
        scores = np.array(self._decisions.scores, np.float32)
        alerts = np.mean(scores >= np.float32(self._good.manifest.thresholds.review))
        _say(f"the good model alerts on {alerts:.2%} of {len(scores):,} transactions")
        return BadModels(self._good, key, scores)

    def promote(self, name: str, bad: Bundle) -> Result:
        """Promote a bad model by hand, wait until it is taken back, and let the good one decide for a while."""
        stood_in = self._decisions.stood_in
        self._registry.put(bad)
        began = time.monotonic()
        promoted = self._registry.promote(bad.version, PERSON, f"{name}: it looks good to me")
        taken_back = self._read_until(lambda: self._champion() != bad.version, LIMIT_S)
        seconds = time.monotonic() - began
        if not taken_back:
            self._registry.rollback(PERSON, f"not taken back within {LIMIT_S:.0f} s", promoted.sequence)
        self._let_decide(BETWEEN)
        event, chained = self._told(bad.version)
        return Result(
            name=name,
            seconds=seconds if taken_back else None,
            transactions=self._decisions.rows[bad.version],
            stood_in=self._decisions.stood_in - stood_in,
            guardrails=tuple(check.name for check in event.checks if check.verdict == "broken") if event else (),
            cause=event.cause if event else "",
            chained=chained,
        )

    def _champion(self) -> str:
        alias = self._registry.alias(CHAMPION)
        assert alias is not None
        return alias.version

    def _told(self, bad: str) -> tuple[ModelEvent | None, bool]:
        """What is told of a roll-back, and whether it is the release loop's and stands in every chain."""
        check_chain(self._registry.audit())
        move = self._registry.history(CHAMPION)[-1]
        moved = (move.action, move.actor, move.before, move.version) == ("rollback", ACTOR, bad, self._good.version)
        events = events_of(self._broker, TOPICS.model_events)
        check_events(events)
        told = [event for event in events if event.kind == "rolled back" and event.before == bad]
        recorded = [one.details["event_hash"] for one in self._registry.audit() if one.kind == "release"]
        once = len(told) == 1 and told[0].alias_sequence == move.sequence and told[0].hash in recorded
        return told[0] if told else None, moved and once

    def _let_decide(self, transactions: int) -> None:
        """Wait until the good model has decided so many more."""
        rows, good = self._decisions.rows, self._good.version
        enough = rows[good] + transactions
        if not self._read_until(lambda: rows[good] >= enough, DEADLINE_S):
            raise TimeoutError(f"{good} has not decided {transactions:,} transactions within {DEADLINE_S:.0f} s")

    def _read_until(self, reached: Callable[[], bool], deadline_s: float) -> bool:
        until = time.monotonic() + deadline_s
        while not reached():
            if time.monotonic() > until:
                return False
            self._processes.check()
            self._decisions.read()
        return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1_000, help="transactions a second")
    parser.add_argument("--only", action="append", choices=NAMES, help="one bad model; may be repeated")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack", report=_say) as stack:
        create_topics(stack.broker, TOPICS)
        _say("training the good model")
        good = promote_model(stack.redis_url, PREFIX, Path(name))
        connections = Connections(stack.broker, stack.redis_url, TOPICS, PREFIX)
        with (
            Processes(connections, Path(name), train_from="2025-01-01") as processes,
            flowing(stack.broker, TOPICS, arguments.rate) as past,
        ):
            processes.wait_ready()
            bench = Bench(stack, processes, good)
            bad = bench.warm_up(past, SigningKey.load_or_create(Path(name) / "signing-key.pem"))
            for chosen in arguments.only or NAMES:
                _say(f"promoting {chosen}")
                results.append(bench.promote(chosen, bad.named(chosen)))
                _say(f"{chosen}: {results[-1].cause}")
    _print(results, arguments.rate, as_json=arguments.json)
    return 0 if all(result.within_limits for result in results) else 1


def _print(results: Iterable[Result], rate: float, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"rate": rate, "models": [asdict(result) for result in results]}))
        return
    title = f"bad model, {rate:,.0f}/s"
    print(f"{title:<26}{'seconds':>10}{'transactions':>14}{'stood in':>10}{'chained':>9}  guardrails")
    for one in results:
        seconds, chained = "never" if one.seconds is None else f"{one.seconds:.1f}", "yes" if one.chained else "no"
        figures = f"{seconds:>10}{one.transactions:>14,}{one.stood_in:>10,}{chained:>9}"
        print(f"{one.name:<26}{figures}  {', '.join(one.guardrails) or 'none'}")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
