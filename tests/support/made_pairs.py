"""Two models on the same made transactions: honest pairs, and the bad ones that guardrails must find."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from models.metrics.pairing import Pairing, pair
from models.release.pairs import Pairs

ALERT_RATE: Final = 0.005
HOLD_OUT: Final = 50_000
BATCH: Final = 20
CARD_ROWS: Final = 4
"""Rows of a card in 20,000: alerts come in clusters."""
NORMAL_US: Final = 30.0
HOUR_MS: Final = 3_600_000
START_MS: Final = 1_525_132_800_000


def honest(
    rows: int, seed: int, *, alike: float = 0.8, bulk: float = 0.4, rate: float = ALERT_RATE, wanted: float = 1.0
) -> Pairs:
    """A champion and a retrained model.

    Parameters
    ----------
    alike: correlation of their views of what is suspicious: .8 gives about half of the top .5 % in common, .97 four
        fifths.
    bulk: the same below, where trees order rows by noise.
    rate: alerts of the champion.
    wanted: alerts of the other one for each of the champion's.
    """
    draw = np.random.default_rng(seed)
    card = draw.integers(0, max(1, rows // CARD_ROWS), rows)
    # What is suspicious of a row lies partly in its card.
    own = draw.normal(size=rows) * 0.8 + draw.normal(size=int(card.max()) + 1)[card] * 0.6
    suspicion = np.maximum(own, 1.0)
    views = [_view(draw, suspicion, own, alike, bulk) for _ in range(2)]
    scores = [np.round(1 / (1 + np.exp(-(2.0 * view - 7.0))), 6).astype(np.float32) for view in views]
    # Thresholds as a hold-out would set them: the same for all draws of these parameters.
    review = [_threshold(alike, bulk, rate * factor) for factor in (1.0, wanted)]
    decisions = [(score >= limit).astype(np.uint8) for score, limit in zip(scores, review, strict=True)]
    amount = np.round(np.exp(draw.normal(8, 1, rows)) * (1 + 2 * (suspicion > 2.5))).astype(np.int64)
    return Pairs(
        score=scores[1],
        baseline_score=scores[0],
        decision=decisions[1],
        baseline_decision=decisions[0],
        amount=amount,
        card=card.astype(np.uint64),
        event_time=START_MS + np.arange(rows, dtype=np.int64),
        canary=np.zeros(rows, np.bool_),
        us=_us(draw, rows, NORMAL_US),
        baseline_us=_us(draw, rows, NORMAL_US),
        batch=np.arange(rows, dtype=np.int64) // BATCH,
    )


def expectation(*, alike: float = 0.8, bulk: float = 0.4, rate: float = ALERT_RATE, wanted: float = 1.0) -> Pairing:
    """What the hold-out says of an honest pair."""
    return pairing_of(honest(HOLD_OUT, 999, alike=alike, bulk=bulk, rate=rate, wanted=wanted))


def pairing_of(pairs: Pairs) -> Pairing:
    """How the two of a pair agree."""
    return pair(pairs.baseline_score, pairs.score, pairs.baseline_decision, pairs.decision, pairs.amount)


def constant(pairs: Pairs, _draw: np.random.Generator) -> Pairs:
    """One score for everything."""
    return replace(pairs, score=np.full(len(pairs), 0.004, np.float32), decision=np.zeros(len(pairs), np.uint8))


def inverted(pairs: Pairs, _draw: np.random.Generator) -> Pairs:
    """1 - score, under the thresholds of the model that it was."""
    score = (1 - pairs.score).astype(np.float32)
    return replace(pairs, score=score, decision=(score >= _limit(pairs)).astype(np.uint8))


def permuted(pairs: Pairs, draw: np.random.Generator) -> Pairs:
    """The right scores on the wrong rows."""
    order = draw.permutation(len(pairs))
    return replace(pairs, score=pairs.score[order], decision=pairs.decision[order])


def permuted_in_batches(pairs: Pairs, draw: np.random.Generator) -> Pairs:
    """The same within every batch, where one row in twenty stays where it was."""
    order = np.argsort(pairs.batch + draw.random(len(pairs)))
    return replace(pairs, score=pairs.score[order], decision=pairs.decision[order])


def thrice_the_alerts(pairs: Pairs, _draw: np.random.Generator) -> Pairs:
    """The same ranks, three times as many above the threshold."""
    share = min(1.0, 3 * ALERT_RATE)
    return replace(pairs, decision=(pairs.score >= np.quantile(pairs.score, 1 - share)).astype(np.uint8))


def thrice_the_alerts_at_random(pairs: Pairs, draw: np.random.Generator) -> Pairs:
    """As many, the further ones anywhere."""
    more = draw.random(len(pairs)) < 2 * ALERT_RATE
    return replace(pairs, decision=(pairs.decision.astype(bool) | more).astype(np.uint8))


def slow(pairs: Pairs, draw: np.random.Generator) -> Pairs:
    """Takes twenty times as long."""
    return replace(pairs, us=_us(draw, len(pairs), 20 * NORMAL_US))


def not_a_number(pairs: Pairs, _draw: np.random.Generator) -> Pairs:
    """No score at all."""
    return replace(pairs, score=np.full(len(pairs), np.nan, np.float32), decision=np.zeros(len(pairs), np.uint8))


def sometimes_not_a_number(pairs: Pairs, draw: np.random.Generator) -> Pairs:
    """One batch in fifty has none."""
    bad = np.isin(pairs.batch, np.unique(pairs.batch)[draw.random(len(np.unique(pairs.batch))) < 1 / 50])
    return replace(pairs, score=np.where(bad, np.nan, pairs.score).astype(np.float32))


BAD: Final[dict[str, Callable[[Pairs, np.random.Generator], Pairs]]] = {
    "constant": constant,
    "inverted (1 - score)": inverted,
    "permuted across all rows": permuted,
    "permuted within batches of 20": permuted_in_batches,
    "three times the alerts, the same ranks": thrice_the_alerts,
    "three times the alerts, at random": thrice_the_alerts_at_random,
    "20 times slower, 0.6 ms a row": slow,
    "not a number": not_a_number,
    "not a number in one batch of 50": sometimes_not_a_number,
}


def _view(
    draw: np.random.Generator,
    suspicion: npt.NDArray[np.float64],
    own: npt.NDArray[np.float64],
    alike: float,
    bulk: float,
) -> npt.NDArray[np.float64]:
    """What a model sees: suspicion where there is any, and below mostly noise of its own."""
    noise = draw.normal(size=len(own))
    above = own > 1.0
    low = bulk * own + np.sqrt(1 - bulk**2) * noise
    high = suspicion + np.sqrt(1 / alike**2 - 1) * 0.5 * noise
    return np.asarray(np.where(above, high, np.minimum(low * 0.3, 1.0)))


_thresholds: dict[tuple[float, float, float], np.float32] = {}


def _threshold(alike: float, bulk: float, rate: float) -> np.float32:
    key = (alike, bulk, rate)
    if key not in _thresholds:
        draw = np.random.default_rng(5)
        own = draw.normal(size=200_000)
        view = _view(draw, np.maximum(own, 1.0), own, alike, bulk)
        score = 1 / (1 + np.exp(-(2.0 * view - 7.0)))
        _thresholds[key] = np.float32(np.quantile(score, 1 - rate))
    return _thresholds[key]


def _limit(pairs: Pairs) -> np.float32:
    return np.float32(pairs.score[pairs.decision > 0].min()) if pairs.decision.any() else np.float32(1)


def _us(draw: np.random.Generator, rows: int, usual: float) -> npt.NDArray[np.float32]:
    """Times of batches: most near the usual, one in twenty far above it."""
    batches = -(-rows // BATCH)
    times = usual * np.exp(draw.normal(0, 0.3, batches)) * np.where(draw.random(batches) < 0.05, 20, 1)
    return np.repeat(times, BATCH)[:rows].astype(np.float32)
