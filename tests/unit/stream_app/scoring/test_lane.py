"""A partition's scoring, without Kafka and without a real model."""

import itertools

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.schema.feature_batch import decode_feature_batch
from models.schema.score import Score
from models.schema.topics import DAY_MS
from models.schema.transaction import Transaction
from stream_app.scoring.feature_buffer import FeatureBuffer
from stream_app.scoring.lane import Lane, LaneStart, PublishedScore
from stream_app.scoring.record_batch import RecordBatch, Scored
from tests.support.payments import START_MS, payments
from tests.support.scored_output import undisturbed
from tests.unit.stream_app.scoring.fakes import AmountModel, batch, lane, lineup, score_alone

MODEL = AmountModel()
NOW_MS = START_MS + 5
STORY = payments(60, cards=5)


def run(one: Lane, records: RecordBatch, *, stale: bool = False) -> Scored:
    return score_alone(one, records, lineup(MODEL), stale=stale, now_ms=NOW_MS)


def scores(scored: Scored) -> list[Score]:
    return [msgspec.json.decode(value, type=Score) for _, value in scored.scores]


def values(*scored: Scored) -> np.ndarray:
    rows = [decode_feature_batch(message.value).values for one in scored for message in one.features]
    return np.concatenate([each for each in rows if len(each)])


def test_each_transaction_gets_a_score_a_decision_and_a_feature_row() -> None:
    scored = run(lane(), batch(STORY))
    found = scores(scored)
    assert [one.transaction_id for one in found] == [one.transaction_id for one in STORY]
    assert [one.source_offset for one in found] == list(range(60))
    assert {one.scored_at for one in found} == {NOW_MS}
    assert scored.next_offset == 60
    for one, transaction in zip(found, STORY, strict=True):
        assert one.decision == ("review" if transaction.amount_minor >= 10_000 else "approve")
        assert [code.feature for code in one.reason_codes] == (["amount"] if one.decision == "review" else [])
    np.testing.assert_array_equal(values(scored), undisturbed(STORY)[0])


@settings(max_examples=20)
@given(st.lists(st.integers(1, 59), max_size=6, unique=True))
def test_any_split_into_batches_gives_the_same_scores_and_features(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 60]
    one = lane()
    parts = [run(one, batch(STORY[a:b], range(a, b))) for a, b in itertools.pairwise(edges)]
    assert [each for part in parts for each in scores(part)] == scores(run(lane(), batch(STORY)))
    np.testing.assert_array_equal(values(*parts), undisturbed(STORY)[0])


def test_records_that_were_seen_are_passed_over() -> None:
    one = lane()
    run(one, batch(STORY[:40]))
    again = run(one, batch(STORY[20:], range(20, 60)))
    assert [each.source_offset for each in scores(again)] == list(range(40, 60))
    assert run(one, batch(STORY[:10])).scores == []


def test_offsets_below_the_output_are_replayed_for_state_only() -> None:
    scored = run(lane(LaneStart(0, 35)), batch(STORY))
    assert [each.source_offset for each in scores(scored)] == list(range(35, 60))
    np.testing.assert_array_equal(values(scored), undisturbed(STORY)[0][35:])


def test_missing_feature_rows_are_computed_again_and_proved_by_their_score() -> None:
    published = {
        offset: PublishedScore(STORY[offset].amount_minor / 20_000, "approve", MODEL.version) for offset in (3, 9)
    }
    published[9] = PublishedScore(0.123, "approve", MODEL.version)
    published[11] = PublishedScore(0.5, "approve", "m-gone")
    start = LaneStart(0, 20, published, {MODEL.version: MODEL})  # type: ignore[dict-item]  # a fake
    scored = run(lane(start), batch(STORY[:20]))
    assert scored.scores == []
    (message,) = scored.features
    assert message.header.recomputed
    rows = decode_feature_batch(message.value)
    assert rows.numpy("source_offset").tolist() == [3, 9, 11]
    assert rows.numpy("verified").tolist() == [True, False, False]
    np.testing.assert_array_equal(rows.values, undisturbed(STORY)[0][[3, 9, 11]])


def test_what_cannot_be_decoded_is_given_back_and_the_rest_is_scored() -> None:
    scored = run(lane(), batch([STORY[0], b"{", None, STORY[1]]))
    assert [dead.offset for dead in scored.dead] == [1, 2]
    assert [each.source_offset for each in scores(scored)] == [0, 3]
    assert scored.next_offset == 4


