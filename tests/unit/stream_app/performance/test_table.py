"""The weeks as a table."""

from io import StringIO

from rich.console import Console

from models.schema.performance import Performance
from stream_app.performance.table import performance_table
from stream_app.performance.weeks import in_order, weeks
from tests.support.performance_records import record


def printed(records: list[Performance]) -> str:
    console = Console(width=122, file=StringIO())
    console.print(performance_table(records))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO given above
    return text


def test_a_line_shows_a_week_with_its_figures_and_their_limits() -> None:
    text = printed([record(0, recall=0.6)])
    assert "2018-06-18" in text
    assert "m-1" in text
    assert "90%" in text
    assert ".750     .600     .520" in text
    assert ".70-.80  .55-.65  .47-.57" in text


def test_a_figure_that_is_not_defined_is_a_dash() -> None:
    line = next(line for line in printed([record(0, recall=None)]).splitlines() if "m-1" in line)
    assert line.split()[6:9] == ["-", "-", "-"]


def test_the_newest_revision_of_each_week_is_shown_and_marked() -> None:
    records = [
        record(1),
        record(0, state="restated", revision=2, recall=0.5),
        record(0),
        record(2, state="provisional"),
    ]
    newest = [week.newest for week in weeks(records)]
    assert [(each.week, each.revision) for each in newest] == [(0, 2), (1, 1), (2, 1)]
    lines = [line for line in printed(newest).splitlines() if "m-1" in line]
    assert ["2018-06-18 *" in lines[0], "2018-06-25  " in lines[1], "2018-07-02 ~" in lines[2]] == [True] * 3


def test_all_revisions_of_a_week_stand_one_after_another() -> None:
    records = [record(1), record(0, state="restated", revision=2), record(0)]
    assert [(each.week, each.revision) for each in in_order(records)] == [(0, 1), (0, 2), (1, 1)]


def test_a_week_keeps_what_was_published_first_when_it_was_mature() -> None:
    (week,) = weeks([record(0, state="provisional"), record(0, revision=2), record(0, revision=3, state="restated")])
    assert week.published is not None
    assert (week.published.revision, week.newest.revision) == (2, 3)
    (young,) = weeks([record(0, state="provisional")])
    assert young.published is None
