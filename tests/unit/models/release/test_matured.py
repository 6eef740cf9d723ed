"""The champion against the one before it, on labels."""

import numpy as np
import pytest

from models.release.matured import MaturedRows, MaturedRowsError, compare_matured


def rows(champion: float, previous: float, n: int = 8_000, seed: int = 1) -> MaturedRows:
    """Scores with that much noise around the truth."""
    draw = np.random.default_rng(seed)
    fraud, card = draw.random(n) < 0.01, draw.integers(0, n // 5, n)
    scores = [fraud + draw.normal(0, noise, n) for noise in (champion, previous)]
    return MaturedRows(scores[0], scores[1], fraud, card)


def test_a_champion_that_is_much_worse_is_broken() -> None:
    found = compare_matured(rows(0.6, 0.3))
    assert found.verdict == "broken"
    assert found.figure is not None
    assert found.figure < -0.2


def test_one_that_is_as_good_or_better_is_not() -> None:
    for seed in range(10):
        assert compare_matured(rows(0.35, 0.35, seed=seed)).verdict == "ok"
    assert compare_matured(rows(0.3, 0.6)).verdict == "ok"


def test_few_frauds_say_nothing_yet() -> None:
    found = compare_matured(rows(0.6, 0.3, n=1_000))
    assert (found.verdict, found.figure) == ("not enough yet", None)


def test_rows_that_one_model_has_not_scored_are_left_out() -> None:
    whole = rows(0.6, 0.3)
    score = np.where(np.arange(len(whole.score)) < 7_900, np.nan, whole.score)
    assert compare_matured(MaturedRows(score, whole.previous_score, whole.is_fraud, whole.card)).rows == 100


def test_columns_of_unequal_lengths_are_refused() -> None:
    whole = rows(0.3, 0.3)
    with pytest.raises(MaturedRowsError, match="one entry per row"):
        MaturedRows(whole.score[:-1], whole.previous_score, whole.is_fraud, whole.card)
