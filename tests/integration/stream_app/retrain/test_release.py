"""The release loop on real Kafka and Redis; the scorers are made up."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from models.audit.chain import check_chain
from models.manifest import Thresholds
from models.registry import CHAMPION, PREVIOUS, Registry
from models.release.placement import Placement
from models.release.plan import ReleasePlan
from models.release.release import ACTOR, ReleaseError
from models.release.state import ReleaseState
from models.schema.model_event import check_events
from models.schema.topics import TopicNames
from models.scorer import LoadedModel
from models.signing import AllowedSigners, SigningKey
from stream_app.commands.models import command
from stream_app.retrain.release.runner import ReleaseRunner
from stream_app.retrain.release.settings import ReleaseSettings
from stream_app.stack.local_stack import LocalStack
from tests.support.made_pairs import HOLD_OUT, honest, pairing_of
from tests.support.release_world import FakeScorers, events_of
from tests.unit.models.small_model import made_bundle

PLAN = ReleasePlan(shadow_transactions=2_000, canary_transactions=1_500, least_rows=1_000, canary_share=0.2)
DEADLINE_S = 30.0
pytestmark = pytest.mark.parametrize("topics", [2], indirect=True)


class Crash(Exception):  # noqa: N818  a crash is no error of ours
    """The process is gone."""


class Loops:
    """Makes runners that share topics and Redis."""

    def __init__(self, stack: LocalStack, topics: TopicNames, prefix: str, folder: Path) -> None:
        self.registry = Registry(stack.redis_url, prefix)
        self.broker, self.redis_url, self.topics, self.prefix = stack.broker, stack.redis_url, topics, prefix
        key = SigningKey.load_or_create(folder / "key.pem")
        pairs = honest(HOLD_OUT, 3)
        review = [float(each[where > 0].min()) for each, where in (
            (pairs.baseline_score, pairs.baseline_decision), (pairs.score, pairs.decision))]  # fmt: skip
        limits = [Thresholds(review[0]), Thresholds(review[1]), Thresholds(review[1])]
        bundles = [made_bundle(key, created_at=at, thresholds=limit) for at, limit in enumerate(limits)]
        self.first, self.second, self.third = (self.registry.put(bundle) for bundle in bundles)
        self.expected = pairing_of(pairs)
        self._allowed = AllowedSigners.of([key.public_key])
        self.scorers = FakeScorers(self.broker, topics, self.registry, self.first)
        self._runners: list[ReleaseRunner] = []

    def verify(self, version: str) -> None:
        LoadedModel.load(self.registry.get(version), self._allowed)

    def runner(self, holder: str, step: Callable[[str], None] = lambda _name: None) -> ReleaseRunner:
        settings = ReleaseSettings(
            self.broker, self.redis_url, holder, self.topics, self.prefix, plan=PLAN, lease_s=5, read_s=0.05
        )
        made = ReleaseRunner(settings, self.registry, self.verify, step)
        self._runners.append(made)
        made.start()
        return made

    @property
    def champion(self) -> str:
        found = self.registry.alias(CHAMPION)
        assert found is not None
        return found.version

    def kinds(self) -> list[str]:
        return [event.kind for event in events_of(self.broker, self.topics.model_events)]


def poll_until(runner: ReleaseRunner, holds: Callable[[ReleaseState], bool]) -> ReleaseState:
    until = time.monotonic() + DEADLINE_S
    while not (holds(runner.state) and not runner.state.pending):
        assert time.monotonic() < until, runner.state
        runner.poll()
    return runner.state


@pytest.fixture
def loops(stack: LocalStack, topics: TopicNames, redis_prefix: str, tmp_path: Path) -> Iterator[Loops]:
    made = Loops(stack, topics, redis_prefix, tmp_path)
    with made.scorers:
        yield made
    for runner in made._runners:
        runner.stop()


def test_a_candidate_is_promoted_and_taken_back_when_it_goes_bad(loops: Loops) -> None:
    loops.registry.promote(loops.first, "ada", "first")
    runner = loops.runner("a")
    runner.offer(loops.second, pairing=loops.expected)
    watched = poll_until(runner, lambda state: state.stage == "watch" and state.rows > 1_000)
    assert (loops.champion, watched.baseline) == (loops.second, loops.first)
    assert loops.registry.placement().shadow == (loops.first,)
    assert {check.verdict for check in watched.checks} <= {"ok", "not enough yet"}
    began, sent = time.monotonic(), loops.scorers.sent
    loops.scorers.spoils[loops.second] = lambda scores: np.full(len(scores), np.nan)
    poll_until(runner, lambda state: state.frozen is not None)
    assert loops.champion == loops.first
    assert (time.monotonic() - began, loops.scorers.sent - sent) < (5, 5_000)
    assert loops.registry.alias(PREVIOUS).version == loops.second  # type: ignore[union-attr]
    assert loops.registry.placement() == Placement(sequence=loops.registry.placement().sequence)
    events = events_of(loops.broker, loops.topics.model_events)
    assert [event.kind for event in events] == [
        "shadow started", "canary started", "promoted", "rolled back", "frozen", "verified",
    ]  # fmt: skip
    check_events(events)
    recorded = [record for record in loops.registry.audit() if record.kind == "release"]
    assert [record.details["event_hash"] for record in recorded] == [event.hash for event in events]
    assert "missing output: no score for" in events[3].cause
    assert [record.actor for record in loops.registry.history(CHAMPION)] == ["ada", ACTOR, ACTOR]
    with pytest.raises(ReleaseError, match="promotion is frozen"):
        runner.offer(loops.third)
    options = ["--redis", loops.redis_url, "--redis-prefix", loops.prefix]
    shown = CliRunner().invoke(command, ["release", *options])
    assert "missing output" in shown.output.replace("\n", " ")
    lifted = CliRunner().invoke(command, ["unfreeze", "--reason", "a bad disk", "--actor", "ada", *options])
    assert lifted.exit_code == 0, lifted.output
    poll_until(runner, lambda state: state.frozen is None)
    assert loops.kinds()[-1] == "unfrozen"
    runner.offer(loops.third, pairing=loops.expected)
    assert poll_until(runner, lambda state: state.stage == "shadow").version == loops.third


@pytest.mark.parametrize(
    ("spoil", "us"),
    [
        (lambda scores: 1 - scores, 30.0),
        (lambda scores: scores[::-1], 30.0),
        (lambda scores: np.full(len(scores), 0.01), 30.0),
        (lambda scores: scores, 900.0),
    ],
    ids=["inverted", "permuted", "constant", "slow"],
)
def test_a_bad_model_that_a_person_promotes_is_rolled_back_within_seconds(
    loops: Loops, spoil: Callable[[np.ndarray], np.ndarray], us: float
) -> None:
    loops.registry.promote(loops.first, "ada", "first")
    loops.scorers.spoils[loops.second] = spoil
    loops.scorers.us[loops.second] = us
    runner = loops.runner("a")
    runner.poll()
    began, sent = time.monotonic(), loops.scorers.sent
    loops.registry.promote(loops.second, "ada", "trust me")
    poll_until(runner, lambda state: state.frozen is not None)
    assert loops.champion == loops.first
    assert time.monotonic() - began < 10
    assert loops.scorers.sent - sent < 20_000
    assert loops.kinds() == ["adopted", "rolled back", "frozen", "verified"]


def test_killed_at_every_step_it_promotes_once_and_says_everything_once(loops: Loops) -> None:
    loops.registry.promote(loops.first, "ada", "first")
    survived: set[tuple[str, int]] = set()

    def fragile(name: str) -> None:
        step = (name, runner.state.sequence)
        if step not in survived:
            survived.add(step)
            raise Crash

    runner = loops.runner("0", fragile)
    runner.offer(loops.second, pairing=loops.expected)
    until = time.monotonic() + DEADLINE_S
    while runner.state.stage != "watch" or runner.state.pending:
        assert time.monotonic() < until, (survived, runner.state)
        try:
            runner.poll()
        except Crash:
            runner.stop()
            runner = loops.runner(str(len(survived)), fragile)
    assert len(survived) > 10
    assert loops.champion == loops.second
    assert loops.kinds() == ["shadow started", "canary started", "promoted"]
    check_events(events_of(loops.broker, loops.topics.model_events))
    recorded = [record for record in loops.registry.audit() if record.kind == "release"]
    assert [record.details["event"] for record in recorded] == loops.kinds()
    check_chain(loops.registry.audit())
    assert [record.version for record in loops.registry.history(CHAMPION)] == [loops.first, loops.second]


def test_of_two_loops_one_is_active_and_the_other_takes_over(loops: Loops) -> None:
    loops.registry.promote(loops.first, "ada", "first")
    first, second = loops.runner("a"), loops.runner("b")
    assert first.poll()
    assert not second.poll()
    second.offer(loops.second, pairing=loops.expected)
    poll_until(first, lambda state: state.stage == "shadow")
    first.stop()
    loops._runners.remove(first)
    poll_until(second, lambda state: state.stage == "watch")
    assert loops.kinds() == ["shadow started", "canary started", "promoted"]
