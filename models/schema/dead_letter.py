"""A message that could not be decoded, on the topic `dead-letter`: its bytes, where it lay and why it was refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import FraudstreamError
from models.schema.card_numbers import mask, mask_text
from models.schema.decoding import Rejection


class DeadLetterError(FraudstreamError):
    """Raised when a record of the dead-letter topic lacks its headers."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """On the wire: the value and key as they were (card numbers masked), the rest in headers.

    Attributes
    ----------
    topic, partition, offset: where the message lay.
    reason: one line, naming the field and what was found.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    key: bytes | None
    value: bytes

    @classmethod
    def of(cls, rejection: Rejection, topic: str, partition: int, offset: int, key: bytes | None) -> "DeadLetter":
        """Return the dead letter of a rejected message."""
        masked_key = None if key is None else mask(key)
        return cls(topic, partition, offset, mask_text(rejection.reason), masked_key, rejection.masked_value)

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Record headers: topic, partition, offset and reason as UTF-8 text."""
        return [
            ("topic", self.topic.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(self.offset).encode()),
            ("reason", self.reason.encode("utf-8", "backslashreplace")),
        ]

    @classmethod
    def read(
        cls, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | str | None]]
    ) -> "DeadLetter":
        """Return the dead letter in a record.

        Raises
        ------
        DeadLetterError: when a header is missing or no number where it must be one.
        """
        texts = {name: text.decode() if isinstance(text, bytes) else text for name, text in headers}
        try:
            return cls(
                texts["topic"] or "",
                int(texts["partition"] or ""),
                int(texts["offset"] or ""),
                texts["reason"] or "",
                key,
                value or b"",
            )
        except (KeyError, ValueError) as error:
            raise DeadLetterError(f"a dead letter without a proper header ({error}); who wrote it?") from None
