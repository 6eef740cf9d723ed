"""The whole audit checked: Redis, Kafka's copy against it, its signed heads, and the registry's state against both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from models.audit.anchor import Anchor
from models.audit.chain import AuditError, check_chain, check_copy
from models.registry import Registry
from models.schema.audit_record import AuditRecord
from models.schema.topics import TopicNames
from models.signing import AllowedSigners
from stream_app.audit.copy import read_copy


@dataclass(frozen=True, slots=True)
class KafkaAudit:
    """Where the copy is."""

    broker: str
    topics: TopicNames


def verified(
    registry: Registry, where: KafkaAudit, anchor: Anchor | None, allowed: Callable[[], AllowedSigners]
) -> str:
    """Check everything, and say what was found whole.

    Parameters
    ----------
    registry: with the audit in Redis.
    where: its copy.
    anchor: a head kept elsewhere, that the chain must still run through; None without one.
    allowed: returns the signers that count; asked only where a head is signed.

    Raises
    ------
    AuditError: a record was changed, removed, put in, moved or cut off, or something was moved without a record.
    """
    # Kafka first: whatever it has, Redis had before.
    published = registry.log.published
    copy = read_copy(where.broker, where.topics.audit)
    records = registry.audit()
    check_chain(records, "Redis")
    check_chain(copy.records, "Kafka")
    check_copy(copy.records, records, ("Kafka", "Redis"))
    if published > len(copy.records):
        raise AuditError(
            f"audit record {len(copy.records) + 1} is missing in Kafka, which had acknowledged records up to "
            f"{published}: its end was cut off; fraudstream audit publish sends it again"
        )
    check_anchor(anchor, records, "Redis")
    signed = check_signed(copy.anchor, copy.records, allowed)
    records = registry.recorded()
    waiting = len(records) - len(copy.records)
    told = f", {waiting} of them not yet in Kafka" if waiting else ""
    head = up_to(records[-1] if records else None)
    return f"Redis and Kafka: {len(records):,} records follow one another{head}{told}; {signed}"


def check_signed(anchor: Anchor | None, records: Sequence[AuditRecord], allowed: Callable[[], AllowedSigners]) -> str:
    """Check the last head that was signed in Kafka, and say in words how far the signature reaches."""
    if anchor is None:
        return "no head in Kafka is signed"
    anchor.verify(allowed())
    anchor.check(list(records), "Kafka")
    return f"signed by {anchor.signer} up to record {anchor.sequence}"


def check_anchor(anchor: Anchor | None, records: Sequence[AuditRecord], where: str) -> None:
    """Raise AuditError unless the records run through an anchor, if there is one."""
    if anchor is not None:
        anchor.check(records, where)


def up_to(head: AuditRecord | None) -> str:
    """Return how far a chain goes, as the end of a sentence."""
    if head is None:
        return ""
    return f", the last at {datetime.fromtimestamp(head.time_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC with hash {head.hash}"
