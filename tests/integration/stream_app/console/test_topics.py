"""What the review and transaction pages read and write, on a real Kafka and Redis."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from models.registry import Registry
from models.schema.money import default_reporting_currency
from models.schema.topics import LABELS
from stream_app.acknowledged_producer import AcknowledgedProducer
from stream_app.console.records.place import Place
from stream_app.console.review.claims import ClaimError, Claims
from stream_app.console.review.desk import Desk
from stream_app.console.review.intake import Intake, Reach
from stream_app.console.review.verdicts import Verdicts
from stream_app.console.review.worth import Worth
from stream_app.console.transaction.topic_search import TopicSearch
from tests.support.archive_world import PARTITIONS, ArchiveWorld, score_of, values_of
from tests.support.payments import payments
from tests.support.topic_recorder import TopicRecorder
from tests.support.worker_process import wait_until

pytestmark = pytest.mark.parametrize("topics", [PARTITIONS], indirect=True)


@pytest.fixture
def world(stack, topics) -> Iterator[ArchiveWorld]:
    made = ArchiveWorld(stack.broker, topics)
    yield made
    made.close()


@contextmanager
def desk_on(world: ArchiveWorld, reach: Reach | None = None) -> Iterator[tuple[Desk, Intake]]:
    desk = Desk(Worth(default_reporting_currency(), 0))
    intake = Intake(world.broker, world.topics, desk, reach or Reach())
    intake.start()
    try:
        wait_until(lambda: intake.caught_up, f"the desk has caught up: {intake.trouble}")
        yield desk, intake
    finally:
        intake.stop()


def flagged(sent):
    return {one.transaction.transaction_id for one in sent if score_of(one).decision != "approve"}


def test_the_desk_has_what_was_flagged_before_it_began_and_what_is_flagged_since(world):
    first, second = world.pay(payments(200)), world.pay(payments(200, part=1))
    world.score(first)
    world.score(first[-20:], writer="zombie")
    with desk_on(world) as (desk, intake):
        assert {case.transaction_id for case in desk.waiting()} == flagged(first)
        world.score(second)
        wait_until(lambda: len(desk.waiting()) == len(flagged([*first, *second])), "the second half")
        assert {case.transaction_id for case in desk.waiting()} == flagged([*first, *second])
        amounts = {one.transaction.transaction_id: one.transaction.amount_minor for one in [*first, *second]}
        assert all(case.payment.amount_minor == amounts[case.transaction_id] for case in desk.waiting())
        assert intake.refused == 0


def test_a_busy_banks_desk_begins_later_and_knows_since_when(world):
    sent = world.pay(payments(400))
    world.score(sent)
    with desk_on(world, Reach(most_scores=0)) as (desk, intake):
        assert desk.waiting() == []
        assert intake.since_ms is not None


def test_a_place_is_found_with_all_that_was_recorded_there(world):
    sent = world.pay(payments(600))
    for first in range(0, 600, 40):
        world.score(sent[first : first + 40])
        world.score(sent[max(0, first - 3) : first + 40], writer="zombie")
    search = TopicSearch(world.broker, world.topics)
    for one in (sent[0], sent[299], sent[-1]):
        decision = search.decision(Place(one.partition, 0, one.offset))
        assert decision is not None
        assert decision.score == score_of(one)
        assert decision.transaction == one.transaction
        assert decision.feature is not None
        assert decision.feature.writer == "w1"
        assert decision.feature.values.tolist() == values_of(one).tolist()
    assert search.decision(Place(0, 0, 10_000)) is None
    assert search.decision(Place(9, 0, 1)) is None
    assert search.find_offset(sent[7].partition, sent[7].offset) == Place(sent[7].partition, 0, sent[7].offset)


def test_an_identifier_is_looked_for_as_far_back_as_allowed_and_no_further(world):
    sent = world.pay(payments(300))
    world.score(sent)
    one = sent[0]
    found = TopicSearch(world.broker, world.topics).find(one.transaction.transaction_id)
    assert found.place == Place(one.partition, 0, one.offset)
    short = TopicSearch(world.broker, world.topics, look_back=20).find(one.transaction.transaction_id)
    assert (short.place, short.looked_at, short.complete) == (None, 20 * PARTITIONS, False)
    none = TopicSearch(world.broker, world.topics).find("nobody")
    assert (none.place, none.looked_at, none.complete) == (None, 300, True)


def test_a_case_is_held_by_one_and_free_again_when_its_claim_runs_out(redis_client, redis_prefix, topics):
    claims = Claims(redis_client, redis_prefix, hold_s=0.3)
    assert claims.take("t1", "ada") == "ada"
    assert claims.take("t1", "bob") == "ada"
    with pytest.raises(ClaimError, match="ada holds t1"):
        claims.require("t1", "bob")
    assert claims.take("t2", "bob") == "bob"
    assert claims.holders(["t1", "t2", "t3"]) == {"t1": "ada", "t2": "bob"}
    claims.free("t2", "ada")
    assert claims.holders(["t2"]) == {"t2": "bob"}
    claims.free("t2", "bob")
    assert claims.take("t2", "ada") == "ada"
    wait_until(lambda: claims.take("t1", "bob") == "bob", "the claim has run out")


def test_two_consoles_agree_on_what_is_decided_and_the_audit_says_by_whom(world, stack, redis_client, redis_prefix):
    sent = world.pay(payments(100))
    world.score(sent)
    log = Registry(stack.redis_url, redis_prefix).log
    with desk_on(world) as (mine, _), desk_on(world) as (theirs, _):
        case = mine.waiting()[0]
        numbers = iter("abcdef")

        def producer():
            return AcknowledgedProducer(world.broker, 10.0)

        claims = Claims(redis_client, redis_prefix)
        verdicts = Verdicts(
            mine, claims, log, producer, world.topics.of(LABELS), lambda: 1_764_000_000_000, lambda: next(numbers)
        )
        verdicts.decide(case, "ada", is_fraud=True)
        assert case not in mine.waiting(), "whoever decided sees it at once"
        wait_until(lambda: theirs.holds(case.transaction_id) is not None, "the other console has read it")
        assert [one.transaction_id for one in theirs.waiting()] == [one.transaction_id for one in mine.waiting()]
        verdicts.take_back(case, "ada")
        wait_until(lambda: case.transaction_id in {one.transaction_id for one in theirs.waiting()}, "open again")
    recorder = TopicRecorder(world.broker, world.topics.labels)
    recorder.read_to_end()
    recorder.close()
    stated = [record for records in recorder.records.values() for record in records]
    assert {record.key() for record in stated} == {case.score.card_id.encode()}
    assert [(one.actor, one.subject, one.details["action"]) for one in log.records()] == [
        ("ada", case.transaction_id, "fraud"),
        ("ada", case.transaction_id, "undo"),
    ]
