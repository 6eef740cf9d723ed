"""Which event day the watch has looked at last."""

from pathlib import Path

from models.schema.topics import TopicNames
from stream_app.checkpoints import CheckpointStore
from stream_app.demo.closed_days import NEVER, ClosedDays
from stream_app.watch.history.closings import Closing, Closings


def test_a_day_is_closed_when_both_agents_are_done_with_it(tmp_path: Path) -> None:
    names, store = TopicNames("demo-1."), CheckpointStore(str(tmp_path / "checkpoints"))
    closed = ClosedDays(tmp_path, names)
    assert closed.last() == NEVER
    for day, agent in ((20_170, "feedback"), (20_171, "feedback"), (20_170, "drift")):
        Closings(store, f"history/{names.archive_commits}/{agent}").write(Closing(day, {}, 0, "id", "archive"))
    assert closed.last() == 20_170
