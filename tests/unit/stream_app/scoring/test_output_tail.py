"""Which kept scores have no feature row."""

from types import SimpleNamespace

import msgspec
import pytest

from models.schema import wire
from models.schema.feature_batch import FeatureBatchHeader
from models.schema.score import Decision, Score
from stream_app.scoring.control_marks import ScoreMarks
from stream_app.scoring.lane import PublishedScore
from stream_app.scoring.output_tail import LAST_SCORES, OutputTail, _tail_score, _TailScore
from tests.support.payments import START_MS


def score(offset: int, writer: str = "one", epoch: int = 0) -> _TailScore:
    return _TailScore(offset, epoch, writer, 0.5, "review", f"m-{offset}")


def covered(
    first: int, last: int, writer: str = "one", *, epoch: int = 0, recomputed: bool = False
) -> FeatureBatchHeader:
    return FeatureBatchHeader(first, last, epoch, writer, "id", "fs", recomputed)


def missing(scores: list[_TailScore], headers: list[FeatureBatchHeader], since: int = 0, epoch: int = 0) -> list[int]:
    tail = OutputTail(epoch, max(one.source_offset for one in scores), "id", tuple(scores))
    return list(tail.missing(since, headers))


def test_scores_without_a_feature_row_are_missing_with_what_was_published() -> None:
    tail = OutputTail(0, 5, "id", tuple(score(offset) for offset in range(6)))
    assert tail.missing(0, [covered(0, 3)]) == {
        4: PublishedScore(0.5, "review", "m-4"),
        5: PublishedScore(0.5, "review", "m-5"),
    }


def test_rows_that_lie_outside_of_what_was_read_cover_nothing() -> None:
    assert missing([score(offset) for offset in range(6, 8)], [covered(0, 3), covered(9, 12)]) == [6, 7]


def test_what_lies_below_the_asked_offset_is_known_to_be_there() -> None:
    assert missing([score(offset) for offset in range(6)], [], since=4) == [4, 5]


def test_another_writers_row_does_not_count_for_a_score_but_a_recomputed_one_does() -> None:
    scores = [score(offset) for offset in range(4)]
    assert missing(scores, [covered(0, 3, "two")]) == [0, 1, 2, 3]
    assert missing(scores, [covered(0, 3, "two", recomputed=True)]) == []


def test_only_the_first_of_repeated_scores_needs_its_row() -> None:
    repeated = [score(0), score(1), score(0, "two"), score(1, "two"), score(2, "two")]
    assert missing(repeated, [covered(0, 1), covered(2, 2, "two")]) == []
    assert missing(repeated, [covered(0, 2, "two")]) == [0, 1]


def test_scores_and_rows_of_an_earlier_epoch_do_not_count() -> None:
    scores = [score(7), score(0, epoch=1), score(1, epoch=1)]
    assert missing(scores, [covered(0, 7), covered(1, 1, epoch=1)], epoch=1) == [0]


def test_what_was_read_reaches_back_when_a_score_that_is_no_late_repetition_lies_below() -> None:
    half = LAST_SCORES // 2
    ahead = [score(offset) for offset in range(5000, 5000 + half + 1)]
    late = [score(offset, "two") for offset in range(100, 100 + half)]
    assert OutputTail(0, 9000, "id", (score(100), *ahead)).reaches(5000 + half)
    assert not OutputTail(0, 9000, "id", (*late, *ahead)).reaches(4000)
    assert not OutputTail(0, 9000, "id", (score(100), *ahead)).reaches(5001)


def test_an_earlier_epochs_scores_reach_back_to_any_offset() -> None:
    assert OutputTail(1, 3, "id", (score(900), score(3, epoch=1))).reaches(3)
    assert not OutputTail(1, 3, "id", (score(900), score(3, epoch=1))).reaches(2)


def marked(offset: int, used: str | None, *, writer: str = "one", epoch: int = 0) -> _TailScore:
    return msgspec.structs.replace(score(offset, writer, epoch), marks=ScoreMarks(used))


def test_a_missing_row_keeps_the_role_of_the_model_that_decided_it() -> None:
    on_canary = Score(
        "t", START_MS, "c", 0.5, 500, "review", [], "m-2", "fs", "canary", START_MS, False, False, 3, 0, "one"
    )
    kept = msgspec.json.decode(wire.encode(on_canary), type=_TailScore)
    assert OutputTail(0, 3, "id", (kept,)).missing(0, []) == {3: PublishedScore(0.5, "review", "m-2", 1.0, "canary")}


def used(*scores: _TailScore, epoch: int = 0) -> str:
    return OutputTail(epoch, 9, "id", scores).control_used()


def test_the_control_groups_counts_are_those_of_the_last_kept_mark() -> None:
    batch = marked(0, ""), score(1), marked(2, "7:1"), score(3)
    assert used(*batch) == "7:1"
    assert used(*batch, marked(4, "7:1"), marked(5, "7:2,8:1"), score(6)) == "7:2,8:1"
    assert used(marked(0, "7:1"), marked(1, "")) == ""


def test_the_counts_of_a_repeated_score_or_of_an_earlier_epoch_do_not_count() -> None:
    assert used(marked(0, "7:1"), marked(1, "7:2"), marked(0, "7:5", writer="two"), score(2, "two")) == "7:2"
    assert used(marked(8, "7:1"), score(0, epoch=1), epoch=1) == ""


@pytest.mark.parametrize(
    ("decision", "chance", "expected"),
    [
        ("approve", None, 1.0),
        ("review", None, 1.0),
        ("decline", None, 0.0),
        ("decline", 0.05, 0.05),
        ("approve", 0.05, 0.05),
    ],
)
def test_a_missing_row_keeps_the_chance_that_its_score_was_published_with(
    decision: Decision, chance: float | None, expected: float
) -> None:
    one = _TailScore(3, 0, "one", 0.9, decision, "m-1", ScoreMarks(None, chance))
    assert OutputTail(0, 3, "id", (one,)).missing(0, [])[3].pass_probability == expected


GOOD = wire.encode(score(9))


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b"{}", []),
        (None, []),
        (b"[" * 100_000, []),
        (b'{"source_offset":-1}', []),
        (GOOD, [("control_used", b"x")]),
        (GOOD, [("pass_probability", b"\xff")]),
    ],
)
def test_a_record_of_scores_that_no_scorer_wrote_is_passed_over_and_named(
    value: bytes | None, headers: list[tuple[str, bytes]], caplog: pytest.LogCaptureFixture
) -> None:
    assert _tail_score(SimpleNamespace(topic="scores", partition=1, offset=9, value=GOOD, headers=[])) is not None
    assert _tail_score(SimpleNamespace(topic="scores", partition=1, offset=9, value=value, headers=headers)) is None
    assert "scores[1] offset 9 is passed over" in caplog.text
