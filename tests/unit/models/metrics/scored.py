"""Scored rows for tests: everything that a test does not name is plain."""

from typing import Any

import numpy as np

from models.features.history import NO_LABEL
from models.metrics.scored_rows import APPROVE, DECLINE, REVIEW, ScoredRows
from models.schema.performance import Figure
from models.schema.topics import DAY_MS

REVIEWED_FROM, DECLINED_FROM = 0.5, 0.9


def scored_rows(
    score: Any,
    fraud: Any,
    *,
    day: Any = 100,
    card: Any = None,
    amount_minor: Any = 1_000,
    delay_days: float | None = None,
    control: Any = False,
    pass_probability: Any = None,
    decision: Any = None,
    values: Any = None,
    as_of_day: int = 200,
    version: str = "m-1",
) -> ScoredRows:
    """Rows at noon of their days, reviewed from .5 and declined from .9; frauds are stated after `delay_days`.

    Without a delay frauds are stated at once. Statements that come after the beginning of `as_of_day` are not known.
    """
    scores = np.asarray(score, np.float32)
    n = len(scores)
    event_time = np.full(n, day, np.int64) * DAY_MS + DAY_MS // 2
    stated_at = event_time + int((delay_days or 0) * DAY_MS)
    known = np.asarray(fraud, bool) & (stated_at <= as_of_day * DAY_MS)
    passed = np.full(n, control)
    asked = np.where(scores >= DECLINED_FROM, DECLINE, np.where(scores >= REVIEWED_FROM, REVIEW, APPROVE))
    return ScoredRows(
        event_time=event_time,
        transaction=np.arange(1, n + 1, dtype=np.uint64),
        card=np.arange(n, dtype=np.uint64) if card is None else np.asarray(card, np.uint64),
        terminal=np.zeros(n, np.uint64),
        amount_minor=np.full(n, amount_minor, np.int64),
        score=scores,
        decision=(np.where(passed, APPROVE, asked) if decision is None else np.full(n, decision)).astype(np.uint8),
        control=passed,
        pass_probability=np.full(n, 1.0 if pass_probability is None else pass_probability, np.float32),
        values=np.zeros((n, 0), np.float32) if values is None else np.asarray(values, np.float32),
        is_fraud=known,
        stated_at=np.where(known, stated_at, NO_LABEL),
        label_source=known.astype(np.uint8),
        latency_ms=np.full(n, 5.0, np.float32),
        model_version=version,
        as_of=as_of_day * DAY_MS,
    )


def limits(figure: Figure | None) -> tuple[float, float]:
    """The limits of a figure that has some."""
    assert figure is not None
    assert figure.low is not None
    assert figure.high is not None
    return figure.low, figure.high


def value(figure: Figure | None) -> float:
    """The value of a figure that is defined."""
    assert figure is not None
    assert figure.value is not None
    return figure.value


def holds(figure: Figure, truth: float | None) -> bool:
    """Whether a figure's interval holds the truth."""
    low, high = limits(figure)
    assert truth is not None
    return low <= truth <= high
