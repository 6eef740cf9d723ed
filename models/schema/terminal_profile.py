"""What matured transactions say about a terminal, on the topic `profiles`, and the marker that ends each step."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from models.schema.field_types import Count, Identifier, TimeMs, Version1, version_1

PROFILE_WINDOWS_DAYS: Final = (1, 7, 14, 30)
"""The windows of a profile, each ending at as_of less the maturity."""
MARKER_KEY: Final = b"\x00marker"
KEEPER_EPOCH_HEADER: Final = "keeper_epoch"
"""Header of every record: a reader drops those whose number is below the highest it has seen."""

WindowCounts = Annotated[
    list[Count], Meta(min_length=4, max_length=4, description="One count for 1, 7, 14 and 30 days.")
]


class TerminalProfile(msgspec.Struct, frozen=True, gc=False):
    """Counts of one terminal's mature transactions by window; all zero removes the terminal.

    The times are event times within the longest window: of the first fraud that its card does not explain, of the
    last approved transaction without a fraud, and of the first unexplained fraud after that one.
    """

    terminal_id: Identifier
    as_of: TimeMs
    approved: WindowCounts
    frauds: WindowCounts
    unexplained_frauds: WindowCounts
    declines: WindowCounts
    first_unexplained_fraud_at: TimeMs | None
    last_genuine_at: TimeMs | None = None
    fraud_run_at: TimeMs | None = None
    schema_version: Version1 = msgspec.field(default_factory=version_1)

    @property
    def is_empty(self) -> bool:
        """Whether every window is zero, which removes the terminal from a table."""
        return not (any(self.approved) or any(self.frauds) or any(self.unexplained_frauds) or any(self.declines))


class ProfileMarker(msgspec.Struct, frozen=True, gc=False):
    """Ends a step on one partition: the profiles of as_of are complete. Keyed by MARKER_KEY.

    Attributes
    ----------
    profiles: records of this step in this partition.
    youngest_label_event_time: largest event_time of any fraud label counted so far.
    """

    as_of: TimeMs
    profiles: Count
    youngest_label_event_time: int | None
    keeper: str
    keeper_epoch: Count
    schema_version: Version1 = msgspec.field(default_factory=version_1)
