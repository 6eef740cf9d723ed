"""When a fraud becomes known, by who reports it: a seeded distribution of delays for each label source."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from models.errors import FraudstreamError
from models.schema.label import LabelSource

HOUR_MS: Final = 3600 * 1000
DAY_MS: Final = 24 * HOUR_MS


class LabelDelayError(FraudstreamError):
    """Raised when a distribution of delays or its share cannot be."""


@dataclass(frozen=True, slots=True)
class DelayDistribution:
    """A gamma distribution between two limits, as most delays are: a quick rise and a long tail.

    Parameters
    ----------
    share: how many of the frauds this source reports, relative to the other sources.
    shortest_ms, longest_ms: limits; what is drawn beyond the longer is drawn again.
    mean_ms: mean before the cut at the longer limit.
    shape: of the gamma distribution: 1 is exponential, more is narrower.

    Raises
    ------
    LabelDelayError: when the limits and the mean are not in order, or share or shape are not positive.
    """

    share: float
    shortest_ms: int
    mean_ms: int
    longest_ms: int
    shape: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        if not 0 <= self.shortest_ms <= self.mean_ms <= self.longest_ms:
            raise LabelDelayError(
                f"a delay of {self.shortest_ms} to {self.longest_ms} ms cannot have the mean {self.mean_ms} ms"
            )
        if self.share < 0 or self.shape <= 0:
            raise LabelDelayError(f"share {self.share} must not be negative and shape {self.shape} must be positive")

    def draw(self, count: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return `count` delays in ms."""
        width = self.longest_ms - self.shortest_ms
        scale = (self.mean_ms - self.shortest_ms) / self.shape
        drawn = random.gamma(self.shape, scale, count)
        for _ in range(16):
            beyond = drawn > width
            if not beyond.any():
                break
            drawn[beyond] = random.gamma(self.shape, scale, int(beyond.sum()))
        return self.shortest_ms + np.minimum(drawn, width).astype(np.int64)


DEFAULT_SOURCES: Final[Mapping[LabelSource, DelayDistribution]] = {
    "customer_report": DelayDistribution(0.45, HOUR_MS, 4 * DAY_MS, 30 * DAY_MS, shape=1.2),
    "issuer_report": DelayDistribution(0.25, DAY_MS, 7 * DAY_MS, 30 * DAY_MS),
    "analyst": DelayDistribution(0.20, HOUR_MS // 4, 8 * HOUR_MS, 3 * DAY_MS, shape=1.5),
    "chargeback": DelayDistribution(0.10, 30 * DAY_MS, 55 * DAY_MS, 120 * DAY_MS),
}
"""Analysts answer within hours, customers and issuers within days, chargebacks within 30 to 120 days."""


class LabelDelays:
    """Draws for each fraud who reports it and how late.

    Parameters
    ----------
    seed: the same seed draws the same.
    sources: distribution by source; DEFAULT_SOURCES by default.

    Raises
    ------
    LabelDelayError: when no source has a share.

    Examples
    --------
    >>> sources, delays_ms = LabelDelays(seed=1).draw(3)
    >>> len(sources), bool((delays_ms > 0).all())
    (3, True)
    """

    def __init__(self, seed: int, sources: Mapping[LabelSource, DelayDistribution] = DEFAULT_SOURCES) -> None:
        self._random = np.random.default_rng(seed)
        self._sources = dict(sources)
        total = sum(distribution.share for distribution in self._sources.values())
        if total <= 0:
            raise LabelDelayError("no label source has a share above 0")
        self._shares = [distribution.share / total for distribution in self._sources.values()]

    def draw(self, count: int) -> tuple[list[LabelSource], npt.NDArray[np.int64]]:
        """Return `count` sources and as many delays in ms."""
        names = list(self._sources)
        picked = self._random.choice(len(names), size=count, p=self._shares)
        delays_ms = np.zeros(count, np.int64)
        for at, distribution in enumerate(self._sources.values()):
            rows = picked == at
            delays_ms[rows] = distribution.draw(int(rows.sum()), self._random)
        return [names[at] for at in picked], delays_ms
