"""CloudEvents in Kafka's binary mode: what an event is called stands in the record's headers, its data in the value."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import xxhash

from models.errors import FraudstreamError, one_line

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/json"
TYPE_PREFIX = "fraudstream."


class CloudEventError(FraudstreamError):
    """Raised when a record lacks the headers of an event."""


def event_id(*parts: object) -> str:
    """Return the id of what the parts describe: 32 hex digits, the same for the same parts in every run.

    An event that is published again after a crash so carries its first id, and a reader can drop it.

    Examples
    --------
    >>> event_id("alarm", "m-1", 127) == event_id("alarm", "m-1", 127) != event_id("alarm", "m-1", 128)
    True
    """
    return str(xxhash.xxh3_128_hexdigest(msgspec.json.encode(parts)))


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The context of an event.

    Parameters
    ----------
    id
        Unique with the source; made by `event_id`.
    type
        What happened, in reverse order of detail: `drift.alarm`; the prefix `fraudstream.` is added on the wire.
    source
        Which process says it: `watch/drift`.
    time_ms
        When it happened, ms: event time where the event is about event time.
    subject
        What it is about: a feature, a model version, a week.
    correlation_id
        Shared by everything that one incident or schedule set off.
    causation_id
        Id of the event that caused this one; None for a first cause.

    References
    ----------
    CloudEvents 1.0.2, Kafka protocol binding, binary content mode.
    """

    id: str
    type: str
    source: str
    time_ms: int
    subject: str
    correlation_id: str
    causation_id: str | None = None

    def headers(self) -> list[tuple[str, bytes]]:
        """Return the record headers."""
        moment = datetime.fromtimestamp(self.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        texts = {
            "ce_specversion": SPEC_VERSION,
            "ce_id": self.id,
            "ce_type": TYPE_PREFIX + self.type,
            "ce_source": self.source,
            "ce_time": moment.replace("+00:00", "Z"),
            "ce_subject": self.subject,
            "ce_correlationid": self.correlation_id,
            "content-type": CONTENT_TYPE,
        }
        if self.causation_id is not None:
            texts["ce_causationid"] = self.causation_id
        return [(name, text.encode()) for name, text in texts.items()]

    @classmethod
    def read(cls, headers: Iterable[tuple[str, bytes | str | None]] | None) -> "CloudEvent":
        """Return the context in a record's headers.

        Raises
        ------
        CloudEventError: a header is missing or the time is none.

        Examples
        --------
        >>> event = CloudEvent(event_id("x"), "drift.alarm", "watch/drift", 1_525_132_800_000, "amount", "i1")
        >>> CloudEvent.read(event.headers()) == event
        True
        """
        try:
            found = {key: value.decode() if isinstance(value, bytes) else value or "" for key, value in headers or ()}
            return cls(
                id=found["ce_id"],
                type=found["ce_type"].removeprefix(TYPE_PREFIX),
                source=found["ce_source"],
                time_ms=round(datetime.fromisoformat(found["ce_time"]).timestamp() * 1000),
                subject=found["ce_subject"],
                correlation_id=found["ce_correlationid"],
                causation_id=found.get("ce_causationid"),
            )
        except (KeyError, ValueError, OverflowError) as error:
            raise CloudEventError(
                f"a record without the headers of a CloudEvent ({one_line(error)}); who wrote it?"
            ) from None
