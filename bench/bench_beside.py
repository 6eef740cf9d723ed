"""What watching costs scoring: one worker alone, and with `fraudstream archive` and `fraudstream watch` beside it.

The work is that of bench_end_to_end, with the labels that come meanwhile, and a drift reference in the model so that
all drift tests run. Eight event days pass in seconds, so the worker takes in more terminal profiles than transactions:
a first round, which does not count, keeps those that its watch makes, and the rounds alone get them at the same event
times. Rounds of both kinds take turns. Where there are two cores or more the worker has one, the same in both
kinds; archive and watch have the others, so that events per CPU second of the worker compare like with like. Broker,
Redis, sender and reader use all cores, so events per second fall also because cores are shared.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self
from urllib.error import URLError

from bench.profiles import ProfileStep, written_steps
from bench.traffic import Traffic
from bench.worker import Round, Worker
from bench.workload import Workload, promote_model
from models.bundle import Bundle
from models.drift.words import date
from models.registry import Registry
from models.schema.topics import DAY_MS, TopicNames
from stream_app.stack.local_stack import LocalStack
from stream_app.stack.port import free_ports
from stream_app.topic_admin import create_topics

WARM_UP = 5_000
CHUNK = 2_000
"""Transactions sent between labels."""
SURE_EVENTS = 1_000
"""The watermark may stay so many events behind the last one: it is a median of each partition's last rows."""
MATURITY_DAYS = "1"
"""A week matures, and terminal profiles change, within the event days of a round."""
DEADLINE_S = 120.0
POLL_S = 0.1
TABLES = ("transactions", "scores", "features")
AGENTS = ("feedback", "drift")
ACTIVE = ("fraudstream_archive_active", "fraudstream_profile_keeper_active", "fraudstream_history_active")


@dataclass(frozen=True, slots=True)
class Cores:
    """Who may run where; both empty means everywhere."""

    worker: list[int]
    beside: list[int]

    @classmethod
    def split(cls) -> Self:
        """One for the worker, the others for archive and watch; none are set apart where there is only one."""
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_setaffinity") else []
        return cls(cores[:1], cores[1:]) if len(cores) > 1 else cls([], [])

    def __str__(self) -> str:
        if not self.worker:
            return "nobody is pinned: there is one core, or no way to pin"
        return f"worker on core {self.worker[0]}; archive and watch on {_listed(self.beside)}; all others on all"


@dataclass(frozen=True, slots=True)
class Behind:
    """How far archive and watch were behind when the last score had come, and how long they took to catch up.

    Attributes
    ----------
    archive_events: transactions whose transaction, score or feature row was not in the tables.
    keeper_events: feature rows that the profile keeper had not counted.
    open_days: event days that were over and not handled by feedback or drift agent.
    archive_s, watch_s: until nothing was left; the watch waits for the archive.
    """

    archive_events: float
    keeper_events: float
    open_days: float
    archive_s: float
    watch_s: float


