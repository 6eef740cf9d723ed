"""A page of what was found in the audit, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from models.schema.audit_record import AuditRecord

PAGE_ROWS: Final = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A page.

    A page begins behind a record, not at a number of rows: records that come meanwhile do not move it.

    Attributes
    ----------
    rows: the records, the newest first.
    total: how many records fit, on all pages.
    newer, older: `after` and `before` of the pages beside this one; None where there is none.
    """

    rows: tuple[AuditRecord, ...]
    total: int
    newer: int | None
    older: int | None

    @classmethod
    def of(
        cls,
        fitting: Sequence[AuditRecord],
        *,
        before: int | None = None,
        after: int | None = None,
        rows: int = PAGE_ROWS,
    ) -> Self:
        """Return the newest records that are older than record `before`, or the oldest newer than `after`.

        Parameters
        ----------
        fitting: records that fit, the oldest first.
        before, after: numbers of records; None for the newest page.
        rows: of a page.
        """
        if after is not None:
            chosen = [record for record in fitting if record.sequence > after][:rows]
        else:
            chosen = [record for record in fitting if before is None or record.sequence < before][-rows:]
        if not chosen:
            return cls((), len(fitting), None, None)
        has_newer = fitting[-1].sequence > chosen[-1].sequence
        has_older = fitting[0].sequence < chosen[0].sequence
        return cls(
            rows=tuple(reversed(chosen)),
            total=len(fitting),
            newer=chosen[-1].sequence if has_newer else None,
            older=chosen[0].sequence if has_older else None,
        )
