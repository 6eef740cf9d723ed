"""A small bank for the gate: two models whose quality is known, calibrated by construction, on the same rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.gate.gate_rows import GateRows
from models.gate.report import GateReport
from models.manifest import Thresholds
from models.schema.topics import DAY_MS

NAMES = (
    "amount",
    "card_usual_amount",
    "card_amount_to_usual",
    "card_amount_deviation",
    "card_count_7d",
    "channel",
    "signal",
)
FIRST_DAY = 100
CHANGED_AT = (FIRST_DAY + 14) * DAY_MS
ALERT_SHARE = 0.03


@dataclass
class Linear:
    """A model by weights: the logistic function of a weighted sum, unknown values counting as 0."""

    amount: float = 0.02
    channel: float = 0.0
    signal: float = 1.0
    base: float = -4.0

    def score(self, values: npt.NDArray[np.float32], /) -> npt.NDArray[np.float32]:
        known = np.nan_to_num(np.clip(values.astype(np.float64), -1e6, 1e6))
        column = dict(zip(NAMES, known.T, strict=True))
        odds = self.base + self.amount * column["amount"] + self.channel * (column["channel"] == 0)
        odds = odds + self.signal * column["signal"]
        return np.asarray(1 / (1 + np.exp(-np.clip(odds, -30, 30))), np.float32)


def chances(fraud: Any, noise: Any, strength: float, share: float) -> npt.NDArray[np.float32]:
    """The chance of fraud given a signal that lies `strength` deviations higher for frauds."""
    odds = np.log(share / (1 - share)) + strength * (strength * fraud + noise) - strength**2 / 2
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def at_share(score: npt.NDArray[np.float32], share: float = ALERT_SHARE) -> Thresholds:
    """Thresholds that alert that share of the rows and decline a quarter of it."""
    review, decline = np.quantile(score, (1 - share, 1 - share / 4))
    return Thresholds(float(review), float(decline))


def made_gate_rows(
    *,
    rows: int = 20_000,
    frauds: int = 600,
    champion: float = 3.0,
    candidate: float = 3.0,
    cards: int | None = None,
    seed: int = 1,
    **changes: Any,
) -> GateRows:
    """Rows of 28 days; the models' strengths say how many deviations frauds stand out, and they share half their noise.

    `changes` go into the rows as they are; without a name in it the change is on day 14.
    """
    random = np.random.default_rng(seed)
    fraud = np.zeros(rows, bool)
    fraud[random.choice(rows, frauds, replace=False)] = True
    common = random.normal(size=rows)
    scores = [
        chances(fraud, (common + random.normal(size=rows)) / np.sqrt(2), strength, frauds / rows)
        for strength in (champion, candidate)
    ]
    amount = np.round(np.exp(random.normal(3, 1, rows)) + 5 * fraud + 1, 2)
    usual = np.round(np.exp(random.normal(2.5, 0.5, rows)) + 1, 2)
    values = np.stack(
        (
            amount,
            usual,
            amount / usual,
            (amount - usual) / (usual / 2),
            random.poisson(4, rows),
            random.integers(1, 4, rows),
            common + 3 * fraud,
        ),
        axis=1,
    ).astype(np.float32)
    columns: dict[str, Any] = {
        "values": values,
        "is_fraud": fraud,
        "event_time": np.sort(random.integers(FIRST_DAY * DAY_MS, (FIRST_DAY + 28) * DAY_MS, rows)),
        "card": random.integers(0, rows if cards is None else cards, rows).astype(np.uint64),
        "amount_minor": np.round(amount * 100).astype(np.int64),
        "champion": scores[0],
        "candidate": scores[1],
        "champion_thresholds": at_share(scores[0]),
        "candidate_thresholds": at_share(scores[1]),
        "changed_at": CHANGED_AT,
        "feature_names": NAMES,
    }
    return GateRows(**{**columns, **changes})


def known(figure: float | None) -> float:
    """A figure that is defined."""
    assert figure is not None
    return figure


def named(report: GateReport, name: str) -> Any:
    """The check of that name."""
    return next(check for check in report.checks if check.name == name)


def failed(report: GateReport) -> list[str]:
    """Names of the checks that failed."""
    return [check.name for check in report.checks if check.verdict == "fail"]
