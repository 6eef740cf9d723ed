"""The last rows in memory: bounded, each place once, the newest first."""

from stream_app.console.records.recent import RecentRows
from tests.unit.stream_app.console.review.made_cases import AT_MS, rows, score


def test_a_cards_payments_come_back_the_newest_first_and_each_once():
    recent = RecentRows()
    first = [score(at, event_time=AT_MS + at) for at in range(3)]
    recent.add(1, rows(first, [100, 200, 300]))
    recent.add(1, rows(first[1:], [200, 300], writer="again"))
    recent.add(1, rows([score(9, card_id="card-8")], [900]))
    assert [one.amount_minor for one in recent.of_card("card-7", 10)] == [300, 200, 100]
    assert [one.amount_minor for one in recent.of_card("card-7", 2)] == [300, 200]
    assert [one.card_id for one in recent.of_terminal("terminal-3", 1)] == ["card-7"]
    assert [one.place.source_offset for one in recent.of_transaction("t9")] == [9]


def test_old_rows_go_and_small_messages_are_joined():
    recent = RecentRows(most=600)
    for at in range(1000):
        recent.add(0, rows([score(at)], [at]))
    assert 400 < len(recent) <= 600
    assert recent.of_transaction("t0") == []
    assert len(recent.of_transaction("t999")) == 1
