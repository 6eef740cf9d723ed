"""One thing that happened, as pages and scripts are told it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a journal.

    Attributes
    ----------
    kind: of the journal.
    number: counts the entries of the journal in this process, from 1.
    partition, offset: where it lies in its topic; what is no record of a topic has partition 0 and `number`.
    time_ms: Kafka's timestamp.
    data: what JSON can say; a card stands under `card_id`.
    """

    kind: str
    number: int
    partition: int
    offset: int
    time_ms: int
    data: Mapping[str, Any]
