"""Where scoring's output goes: idempotent producers, one for scores; a failed send ends the process."""

import asyncio
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from models.access.kafka_settings import aiokafka_settings
from models.errors import FraudstreamError
from models.schema.dead_letter import DeadLetter
from models.schema.topics import TopicNames
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.control_marks import USED, headers_of
from stream_app.scoring.record_batch import DeadRecord, FeatureMessage, Scored
from stream_app.telemetry.traces import span

_BATCH_BYTES = 1 << 20
_REQUEST_BYTES = 8 << 20
Headers = list[tuple[str, bytes]]
_NO_HEADERS: Headers = []


class SendError(FraudstreamError):
    """Raised when output could not be sent; the next owner of the partition carries on from what was acknowledged."""


class Sink:
    """Sends a partition's scores, then its feature messages; dead letters before them.

    A producer has one request on its way to each broker: scores, for which somebody waits, must not wait until feature
    messages, a hundred times as large, are acknowledged. So each have a producer of their own.

    Parameters
    ----------
    producer, feature_producer:
        Started producers.
    topics:
        Names of the topics.
    """

    def __init__(self, producer: AIOKafkaProducer, feature_producer: AIOKafkaProducer, topics: TopicNames) -> None:
        self._producer = producer
        self._feature_producer = feature_producer
        self._topics = topics

    async def send_scores(
        self, partition: int, topic_id: str, scored: Scored, done: Acknowledgements, now_ms: int
    ) -> None:
        """Hand the scores of one batch to their producer; `done` learns of the acknowledgements.

        Raises
        ------
        SendError
            When a record cannot be sent.
        """
        with span("send scores"), _told(partition):
            done.hold(await self._send_scores(partition, topic_id, scored, now_ms))

    async def send_features(self, partition: int, scored: Scored, done: Acknowledgements, now_ms: int) -> None:
        """Hand its feature messages to theirs, once its scores are sent: with them its offsets are done.

        Raises
        ------
        SendError
            When a record cannot be sent.
        """
        with _told(partition):
            sends = [await self._send_features(partition, message, now_ms) for message in scored.features]
        if scored.held:
            done.hold(sends)
        else:
            done.expect(scored.next_offset, sends)

    async def bury(self, partition: int, dead: Sequence[DeadRecord], now_ms: int) -> None:
        """Write dead letters and wait until they are acknowledged."""
        sends = []
        try:
            for record in dead:
                letter = DeadLetter.of(
                    record.rejection, self._topics.transactions, partition, record.offset, record.key
                )
                sends.append(
                    await self._producer.send(
                        self._topics.dead_letter,
                        letter.value,
                        key=letter.key,
                        headers=letter.headers,
                        timestamp_ms=now_ms,
                    )
                )
            await asyncio.gather(*sends)
        except KafkaError as error:
            raise SendError(
                f"partition {partition}: a dead letter could not be sent: {error!r}; nothing after it was scored"
            ) from error

    async def _send_scores(
        self, partition: int, topic_id: str, scored: Scored, now_ms: int
    ) -> list[asyncio.Future[Any]]:
        """One or more record batches: a full builder returns None and the rest goes on in the next.

        The first record of each says from which topic it was made, and the control group's counts before it.
        """
        sends: list[asyncio.Future[Any]] = []
        done, builder = 0, self._producer.create_batch()
        first = _first_headers(topic_id, scored, done)
        for (key, value), own in zip(scored.scores, _own_headers(scored), strict=False):
            headers = first + own if first else own
            if builder.append(key=key, value=value, timestamp=now_ms, headers=headers) is None:
                sends.append(await self._producer.send_batch(builder, self._topics.scores, partition=partition))
                done, builder = done + builder.record_count(), self._producer.create_batch()
                headers = _first_headers(topic_id, scored, done) + own
                if builder.append(key=key, value=value, timestamp=now_ms, headers=headers) is None:
                    raise SendError(
                        f"partition {partition}: a score of {len(value)} bytes fits no batch of {_BATCH_BYTES} bytes"
                    )
            first = _NO_HEADERS
        if builder.record_count():
            sends.append(await self._producer.send_batch(builder, self._topics.scores, partition=partition))
        return sends

    async def _send_features(self, partition: int, message: FeatureMessage, now_ms: int) -> asyncio.Future[Any]:
        builder = self._producer.create_batch()
        if builder.append(key=None, value=message.value, timestamp=now_ms, headers=message.header.encode()) is None:
            raise SendError(
                f"partition {partition}: a feature batch of {len(message.value)} bytes fits no request of "
                f"{_REQUEST_BYTES} bytes"
            )
        send: asyncio.Future[Any] = await self._feature_producer.send_batch(
            builder, self._topics.features, partition=partition
        )
        return send


@contextmanager
def _told(partition: int) -> Iterator[None]:
    """Say of which partition a send could not be made."""
    try:
        yield
    except KafkaError as error:
        raise SendError(
            f"partition {partition}: output could not be sent: {error!r}; the partition's next owner repeats it"
        ) from error


def _first_headers(topic_id: str, scored: Scored, row: int) -> Headers:
    used = [mark.used for at, mark in scored.marks.items() if at < row and mark.used is not None]
    counts = used[-1] if used else scored.control_used
    return [("topic_id", topic_id.encode()), (USED, counts.encode())]


def _own_headers(scored: Scored) -> Iterable[Headers]:
    """Each row's; next to no batch has any."""
    marks = scored.marks
    if not marks:
        return itertools.repeat(_NO_HEADERS)
    return [headers_of(marks[row]) if row in marks else _NO_HEADERS for row in range(len(scored.scores))]


def make_producer(broker: str) -> AIOKafkaProducer:
    """An idempotent producer without linger: a scored batch is a batch already."""
    return AIOKafkaProducer(
        **aiokafka_settings(broker),
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=_BATCH_BYTES,
        max_request_size=_REQUEST_BYTES,
    )
