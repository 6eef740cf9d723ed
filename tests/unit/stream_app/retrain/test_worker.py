"""The retrainer's steps, with everything around it in memory."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from models.bundle import Bundle
from models.gate.check import Verdict
from models.manifest import TrainingData
from models.schema import wire
from models.schema.model_event import ModelEventError, check_events
from models.schema.topics import DAY_MS
from models.signing import SigningKey
from stream_app.lease import LeaseLostError
from stream_app.retrain.gauges import RetrainGauges
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.settings import RetrainSettings
from stream_app.retrain.state_store import StateConflictError
from stream_app.retrain.training_order import TrainingOutcome
from stream_app.retrain.worker import RetrainWorker, Surroundings
from tests.support.fake_registry import FakeAnnouncer, FakeAudit
from tests.unit.models.small_model import made_bundle
from tests.unit.stream_app.retrain.fakes import (
    DAY,
    PAIRING,
    TABLES,
    DeterminedTrainer,
    FakeCommits,
    FakeGraveyard,
    FakeModels,
    FakeReleases,
    FakeRequests,
    FakeStore,
    FakeTrainer,
    outcome,
    request,
)

KEY = SigningKey.generate()
LEARNED_UNTIL = 5


@cache
def bundle(created_at: int, to_event_time: int = LEARNED_UNTIL) -> Bundle:
    data = TrainingData("made for a test", 0, to_event_time, 2000, 100)
    return made_bundle(KEY, created_at=created_at, data=data)


class Crash(Exception):  # noqa: N818  a crash is no error of ours
    """The process is gone."""


class World:
    """One retrainer after the other on the same surroundings."""

    def __init__(self, **settings: Any) -> None:
        self.first, self.second = bundle(1), bundle(2)
        self.store, self.requests, self.commits = FakeStore(), FakeRequests(), FakeCommits()
        self.trainer: FakeTrainer = FakeTrainer()
        self.models = FakeModels({self.first.version: self.first}, self.first.version)
        self.releases, self.announcer, self.graveyard = FakeReleases(), FakeAnnouncer(), FakeGraveyard()
        self.audit = FakeAudit()
        self.gauges = RetrainGauges()
        self.now_ms = 1_000
        self.lost = False
        here = Path("here")
        self.settings = RetrainSettings(
            "b", "r", "a", "w", here, here / "key", here / "signers", retry_s=10.0, poll_s=0.0, **settings
        )
        self.worker = self.next_worker()

    def next_worker(self) -> RetrainWorker:
        """Whoever comes after a crash: it reads from the position, and its trainer knows nothing."""
        self.requests.next_offset = self.requests.position
        self.trainer.order = None
        around = Surroundings(
            cast("Any", self.store), self.requests, self.commits, self.trainer, self.models, self.releases,
            self.announcer, self.graveyard, self.audit,
        )  # fmt: skip
        self.worker = RetrainWorker(self.settings, around, self.gauges, self._check, lambda: self.now_ms)
        return self.worker

    def move_champion(self, *, learned_until: int) -> str:
        """Somebody promotes a model that learned from rows up to then."""
        self.models.champion = self.models.put(bundle(3, learned_until))
        return self.models.champion

    def _check(self) -> None:
        if self.lost:
            raise LeaseLostError("another holds it")

    def turn(self, times: int = 12) -> None:
        for _ in range(times):
            self.worker.turn()

    def report(self, request_id: str = "q1") -> RetrainReport:
        found = self.store.report(request_id)
        assert found is not None
        return found

    @property
    def steps(self) -> dict[str, str]:
        return {job.id: job.step for job in self.store.read().jobs}


def passing(world: World) -> TrainingOutcome:
    return outcome("pass", world.second)


def test_what_passes_is_registered_offered_and_told_with_the_request_as_its_cause() -> None:
    world = World()
    world.trainer.outcomes = [passing(world)]
    world.requests.ask(request())
    world.turn(3)
    assert (world.steps, world.requests.position, world.report().outcome) == ({"q1": "pinned"}, 0, "under way")
    world.turn()
    (order,) = world.trainer.orders
    assert (order.making.table_versions, order.making.as_of) == (TABLES, DAY * DAY_MS)
    assert order.champion.whole() == world.first
    report = world.report()
    assert (report.outcome, report.version, report.champion) == ("offered", world.second.version, world.first.version)
    assert (report.verdict, report.table_versions, report.training_s) == ("pass", TABLES, 1.0)
    assert report.choice is not None
    assert world.releases.offered == [(world.second.version, "q1", PAIRING)]
    (event,) = world.announcer.events
    assert (event.kind, event.version, event.before) == ("registered", world.second.version, world.first.version)
    assert (event.request_id, event.incident, event.sequence) == ("q1", "i1", 0)
    check_events([event, event])
    with pytest.raises(ModelEventError, match="was altered"):
        check_events([msgspec.structs.replace(event, cause="another")])
    assert (world.steps, world.store.outcomes, world.requests.position) == ({}, {}, 1)


def test_what_fails_the_gate_is_rejected_with_its_reasons_and_nothing_is_registered() -> None:
    world = World()
    world.trainer.outcomes = [outcome("fail")]
    world.requests.ask(request())
    world.turn()
    assert (world.report().outcome, world.report().reasons) == ("rejected", ["it is a fail"])
    (event,) = world.announcer.events
    assert (event.kind, event.version, event.cause.endswith("it is a fail")) == ("rejected", "request:q1", True)
    assert (list(world.models.bundles), world.releases.offered) == ([world.first.version], [])
    assert world.requests.position == 1


def test_a_request_that_is_published_twice_is_done_once() -> None:
    world = World()
    world.trainer.outcomes = [passing(world)]
    world.requests.ask(request(), request())
    world.turn()
    world.requests.ask(request())
    world.turn()
    assert (len(world.trainer.orders), len(world.announcer.events), world.requests.position) == (1, 1, 3)


def test_what_is_undecided_waits_for_another_mature_day_and_is_trained_on_newly_pinned_tables() -> None:
    world = World()
    world.trainer.outcomes = [outcome("undecided"), passing(world)]
    world.requests.ask(request())
    world.commits.close_day(DAY - 1)
    world.turn()
    assert (world.steps, world.report().outcome, world.requests.position) == ({"q1": "waiting"}, "waiting", 0)
    world.commits.close_day(DAY)
    world.turn()
    assert [order.making.as_of for order in world.trainer.orders] == [DAY * DAY_MS, (DAY + 1) * DAY_MS]
    assert world.trainer.orders[1].making.table_versions == {"scores": DAY, "labels": DAY}
    assert (world.report().outcome, world.report().number) == ("offered", 2)
    assert world.announcer.kinds == ["undecided", "registered"]


def test_what_stays_undecided_is_tried_so_many_times_and_no_more() -> None:
    world = World(most_tries=3)
    world.trainer.outcomes = [outcome("undecided")] * 3
    world.requests.ask(request())
    for day in range(DAY - 1, DAY + 6):
        world.commits.close_day(day)
        world.turn()
    assert (len(world.trainer.orders), world.report().outcome) == (3, "undecided")
    assert (world.announcer.kinds, len({event.event_id for event in world.announcer.events})) == (["undecided"] * 3, 3)
    assert world.requests.position == 1


def test_what_waits_begins_one_after_the_other_and_interrupts_no_training() -> None:
    world = World()
    world.trainer.outcomes = [outcome("undecided")] * 2 + [outcome("fail")] * 3
    world.requests.ask(request(), request("q2", incident="i2"))
    world.turn(24)
    world.requests.ask(request("q3", incident="i3"))
    world.trainer.slow = 4
    world.turn(3)
    assert world.steps == {"q1": "waiting", "q2": "waiting", "q3": "pinned"}
    world.commits.close_day(DAY)
    world.turn(1)
    assert world.steps == {"q1": "waiting", "q2": "waiting", "q3": "pinned"}
    seen = []
    for _ in range(30):
        world.turn(1)
        seen.append(sum(job.under_way for job in world.store.read().jobs))
    assert max(seen) == 1
    tried = [order.making.request.request_id for order in world.trainer.orders]
    assert tried == ["q1", "q2", "q3", "q1", "q2"]


def test_a_newer_request_of_the_incident_replaces_one_that_waits_and_leaves_others_alone() -> None:
    world = World()
    world.trainer.outcomes = [outcome("undecided"), outcome("undecided"), passing(world)]
    world.requests.ask(request(), request("other", incident="i2"))
    world.turn(24)
    assert world.steps == {"q1": "waiting", "other": "waiting"}
    world.requests.ask(request("q2", number=2))
    world.turn()
    assert (world.report("q1").outcome, world.report("q2").outcome) == ("replaced", "offered")
    assert world.steps == {"other": "waiting"}
    assert world.requests.position == 1


def test_a_try_on_later_labels_answers_what_was_asked_for_less_of_the_same_incident() -> None:
    world = World()
    world.trainer.outcomes, world.trainer.slow = [outcome("undecided"), passing(world), outcome("fail")], 3
    world.requests.ask(request())
    world.turn(3)
    later = {"as_of": (DAY + 1) * DAY_MS}
    world.requests.ask(request("q2", number=2, **later), request("other", incident="i2", **later))
    world.turn(2)
    assert world.steps == {"q1": "pinned", "q2": "taken", "other": "taken"}
    world.commits.close_day(DAY + 2)
    world.turn(30)
    assert [world.report(name).outcome for name in ("q1", "q2", "other")] == ["offered", "replaced", "rejected"]
    assert world.report("q2").reasons == ["request q1 of the same incident is tried on labels as late"]
    tried = [order.making.request.request_id for order in world.trainer.orders]
    assert tried == ["q1", "q1", "other"]


def test_a_request_that_is_being_trained_is_not_replaced() -> None:
    world = World()
    world.trainer.outcomes, world.trainer.slow = [outcome("fail"), passing(world)], 3
    world.requests.ask(request())
    world.turn(3)
    world.requests.ask(request("q2", number=2), request("q3", number=3))
    world.turn(20)
    assert [world.report(name).outcome for name in ("q1", "q2", "q3")] == ["rejected", "replaced", "offered"]


def test_a_failing_request_is_begun_again_later_and_then_becomes_a_dead_letter_while_others_go_on() -> None:
    world = World(most_failures=2)
    world.trainer.outcomes = [TrainingOutcome(error="too few rows"), passing(world)]
    world.requests.ask(request(), request("other", incident="i2"))
    world.turn(24)
    assert (world.report("other").outcome, world.steps) == ("offered", {"q1": "pinned"})
    world.trainer.outcomes = [TrainingOutcome(error="too few rows")] * 2
    world.now_ms += 10_000
    world.turn()
    assert len(world.trainer.orders) == 3
    world.now_ms += 10_000
    world.turn()
    assert len(world.trainer.orders) == 3, "the second wait is twice as long"
    world.now_ms += 10_000
    world.turn()
    assert {order.making.request.request_id: order.making for order in world.trainer.orders}.keys() == {"q1", "other"}
    assert world.graveyard.letters == [(0, wire.encode(request()), "too few rows")]
    assert (world.report().outcome, world.report().reasons) == ("failed", ["too few rows"])
    assert world.requests.position == 2
    assert world.gauges.registry.get_sample_value("fraudstream_retrain_dead_letters_total") == 1


def test_what_is_no_request_becomes_a_dead_letter_at_once() -> None:
    world = World()
    world.requests.log = [b"{", None]
    world.turn(1)
    assert [(offset, value) for offset, value, _ in world.graveyard.letters] == [(0, b"{"), (1, None)]
    assert "not a RetrainRequest" in world.graveyard.letters[0][2]
    assert world.requests.position == 2


def test_a_person_s_request_without_tables_takes_the_newest_announced() -> None:
    world = World()
    world.trainer.outcomes = [passing(world)]
    asked = request(cause="person", incident=None, changed_at=None, table_versions={}, as_of=0)
    world.requests.ask(asked)
    world.turn(2)
    assert world.report().reasons == ["nothing is archived yet to train on; start `fraudstream archive`"]
    world.commits.close_day(DAY)
    world.now_ms += 10_000
    world.turn()
    (order,) = world.trainer.orders
    assert (order.making.as_of, order.making.table_versions) == ((DAY + 1) * DAY_MS, {"scores": DAY, "labels": DAY})


def test_without_a_champion_or_with_one_that_is_gone_a_request_fails() -> None:
    world = World(most_failures=0)
    world.models.champion = None
    world.requests.ask(request())
    world.turn()
    world.models.champion = "m-gone"
    world.requests.ask(request("q2"))
    world.turn()
    reasons = [reason for _, _, reason in world.graveyard.letters]
    assert "there is no champion" in reasons[0]
    assert "m-gone" in reasons[1]


def test_a_model_that_may_not_be_released_stays_registered_and_the_report_says_why() -> None:
    world = World()
    world.releases.frozen = True
    world.trainer.outcomes = [passing(world)]
    world.requests.ask(request())
    world.turn()
    assert (world.report().outcome, world.report().version) == ("not offered", world.second.version)
    assert "promotion is frozen" in world.report().reasons[0]
    assert world.second.version in world.models.bundles


def test_what_was_proven_against_another_champion_is_not_offered_where_that_of_now_learned_as_much() -> None:
    world = World()
    world.trainer.outcomes = [passing(world)]
    world.requests.ask(request())
    world.turn(4)
    champion = world.move_champion(learned_until=LEARNED_UNTIL)
    world.turn()
    report = world.report()
    assert (report.outcome, report.number, report.version) == ("not offered", 1, world.second.version)
    (reason,) = report.reasons
    assert f"{champion} has become champion in place of {world.first.version}" in reason
    assert "learned from rows as late: up to 1970-01-01" in reason
    assert (world.releases.offered, world.announcer.kinds, world.requests.position) == ([], ["registered"], 1)


def test_what_was_proven_against_another_champion_is_tried_again_where_that_of_now_learned_less() -> None:
    world = World()
    third = bundle(4)
    world.trainer.outcomes = [passing(world), outcome("pass", third)]
    world.requests.ask(request())
    world.commits.close_day(DAY)
    world.turn(4)
    champion = world.move_champion(learned_until=LEARNED_UNTIL - 1)
    world.turn()
    again = world.trainer.orders[1]
    assert (again.champion.whole().version, again.making.as_of) == (champion, (DAY + 1) * DAY_MS)
    assert again.making.table_versions == {"scores": DAY, "labels": DAY}
    report = world.report()
    assert (report.outcome, report.number, report.champion) == ("offered", 2, champion)
    assert world.releases.offered == [(third.version, "q1", PAIRING)]
    assert [event.before for event in world.announcer.events] == [world.first.version, champion]


def test_it_is_tried_again_once_the_archive_says_how_it_stands() -> None:
    world = World()
    world.trainer.outcomes = [passing(world), passing(world)]
    world.requests.ask(request())
    world.turn(4)
    world.move_champion(learned_until=LEARNED_UNTIL - 1)
    world.turn()
    assert world.steps == {"q1": "registered"}
    world.commits.close_day(DAY - 1)
    world.now_ms += 10_000
    world.turn()
    assert (world.report().outcome, world.report().number) == ("offered", 2)
    assert world.trainer.orders[1].making.as_of == DAY * DAY_MS


def test_what_is_champion_itself_by_the_time_its_step_is_repeated_was_offered() -> None:
    world = World()
    world.trainer.outcomes = [passing(world)]
    world.requests.ask(request())
    world.turn(5)
    assert world.steps == {"q1": "registered"}
    world.models.champion = world.second.version
    world.turn()
    assert world.report().outcome == "offered"


def test_a_newer_scheduled_request_replaces_one_that_waits() -> None:
    world = World()
    scheduled: dict[str, Any] = {"cause": "schedule", "incident": None, "changed_at": None}
    world.trainer.outcomes = [outcome("undecided"), passing(world)]
    world.requests.ask(request(**scheduled))
    world.turn()
    assert world.steps == {"q1": "waiting"}
    world.requests.ask(request("q2", **scheduled))
    world.turn()
    assert (world.report("q1").outcome, world.report("q2").outcome) == ("replaced", "offered")
    assert world.report("q1").reasons == ["request q2 of the schedule is newer"]
    assert world.requests.position == 2


def test_a_worker_that_has_lost_its_lease_or_was_overtaken_writes_nothing() -> None:
    world = World()
    world.requests.ask(request())
    world.lost = True
    with pytest.raises(LeaseLostError):
        world.worker.turn()
    assert world.store.reports == {}
    world.lost = False
    world.next_worker()
    before = world.store.read()
    world.store.write(before)
    world.store.read = lambda: before  # type: ignore[method-assign]
    with pytest.raises(StateConflictError):
        world.worker.turn()
    assert world.store.reports == {}


@pytest.mark.parametrize(
    ("verdict", "another_champion", "outcome_of_it", "calls"),
    [
        ("pass", None, "offered", 20),
        ("fail", None, "rejected", 12),
        ("pass", LEARNED_UNTIL, "not offered", 18),
        ("pass", LEARNED_UNTIL - 1, "offered", 30),
    ],
)
def test_killed_around_everything_that_it_does_it_ends_as_an_undisturbed_run(
    verdict: Verdict, another_champion: int | None, outcome_of_it: str, calls: int
) -> None:
    undisturbed = _asked(verdict, another_champion)
    undisturbed.turn(20)
    assert undisturbed.report().outcome == outcome_of_it
    survived = 0
    for crash_at in range(100):
        world = _asked(verdict, another_champion)
        fuse = _Fuse(crash_at)
        for owner, name in (
            (world.store, "write"), (world.announcer, "publish"), (world.releases, "offer"), (world.models, "put"),
            (world.trainer, "start"), (world.requests, "commit"), (world.audit, "append"),
        ):  # fmt: skip
            setattr(owner, name, fuse.around(getattr(owner, name)))
        try:
            world.turn(20)
        except Crash:
            survived += 1
        crashed, fuse.blown = fuse.blown, True
        world.next_worker()
        world.turn(20)
        assert world.store.reports == undisturbed.store.reports, crash_at
        assert world.announcer.events == undisturbed.announcer.events, crash_at
        assert world.audit.entries == undisturbed.audit.entries, crash_at
        assert world.releases.offered == undisturbed.releases.offered, crash_at
        assert set(world.models.bundles) == set(undisturbed.models.bundles), crash_at
        assert (world.steps, world.requests.position) == ({}, 1), crash_at
        if not crashed:
            break
    assert survived >= calls


def _asked(verdict: Verdict, another_champion: int | None) -> World:
    """A world with a request; once its training has begun a model is champion that learned from rows up to then."""
    world, trainer = World(), DeterminedTrainer()
    world.requests.ask(request())
    world.commits.close_day(DAY)
    trainer.by_champion = {world.first.version: outcome(verdict, world.second if verdict == "pass" else None)}
    if another_champion is not None:
        trainer.by_champion[bundle(3, another_champion).version] = outcome(verdict, bundle(4))
        trainer.began = lambda: world.move_champion(learned_until=another_champion)
    world.trainer = trainer
    world.next_worker()
    return world


class _Fuse:
    """Crashes once, before or after a call of those that it is put around."""

    def __init__(self, at: int) -> None:
        self._at, self.blown = at, False

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            self._burn()
            found = call(*arguments, **named)
            self._burn()
            return found

        return called

    def _burn(self) -> None:
        if not self.blown:
            self._at -= 1
            if self._at < 0:
                self.blown = True
                raise Crash


def test_a_bundle_travels_whole(tmp_path: Path) -> None:
    world = World()
    parts = msgspec.msgpack.decode(msgspec.msgpack.encode(passing(world)), type=TrainingOutcome).bundle
    assert parts is not None
    assert isinstance(parts.whole(), Bundle)
    assert parts.whole() == world.second
