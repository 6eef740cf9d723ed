"""Recall by event day as a picture."""

from pathlib import Path

from stream_app.demo.picture import Mark, draw
from stream_app.demo.recall import DayOfFrauds


def test_the_picture_names_what_happened_and_is_the_same_for_the_same_figures(tmp_path: Path) -> None:
    days = [DayOfFrauds(80 + number, 20, number) for number in range(10)]
    marks = [Mark(81, "a new tactic begins", "#8a3b12"), Mark(88, "promoted m-2", "#0b6e4f")]
    for name in ("once.svg", "again.svg"):
        draw(days, marks, tmp_path / name)
    drawn = (tmp_path / "once.svg").read_text()
    assert "a new tactic begins" in drawn
    assert "promoted m-2" in drawn
    assert drawn == (tmp_path / "again.svg").read_text()