@dataclass(frozen=True, slots=True)
class Goal:
    """All that a round gives archive and watch to do: so many events, of the days from `first_day` to `behind_day`."""

    events: int
    first_day: int
    behind_day: int

    def left(self, metrics: Mapping[str, float]) -> tuple[float, float, float]:
        """Events that are not archived, feature rows that are not counted, days that are not handled."""
        archived = min(metrics.get(f'fraudstream_archive_rows_total{{table="{name}"}}', 0) for name in TABLES)
        handled = min(
            metrics.get(f'fraudstream_history_closed_timestamp_seconds{{agent="{name}"}}', 0) for name in AGENTS
        )
        next_day = max(self.first_day, handled * 1000 // DAY_MS)
        counted = metrics["fraudstream_profile_rows_total"]
        return self.events - archived, self.events - counted, max(0, self.behind_day - next_day)


class Watching:
    """`fraudstream archive` and `fraudstream watch` on one set of topics, seen through their metrics."""

    def __init__(self, archive: Worker, watch: Worker, ports: list[int]) -> None:
        self._workers = (archive, watch)
        self._ports = ports

    def __enter__(self) -> Self:
        with ExitStack() as entered:
            for worker in self._workers:
                entered.enter_context(worker)
            self._wait(lambda found: all(found.get(name) == 1 for name in ACTIVE))
            self._entered = entered.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._entered.close()

    def catch_up(self, goal: Goal) -> Behind:
        """Wait until nothing is left to do."""
        began, left = time.monotonic(), goal.left(self._metrics())
        archive_s = self._wait(lambda found: not goal.left(found)[0]) - began
        watch_s = self._wait(lambda found: not any(goal.left(found))) - began
        return Behind(*left, archive_s, watch_s)

    def _wait(self, reached: Callable[[dict[str, float]], bool]) -> float:
        until, found = time.monotonic() + DEADLINE_S, self._metrics()
        while not reached(found):
            if time.monotonic() > until:
                raise TimeoutError(f"archive and watch are not there within {DEADLINE_S:.0f} s: {found}")
            time.sleep(POLL_S)
            found = self._metrics()
        return time.monotonic()

    def _metrics(self) -> dict[str, float]:
        for worker in self._workers:
            worker.require_alive()
        found: dict[str, float] = {}
        for port in self._ports:
            try:
                text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE_S).read().decode()
            except (URLError, ConnectionError):  # it does not listen yet; one that has ended is told apart above
                continue
            lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
            found |= {name: float(value) for name, _, value in lines}
        return found


class Bench:
    """One stack, one model, any number of rounds."""

    def __init__(self, stack: LocalStack, folder: Path, workload: Workload, bundle: Bundle, cores: Cores) -> None:
        self._stack, self._folder, self._workload, self._bundle, self._cores = stack, folder, workload, bundle, cores
        self._rounds = 0
        self._steps: list[ProfileStep] = []

    def warm_up(self, events: int) -> None:
        """A round with both that keeps the profiles."""
        self.beside(events)
        self._steps = written_steps(self._stack.broker, TopicNames(f"round{self._rounds}.").profiles)

    def alone(self, events: int) -> Round:
        """A round without archive and watch, with the profiles of the first one."""
        topics = self._topics()
        with Traffic(self._stack.broker, topics) as traffic, self._worker(topics) as worker:
            return self._measured(traffic, worker, events, self._steps)

    def beside(self, events: int) -> tuple[Round, Behind]:
        """A round with both."""
        topics = self._topics()
        with Traffic(self._stack.broker, topics) as traffic, self._watching(topics) as watching:
            with self._worker(topics) as worker:
                measured = self._measured(traffic, worker, events)
                behind = watching.catch_up(self._goal(events))
            return measured, behind

    def _topics(self) -> TopicNames:
        self._rounds += 1
        topics = TopicNames(f"round{self._rounds}.")
        create_topics(self._stack.broker, topics, partitions=4)
        registry = Registry(self._stack.redis_url, topics.prefix)
        registry.put(self._bundle)
        registry.promote(self._bundle.version, "bench", "what this round scores with")
        return topics

    def _measured(self, traffic: Traffic, worker: Worker, events: int, steps: Iterable[ProfileStep] = ()) -> Round:
        upcoming = deque(steps)

        def work() -> None:
            self._send(traffic, WARM_UP, WARM_UP + events, upcoming)
            traffic.receive(worker, events)

        self._send(traffic, 0, WARM_UP, upcoming)
        traffic.receive(worker, WARM_UP)
        time.sleep(1)
        return worker.measured(events, work)

    def _send(self, traffic: Traffic, start: int, end: int, steps: deque[ProfileStep]) -> None:
        workload, before = self._workload, self._workload.labels_before
        for at in range(start, end, CHUNK):
            behind = min(at + CHUNK, end)
            while steps and steps[0].as_of <= workload.event_time[behind - 1]:
                traffic.profile(steps.popleft().records)
            traffic.send(workload.messages[at:behind])
            traffic.state(workload.labels[before[at] : before[behind]])

    def _goal(self, events: int) -> Goal:
        times = self._workload.event_time
        sure = int(times[WARM_UP + events - SURE_EVENTS])
        return Goal(WARM_UP + events, int(times[0]) // DAY_MS, sure // DAY_MS)

    def _worker(self, topics: TopicNames) -> Worker:
        return self._process(topics, "score", ["--group", topics.prefix], self._cores.worker)

    def _watching(self, topics: TopicNames) -> Watching:
        ports = free_ports(2)
        history = ["--archive", str(self._folder / f"{topics.prefix}archive")]
        archive = [*history, "--commit-every", "1", "--web-port", str(ports[0])]
        since = date(int(self._workload.event_time[0]))
        watch = [*history, "--history-from", since, "--maturity-days", MATURITY_DAYS, "--web-port", str(ports[1])]
        return Watching(
            self._process(topics, "archive", archive, self._cores.beside),
            self._process(topics, "watch", watch, self._cores.beside),
            ports,
        )

    def _process(self, topics: TopicNames, command: str, options: Sequence[str], cores: Sequence[int]) -> Worker:
        connection = ["--broker", self._stack.broker, "--redis", self._stack.redis_url]
        names = ["--topic-prefix", topics.prefix, "--redis-prefix", topics.prefix]
        environment = {"FRAUDSTREAM_DATA": str(self._folder)}
        log = self._folder / f"{command}.log"
        return Worker.fraudstream([command, *connection, *names, *options], environment, log, cores)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=160_000, help="events a round; 20,000 are an event day")
    parser.add_argument("--rounds", type=int, default=2, help="of each kind, behind the first")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cores = Cores.split()
    workload = Workload.simulated(WARM_UP + arguments.events)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name) / "stack") as stack:
        bundle = promote_model(stack.redis_url, "bench:", Path(name), watched=True)
        bench = Bench(stack, Path(name), workload, bundle, cores)
        bench.warm_up(arguments.events)
        alone, beside, behind = [], list[Round](), list[Behind]()
        for _ in range(arguments.rounds):
            alone.append(bench.alone(arguments.events))
            measured, left = bench.beside(arguments.events)
            beside.append(measured)
            behind.append(left)
    _print({"alone": alone, "archive and watch beside": beside}, behind, cores, load, as_json=arguments.json)


