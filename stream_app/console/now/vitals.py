"""What was looked at in one second."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.alias import Alias
from stream_app.worker_status import WorkerStatus


@dataclass(frozen=True, slots=True)
class PartitionVitals:
    """How far one partition is scored.

    Attributes
    ----------
    partition: its number.
    position: offset of the next transaction to be scored.
    waiting: transactions that are not scored yet.
    behind_s: age of the oldest of them, 0 without one; None where it is not known.
    """

    partition: int
    position: int
    waiting: int
    behind_s: float | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What came through.

    Attributes
    ----------
    scored_per_s: over the last seconds.
    scored, looked_at, flagged, shown: of the last minute: all, those whose decision was looked at, those of them that
        were flagged, those that pages were told.
    latencies_ms: from a transaction's record to its score's, by Kafka's timestamps, of a sample of the last minute.
    silent_s: since the last score came; None where none has since the console began.
    """

    scored_per_s: float = 0.0
    scored: int = 0
    looked_at: int = 0
    flagged: int = 0
    shown: int = 0
    latencies_ms: Sequence[float] = ()
    silent_s: float | None = None

    @property
    def alert_rate(self) -> float | None:
        """Share of what was flagged; None where nothing came."""
        return self.flagged / self.looked_at if self.looked_at else None

    def latency_ms(self, share: float) -> float | None:
        """Return the latency that a share of the sample does not pass; None without a sample.

        Examples
        --------
        >>> Traffic(latencies_ms=[5.0, 1.0, 9.0]).latency_ms(0.5)
        5.0
        """
        if not self.latencies_ms:
            return None
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Vitals:
    """Everything that the first page is about.

    Attributes
    ----------
    at_ms: wall clock.
    traffic: what came through.
    partitions: how far each is scored; empty where Kafka did not say.
    workers: those that are alive; None where Redis did not answer.
    aliases: which models serve.
    problems: what cannot be asked, one line each.
    """

    at_ms: int
    traffic: Traffic = field(default_factory=Traffic)
    partitions: Sequence[PartitionVitals] = ()
    workers: Sequence[WorkerStatus] | None = ()
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    problems: Sequence[str] = ()

    @property
    def waiting(self) -> int:
        """Transactions that are not scored yet."""
        return sum(one.waiting for one in self.partitions)

    @property
    def behind_s(self) -> float | None:
        """Age of the oldest transaction that is not scored; None where no partition knows."""
        known = [one.behind_s for one in self.partitions if one.behind_s is not None]
        return max(known, default=None)
