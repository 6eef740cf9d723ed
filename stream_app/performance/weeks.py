"""Which of the records of each model version and week are shown."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from models.schema.performance import Performance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Week(NamedTuple):
    """All records of a version and week.

    Attributes
    ----------
    newest: the last revision.
    published: the record that was published first with its last day mature; None before that.
    """

    newest: Performance
    published: Performance | None


def weeks(records: Iterable[Performance]) -> list[Week]:
    """Return each version's weeks in the order of time; a week of two versions comes twice."""
    found: dict[tuple[int, str], list[Performance]] = {}
    for record in sorted(records, key=lambda record: record.revision):
        found.setdefault((record.from_day, record.model_version), []).append(record)
    return [
        Week(revisions[-1], next((record for record in revisions if record.state != "provisional"), None))
        for _, revisions in sorted(found.items(), key=lambda entry: (entry[0][0], entry[1][0].as_of, entry[0][1]))
    ]


def in_order(records: Iterable[Performance]) -> list[Performance]:
    """Return all records, a week's revisions one after another."""
    return sorted(records, key=lambda record: (record.from_day, record.model_version, record.revision))


def date_of(event_day: int) -> datetime:
    """Midnight, UTC, on which an event day begins."""
    return _EPOCH + timedelta(days=event_day)
