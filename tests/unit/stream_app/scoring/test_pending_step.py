"""Profiles are applied by whole steps, never a part of one."""

from models.schema.terminal_profile import TerminalProfile
from stream_app.scoring.profile_follower import PendingStep


def profile(terminal: str, as_of: int) -> TerminalProfile:
    counts = [1, 1, 1, 1]
    return TerminalProfile(terminal, as_of, counts, counts, counts, counts, None)


def test_what_has_no_marker_yet_is_not_given_out() -> None:
    pending = PendingStep()
    pending.add("a", profile("a", 6))
    assert pending.as_of == 0
    assert pending.take(6) == {}


def test_a_step_is_given_out_once_with_the_latest_of_each_terminal() -> None:
    pending = PendingStep()
    for as_of in (6, 12):
        pending.add("a", profile("a", as_of))
        pending.add("b", None if as_of == 12 else profile("b", as_of))
        pending.mark(as_of)
    pending.add("c", profile("c", 18))
    assert pending.as_of == 12
    assert pending.take(12) == {"a": profile("a", 12), "b": None}
    assert pending.take(12) == {}
    pending.mark(18)
    assert pending.take(18) == {"c": profile("c", 18)}


def test_only_the_steps_asked_for_are_given_out() -> None:
    pending = PendingStep()
    pending.add("a", profile("a", 6))
    pending.mark(6)
    pending.add("a", profile("a", 12))
    pending.mark(12)
    assert pending.take(6) == {"a": profile("a", 6)}
    assert pending.as_of == 12
    assert pending.take(12) == {"a": profile("a", 12)}
