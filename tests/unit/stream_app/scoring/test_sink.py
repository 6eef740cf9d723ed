"""What stands in the headers of `scores`, however a scored batch is cut into record batches."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from models.control_group import PassMark
from models.schema.feature_batch import FeatureBatchHeader
from models.schema.topics import TopicNames
from stream_app.scoring.acknowledgements import Acknowledgements
from stream_app.scoring.control_marks import ScoreMarks, read_marks
from stream_app.scoring.record_batch import FeatureMessage, Scored
from stream_app.scoring.sink import Sink

Headers = Iterable[tuple[str, bytes]]


class SmallBatch:
    """A record batch of a few records."""

    def __init__(self, size: int) -> None:
        self.headers: list[Headers] = []
        self._size = size

    def append(self, *, headers: Headers, **_record: Any) -> object | None:
        """None when it is full, like aiokafka's."""
        if len(self.headers) == self._size:
            return None
        self.headers.append(headers)
        return self

    def record_count(self) -> int:
        """Records in it."""
        return len(self.headers)


class RecordingProducer:
    """Acknowledges every batch at once."""

    def __init__(self, size: int) -> None:
        self.sent: list[SmallBatch] = []
        self._size = size

    def create_batch(self) -> SmallBatch:
        """An empty one."""
        return SmallBatch(self._size)

    async def send_batch(self, batch: SmallBatch, _topic: str, *, partition: int) -> asyncio.Future[None]:
        """Keep it."""
        self.sent.append(batch)
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        acknowledged.set_result(None)
        return acknowledged


def failed(error: BaseException) -> None:
    """No send fails here."""
    raise error


def sent(scored: Scored, size: int) -> list[list[Headers]]:
    """The headers of each record of each record batch."""
    producer = RecordingProducer(size)
    sink = Sink(producer, producer, TopicNames())
    asyncio.run(sink.send_scores(0, "topic-id", scored, Acknowledgements(0, failed), now_ms=1))
    return [batch.headers for batch in producer.sent]


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_each_record_batch_says_its_topic_and_the_counts_before_it_and_each_row_let_pass_those_after_it(
    size: int,
) -> None:
    marks = {1: PassMark(0.05, None), 2: PassMark(0.05, "7:4"), 5: PassMark(0.05, "7:5")}
    batches = sent(Scored(8, [(b"card", b"score")] * 8, control_used="7:3", marks=marks), size)
    before = {0: "7:3", 1: "7:3", 2: "7:4", 3: "7:4", 4: "7:4", 5: "7:5", 6: "7:5", 7: "7:5"}
    row = 0
    for batch in batches:
        for place, headers in enumerate(batch):
            mark = marks.get(row)
            told = before[row] if place == 0 else mark.used if mark else None
            assert read_marks(headers) == ScoreMarks(told, mark.pass_probability if mark else None)
            assert ("topic_id" in dict(headers)) is (place == 0)
            row += 1
    assert row == 8


def test_a_group_that_has_let_nothing_pass_yet_says_so() -> None:
    assert read_marks(sent(Scored(1, [(b"card", b"score")]), 5)[0][0]) == ScoreMarks("", None)


def test_scores_never_wait_for_feature_messages_each_have_a_producer_of_their_own() -> None:
    scores, features = RecordingProducer(5), RecordingProducer(5)
    header = FeatureBatchHeader(0, 1, 0, "writer", "topic-id", "features-1", recomputed=False)
    scored = Scored(2, [(b"card", b"score")] * 2, features=[FeatureMessage(header, b"rows")])
    sink, done = Sink(scores, features, TopicNames()), Acknowledgements(0, failed)
    counts, positions = [], []

    async def send() -> None:
        for sending in (
            sink.send_scores(0, "topic-id", scored, done, now_ms=1),
            sink.send_features(0, scored, done, now_ms=1),
        ):
            await sending
            await asyncio.sleep(0)
            counts.append([len(scores.sent), len(features.sent)])
            positions.append(done.position)

    asyncio.run(send())
    assert counts == [[1, 0], [1, 1]]
    assert positions == [0, 2], "an offset is done with its feature row, not with its score"
