"""Finds a decision wherever it is kept, and says where it was looked for when it is not found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from models.errors import FraudstreamError
from models.schema.topics import DAY_MS
from stream_app.archive.tables import ArchiveMissingError
from stream_app.console.records.archived import ArchivedRecords, ArchiveTooSlowError, Hit
from stream_app.console.records.place import Place
from stream_app.console.records.recent import RecentRows
from stream_app.console.records.statements import Statement, merged
from stream_app.console.transaction.decision import Decision
from stream_app.console.transaction.topic_search import Scanned, TopicSearch

_LONGEST_ID: Final = 64


class SearchError(FraudstreamError):
    """Raised for a question that nothing can be found by."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search.

    Attributes
    ----------
    decision: None where there is none.
    searched: where it was looked for, a line each.
    others: further places of the same identifier.
    """

    decision: Decision | None
    searched: Sequence[str]
    others: Sequence[Place] = ()


class Search:
    """Looks in memory, then in the archive, then in the topics; each is bounded and says so.

    Parameters
    ----------
    recent: the last rows of the feature log.
    archive: None where this console has none.
    topics: the topics.
    stated: what was read of `labels` about an identifier.
    """

    def __init__(
        self,
        recent: RecentRows,
        archive: ArchivedRecords | None,
        topics: TopicSearch,
        stated: Callable[[str], list[Statement]],
    ) -> None:
        self._recent = recent
        self._archive = archive
        self._topics = topics
        self._stated = stated

    def by_id(self, transaction_id: str, day: int | None = None) -> Found:
        """Find a transaction by its identifier; an event day narrows the archive."""
        if not 0 < len(transaction_id) <= _LONGEST_ID:
            raise SearchError(f"an identifier has 1 to {_LONGEST_ID} characters, not {len(transaction_id)}")
        searched = [f"the last {len(self._recent):,} transactions, in memory"]
        places = [one.place for one in self._recent.of_transaction(transaction_id)]
        if places:
            found = self.by_place(places[0])
            return Found(found.decision, [*searched, *found.searched], places[1:])
        hits = self._archived_id(transaction_id, day, searched)
        for hit in hits[:1]:
            decision = self._from_archive(hit)
            return Found(decision, searched, [other.place for other in hits[1:]])
        scanned = self._topics.find(transaction_id)
        searched.append(_scan_words(scanned))
        return Found(None if scanned.place is None else self._topics.decision(scanned.place), searched)

    def by_place(self, place: Place) -> Found:
        """Find the transaction at a place."""
        decision = self._topics.decision(place)
        searched = [f"the topics at partition {place.partition}, offset {place.source_offset}"]
        if decision is None or decision.feature is None:
            for hit in self._archived_place(place, searched)[:1]:
                decision = self._from_archive(hit) or decision
        return Found(decision, searched)

    def by_offset(self, partition: int, source_offset: int) -> Found:
        """Find the transaction at an offset of `transactions`, in the newest epoch that has one there."""
        place = self._topics.find_offset(partition, source_offset)
        return self.by_place(place or Place(partition, 0, source_offset))

    def statements(self, decision: Decision) -> list[Statement]:
        """Everything stated about a transaction, by the archive and by what was read of the topic."""
        transaction_id = decision.score.transaction_id
        archived: list[Statement] = []
        if self._archive is not None:
            try:
                archived = self._archive.statements(transaction_id, decision.score.event_time // DAY_MS)
            except (ArchiveMissingError, ArchiveTooSlowError):
                archived = []
        # What was read of the topic comes last: the archive keeps no headers.
        return merged([archived, self._stated(transaction_id)])

    def _archived_id(self, transaction_id: str, day: int | None, searched: list[str]) -> Sequence[Hit]:
        if self._archive is None:
            return ()
        try:
            looked = self._archive.find(transaction_id, day)
        except (ArchiveMissingError, ArchiveTooSlowError) as error:
            searched.append(f"not the archive: {error}")
            return ()
        searched.append(_days_words(looked.days, complete=looked.complete or bool(looked.hits)))
        return looked.hits

    def _archived_place(self, place: Place, searched: list[str]) -> Sequence[Hit]:
        if self._archive is None:
            return ()
        try:
            looked = self._archive.find_place(place)
        except (ArchiveMissingError, ArchiveTooSlowError) as error:
            searched.append(f"not the archive: {error}")
            return ()
        searched.append(_days_words(looked.days, complete=looked.complete or bool(looked.hits)))
        return looked.hits

    def _from_archive(self, hit: Hit) -> Decision | None:
        if self._archive is None:
            return None
        return Decision.of_archive(hit.place, self._archive.row(hit), "the archive")


def day_of(text: str) -> int:
    """Return the event day that a date names; raises SearchError for what is no date.

    Examples
    --------
    >>> day_of("2018-04-03")
    17624
    """
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) // DAY_MS
    except (ValueError, OverflowError):
        raise SearchError(f"{text!r:.40} is no date; write it as 2026-04-03") from None


def _days_words(days: Sequence[int], *, complete: bool) -> str:
    if not days:
        return "the archive, which has no scores yet" if complete else "no day of the archive: it was too slow"
    first, last = (datetime.fromtimestamp(day * DAY_MS // 1000, UTC).date() for day in (min(days), max(days)))
    rest = "" if complete else "; other days were not looked at"
    return f"the archive's event days {first} to {last}{rest}"


def _scan_words(scanned: Scanned) -> str:
    if scanned.since_ms is None:
        return "the topic scores, which is empty"
    since = datetime.fromtimestamp(scanned.since_ms / 1000, UTC)
    kept = "all that is kept" if scanned.complete else "no further back"
    return f"{scanned.looked_at:,} scores of the topic, written since {since:%Y-%m-%d %H:%M} UTC ({kept})"
