"""Which event day the watch has looked at last."""

from pathlib import Path

from models.schema.topics import TopicNames
from stream_app.checkpoints import CheckpointStore
from stream_app.watch.history.service import AGENTS

NEVER = -1


class ClosedDays:
    """Reads it from the names of the closings that the watch writes when all that a day brought is published.

    Parameters
    ----------
    folder
        Data folder of the watch.
    topics
        Names of the topics; the closings lie under that of the archive's commits.
    """

    def __init__(self, folder: Path, topics: TopicNames) -> None:
        self._store = CheckpointStore(str(folder / "checkpoints"))
        self._kinds = [f"history/{topics.archive_commits}/{agent}" for agent in AGENTS]

    def last(self) -> int:
        """Return the last event day, since 1970, that every agent is done with; NEVER before the first."""
        closed = [self._store.names(kind) for kind in self._kinds]
        return min(int(names[-1]) if names else NEVER for names in closed)
