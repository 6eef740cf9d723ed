"""When the watermark moves: by ticks and by rows, and only over what is archived."""

import numpy as np
import pytest

from models.features.profile_keeper import STEP_MS
from models.schema.clock_tick import ClockTick
from stream_app.archive.reader_rule import source_key
from stream_app.archive.watermark import Archived, Watermark
from stream_app.event_clock import RECENT_ROWS

START = 4 * STEP_MS * 18_000


def archived(
    transactions: int = 10, labels: int = 5, covered: int = 10, last_row: int = 9, scores: int = 9, epoch: int = 0
) -> Archived:
    """One partition."""
    return Archived(
        transactions={0: transactions},
        labels={0: labels},
        covered={0: source_key(epoch, covered)},
        feature_rows={0: source_key(epoch, last_row)},
        scores={0: source_key(epoch, scores)},
    )


def tick(transactions: int = 10, labels: int = 5) -> ClockTick:
    return ClockTick(as_of=START + STEP_MS, transactions_end={0: transactions}, labels_end={0: labels})


@pytest.mark.parametrize(
    "behind",
    [
        archived(transactions=9),
        archived(labels=4),
        archived(covered=9, last_row=8, scores=8),
        archived(scores=8),
    ],
)
def test_a_tick_counts_once_transactions_scores_feature_rows_and_labels_are_archived(behind: Archived) -> None:
    mark = Watermark(1, idle_after_s=10, at=START)
    mark.see_tick(tick())
    assert not mark.advance(behind)
    assert mark.waiting_for(behind)
    assert mark.advance(archived())
    assert mark.at == START + STEP_MS


def test_rejected_transactions_behind_the_last_score_do_not_hold_a_tick_back() -> None:
    mark = Watermark(1, idle_after_s=10, at=START)
    mark.see_tick(tick(transactions=12))
    assert mark.advance(archived(transactions=12, covered=12))


def test_scores_of_an_older_epoch_do_not_count_for_a_tick() -> None:
    mark = Watermark(1, idle_after_s=10, at=START)
    mark.see_tick(tick())
    older = Archived({0: 10}, {0: 5}, {0: source_key(1, 10)}, {0: source_key(1, 9)}, {0: source_key(0, 500)})
    assert not mark.advance(older)
    assert mark.advance(archived(epoch=1))


@pytest.mark.parametrize("behind", [archived(scores=8), archived(transactions=9), archived(labels=4)])
def test_without_ticks_rows_count_once_everything_that_came_with_them_is_archived(behind: Archived) -> None:
    mark = Watermark(1, idle_after_s=10, at=START)
    times = np.full(RECENT_ROWS, START + STEP_MS + 5)
    mark.see_rows(0, times, source_key(0, 9), {0: 5}, now_s=0)
    assert not mark.advance(behind)
    assert mark.advance(archived())
    assert mark.at == START + STEP_MS


def test_it_never_goes_back() -> None:
    mark = Watermark(1, idle_after_s=10, at=START + 8 * STEP_MS)
    mark.see_rows(0, np.full(RECENT_ROWS, START), source_key(0, 9), {}, now_s=0)
    mark.see_tick(tick())
    assert not mark.advance(archived())
    assert mark.at == START + 8 * STEP_MS
