"""What the system was doing at one moment, as far as one look shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stream_app.worker_status import WorkerStatus


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One partition: where its transactions end, and up to which one they are scored.

    Attributes
    ----------
    number: of the partition.
    end: offset behind the last transaction.
    scored: offset behind the last one that is scored.
    """

    number: int
    end: int
    scored: int

    @property
    def lag(self) -> int:
        """Transactions that wait."""
        return max(0, self.end - self.scored)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the last scores of all partitions say: a bounded number, however many there are.

    Attributes
    ----------
    scores: how many there are.
    review, decline: those of them that were flagged.
    degraded: those that are marked so.
    latency_ms: from a transaction's arrival in Kafka to that of its score, of those of which both were found.
    """

    scores: int = 0
    review: int = 0
    decline: int = 0
    degraded: int = 0
    latency_ms: Sequence[float] = ()

    @property
    def alert_rate(self) -> float | None:
        """Share that was flagged; None without scores."""
        return (self.review + self.decline) / self.scores if self.scores else None

    def latency_quantile(self, share: float) -> float | None:
        """Return the latency that a share of them stayed within; None where none is known."""
        ordered = sorted(self.latency_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was found, asked for or done.

    Attributes
    ----------
    at_ms: when Kafka had it.
    kind: "alarm", "warning", "recovery", "retrain" or "model".
    text: one sentence.
    """

    at_ms: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it.

    Attributes
    ----------
    at_ms: when it was taken.
    partitions: in their order.
    received_per_s, scored_per_s: transactions since the look before; None at the first one.
    sample: of the last scores.
    workers: those that live.
    findings: the latest first.
    silent: what does not answer, in words; None when all does.
    """

    at_ms: int
    partitions: Sequence[PartitionView] = ()
    received_per_s: float | None = None
    scored_per_s: float | None = None
    sample: Sample = field(default_factory=Sample)
    workers: Sequence[WorkerStatus] = ()
    findings: Sequence[Finding] = ()
    silent: str | None = None

    @property
    def lag(self) -> int:
        """Transactions that wait, over all partitions."""
        return sum(partition.lag for partition in self.partitions)
