"""What each process may do on Kafka: topics it reads and writes, consumer groups it belongs to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from models.schema import topics as t
from models.schema.topics import TopicNames

Operation = Literal["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]
Resource = Literal["TOPIC", "GROUP"]


class Right(NamedTuple):
    """One operation on one resource; a prefixed one is on all whose names begin so."""

    resource: Resource
    name: str
    operation: Operation
    prefixed: bool = False


@dataclass(frozen=True, slots=True)
class ProcessRights:
    """What one kind of process needs, and nothing else.

    Parameters
    ----------
    about: which commands run with it.
    reads, writes: bare names of topics.
    groups: consumer groups, or what their names begin with when they end with `*`; librdkafka asks for its group's
        coordinator even where nothing is committed.
    prefixed_groups: groups whose names begin with the topic prefix.
    creates: whether it creates topics.
    """

    about: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    prefixed_groups: tuple[str, ...] = ()
    creates: bool = False

    def rights(self, names: TopicNames) -> Iterator[Right]:
        """Yield each right; READ and WRITE bring DESCRIBE with them on every broker."""
        for bare in sorted({*self.reads, *self.writes}):
            topic = names.of(bare)
            if bare in self.reads:
                yield Right("TOPIC", topic, "READ")
            if bare in self.writes:
                yield Right("TOPIC", topic, "WRITE")
            if self.creates:
                yield Right("TOPIC", topic, "CREATE")
            # Partitions, id and retention of a topic are looked at before it is used.
            yield Right("TOPIC", topic, "DESCRIBE_CONFIGS")
        for group in (*self.groups, *(names.prefix + group for group in self.prefixed_groups)):
            yield Right("GROUP", group.removesuffix("*"), "READ", prefixed=group.endswith("*"))


KAFKA_RIGHTS: Final[Mapping[str, ProcessRights]] = {
    "score": ProcessRights(
        "fraudstream score",
        reads=(t.TRANSACTIONS, t.SCORES, t.FEATURES, t.PROFILES),
        writes=(t.SCORES, t.FEATURES, t.DEAD_LETTER, t.AUDIT),
        groups=("fraudstream-score",),
    ),
    "watch": ProcessRights(
        "fraudstream watch",
        reads=(
            *(t.FEATURES, t.LABELS, t.CLOCK, t.PROFILES, t.ARCHIVE_COMMITS),
            *(t.PERFORMANCE, t.DRIFT_EVENTS, t.DRIFT_STATISTICS, t.RETRAIN_REQUESTS),
        ),
        writes=(
            *(t.PROFILES, t.DEAD_LETTER),
            *(t.PERFORMANCE, t.DRIFT_EVENTS, t.DRIFT_STATISTICS, t.RETRAIN_REQUESTS),
        ),
    ),
    "archive": ProcessRights(
        "fraudstream archive",
        reads=(t.TRANSACTIONS, t.SCORES, t.FEATURES, t.LABELS, t.CLOCK, t.ARCHIVE_COMMITS),
        writes=(t.ARCHIVE_COMMITS, t.DEAD_LETTER),
        groups=("fraudstream-archive*",),
    ),
    "retrain": ProcessRights(
        "fraudstream retrain",
        reads=(t.RETRAIN_REQUESTS, t.ARCHIVE_COMMITS, t.FEATURES, t.MODEL_EVENTS, t.AUDIT),
        writes=(t.MODEL_EVENTS, t.AUDIT, t.DEAD_LETTER),
        groups=("fraudstream-release", "fraudstream-model-events", "fraudstream-archive-commits"),
        prefixed_groups=("fraudstream-retrain",),
    ),
    "producer": ProcessRights(
        "fraudstream simulate, replay, label: what the bank's own senders need",
        reads=(t.TRANSACTIONS,),
        writes=(t.TRANSACTIONS, t.LABELS, t.CLOCK),
        groups=("fraudstream-label-clock",),
    ),
    "reader": ProcessRights(
        "consumers of scores: ScoresReader, fraudstream scores",
        reads=(t.SCORES,),
        groups=("fraudstream-scores*",),
    ),
    "console": ProcessRights(
        "fraudstream console: reads what is told of scores and models, and how far scorers are; writes labels",
        reads=(
            *(t.TRANSACTIONS, t.SCORES, t.FEATURES, t.LABELS, t.PERFORMANCE, t.DRIFT_EVENTS, t.DRIFT_STATISTICS),
            *(t.RETRAIN_REQUESTS, t.MODEL_EVENTS, t.AUDIT, t.DEAD_LETTER),
        ),
        writes=(t.LABELS,),
        groups=("fraudstream-console*", "fraudstream-score"),
    ),
    "operator": ProcessRights(
        "people at a shell: fraudstream stack topics, drift, drift request, performance, scores",
        reads=tuple(t.TOPICS),
        writes=(t.RETRAIN_REQUESTS,),
        groups=("fraudstream-*",),
        creates=True,
    ),
}
