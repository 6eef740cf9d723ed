"""How far a table has come: next offsets by partition, and what else must outlast a restart."""

from collections.abc import Mapping
from typing import Final

from stream_app.archive.delta_table import ArchiveTable
from stream_app.topic_admin import TopicDescription

_OFFSETS: Final = ""


class TablePositions:
    """The application transactions of one table, by their names.

    "<topic id>/<partition>" holds the next offset: a topic that was created again has another id and is read from its
    beginning. "<mark>/<partition>" holds any other number that belongs to a partition, whatever the topic's id.

    Parameters
    ----------
    table: the table.
    topic: its topic.
    """

    def __init__(self, table: ArchiveTable, topic: TopicDescription) -> None:
        self.partitions: Final = topic.partitions
        self._table = table
        self._topic_id = topic.topic_id
        self._held: dict[str, dict[int, int]] = {_OFFSETS: self._read(topic.topic_id, topic.partitions)}

    @property
    def offsets(self) -> dict[int, int]:
        """Next offset of each partition that was read."""
        return dict(self._held[_OFFSETS])

    def marks(self, mark: str, partitions: int) -> dict[int, int]:
        """The numbers under a mark, by partition, as the table has them."""
        self._held[mark] = self._read(mark, partitions)
        return dict(self._held[mark])

    def held(self, mark: str) -> Mapping[int, int]:
        """The numbers that were committed last under a mark."""
        return self._held.get(mark, {})

    def moved(self, offsets: Mapping[int, int], marks: Mapping[str, Mapping[int, int]]) -> dict[str, int]:
        """What a commit has to write: the numbers that differ from those committed, by their names."""
        wanted = {_OFFSETS: offsets, **marks}
        return {
            f"{mark or self._topic_id}/{partition}": number
            for mark, numbers in wanted.items()
            for partition, number in numbers.items()
            if self._held.get(mark, {}).get(partition, 0 if mark == _OFFSETS else None) != number
        }

    def committed(self, moved: Mapping[str, int]) -> None:
        """Take note of what was committed."""
        for name, number in moved.items():
            mark, _, partition = name.rpartition("/")
            held = self._held.setdefault(_OFFSETS if mark == self._topic_id else mark, {})
            held[int(partition)] = number

    def _read(self, mark: str, partitions: int) -> dict[int, int]:
        found = {partition: self._table.position(f"{mark}/{partition}") for partition in range(partitions)}
        return {partition: number for partition, number in found.items() if number is not None}
