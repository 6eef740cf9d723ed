"""Partitions that one poll brought are scored together as each would be by itself."""

import itertools
import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from models.control_group import ControlGroup, ControlPolicy
from models.schema.feature_batch import decode_feature_batch
from models.schema.murmur2 import murmur2_partition
from models.schema.transaction import Transaction
from stream_app.scoring.feature_buffer import FeatureBuffer
from stream_app.scoring.lane import Lane, LaneStart, PublishedScore
from stream_app.scoring.record_batch import RecordBatch, Scored
from tests.support.payments import payments
from tests.unit.stream_app.scoring.fakes import (
    DecliningModel,
    DivisorModel,
    FailingModel,
    batch,
    lane,
    lineup,
    score_alone,
    score_together,
    scoring,
)

PARTITIONS = 3
STORY = payments(240, cards=40)
CHAMPION, CANARY = DecliningModel("m-champion"), DivisorModel("m-canary", 250)
MODELS = lineup(CHAMPION, CANARY, canary="m-canary", canary_share=0.4, salt="release-1")
POLICY = ControlPolicy(0.5, seed=bytes(range(32)))
POISON = b"{"


def partition_of(transaction: Transaction) -> int:
    return murmur2_partition(transaction.card_id.encode(), PARTITIONS)


def lanes() -> list[Lane]:
    """One that replays and has a row to compute again, one with cold windows, one that holds rows back."""
    missing = {2: PublishedScore(0.25, "approve", "m-champion")}
    replayed = LaneStart(0, 5, missing, {"m-champion": CHAMPION})  # type: ignore[dict-item]  # a fake
    starts = [replayed, LaneStart(0, 0, cold_before=STORY[60].event_time), LaneStart(0, 0)]
    logs = [FeatureBuffer(), FeatureBuffer(), FeatureBuffer(rows=30, longest_s=60.0)]
    return [
        lane(start, PARTITIONS, at, f"w{at}", ControlGroup(POLICY, 50), log)
        for at, (start, log) in enumerate(zip(starts, logs, strict=True))
    ]


def polls(cuts: Sequence[int]) -> list[list[RecordBatch]]:
    """The story as polls bring it: an astray record on each partition and one in ten that cannot be read."""
    chance = random.Random(7)
    own: list[list[Transaction | bytes]] = [[] for _ in range(PARTITIONS)]
    for transaction in STORY:
        own[partition_of(transaction)].append(POISON if chance.random() < 0.1 else transaction)
    for at, records in enumerate(own):
        records.insert(8, next(one for one in STORY if partition_of(one) != at))
    edges = [0, *sorted(cuts), len(STORY)]
    polled = []
    for first, last in itertools.pairwise(edges):
        ranges = [range(min(first, len(records)), min(last, len(records))) for records in own]
        polled.append([batch([own[at][row] for row in rows], list(rows)) for at, rows in enumerate(ranges)])
    return polled


def said(scored: Scored) -> tuple[object, ...]:
    rows = [
        (message.header.first_offset, message.header.last_offset, decoded.table.to_pylist(), decoded.values.tobytes())
        for message in scored.features
        for decoded in [decode_feature_batch(message.value)]
    ]
    counts = (
        scored.next_offset, scored.held, scored.flagged, scored.duplicates, scored.late, scored.misrouted,
        scored.misrouted_card, scored.degraded, scored.control, scored.control_used, scored.drawable, scored.event_time,
    )  # fmt: skip
    return scored.scores, rows, scored.dead, counts, dict(scored.marks)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(1, 90), max_size=4, unique=True))
def test_partitions_together_give_what_each_gives_alone(cuts: list[int]) -> None:
    together, alone = lanes(), lanes()
    seen = 0
    for polled in polls(cuts):
        joint = score_together(list(zip(together, polled, strict=True)), MODELS)
        singly = [score_alone(one, records, MODELS) for one, records in zip(alone, polled, strict=True)]
        assert [said(scored) for scored in joint] == [said(scored) for scored in singly]
        seen += sum(len(scored.scores) for scored in joint)
    assert seen > 180


def test_a_model_that_fails_is_reported_once_whatever_the_number_of_partitions() -> None:
    models = lineup(CHAMPION, FailingModel("m-shadow", ValueError("no")))
    (polled, *_) = polls([50])
    joint = score_together(list(zip(lanes(), polled, strict=True)), models)
    assert [failure.version for scored in joint for failure in scored.model_failures] == ["m-shadow"]


def test_what_a_model_took_is_shared_out_by_rows() -> None:
    times = iter(range(0, 1000, 10))
    models = lineup(CHAMPION, DivisorModel("m-shadow", 400))
    (polled, *_) = polls([50])
    turns = list(zip(lanes(), polled, strict=True))
    joint = score_together(turns, models, scoring(lambda: float(next(times))))
    assert sum(scored.model_seconds["m-shadow"] for scored in joint) == 10
    rows = [len(scored.scores) for scored in joint]
    assert [round(scored.model_seconds["m-shadow"] * sum(rows) / 10) for scored in joint] == rows
