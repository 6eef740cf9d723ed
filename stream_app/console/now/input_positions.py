"""How far the scorers have come in `transactions`, and how long one of them takes."""

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from models.schema.score import Score
from stream_app.console.feed.event_reader import console_consumer
from stream_app.console.now.vitals import PartitionVitals
from stream_app.topic_admin import admin_client

_ANSWER_S: Final = 5.0
_LOOK_S: Final = 0.3
_FETCH_BYTES: Final = 32 * 1024
"""A look is at one transaction and the one behind it: the broker is to send no more than it must."""


class InputPositions:
    """Asks once a second.

    Parameters
    ----------
    broker, topic, group: of the scorers.
    """

    def __init__(self, broker: str, topic: str, group: str) -> None:
        self._admin: AdminClient = admin_client(broker)
        self._consumer: Consumer = console_consumer(
            broker, **{"max.partition.fetch.bytes": _FETCH_BYTES, "queued.max.messages.kbytes": 256}
        )
        self._topic, self._group = topic, group
        self._looked_at: dict[int, int] = {}

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()

    def partitions(
        self, count: int, last: Mapping[int, tuple[Score, int]], now_ms: int
    ) -> tuple[list[PartitionVitals], list[float]]:
        """Return how far each partition is scored, and the latencies of the transactions that were looked at, ms.

        Parameters
        ----------
        count: of partitions.
        last: partition -> its last score, and Kafka's timestamp of it.
        now_ms: wall clock.

        Raises
        ------
        KafkaException: the broker does not answer.
        """
        ends = self._ends(count)
        positions = self._committed(count)
        for partition, (score, _) in last.items():
            positions[partition] = max(positions.get(partition, 0), score.source_offset + 1)
        stamps = self._stamps({one: score.source_offset for one, (score, _) in last.items()}, positions, ends)
        latencies = [
            float(max(0, scored_ms - stamps[partition, score.source_offset]))
            for partition, (score, scored_ms) in last.items()
            if (partition, score.source_offset) in stamps and self._looked_at.get(partition) != score.source_offset
        ]
        self._looked_at = {one: score.source_offset for one, (score, _) in last.items()}
        found = []
        for partition, end in sorted(ends.items()):
            position = min(positions.get(partition, 0), end)
            oldest_ms = stamps.get((partition, position))
            age_s = None if oldest_ms is None else max(0.0, (now_ms - oldest_ms) / 1000)
            found.append(PartitionVitals(partition, position, end - position, 0.0 if position == end else age_s))
        return found, latencies

    def _ends(self, count: int) -> dict[int, int]:
        asked = {TopicPartition(self._topic, one): OffsetSpec.latest() for one in range(count)}  # type: ignore[no-untyped-call]
        answers: Mapping[TopicPartition, Future[Any]] = self._admin.list_offsets(asked, request_timeout=_ANSWER_S)
        return {place.partition: int(answer.result().offset) for place, answer in answers.items()}

    def _committed(self, count: int) -> dict[int, int]:
        asked = [TopicPartition(self._topic, one) for one in range(count)]
        (answer,) = self._admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(self._group, asked)], request_timeout=_ANSWER_S
        ).values()
        try:
            places = answer.result().topic_partitions
        except KafkaException:
            return {}  # no such group yet, or its positions are not for the console: the scores themselves tell
        return {one.partition: one.offset for one in places if one.offset >= 0}

    def _stamps(
        self, scored: Mapping[int, int], positions: Mapping[int, int], ends: Mapping[int, int]
    ) -> dict[tuple[int, int], int]:
        """Return Kafka's timestamps by partition and offset: of the last scored one and of the first one behind it."""
        asked = {}
        for partition, end in ends.items():
            first = min(scored.get(partition, end), positions.get(partition, 0))
            fresh = self._looked_at.get(partition) != scored.get(partition) or positions.get(partition, 0) < end
            if fresh and 0 <= first < end:
                asked[partition] = first
        if not asked:
            return {}
        self._consumer.assign([TopicPartition(self._topic, one, offset) for one, offset in asked.items()])
        found: dict[tuple[int, int], int] = {}
        wanted = {(one, offset) for one, offset in scored.items() if one in asked}
        wanted |= {(one, positions.get(one, 0)) for one in asked if positions.get(one, 0) < ends[one]}
        until = 3
        while until and not wanted <= found.keys():
            until -= 1
            for message in self._consumer.consume(500, timeout=_LOOK_S / 3):
                if message.error() is None:
                    found[message.partition() or 0, message.offset() or 0] = message.timestamp()[1]
        self._consumer.unassign()
        return found
