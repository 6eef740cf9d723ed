"""The end of a step of accelerated event time, on the topic `clock`."""

import msgspec

from models.schema.field_types import Count, TimeMs, Version1, version_1


class ClockTick(msgspec.Struct, frozen=True, gc=False):
    """Everything before as_of has been sent: transactions by event_time, labels by labelled_at.

    Attributes
    ----------
    transactions_end: by partition the end offset of the transactions that precede as_of.
    labels_end: by partition the end offset of the labels known at as_of.
    """

    as_of: TimeMs
    transactions_end: dict[int, Count]
    labels_end: dict[int, Count]
    schema_version: Version1 = msgspec.field(default_factory=version_1)
