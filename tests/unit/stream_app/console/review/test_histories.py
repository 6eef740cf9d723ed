"""What a card and a terminal did before: archive and memory as one history."""

from stream_app.console.people.card_mask import mask_card
from stream_app.console.people.role import Role
from stream_app.console.records.archived import ArchivedRecords
from stream_app.console.records.recent import RecentRows
from stream_app.console.review.histories import Histories
from stream_app.console.review.sheets import case_sheet, history_lines, queue_lines
from tests.unit.stream_app.console.records.made_archive import SENT, MadeArchive
from tests.unit.stream_app.console.review.made_cases import desk, rows, said, score


def test_memory_goes_on_where_the_archive_ends_and_nothing_later_is_shown(tmp_path):
    made = MadeArchive(tmp_path)
    made.fill()
    card, last = SENT[-1].card_id, SENT[-1].event_time
    recent = RecentRows()
    for offset, at in ((900, 60_000), (901, 120_000)):
        recent.add(1, rows([score(offset, card_id=card, event_time=last + at)], [100]))
    histories = Histories(recent, ArchivedRecords(made.url), lambda _: said(900, is_fraud=True))
    found = histories.before("card_id", card, last + 60_000)
    mine = [one.transaction_id for one in reversed(SENT) if one.card_id == card]
    assert [line.payment.transaction_id for line in found.lines] == ["t900", *mine]
    assert found.lines[0].stated is not None
    assert found.source == "30 event days of the archive, the last 2 transactions in memory"


def test_without_an_archive_memory_alone_is_looked_in_and_said(tmp_path):
    recent = RecentRows()
    recent.add(1, rows([score(1)], [100]))
    found = Histories(recent, ArchivedRecords(str(tmp_path)), lambda _: None).before("terminal_id", "terminal-3", 2**42)
    assert len(found.lines) == 1
    assert "not the archive: there is no table" in found.source


def test_a_viewer_gets_no_card_identifier_in_any_sheet(tmp_path):
    filled = desk((score(1, card_id="card-000123456"), 1_000))
    (case,) = filled.waiting()
    histories = Histories(filled.recent, None, filled.holds)

    def mask(card_id):
        return mask_card(card_id, Role.VIEWER)

    history = histories.before("card_id", "card-000123456", 2**42)
    shown = [
        *queue_lines(filled, [case], {"t1": "bob"}, "ada", mask),
        case_sheet(filled, case, mask),
        *history_lines(history, mask),
    ]
    assert len(shown) == 3
    assert "000123456" not in str(shown)
    assert "••••3456" in str(shown)