def test_a_batch_of_nothing_but_poison_is_covered_by_a_message_without_rows() -> None:
    scored = run(lane(), batch([b"{", b"["], [4, 5]))
    assert scored.scores == []
    (message,) = scored.features
    assert (message.header.first_offset, message.header.last_offset) == (0, 5)
    assert len(decode_feature_batch(message.value)) == 0


def test_gaps_in_the_offsets_are_covered_by_the_next_message_even_when_they_were_passed() -> None:
    one = lane()
    first = run(one, batch(STORY[:2]))
    assert one.pass_to(7)
    assert not one.pass_to(7)
    assert one.next_offset == 7
    second = run(one, batch(STORY[2:4], [9, 12]))
    ranges = [(message.header.first_offset, message.header.last_offset) for message in first.features + second.features]
    assert ranges == [(0, 1), (2, 12)]


def test_a_transaction_on_another_partition_than_its_cards_is_scored_degraded_and_named() -> None:
    card = STORY[0].card_id
    mine, other = lane(partitions=2, partition=0), lane(partitions=2, partition=1)
    results = [run(each, batch([STORY[0]])) for each in (mine, other)]
    assert sorted(scored.misrouted for scored in results) == [0, 1]
    (astray,) = [scored for scored in results if scored.misrouted]
    assert astray.misrouted_card == card
    assert [each.degraded for each in scores(astray)] == [True]


def test_stale_models_and_cold_windows_degrade_scores_until_the_windows_are_full() -> None:
    assert {each.degraded for each in scores(run(lane(), batch(STORY), stale=True))} == {True}
    later = [
        msgspec.structs.replace(one, event_time=one.event_time + 31 * DAY_MS, transaction_id=f"l{one.transaction_id}")
        for one in STORY
    ]
    one = lane(LaneStart(0, 0, cold_before=None))
    assert {each.degraded for each in scores(run(one, batch(STORY)))} == {True}
    assert {each.degraded for each in scores(run(one, batch(later, range(60, 120))))} == {False}
    assert one.cold_before == STORY[0].event_time + 30 * DAY_MS
    restored = lane(LaneStart(0, 0, cold_before=one.cold_before))
    assert {each.degraded for each in scores(run(restored, batch(STORY)))} == {True}


def test_repeated_late_and_too_late_transactions_are_counted_as_such() -> None:
    def at(number: int, hours: float) -> Transaction:
        return Transaction(f"t{number}", START_MS + int(hours * 3_600_000), "card-1", "terminal-1", 500, "EUR")

    scored = run(lane(), batch([at(0, 48), at(1, 50), at(0, 48), at(2, 49), at(3, 1)]))
    assert (scored.duplicates, scored.late, scored.too_late) == (1, 1, 1)
    assert [each.duplicate for each in scores(scored)] == [False, False, True, False, False]


def test_scores_go_out_at_once_and_feature_rows_that_are_held_back_with_a_later_batch() -> None:
    one = lane(log=FeatureBuffer(rows=5, longest_s=60.0))
    first, second, third = (run(one, batch(STORY[at : at + 2], range(at, at + 2))) for at in (0, 2, 4))
    assert [len(scored.scores) for scored in (first, second, third)] == [2, 2, 2]
    assert [(len(scored.features), scored.held) for scored in (first, second, third)] == [
        (0, True),
        (0, True),
        (1, False),
    ]
    (message,) = third.features
    assert (message.header.first_offset, message.header.last_offset) == (0, 5)
    np.testing.assert_array_equal(decode_feature_batch(message.value).values, undisturbed(STORY)[0][:6])


def test_a_batch_without_records_lets_go_what_is_held_back() -> None:
    one = lane(log=FeatureBuffer(rows=100, longest_s=60.0))
    run(one, batch(STORY[:2]))
    scored = run(one, RecordBatch.empty(0, 0))
    (message,) = scored.features
    assert (message.header.last_offset, scored.next_offset, scored.held, scored.scores) == (1, 2, False, [])
    assert run(one, RecordBatch.empty(0, 0)).features == []


def test_records_that_were_seen_before_do_not_let_go_of_what_is_held_back() -> None:
    one = lane(log=FeatureBuffer(rows=100, longest_s=60.0))
    run(one, batch(STORY[:2]))
    again = run(one, batch(STORY[:1]))
    assert (again.scores, again.features, again.next_offset) == ([], [], 2)
    assert again.held
