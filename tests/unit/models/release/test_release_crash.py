"""A release that is killed at every moment comes to the same end as an undisturbed one."""

from collections.abc import Callable

import pytest

from models.release.state import Candidate
from models.schema.model_event import check_events
from tests.support.release_bench import ReleaseBench, check


def release(bench: ReleaseBench) -> None:
    bench.do(lambda state: bench.policy.begin(bench.policy.offer(state, Candidate(version="m-2", request_id="q"))))
    bench.see(2_000)
    bench.see(4_000, canary_rows=2_000)


def release_and_watch(bench: ReleaseBench) -> None:
    release(bench)
    bench.see(9_000, hours=7 * 24)


def release_and_roll_back(bench: ReleaseBench) -> None:
    release(bench)
    bench.see(9_000, verdict="broken")


def withdraw(bench: ReleaseBench) -> None:
    bench.do(lambda state: bench.policy.begin(bench.policy.offer(state, Candidate(version="m-2", request_id="q"))))
    bench.see(100, verdict="broken")


def promote_by_hand_and_roll_back_on_labels(bench: ReleaseBench) -> None:
    if bench.champion == "m-1":
        bench.registry.promote("m-2", "ada", "by hand")
    bench.follow()
    bench.do(lambda state: bench.policy.mature(state, check("broken"), "m-2", "m-1"))


def outcome(bench: ReleaseBench) -> tuple[object, ...]:
    bench_state = bench.state
    moves = [(record.alias, record.version, record.action) for record in bench.registry.records]
    placed = (bench.registry.placed.shadow, bench.registry.placed.canary, bench.registry.placed.sequence)
    return bench_state, moves, placed, bench.announcer.events, set(bench.verified)


@pytest.mark.parametrize(
    ("story", "champion"),
    [
        (release_and_watch, "m-2"),
        (release_and_roll_back, "m-1"),
        (withdraw, "m-1"),
        (promote_by_hand_and_roll_back_on_labels, "m-1"),
    ],
)
def test_killed_around_every_action_and_write_it_ends_the_same(
    story: Callable[[ReleaseBench], None], champion: str
) -> None:
    undisturbed = ReleaseBench()
    story(undisturbed)
    assert undisturbed.champion == champion
    moments = undisturbed.moments
    assert moments > 10
    for moment in range(3, moments):  # the first ones are the first champion's
        bench = ReleaseBench(crash_at=moment)
        story(bench)
        assert bench.crashes == 1, moment
        assert outcome(bench) == outcome(undisturbed), moment
        check_events(bench.announcer.events)
