"""Reads what the desk needs: scores, feature rows and labels, back to a bounded moment and then for ever."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema import wire
from models.schema.feature_batch import decode_feature_batch
from models.schema.label import Label
from models.schema.topics import TopicNames
from stream_app.console.records.statements import Statement
from stream_app.console.review.desk import Desk
from stream_app.faust_app import end_process
from stream_app.topic_admin import describe_topics

log = logging.getLogger(__name__)

GROUP: Final = "fraudstream-console-review"
REQUEST_S: Final = 10.0
_BATCH: Final = 2_000
_POLL_S: Final = 0.2
_AGAIN_S: Final = 2.0
_HALVINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a desk begins.

    Parameters
    ----------
    back_ms: by wall clock.
    most_scores: and at most so many scores, so that a busy bank's console is there within seconds.
    """

    back_ms: int = 24 * 3600 * 1000
    most_scores: int = 300_000


class Intake:
    """Fills a desk on a thread of its own; a broker that is away is waited for.

    Parameters
    ----------
    broker: Kafka's address.
    topics: names of the topics.
    desk: what is filled.
    reach: how far back.
    wall_ms: wall clock.
    """

    def __init__(
        self, broker: str, topics: TopicNames, desk: Desk, reach: Reach, wall_ms: Callable[[], int] | None = None
    ) -> None:
        self._broker = broker
        self._topics = topics
        self._desk = desk
        self._reach = reach
        self._wall_ms = wall_ms or (lambda: time.time_ns() // 1_000_000)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="review-intake", daemon=True)
        self.since_ms: int | None = None
        """Wall time of the earliest records that were read; None before the broker has answered."""
        self.trouble: str | None = None
        """Why nothing new comes, None while all is well."""
        self.refused = 0
        """Records that could not be read."""
        self.caught_up = False
        """Whether all that was there at the start has been read."""

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """Stop reading and wait until the thread has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(REQUEST_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except (FraudstreamError, KafkaException) as error:
                self.trouble = str(error)
                log.warning("the review desk gets nothing: %s", error)
                self._stop.wait(_AGAIN_S)
            except Exception as error:  # noqa: BLE001  a queue that stands still must not look alive
                end_process(error)
                return

    def _read(self) -> None:
        names = (self._topics.labels, self._topics.features, self._topics.scores)
        partitions = {name: found.partitions for name, found in describe_topics(self._broker, names).items()}
        with contextlib.closing(self._consumer()) as consumer:
            ends = self._begin(consumer, partitions)
            self.trouble = None
            while not self._stop.is_set():
                for message in consumer.consume(_BATCH, _POLL_S):
                    self._take(message)
                if not self.caught_up:
                    self.caught_up = _reached(consumer, ends)

    def _consumer(self) -> Consumer:
        return Consumer(
            {
                **confluent_settings(self._broker),
                "group.id": GROUP,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 32 << 10,
            },
            logger=log,
        )

    def _begin(self, consumer: Consumer, partitions: Mapping[str, int]) -> dict[tuple[str, int], int]:
        """Assign every partition at one moment of wall time; return the ends of now."""
        every = [(name, partition) for name, count in partitions.items() for partition in range(count)]
        edges = {place: consumer.get_watermark_offsets(TopicPartition(*place), timeout=REQUEST_S) for place in every}
        now_ms = self._wall_ms()
        back_ms = self._reach.back_ms
        for _ in range(_HALVINGS):
            starts = self._starts(consumer, edges, now_ms - back_ms)
            scores = sum(edges[place][1] - start for place, start in starts.items() if place[0] == self._topics.scores)
            if scores <= self._reach.most_scores:
                break
            back_ms //= 2
        else:
            back_ms, starts = 0, {place: end for place, (_, end) in edges.items()}
        self.since_ms = now_ms - back_ms
        consumer.assign([TopicPartition(*place, offset) for place, offset in starts.items()])
        return {place: end for place, (_, end) in edges.items() if starts[place] < end}

    def _starts(
        self, consumer: Consumer, edges: Mapping[tuple[str, int], tuple[int, int]], at_ms: int
    ) -> dict[tuple[str, int], int]:
        asked = [TopicPartition(*place, at_ms) for place in edges]
        found = consumer.offsets_for_times(asked, timeout=REQUEST_S)
        return {
            (one.topic, one.partition): one.offset if one.offset >= 0 else edges[one.topic, one.partition][1]
            for one in found
        }

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                self.trouble = f"reading {message.topic()}: {error.str()}"
            return
        self.trouble = None
        topic, partition, value = message.topic(), message.partition() or 0, message.value() or b""
        try:
            if topic == self._topics.scores:
                self._desk.see_score(partition, value)
            elif topic == self._topics.features:
                self._desk.see_rows(partition, decode_feature_batch(value))
            else:
                label = wire.decode(Label, value)
                headers: Any = message.headers() or ()
                self._desk.see_statement(Statement.of(label, partition, message.offset() or 0, headers))
        except FraudstreamError:
            self.refused += 1


def _reached(consumer: Consumer, ends: Mapping[tuple[str, int], int]) -> bool:
    positions = consumer.position([TopicPartition(*place) for place in ends])
    return all(one.offset >= ends[one.topic, one.partition] for one in positions)
