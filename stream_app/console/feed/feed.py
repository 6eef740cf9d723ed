"""One reader of Kafka for all pages, in threads of its own."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from confluent_kafka import KafkaException

from models.audit.log import AuditLog
from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.console.feed.audit_reader import AuditReader
from stream_app.console.feed.bell import Bell
from stream_app.console.feed.event_reader import EventReader
from stream_app.console.feed.journal import Journal
from stream_app.console.feed.score_reader import ScoreCounts, ScoreReader
from stream_app.console.feed.sources import SOURCES
from stream_app.faust_app import end_process
from stream_app.topic_admin import describe_topics

log = logging.getLogger(__name__)

SCORE: Final = "score"
TICK: Final = "tick"
AUDIT: Final = "audit"
DESK: Final = "desk"
"""The review desk has changed: a case came, or somebody stated something about one."""
_AGAIN_S: Final = 2.0
_SCORES_KEPT: Final = 500
_TICKS_KEPT: Final = 900
_RECORDS_KEPT: Final = 500


class Reader(Protocol):
    """Reads topics into journals."""

    def open(self) -> None:
        """Begin."""

    def turn(self) -> bool:
        """Take what has come; return whether it was something."""

    def close(self) -> None:
        """Disconnect."""


class Feed:
    """Journals by kind, and what hinders the reading of them.

    Parameters
    ----------
    broker, topics: what is read of Kafka.
    audit: the audit in Redis.

    Attributes
    ----------
    bell: rings when a journal has grown.
    problem: one line, None while everything is read.
    undecodable: records left out, by bare topic.
    """

    def __init__(self, broker: str, topics: TopicNames, audit: AuditLog) -> None:
        self._broker, self._topics, self._audit = broker, topics, audit
        self._journals = {source.kind: Journal(source.kind, source.keep) for source in SOURCES}
        self._journals[SCORE] = Journal(SCORE, _SCORES_KEPT, lossy=True)
        self._journals[AUDIT] = Journal(AUDIT, _RECORDS_KEPT)
        self._journals[DESK] = Journal(DESK, _TICKS_KEPT, lossy=True)
        self._journals[TICK] = Journal(TICK, _TICKS_KEPT, lossy=True)
        self.bell = Bell()
        self.undecodable: dict[str, int] = {}
        self._problems: dict[str, str] = {}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._score_reader: ScoreReader | None = None

    @property
    def kinds(self) -> frozenset[str]:
        """What can be followed."""
        return frozenset(self._journals)

    @property
    def problem(self) -> str | None:
        """What hinders the reading, in one line."""
        return next(iter(dict(self._problems).values()), None)

    def hindered(self, name: str, why: str | None) -> None:
        """Say what hinders somebody who reads for the pages, or that nothing does any more."""
        if why is None:
            self._problems.pop(name, None)
        else:
            self._problems[name] = why

    @property
    def score_counts(self) -> ScoreCounts:
        """How many scores there were since this process began."""
        reader = self._score_reader
        return ScoreCounts() if reader is None else reader.counts

    @property
    def score_reader(self) -> ScoreReader | None:
        """Who reads the scores; None until the broker has answered."""
        return self._score_reader

    def journal(self, kind: str) -> Journal:
        """Return the journal of a kind; KeyError for one that there is not."""
        return self._journals[kind]

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Add what is no record of a topic, as a tick, and wake everybody."""
        self._journals[kind].append(0, None, time.time_ns() // 1_000_000, data)
        self.bell.ring()

    def start(self) -> None:
        """Begin to read; what is not there yet is waited for."""
        readers = {"events": self._event_reader, "scores": self._new_score_reader, "audit": self._audit_reader}
        for name, make in readers.items():
            thread = threading.Thread(target=self._run, args=(name, make), name=f"feed-{name}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the reading."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _run(self, name: str, make: Callable[[], Reader]) -> None:
        while not self._stopping.is_set():
            reader: Reader | None = None
            try:
                reader = make()
                reader.open()
                self.hindered(name, None)
                log.info("the feed of %s is read", name)
                while not self._stopping.is_set():
                    if reader.turn():
                        self.bell.ring()
            except (FraudstreamError, KafkaException) as error:
                why = " ".join(str(error).split())
                self.hindered(name, why)
                log.warning("the feed of %s waits: %s", name, why)
                self.bell.ring()
                self._stopping.wait(_AGAIN_S)
            except Exception as error:  # noqa: BLE001  pages that stand still must not look alive
                end_process(error)
            finally:
                if reader is not None:
                    reader.close()

    def _event_reader(self) -> Reader:
        describe_topics(self._broker, [self._topics.of(source.topic) for source in SOURCES])
        return EventReader(self._broker, self._topics, SOURCES, self._journals, self._left_out)

    def _audit_reader(self) -> Reader:
        return AuditReader(self._audit, self._journals[AUDIT], _RECORDS_KEPT)

    def _new_score_reader(self) -> Reader:
        topic = self._topics.scores
        partitions = describe_topics(self._broker, [topic])[topic].partitions
        self._score_reader = ScoreReader(self._broker, topic, partitions, self._journals[SCORE], self._left_out)
        return self._score_reader

    def _left_out(self, topic: str) -> None:
        self.undecodable[topic] = self.undecodable.get(topic, 0) + 1
