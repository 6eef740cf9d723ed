"""What stands in `profiles` and no keeper wrote does not keep a scorer from the rest."""

import asyncio
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from models.features.feature_set import DEFAULT
from models.features.profile_table import ProfileTable
from models.schema.terminal_profile import KEEPER_EPOCH_HEADER, MARKER_KEY, ProfileMarker, TerminalProfile
from stream_app.scoring.metrics import ScoringMetrics
from stream_app.scoring.profile_follower import PendingStep, ProfileFollower
from stream_app.scoring.settings import ScoringSettings
from tests.support.made_records import mutated, valid


async def nothing() -> None:
    """Nobody waits."""


def record(key: bytes | None, value: bytes | None, epoch: bytes = b"1") -> Any:
    headers = [(KEEPER_EPOCH_HEADER, epoch)]
    return SimpleNamespace(topic="profiles", partition=0, offset=7, key=key, value=value, headers=headers)


def test_records_that_no_keeper_wrote_are_passed_over_metered_and_named(caplog: pytest.LogCaptureFixture) -> None:
    settings = ScoringSettings("", "", Path(), "", Path())
    metrics = ScoringMetrics()
    follower = ProfileFollower(settings, ProfileTable(DEFAULT), metrics, nothing)
    profile, marker = valid(TerminalProfile), valid(ProfileMarker)
    pending = PendingStep()
    hostile = [
        record(b"t", b"{}"),
        record(b"t", b"[" * 100_000),
        record(b"t", b" " * 2_000_000),
        record(b"\xff", None),
        record(None, None),
        record(MARKER_KEY, None),
        record(b"t", profile, epoch=b"many"),
        record(b"t", profile.replace(b'"approved":[1', b'"approved":[' + b"9" * 30)),
    ]
    follower._take(pending, [*hostile, record(b"t", profile), record(MARKER_KEY, marker)])
    assert metrics.profiles_refused._value.get() == len(hostile)
    assert "profiles[0] offset 7 is passed over" in caplog.text
    assert list(pending.take(pending.as_of)) == ["text"]
    chance = random.Random(1)
    for _ in range(300):
        follower._take(pending, [record(mutated(b"t", chance), mutated(profile, chance), mutated(b"1", chance))])


def test_scoring_goes_on_while_a_step_of_many_terminals_is_prepared_and_sees_it_as_a_whole() -> None:
    terminals, seen = 5_000, []
    table = ProfileTable(DEFAULT)
    follower = ProfileFollower(ScoringSettings("", "", Path(), "", Path()), table, ScoringMetrics(), nothing)
    pending = PendingStep()
    for number in range(terminals):
        zero = [0] * 4
        pending.add(f"t{number}", TerminalProfile(f"t{number}", 7, [1, 1, 1, 1], zero, zero, zero, None))
    pending.mark(7)
    follower._pending = {0: pending}

    async def score() -> None:
        while table.as_of == 0:
            seen.append(table.terminals)
            await asyncio.sleep(0)
        seen.append(table.terminals)

    async def both() -> None:
        await asyncio.gather(score(), follower._apply())

    asyncio.run(both())
    assert set(seen) == {0, terminals}
    assert len(seen) > 3, "nothing else came to its turn"
