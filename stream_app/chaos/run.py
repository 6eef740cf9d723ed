"""Runs scenarios one after the other, each on fresh topics, and says what came of each."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException

from models.errors import FraudstreamError
from stream_app.chaos.scenario import Scenario
from stream_app.chaos.tiny_models import TinyModels
from stream_app.chaos.traffic import bank_records
from stream_app.chaos.world import World
from stream_app.stack.local_stack import LocalStack


class ScenarioResult(msgspec.Struct, frozen=True):
    """What came of one scenario; the figures are those of `Sums`.

    Attributes
    ----------
    restarts: how often a worker had to be started again.
    missed: what was expected beside the figures and not found.
    took_s: wall time.
    """

    name: str
    events: int
    lost: int
    duplicated: int
    duplicated_raw: int
    out_of_order: int
    feature_differences: int
    longest_gap_s: float
    gap_bound_s: float
    passed: bool
    dead_letters: int
    degraded: int
    restarts: int
    missed: list[str]
    took_s: float


class ChaosReport(msgspec.Struct, frozen=True):
    """All of them."""

    scenarios: list[ScenarioResult]

    @property
    def passed(self) -> bool:
        """Whether every one has."""
        return all(result.passed for result in self.scenarios)


@dataclass(frozen=True, slots=True)
class ChaosRun:
    """What to run.

    Parameters
    ----------
    folder: for data and logs.
    events: payments of each scenario.
    rate: of them in a second.
    seed: of the payments.
    say: told what happens.
    """

    folder: Path
    events: int
    rate: float
    seed: int
    say: Callable[[str], None]

    def run(self, scenarios: Sequence[Scenario]) -> ChaosReport:
        """Run the scenarios on a Kafka and a Redis of their own."""
        records = bank_records(self.events, self.seed)
        models = TinyModels(self.folder / "models")
        results = []
        with LocalStack(self.folder / "stack", report=self.say) as stack:
            for number, scenario in enumerate(scenarios, 1):
                self.say(f"{number} of {len(scenarios)}, {scenario.name}: {scenario.what}")
                name = f"chaos-{number}"
                began_s = time.monotonic()
                world = World(stack, self.folder / scenario.name, models, records, self.rate, name)
                try:
                    result = _result(scenario, world, began_s)
                finally:
                    world.close()
                self.say(_words(result))
                results.append(result)
        return ChaosReport(results)


def _result(scenario: Scenario, world: World, began_s: float) -> ScenarioResult:
    try:
        scenario.run(world)
    except (FraudstreamError, KafkaException, OSError) as error:
        world.missed.append(" ".join(f"{type(error).__name__}: {error}".split()))
    world.end_processes()
    for server in (world.stack.redis, world.stack.kafka):
        if server.process.identity() is None:  # a scenario that failed half-way has not started it again
            server.start()
    sums = world.accounts.sums()
    wrong = sums.lost or sums.duplicated or sums.out_of_order or sums.feature_differences
    return ScenarioResult(
        name=scenario.name,
        **msgspec.structs.asdict(sums),
        gap_bound_s=scenario.gap_bound_s,
        passed=not wrong and not world.missed and sums.longest_gap_s <= scenario.gap_bound_s and sums.events > 0,
        restarts=world.restarts,
        missed=world.missed,
        took_s=round(time.monotonic() - began_s, 1),
    )


def _words(result: ScenarioResult) -> str:
    verdict = "passed" if result.passed else "FAILED"
    missed = "".join(f"; {text}" for text in result.missed)
    return (
        f"{verdict}: {result.events:,} events, {result.lost} lost, {result.duplicated} duplicated "
        f"({result.duplicated_raw} records dropped by the reader's rule), {result.out_of_order} out of order, "
        f"{result.feature_differences} feature differences, longest gap {result.longest_gap_s:.2f} s of "
        f"{result.gap_bound_s:g} s, {result.restarts} restarts{missed}"
    )
