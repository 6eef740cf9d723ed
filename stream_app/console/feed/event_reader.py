"""Reads the topics of few and precious records into their journals."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from models.access.kafka_settings import confluent_settings
from models.errors import FraudstreamError
from models.schema.topics import TopicNames
from stream_app.console.feed.journal import Journal
from stream_app.console.feed.sources import Source
from stream_app.watermarks import watermarks

log = logging.getLogger(__name__)

GROUP: Final = "fraudstream-console"
"""Nothing is committed; librdkafka wants a name all the same."""
_BATCH: Final = 500
_WAIT_S: Final = 0.2


def console_consumer(broker: str, fetch_wait_ms: int = 100, **settings: int | str) -> Consumer:
    """Return a consumer that is assigned its partitions by hand and commits nothing."""
    return Consumer(
        {
            **confluent_settings(broker),
            "group.id": GROUP,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": fetch_wait_ms,
            **settings,
        },
        logger=log,
    )


class EventReader:
    """Reads what is kept at the start, then what comes.

    Parameters
    ----------
    broker, topics: where.
    sources: what.
    journals: of each source's kind.
    undecodable: is told the topic of a record that is none of its kind; it is left out.
    """

    def __init__(
        self,
        broker: str,
        topics: TopicNames,
        sources: tuple[Source, ...],
        journals: Mapping[str, Journal],
        undecodable: Callable[[str], None],
    ) -> None:
        self._consumer = console_consumer(broker)
        self._sources = {topics.of(source.topic): source for source in sources}
        self._journals = journals
        self._undecodable = undecodable

    def open(self) -> None:
        """Begin where what is kept begins, or where this process has read up to."""
        places = []
        for topic, source in self._sources.items():
            journal = self._journals[source.kind]
            first, end = watermarks(self._consumer, topic, 0)
            reached = journal.place().get(0)
            if reached is None:
                journal.begin(0, max(first, end - source.keep))
                reached = max(first, end - source.keep) - 1
            # Behind the end: the topic was created anew, and the journal is told so by the lower offset.
            places.append(TopicPartition(topic, 0, reached + 1 if reached < end else first))
        self._consumer.assign(places)

    def turn(self) -> bool:
        """Take what has come within a moment; return whether it was something."""
        messages = self._consumer.consume(_BATCH, timeout=_WAIT_S)
        for message in messages:
            error = message.error()
            if error is None:
                self._take(message)
            elif error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                raise FraudstreamError(
                    f"the console may not read {message.topic()}: `fraudstream access kafka` grants it"
                )
        return bool(messages)

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        topic, offset = message.topic() or "", message.offset() or 0
        source = self._sources[topic]
        try:
            told = source.tell(message)
        except FraudstreamError as error:
            log.warning("record %d of %s is left out: %s", offset, topic, error)
            self._undecodable(source.topic)
            return
        self._journals[source.kind].append(message.partition() or 0, offset, message.timestamp()[1], told)
