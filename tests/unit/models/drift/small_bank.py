"""A bank of a few features, its frauds and the scores that a model would give, day by day and from a seed."""

import numpy as np

from models.features.history import NO_LABEL
from models.metrics.scored_rows import ScoredRows
from models.schema.topics import DAY_MS

NAMES = ("amount", "hour_of_day", "channel", "country")
CODES = ("channel", "country")
FIRST_DAY = 20_000
ROWS_A_DAY = 1_500
FRAUD_SHARE = 0.01


def bank_day(
    day: int,
    seed: int = 1,
    *,
    version: str = "m-1",
    missed_in_channel_3: int = 0,
    one_terminal: bool = False,
    rows: int = ROWS_A_DAY,
    amount_factor: float = 1.0,
    score_factor: float = 1.0,
) -> ScoredRows:
    """One event day with labels as known at its maturity.

    `missed_in_channel_3` frauds with a low score are added, all through channel 3; at one terminal if so wished.
    """
    random = np.random.default_rng((seed, day))
    n = rows + missed_in_channel_3
    fraud = np.arange(n) % round(1 / FRAUD_SHARE) == 0
    new = random.permutation(n) >= rows
    caught = random.random(n) < 0.7
    score = np.where(fraud & caught, random.uniform(0.5, 1.0, n), random.beta(0.5, 60, n)) * score_factor
    score[new] = random.beta(0.5, 60, int(new.sum()))
    time = np.sort(random.integers(0, DAY_MS, n))
    values = np.column_stack(
        (
            random.lognormal(3, 1, n) * amount_factor,
            time / DAY_MS * 24,
            np.where(new, 3, random.choice([1, 2, 3], n, p=[0.6, 0.3, 0.1])),
            random.choice([276, 40, 528], n, p=[0.8, 0.15, 0.05]),
        )
    ).astype(np.float32)
    terminal = random.integers(0, 400, n)
    terminal[new & one_terminal] = 7
    start, matured_at = day * DAY_MS, (day + 8) * DAY_MS
    is_fraud = fraud | new
    return ScoredRows(
        event_time=start + time,
        transaction=np.arange(n, dtype=np.uint64),
        card=random.integers(0, 700, n).astype(np.uint64),
        terminal=terminal.astype(np.uint64),
        amount_minor=np.full(n, 1000),
        score=score.astype(np.float32),
        decision=np.zeros(n, np.uint8),
        control=np.zeros(n, np.bool_),
        pass_probability=np.ones(n, np.float32),
        values=values,
        is_fraud=is_fraud,
        stated_at=np.where(is_fraud, start + 3 * DAY_MS, NO_LABEL),
        label_source=is_fraud.astype(np.uint8),
        latency_ms=np.full(n, 5.0, np.float32),
        model_version=version,
        as_of=matured_at,
    )


def joined(days: list[ScoredRows]) -> ScoredRows:
    """Several days as one set of rows."""
    columns = {name: np.concatenate([getattr(day, name) for day in days]) for name in days[0].column_names}
    return ScoredRows(**columns, model_version=days[0].model_version, as_of=days[-1].as_of)


def reference_rows(weeks: int = 4, seed: int = 1) -> ScoredRows:
    """Rows of some weeks before FIRST_DAY."""
    return joined([bank_day(FIRST_DAY - 7 * weeks + at, seed) for at in range(7 * weeks)])
