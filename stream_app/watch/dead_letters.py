"""Where what cannot be decoded goes: `dead-letter`, acknowledged before anything later is counted."""

from dataclasses import dataclass

from aiokafka import AIOKafkaProducer

from models.schema.dead_letter import DeadLetter
from models.schema.decoding import Rejection


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
        rejection = Rejection.of(0, record.reason, record.value)
        letter = DeadLetter.of(rejection, record.topic, record.partition, record.offset, record.key)
        await self._producer.send_and_wait(self._topic, letter.value, key=letter.key, headers=letter.headers)
