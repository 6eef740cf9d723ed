"""A message that could not be decoded, on the topic `dead-letter`: its bytes, where it lay and why it was refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import FraudstreamError, one_line
from models.schema.card_numbers import mask_text
from models.schema.decoding import Rejection, Whole, masked_beginning, shortened

KEPT_KEY_BYTES = 1024
"""A longer key is cut: with it the letter would not fit the topic."""


class DeadLetterError(FraudstreamError):
    """Raised when a record of the dead-letter topic lacks its headers."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """On the wire: the value and key as they were (card numbers masked), the rest in headers.

    A letter always fits the topic: of a message beyond KEPT_BYTES, and of a key beyond KEPT_KEY_BYTES, the beginning is
    kept. The whole message lies where it lay until the retention of its topic removes it.

    Attributes
    ----------
    topic, partition, offset: where the message lay.
    reason: one line, naming the field and what was found.
    whole: length and SHA-256 of a message of which only the beginning is kept, None for all others.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    key: bytes | None
    value: bytes
    whole: Whole | None = None

    @classmethod
    def of(cls, rejection: Rejection, topic: str, partition: int, offset: int, key: bytes | None) -> "DeadLetter":
        """Return the dead letter of a rejected message."""
        masked_key = None if key is None else masked_beginning(key, KEPT_KEY_BYTES)
        reason = shortened(mask_text(rejection.reason))
        return cls(topic, partition, offset, reason, masked_key, rejection.masked_value, rejection.whole)

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Record headers: topic, partition, offset and reason as UTF-8 text; of a cut message also what it was."""
        texts = {"topic": self.topic, "partition": str(self.partition), "offset": str(self.offset)}
        texts["reason"] = self.reason
        if self.whole is not None:
            texts |= {"original_bytes": str(self.whole.length), "original_sha256": self.whole.sha256}
        return [(name, text.encode("utf-8", "backslashreplace")) for name, text in texts.items()]

    @classmethod
    def read(
        cls, key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | str | None]]
    ) -> "DeadLetter":
        """Return the dead letter in a record.

        Raises
        ------
        DeadLetterError: when a header is missing or no number where it must be one.
        """
        try:
            texts = {name: text.decode() if isinstance(text, bytes) else text for name, text in headers}
            length, sha256 = texts.get("original_bytes"), texts.get("original_sha256")
            return cls(
                texts["topic"] or "",
                int(texts["partition"] or ""),
                int(texts["offset"] or ""),
                texts["reason"] or "",
                key,
                value or b"",
                None if length is None or sha256 is None else Whole(int(length), sha256),
            )
        except (KeyError, ValueError) as error:
            raise DeadLetterError(f"a dead letter without a proper header ({one_line(error)}); who wrote it?") from None
