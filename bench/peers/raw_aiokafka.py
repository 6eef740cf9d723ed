"""The floor: the same bytes in, decoded as the worker's schema has them, and one score out; no features, no model.

It batches as the worker does: what a poll brings of a partition goes out as record batches of an idempotent producer.
"""

import asyncio
import os
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from models.schema import wire
from models.schema.score import Score
from models.schema.transaction import Transaction

PREFIX = os.environ["TOPIC_PREFIX"]
BATCH = 2_000
decode = msgspec.json.Decoder(Transaction).decode


async def main() -> None:
    broker = os.environ["BROKER"]
    consumer = AIOKafkaConsumer(
        f"{PREFIX}transactions",
        bootstrap_servers=broker,
        group_id=f"{PREFIX}raw",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    producer = AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True, linger_ms=0, max_batch_size=1 << 20)
    async with consumer, producer:
        while True:
            for partition, records in (await consumer.getmany(timeout_ms=200, max_records=BATCH)).items():
                await send(producer, partition.partition, scored(records))


def scored(records: Sequence[Any]) -> list[tuple[bytes, bytes]]:
    now_ms, made = time.time_ns() // 1_000_000, []
    for record in records:
        t = decode(record.value)
        score = Score(
            t.transaction_id, t.event_time, t.card_id, 0.5, 500, "approve", [], "raw", "none", "champion", now_ms,
            False, False, record.offset, 0, "raw",
        )  # fmt: skip
        made.append((record.key, wire.encode(score)))
    return made


async def send(producer: AIOKafkaProducer, partition: int, records: Sequence[tuple[bytes, bytes]]) -> None:
    builder = producer.create_batch()
    for key, value in records:
        if builder.append(key=key, value=value, timestamp=None) is None:
            await producer.send_batch(builder, f"{PREFIX}scores", partition=partition)
            builder = producer.create_batch()
            builder.append(key=key, value=value, timestamp=None)
    await producer.send_batch(builder, f"{PREFIX}scores", partition=partition)


if __name__ == "__main__":
    asyncio.run(main())
