"""The policy of a release, with the actions carried out on a registry in memory."""

import msgspec
import pytest

from models.metrics.pairing import Pairing
from models.release.placement import Placement
from models.release.plan import ReleasePlan, ReleasePlanError
from models.release.release import ACTOR, ReleaseError
from models.release.state import Candidate, Observation
from models.schema.model_event import check_events
from tests.support.release_bench import START, ReleaseBench, check

CANDIDATE = Candidate(version="m-2", request_id="q-1", incident="i-1")


@pytest.fixture
def bench() -> ReleaseBench:
    return ReleaseBench()


def offered(bench: ReleaseBench, candidate: Candidate = CANDIDATE) -> ReleaseBench:
    bench.do(lambda state: bench.policy.begin(bench.policy.offer(state, candidate)))
    return bench


def promoted(bench: ReleaseBench) -> ReleaseBench:
    offered(bench).see(2_000)
    bench.see(4_000, canary_rows=2_000)
    return bench


def test_a_candidate_goes_over_shadow_and_canary_to_champion_and_the_watch_ends(bench):
    offered(bench)
    assert bench.state.stage == "shadow"
    assert bench.registry.placed.shadow == ("m-2",)
    assert bench.registry.names["challenger"].version == "m-2"
    bench.see(1_999)
    assert bench.state.stage == "shadow"
    bench.see(2_000)
    assert (bench.state.stage, bench.champion) == ("canary", "m-1")
    assert (bench.registry.placed.canary, bench.registry.placed.canary_share) == ("m-2", 0.2)
    bench.see(4_000, canary_rows=1_999)
    assert bench.champion == "m-1"
    bench.see(4_000, canary_rows=2_000)
    assert (bench.state.stage, bench.champion) == ("watch", "m-2")
    assert bench.registry.placed.shadow == ("m-1",)
    bench.see(90_000, hours=7 * 24 - 1)
    assert bench.state.stage == "watch"
    bench.see(99_000, hours=7 * 24)
    assert (bench.state.stage, bench.registry.placed.versions) == ("maturing", ())
    bench.do(lambda state: bench.policy.pass_time(state, START + 14 * 24 * 3_600_000))
    assert bench.state.stage == "idle"
    assert bench.announcer.kinds == ["adopted", "shadow started", "canary started", "promoted", "watch ended"]
    check_events(bench.announcer.events)
    promotion = bench.announcer.events[3]
    assert (promotion.version, promotion.before, promotion.incident) == ("m-2", "m-1", "i-1")
    assert promotion.alias_sequence == bench.registry.names["champion"].sequence
    assert {event.actor for event in bench.announcer.events} == {ACTOR, "ada"}


def test_hours_end_a_stage_of_a_small_bank_once_it_has_seen_enough(bench):
    offered(bench).see(400, hours=3)
    assert bench.state.stage == "shadow"
    bench.see(500, hours=4)
    assert bench.state.stage == "canary"
    bench.see(600, hours=1.9, canary_rows=80)
    assert bench.state.stage == "canary"
    bench.see(700, hours=2, canary_rows=100)  # four hours of shadow leave two of the six
    assert bench.champion == "m-2"


def test_a_candidate_that_too_few_rows_speak_for_is_withdrawn(bench):
    offered(bench).see(498, hours=23)
    assert bench.state.stage == "shadow"
    bench.see(499, hours=24)
    assert (bench.state.stage, bench.champion) == ("idle", "m-1")
    assert bench.announcer.events[-1].cause == "499 transactions in 24 event hours; 500 needed"


PATIENT_PLAN = ReleasePlan(
    shadow_transactions=2_000, canary_transactions=2_000, least_rows=500, shadow_hours=72.0, patience_hours=24.0
)
"""Shadow takes longer than a stage may wait for its rows."""


def test_a_candidate_that_enough_rows_speak_for_only_waits_for_its_hours():
    bench = offered(ReleaseBench(plan=PATIENT_PLAN))
    stages = [bench.see(500, hours=hours).stage for hours in (24, 48, 71.9, 72)]
    assert stages == ["shadow", "shadow", "shadow", "canary"]


def test_a_candidate_that_too_few_rows_speak_for_has_the_hours_of_its_stage_at_least():
    bench = offered(ReleaseBench(plan=PATIENT_PLAN))
    assert [bench.see(499, hours=hours).stage for hours in (71.9, 72)] == ["shadow", "idle"]
    assert bench.announcer.events[-1].cause == "499 transactions in 72 event hours; 500 needed"


def test_a_candidate_that_no_scorer_loads_is_withdrawn(bench):
    state = offered(bench).state
    seen = Observation(version="m-2", baseline="m-1", rows=0, unpaired=20_000, since=None, as_of=START)
    bench.do(lambda _: bench.policy.observe(state, seen))
    assert "no scorer has loaded it on 20,000" in bench.announcer.events[-1].cause
    assert bench.state.stage == "idle"