def _print(
    rounds: Mapping[str, Sequence[Round]], behind: Sequence[Behind], cores: Cores, load: float, *, as_json: bool
) -> None:
    speed = {name: statistics.median(r.events_per_s for r in found) for name, found in rounds.items()}
    cpu = {name: statistics.median(r.events_per_cpu_s for r in found) for name, found in rounds.items()}
    alone, beside = rounds.values()
    ratios = [b.events_per_cpu_s / a.events_per_cpu_s for a, b in zip(alone, beside, strict=True)]
    left = Behind(*(statistics.median(getattr(one, field.name) for one in behind) for field in fields(Behind)))
    if as_json:
        figures = {"throughput": speed, "cpu": cpu, "ratio": statistics.median(ratios), "ratios": ratios}
        print(json.dumps({**figures, "behind": asdict(left), "cores": asdict(cores), "load": load}))
        return
    print(f"{'one worker, real broker':<26}{'events/s':>10}{'spread':>18}{'events/CPU s':>14}{'spread':>18}")
    for name, found in rounds.items():
        speeds, cpus = _spread(r.events_per_s for r in found), _spread(r.events_per_cpu_s for r in found)
        print(f"{name:<26}{speed[name]:>10,.0f}{speeds:>18}{cpu[name]:>14,.0f}{cpus:>18}")
    print(
        f"ratio of events/CPU s {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f} round by round)"
    )
    print(f"{cores}; load average before {load:.1f}")
    print(f"at the last score  archive: {left.archive_events:,.0f} events behind, caught up in {left.archive_s:.1f} s")
    counts = f"{left.keeper_events:,.0f} feature rows and {left.open_days:.0f} event days"
    print(f"                   watch: {counts} behind, caught up in {left.watch_s:.1f} s")


def _spread(figures: Iterable[float]) -> str:
    found = list(figures)
    return f"{min(found):,.0f} to {max(found):,.0f}"


def _listed(cores: Sequence[int]) -> str:
    return ", ".join(map(str, cores))


if __name__ == "__main__":
    main()
