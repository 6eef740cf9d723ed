"""The weeks as a picture: what its SVG says, and that its PNG is one."""

import re
from pathlib import Path

import pytest

from models.schema.performance import EstimatedFigures, Performance
from models.schema.topics import DAY_MS
from stream_app.performance.picture import Mark, PictureError, draw
from stream_app.performance.weeks import weeks
from tests.support.performance_records import record

ESTIMATED = EstimatedFigures(
    rows=60_000, alerts=300, frauds=500.0, frauds_flagged=300.0, precision=0.7, recall=0.6, average_precision=0.5
)


def texts(records: list[Performance], folder: Path) -> list[str]:
    """All texts of the picture."""
    draw(weeks(records), folder / "weeks.svg")
    return re.findall(r"<text[^>]*>([^<]*)</text>", (folder / "weeks.svg").read_text(encoding="utf-8"))


def test_the_picture_names_its_figures_and_the_version(tmp_path: Path) -> None:
    found = texts([record(0), record(1)], tmp_path)
    assert {"precision", "recall", "average precision", "m-1", "95 % interval"} <= set(found)
    assert not {"as first published", "estimated from scores", "first week of a version"} & set(found)


def test_what_is_young_restated_or_swapped_is_explained(tmp_path: Path) -> None:
    found = texts(
        [
            record(0),
            record(0, state="restated", revision=2, recall=0.5),
            record(1, version="m-2"),
            record(2, version="m-2", state="provisional", recall=None, estimated=ESTIMATED),
        ],
        tmp_path,
    )
    explained = {
        "as first published",
        "estimated from scores",
        "first week of a version",
        "not mature: mature days only",
    }
    assert explained | {"m-1", "m-2"} <= set(found)


def test_moments_are_pointed_out_with_their_text(tmp_path: Path) -> None:
    moment = Mark(record(1).from_day * DAY_MS, "drift alarm")
    draw(weeks([record(0), record(1)]), tmp_path / "weeks.svg", [moment])
    assert ">drift alarm<" in (tmp_path / "weeks.svg").read_text(encoding="utf-8")


def test_the_same_records_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        draw(weeks([record(0), record(1)]), tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_png_is_written_by_its_suffix(tmp_path: Path) -> None:
    draw(weeks([record(0)]), tmp_path / "weeks.png")
    assert (tmp_path / "weeks.png").read_bytes().startswith(b"\x89PNG")


def test_another_suffix_or_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"\.svg or \.png"):
        draw(weeks([record(0)]), tmp_path / "weeks.gif")
    with pytest.raises(PictureError, match="no week to draw"):
        draw([], tmp_path / "weeks.svg")
