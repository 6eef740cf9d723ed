"""What the archive says after each commit, on the topic `archive-commits`."""

import msgspec

from models.schema.field_types import Count, TimeMs, Version1, version_1


class ArchiveCommit(msgspec.Struct, frozen=True):
    """The tables as they stand: pinned at these versions they give the same rows for ever.

    Attributes
    ----------
    tables: version of each Delta table, by its name.
    offsets: by table and partition the next Kafka offset that is not archived yet.
    watermark: event time, ms, a multiple of six hours: every transaction before it, with its score and feature row,
        and every label stated by then, is in the tables as far as the partitions that are not idle can tell; 0 when
        unknown.
    committed_at: wall clock, ms.
    """

    tables: dict[str, Count]
    offsets: dict[str, dict[int, Count]]
    watermark: Count
    committed_at: TimeMs
    schema_version: Version1 = msgspec.field(default_factory=version_1)
