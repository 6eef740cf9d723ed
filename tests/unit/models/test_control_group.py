"""Who is let pass at random: the draw, its share, its caps, and what is recorded of it."""

import numpy as np
import pytest

from models.control_group import NO_CONTROL_GROUP, ControlGroup, ControlGroupError, ControlPolicy, Draw
from models.schema.topics import DAY_MS
from models.schema.transaction import Transaction

SEED = bytes(range(32))
DAY = 19_675
APPROVE, REVIEW, DECLINE = range(3)
PLENTY = 10**9


def payments(count: int, *, day: int = DAY, amount: int = 1000, first: int = 0) -> list[Transaction]:
    return [
        Transaction(f"t{number}", day * DAY_MS + number, "card", "terminal", amount, "EUR")
        for number in range(first, first + count)
    ]


def policy(share: float = 0.5, *, seed: bytes = SEED, hard_block: float | None = None) -> ControlPolicy:
    return ControlPolicy(share, amount_cap_minor=25_000, day_cap=PLENTY, hard_block=hard_block, seed=seed)


def group(*, day_cap: int = PLENTY, used: str = "", of: ControlPolicy | None = None) -> ControlGroup:
    return ControlGroup(of or policy(), day_cap, used)


def draw(one: ControlGroup, transactions: list[Transaction], asked: int = DECLINE, score: float = 0.9) -> Draw:
    rows = len(transactions)
    amounts = np.array([transaction.amount_minor for transaction in transactions], np.int64)
    return one.draw(np.full(rows, asked, np.uint8), np.full(rows, score, np.float32), amounts, transactions)


def test_the_same_transactions_are_let_pass_whoever_draws_and_however_they_are_cut_into_batches() -> None:
    rows = payments(400)
    whole, one = draw(group(), rows), group()
    parts = [draw(one, rows[start : start + 70]) for start in range(0, 400, 70)]
    assert 0 < whole.control.sum() < 400
    np.testing.assert_array_equal(np.concatenate([part.control for part in parts]), whole.control)
    np.testing.assert_array_equal(draw(group(), rows[::-1]).control[::-1], whole.control)


def test_another_seed_lets_others_pass() -> None:
    rows = payments(400)
    assert draw(group(), rows).control.tolist() != draw(group(of=policy(seed=bytes(32))), rows).control.tolist()


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3, 0.9])
def test_the_share_that_passes_is_the_share_asked_for(share: float) -> None:
    passed = draw(group(of=policy(share)), payments(40_000)).control.sum()
    assert abs(passed - 40_000 * share) <= 3.3 * np.sqrt(40_000 * share * (1 - share))


def test_what_passes_is_an_approval_and_its_chance_is_recorded_of_all_that_were_drawn() -> None:
    drawn = draw(group(of=policy(0.25)), payments(400))
    np.testing.assert_array_equal(drawn.decision, np.where(drawn.control, APPROVE, DECLINE))
    assert set(drawn.pass_probability.tolist()) == {0.25}
    assert drawn.drawable == 400


@pytest.mark.parametrize("asked", [APPROVE, REVIEW])
def test_what_is_not_declined_passes_anyway_and_is_never_drawn(asked: int) -> None:
    drawn = draw(group(), payments(400), asked)
    assert set(drawn.decision.tolist()) == {asked}
    assert not drawn.control.any()
    assert set(drawn.pass_probability.tolist()) == {1.0}


@pytest.mark.parametrize(("amount", "chance"), [(25_000, 0.5), (25_001, 0.0)])
def test_an_amount_above_the_cap_never_passes(amount: int, chance: float) -> None:
    drawn = draw(group(), payments(400, amount=amount))
    assert bool(drawn.control.any()) is (chance > 0)
    assert set(drawn.pass_probability.tolist()) == {chance}


@pytest.mark.parametrize(("score", "chance"), [(0.94, 0.5), (0.95, 0.0), (1.0, 0.0)])
def test_a_hard_block_never_passes(score: float, chance: float) -> None:
    drawn = draw(group(of=policy(hard_block=0.95)), payments(400), score=score)
    assert bool(drawn.control.any()) is (chance > 0)
    assert set(drawn.pass_probability.tolist()) == {chance}


def test_a_day_that_is_used_up_lets_nothing_more_pass_and_the_next_day_begins_anew() -> None:
    one = group(day_cap=3)
    drawn = draw(one, payments(400))
    last = int(np.flatnonzero(drawn.control)[-1])
    assert drawn.control.sum() == 3
    assert set(drawn.pass_probability[: last + 1].tolist()) == {0.5}
    assert set(drawn.pass_probability[last + 1 :].tolist()) == {0.0}
    assert draw(one, payments(400, day=DAY + 1)).control.sum() == 3
    assert not draw(one, payments(400)).control.any()
    assert one.used == f"{DAY}:3,{DAY + 1}:3"


def test_a_group_that_goes_on_from_written_counts_draws_as_the_one_that_wrote_them() -> None:
    rows = payments(400)
    drawn = draw(group(day_cap=60), rows)
    for row in (0, 50, 200):
        told = [mark.used for at, mark in drawn.marks.items() if at < row and mark.used is not None]
        rest = draw(group(day_cap=60, used=told[-1] if told else drawn.used), rows[row:])
        np.testing.assert_array_equal(rest.control, drawn.control[row:])
        np.testing.assert_array_equal(rest.pass_probability, drawn.pass_probability[row:])


def test_a_day_before_all_that_are_remembered_is_not_given_its_cap_again() -> None:
    one = group(day_cap=1)
    for day in range(DAY, DAY + 9):
        assert draw(one, payments(100, day=day)).control.sum() == 1
    assert str(DAY) not in one.used
    late = draw(one, payments(100, day=DAY))
    assert not late.control.any()
    assert set(late.pass_probability.tolist()) == {0.0}


def test_a_transaction_that_is_sent_again_is_drawn_as_before() -> None:
    one, rows = group(), payments(100)
    np.testing.assert_array_equal(draw(one, rows).control, draw(one, rows).control)


def test_without_a_share_every_decline_stands() -> None:
    drawn = draw(ControlGroup(NO_CONTROL_GROUP, day_cap=5), payments(50))
    assert set(drawn.decision.tolist()) == {DECLINE}
    assert set(drawn.pass_probability.tolist()) == {0.0}
    assert not drawn.marks


@pytest.mark.parametrize("cap", [0, 1, 3, 10, 100])
def test_the_parts_of_all_partitions_add_up_to_the_days_cap(cap: int) -> None:
    one = ControlPolicy(share=0.0, day_cap=cap)
    assert sum(one.day_cap_of(partition, 7) for partition in range(7)) == cap


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"share": 1.0}, "share 1.0 must be"),
        ({"share": -0.1}, "share -0.1 must be"),
        ({"share": 0.0, "day_cap": -1}, "must not be negative"),
        ({"share": 0.05, "seed": b"short"}, "seed of 5 bytes can be guessed"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(bad: dict[str, object], words: str) -> None:
    with pytest.raises(ControlGroupError, match=words):
        ControlPolicy(**bad)  # type: ignore[arg-type]


def test_the_seed_is_not_shown() -> None:
    assert SEED.hex() not in repr(policy())
    assert "seed" not in repr(policy())


def test_a_week_can_hold_no_more_than_seven_days_caps() -> None:
    one = ControlPolicy(share=0.1, day_cap=5, seed=SEED)
    assert one.expected_a_week(20) == pytest.approx(14)
    assert one.expected_a_week(1000) == 35
