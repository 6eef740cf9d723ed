"""The topics: their names, keys, partition counts and how long they are kept.

A topic-name prefix is possible everywhere, so that two systems (or two tests) share a broker without meeting.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TRANSACTIONS: Final = "transactions"
SCORES: Final = "scores"
FEATURES: Final = "features"
LABELS: Final = "labels"
PROFILES: Final = "profiles"
CLOCK: Final = "clock"
DEAD_LETTER: Final = "dead-letter"
ARCHIVE_COMMITS: Final = "archive-commits"
PERFORMANCE: Final = "performance"
DRIFT_EVENTS: Final = "drift-events"
DRIFT_STATISTICS: Final = "drift-statistics"
RETRAIN_REQUESTS: Final = "retrain-requests"
MODEL_EVENTS: Final = "model-events"
AUDIT: Final = "audit"

DAY_MS: Final = 24 * 3600 * 1000
LONGEST_WINDOW_DAYS: Final = 30
DEFAULT_PARTITIONS: Final = 4
"""Partitions of a topic that leaves its count open: `transactions`, `scores`, `features` (always equal), `labels`."""


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic is created with.

    Parameters
    ----------
    name
        Name without prefix.
    key
        What the record key is, in words.
    retention_days
        How long records stay, by wall clock; None keeps them for ever.
    partitions
        A fixed count, or None for the count the stack is started with.
    compacted
        Whether only the last record of a key is kept.
    config
        Further settings of the broker for this topic.
    """

    name: str
    key: str
    retention_days: int | None
    partitions: int | None = None
    compacted: bool = False
    config: Mapping[str, str] = field(default_factory=dict)

    @property
    def retention_ms(self) -> int:
        """Retention as the broker states it: -1 is for ever."""
        return -1 if self.retention_days is None else self.retention_days * DAY_MS

    def settings(self) -> dict[str, str]:
        """Return the complete topic configuration for the broker."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "message.timestamp.type": "CreateTime",
            **self.config,
        }


_BROKER_TIME: Final = {"message.timestamp.type": "LogAppendTime"}
"""What the scorers write is stamped by the broker: it refuses a stamp far ahead, so a worker whose clock jumps would
end."""

_TOPICS: Final = (
    # A cold start rebuilds the card windows from the input, so the input reaches back over the longest one with slack.
    Topic(TRANSACTIONS, "card_id", retention_days=LONGEST_WINDOW_DAYS + 5),
    # The last scored offset is read from the tail of `scores`: outputs are kept longer than their input, never shorter.
    Topic(SCORES, "card_id", retention_days=LONGEST_WINDOW_DAYS + 10, config=_BROKER_TIME),
    Topic(
        FEATURES,
        "none; same partition as the transactions",
        retention_days=LONGEST_WINDOW_DAYS + 10,
        # One record is the feature rows of a whole batch: 10,000 rows of 60 float32 are 2.4 MB.
        config={"max.message.bytes": str(8 * 1024 * 1024), **_BROKER_TIME},
    ),
    # A chargeback may come 120 days late and a year of labels must be readable for a comparison with last year.
    Topic(LABELS, "card_id", retention_days=400),
    Topic(
        PROFILES,
        "terminal_id",
        retention_days=None,
        # One partition: a step is applied as a whole, and every scorer reads all of it anyway.
        partitions=1,
        compacted=True,
        # Readers rely on whole steps of the last three days: compaction must not thin them out before that.
        config={"min.compaction.lag.ms": str(3 * DAY_MS), "delete.retention.ms": str(7 * DAY_MS)},
    ),
    Topic(CLOCK, "none", retention_days=7, partitions=1),
    Topic(DEAD_LETTER, "the original key", retention_days=90, config=_BROKER_TIME),
    Topic(ARCHIVE_COMMITS, "none", retention_days=400, partitions=1),
    Topic(PERFORMANCE, "model_version", retention_days=400, partitions=1),
    Topic(DRIFT_EVENTS, "subject", retention_days=400, partitions=1),
    Topic(DRIFT_STATISTICS, "model_version", retention_days=400, partitions=1),
    Topic(RETRAIN_REQUESTS, "incident or schedule id", retention_days=400, partitions=1),
    Topic(MODEL_EVENTS, "alias", retention_days=400, partitions=1),
    Topic(AUDIT, "none", retention_days=None, partitions=1),
)

TOPICS: Final[Mapping[str, Topic]] = {topic.name: topic for topic in _TOPICS}


@dataclass(frozen=True, slots=True)
class TopicNames:
    """The topics' names under a prefix.

    Examples
    --------
    >>> TopicNames("test-1.").scores
    'test-1.scores'
    >>> TopicNames().dead_letter
    'dead-letter'
    """

    prefix: str = ""

    def of(self, topic: str) -> str:
        """Return the full name of a topic given by its bare name; KeyError for a name that is no topic of ours."""
        return self.prefix + TOPICS[topic].name

    def all(self) -> tuple[str, ...]:
        """Return the full names of all topics."""
        return tuple(self.of(topic) for topic in TOPICS)

    @property
    def transactions(self) -> str:
        """Card transactions as the bank sends them."""
        return self.of(TRANSACTIONS)

    @property
    def scores(self) -> str:
        """One score for each transaction, on the same partition."""
        return self.of(SCORES)

    @property
    def features(self) -> str:
        """The feature values behind each score, in Arrow batches."""
        return self.of(FEATURES)

    @property
    def labels(self) -> str:
        """Statements that a transaction was or was not fraud."""
        return self.of(LABELS)

    @property
    def profiles(self) -> str:
        """Terminal profiles, in steps of six event hours."""
        return self.of(PROFILES)

    @property
    def clock(self) -> str:
        """Ticks of accelerated event time."""
        return self.of(CLOCK)

    @property
    def dead_letter(self) -> str:
        """Records that could not be decoded or validated."""
        return self.of(DEAD_LETTER)

    @property
    def archive_commits(self) -> str:
        """What the archive has taken in, after each of its commits."""
        return self.of(ARCHIVE_COMMITS)

    @property
    def performance(self) -> str:
        """Matured performance figures."""
        return self.of(PERFORMANCE)

    @property
    def drift_events(self) -> str:
        """Warnings and alarms of the drift agent."""
        return self.of(DRIFT_EVENTS)

    @property
    def drift_statistics(self) -> str:
        """What the drift agent's warning tests computed, each event day."""
        return self.of(DRIFT_STATISTICS)

    @property
    def retrain_requests(self) -> str:
        """Requests for a new model."""
        return self.of(RETRAIN_REQUESTS)

    @property
    def model_events(self) -> str:
        """Every move of a model alias."""
        return self.of(MODEL_EVENTS)

    @property
    def audit(self) -> str:
        """The chain of audit records."""
        return self.of(AUDIT)
