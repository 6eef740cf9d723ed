"""Concept drift: ADWIN on the losses of matured transactions, one detector for each model version."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from river.drift import ADWIN

DELTA: Final = 0.002
LARGEST_LOSS: Final = 5.0
"""Log-losses are cut here and scaled to 0 to 1, as ADWIN's bound wants them; scaled by 16 instead, a change that one
day of labels shows was found a day later."""
_SKETCH_BINS: Final = 64
_SMALLEST: Final = 1e-15

Losses = npt.NDArray[np.float64]


def scaled_losses(is_fraud: npt.NDArray[np.bool_], score: npt.NDArray[np.float32]) -> Losses:
    """Return min(log-loss, 5) / 5 of each row, float64[n].

    Examples
    --------
    >>> scaled_losses(np.array([True, False]), np.array([1e-9, 0.0], np.float32)).tolist()
    [1.0, 0.0]
    """
    likelihood = np.where(is_fraud, score.astype(np.float64), 1.0 - score.astype(np.float64))
    return np.asarray(np.minimum(np.abs(np.log(np.clip(likelihood, _SMALLEST, 1.0))), LARGEST_LOSS) / LARGEST_LOSS)


class LossSketch(msgspec.Struct, frozen=True):
    """What a model's losses on its out-of-sample reference looked like: how many fell into each bin, and their mean.

    Small enough for a manifest, and enough to start a detector from: `draw` gives as many losses with the same mean in
    a seeded order.
    """

    counts: list[int]
    means: list[float]

    @classmethod
    def of(cls, losses: Losses) -> "LossSketch":
        """Sketch losses in bins that grow with the loss: most are next to nothing."""
        bins = np.minimum((np.sqrt(losses) * _SKETCH_BINS).astype(np.int64), _SKETCH_BINS - 1)
        counts = np.bincount(bins, minlength=_SKETCH_BINS)
        sums = np.bincount(bins, losses, minlength=_SKETCH_BINS)
        return cls(counts.tolist(), (sums / np.maximum(counts, 1)).tolist())

    @property
    def mean(self) -> float:
        """Mean loss."""
        return float(np.dot(self.counts, self.means) / max(1, sum(self.counts)))

    def draw(self, seed: int = 0) -> Losses:
        """Return the sketched losses in a random order."""
        losses = np.repeat(np.array(self.means), self.counts)
        return np.asarray(np.random.default_rng(seed).permutation(losses))


@dataclass(frozen=True, slots=True)
class Change:
    """A rise of the mean loss: from `before` to `after`, over the last `rows` rows."""

    before: float
    after: float
    rows: int


class ConceptDrift:
    """Watches one model version; only a rise of the mean counts.

    Parameters
    ----------
    reference
        The model's out-of-sample losses; the detector starts from them.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> watch = ConceptDrift(LossSketch.of(random.random(20_000) * 0.01))
    >>> watch.observe(random.random(5_000) * 0.01) is None
    True
    >>> change = watch.observe(random.random(5_000) * 0.05)
    >>> change.after > change.before
    True

    References
    ----------
    Bifet and Gavalda: Learning from Time-Changing Data with Adaptive Windowing, SDM 2007.
    """

    def __init__(self, reference: LossSketch) -> None:
        self._detector: Any = ADWIN(delta=DELTA)  # type: ignore[no-untyped-call]  # river ships no types of it
        for loss in reference.draw().tolist():
            self._detector.update(loss)  # type: ignore[no-untyped-call]

    def observe(self, losses: Losses) -> Change | None:
        """Take the losses of a whole matured day in the order of (event_time, transaction_id); None without a rise.

        Of several rises in a day the last is returned: its window holds the least of what was before.
        """
        detector: Any = self._detector
        change = None
        for loss in losses.tolist():
            before = detector.estimation
            detector.update(loss)
            if detector.drift_detected and detector.estimation > before:
                change = Change(before, float(detector.estimation), int(detector.width))
        return change