def unpaired(bench, rows=0, **counts):
    seen = Observation(version="m-2", baseline="m-1", rows=rows, since=None, as_of=START, **counts)
    bench.do(lambda state: bench.policy.observe(state, seen))


def test_a_promoted_model_that_no_scorer_loads_is_rolled_back(bench):
    unpaired(promoted(bench), unpaired=19_999, unasked=19_999)
    assert (bench.state.stage, bench.champion) == ("watch", "m-2")
    unpaired(bench, unpaired=20_000, unasked=20_000)
    assert (bench.state.stage, bench.champion) == ("idle", "m-1")
    assert bench.announcer.kinds[-3:] == ["rolled back", "frozen", "verified"]
    assert bench.announcer.events[-3].cause == "no scorer has loaded it on 20,000 transactions"


@pytest.mark.parametrize("seen", [{"unasked": 0}, {"unasked": 59_999}, {"rows": 1, "unasked": 60_000}])
def test_a_promoted_model_that_some_scorer_has_loaded_stays_although_the_one_before_was_not(bench, seen):
    unpaired(promoted(bench), unpaired=60_000, **seen)
    assert (bench.state.stage, bench.champion) == ("watch", "m-2")


def test_a_canary_that_no_card_comes_to_is_withdrawn(bench):
    offered(bench).see(2_000)
    bench.see(22_000)
    assert "decided nothing on 20,000 transactions" in bench.announcer.events[-1].cause


@pytest.mark.parametrize("rows", [100, 2_500])
def test_a_broken_guardrail_withdraws_a_candidate_and_freezes_nothing(bench, rows):
    offered(bench)
    if rows > 2_000:
        bench.see(2_000)
    bench.see(rows, verdict="broken")
    assert (bench.state.stage, bench.champion, bench.state.frozen) == ("idle", "m-1", None)
    assert bench.registry.placed.versions == ()
    withdrawn = bench.announcer.events[-1]
    assert (withdrawn.kind, withdrawn.cause, withdrawn.checks) == (
        "withdrawn",
        "alert rate: as many alerts",
        (check("broken"),),
    )


def test_a_broken_guardrail_after_promotion_rolls_back_verifies_and_freezes(bench):
    promoted(bench).see(100, verdict="broken")
    assert bench.champion == "m-1"
    assert bench.registry.names["previous"].version == "m-2"
    assert bench.registry.placed.versions == ()
    assert bench.verified == ["m-1"]
    assert bench.announcer.kinds[-3:] == ["rolled back", "frozen", "verified"]
    assert {event.incident for event in bench.announcer.events[-3:]} == {"i-1"}
    rolled_back = bench.announcer.events[-3]
    assert (rolled_back.version, rolled_back.before) == ("m-1", "m-2")
    assert rolled_back.alias_sequence == bench.registry.names["champion"].sequence
    with pytest.raises(ReleaseError, match=r"promotion is frozen .*unfreeze lifts it"):
        bench.policy.offer(bench.state, Candidate(version="m-3"))


def test_matured_labels_roll_back_until_the_last_of_them_is_known(bench):
    promoted(bench).see(9_000, hours=7 * 24)
    assert bench.state.stage == "maturing"
    bench.do(lambda state: bench.policy.mature(state, check("ok"), "m-2", "m-1"))
    bench.do(lambda state: bench.policy.mature(state, check("broken"), "m-3", "m-2"))
    assert bench.champion == "m-2"
    bench.do(lambda state: bench.policy.mature(state, check("broken"), "m-2", "m-1"))
    assert bench.champion == "m-1"
    assert bench.state.frozen is not None


def test_a_person_lifts_the_freeze(bench):
    promoted(bench).see(100, verdict="broken")
    bench.do(lambda state: bench.policy.unfreeze(state, "ada", "it was the data"))
    assert bench.announcer.events[-1].kind == "unfrozen"
    assert (bench.announcer.events[-1].actor, bench.announcer.events[-1].cause) == ("ada", "it was the data")
    with pytest.raises(ReleaseError, match="not frozen"):
        bench.policy.unfreeze(bench.state, "ada", "again")
    assert offered(bench, Candidate(version="m-3")).state.stage == "shadow"


def test_a_promotion_by_a_person_is_watched_and_lifts_the_freeze(bench):
    promoted(bench).see(100, verdict="broken")
    bench.registry.promote("m-4", "ada", "we need it")
    bench.follow()
    assert (bench.state.stage, bench.state.version, bench.state.baseline) == ("watch", "m-4", "m-1")
    assert (bench.state.expected, bench.state.incident, bench.state.frozen) == (None, None, None)
    assert bench.registry.placed.shadow == ("m-1",)
    assert bench.announcer.kinds[-2:] == ["adopted", "unfrozen"]
    bench.see(300, verdict="broken")
    assert bench.champion == "m-1"


