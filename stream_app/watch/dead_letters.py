"""Where what cannot be decoded goes: `dead-letter`, acknowledged before anything later is counted."""

from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from models.schema.card_numbers import mask


@dataclass(frozen=True, slots=True)
class DeadRecord:
    """A record that was refused, and why."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str


class DeadLetters:
    """Sends refused records to the dead-letter topic: bytes with card numbers masked, origin and reason as headers."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def bury(self, record: DeadRecord) -> None:
        """Send one and wait for its acknowledgement."""
        headers = [
            ("topic", record.topic.encode()),
            ("partition", str(record.partition).encode()),
            ("offset", str(record.offset).encode()),
            ("reason", record.reason.encode()),
        ]
        key = None if record.key is None else mask(record.key)
        value = b"" if record.value is None else mask(record.value)
        await self._producer.send_and_wait(self._topic, value, key=key, headers=headers)