def test_a_candidate_that_a_person_promotes_keeps_its_limits(bench):
    figures = {"rank_correlation": 0.9, "top_overlap": 0.9, "flipped": 0.001, "flipped_value": 0.002}
    pairing = Pairing(rows=9_000, **figures, champion_alert_rate=0.005, candidate_alert_rate=0.005)
    offered(bench, msgspec.structs.replace(CANDIDATE, expected=pairing))
    bench.registry.promote("m-2", "ada", "no time for a canary")
    bench.follow()
    assert (bench.state.stage, bench.state.expected, bench.state.incident) == ("watch", pairing, "i-1")
    assert "withdrawn" not in bench.announcer.kinds


def test_another_model_that_a_person_promotes_ends_the_release(bench):
    offered(bench)
    bench.registry.promote("m-9", "ada", "this one")
    bench.follow()
    assert bench.announcer.kinds[-2:] == ["withdrawn", "adopted"]
    assert (bench.state.version, bench.state.baseline) == ("m-9", "m-1")


def test_a_roll_back_by_a_person_ends_the_watch_and_freezes(bench):
    promoted(bench)
    bench.registry.rollback("ada", "too many alerts")
    bench.follow()
    assert (bench.state.stage, bench.registry.placed) == ("idle", Placement(sequence=bench.registry.placed.sequence))
    assert bench.announcer.kinds[-4:] == ["watch ended", "rolled back", "frozen", "verified"]
    assert bench.state.frozen == "rolled back by ada: too many alerts"


def test_the_same_offer_again_changes_nothing(bench):
    before = offered(bench).state
    assert bench.policy.offer(before, CANDIDATE) == before
    ended = bench.see(100, verdict="broken")
    assert bench.policy.offer(ended, CANDIDATE) == ended


def test_a_newer_candidate_takes_the_place_of_one_under_way(bench):
    offered(offered(bench), Candidate(version="m-3", request_id="q-2"))
    assert bench.announcer.kinds[-2:] == ["withdrawn", "shadow started"]
    assert (bench.state.version, bench.registry.placed.shadow) == ("m-3", ("m-3",))
    bench.do(lambda state: bench.policy.offer(state, Candidate(version="m-4")))
    bench.do(lambda state: bench.policy.offer(state, Candidate(version="m-5")))
    assert bench.announcer.events[-1].version == "m-4"
    bench.do(bench.policy.begin)
    assert bench.state.version == "m-5"


def test_a_newer_candidate_ends_the_watch_of_the_champion_that_it_is_compared_with(bench):
    offered(promoted(bench), Candidate(version="m-3"))
    assert bench.announcer.kinds[-2:] == ["watch ended", "shadow started"]
    assert (bench.state.version, bench.state.baseline) == ("m-3", "m-2")


def test_the_champion_or_a_candidate_without_champion_is_refused(bench):
    with pytest.raises(ReleaseError, match="m-1 is the champion already"):
        bench.policy.offer(bench.state, Candidate(version="m-1"))
    with pytest.raises(ReleaseError, match="no champion to be compared with"):
        bench.policy.offer(msgspec.structs.replace(bench.state, champion=None), CANDIDATE)


def test_an_observation_of_other_models_is_left_aside(bench):
    state = offered(bench).state
    seen = Observation(version="m-0", baseline="m-1", rows=9_000, unpaired=0, since=START, as_of=START)
    assert bench.policy.observe(state, seen) == state


@pytest.mark.parametrize(
    "wrong", [{"canary_share": 0}, {"shadow_hours": 0}, {"least_rows": 20_000}, {"watch_days": -1}]
)
def test_a_plan_that_cannot_be_followed_is_refused(wrong):
    with pytest.raises(ReleasePlanError):
        ReleasePlan(**wrong)


def test_a_person_who_moves_the_champion_first_wins_over_a_promotion(bench):
    offered(bench).see(2_000)
    whole = bench.policy.next

    def overtake(state):
        action = whole(state)
        if type(action).__name__ == "Promote":
            bench.policy.next = whole
            bench.registry.promote("m-9", "ada", "this one")
        return action

    bench.policy.next = overtake
    bench.see(4_000, canary_rows=2_000)
    assert bench.champion == "m-9"
    assert bench.announcer.kinds[-1] == "withdrawn"
    bench.follow()
    assert (bench.state.stage, bench.state.version, bench.state.baseline) == ("watch", "m-9", "m-1")
    check_events(bench.announcer.events)
