"""What a person sees of a picture, in 80 columns and without colour."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from stream_app.top.picture import Finding, PartitionView, Picture, Sample
from stream_app.top.screen import screen
from stream_app.worker_status import WorkerStatus

WORKER = WorkerStatus(
    "host-71-ab12cd", 71, None, True, "m-0123456789ab", 3, 1_525_132_800_000, [0, 1], 0,
    models=["m-0123456789ab", "m-fedcba987654"],
)  # fmt: skip
PICTURE = Picture(
    at_ms=1_525_132_800_000,
    partitions=[PartitionView(0, 120_000, 119_990), PartitionView(1, 90_000, 90_000)],
    received_per_s=2_013.4,
    scored_per_s=2_010.0,
    sample=Sample(100, review=3, decline=1, degraded=2, latency_ms=[*range(1, 100), 400]),
    workers=[WORKER],
    findings=[
        Finding(1_525_132_800_000, "model", "m-fedcba987654 shadow started: passed the gate; scores beside the other"),
        Finding(1_525_132_700_000, "alarm", "the model finds less than half of the fraud that it found before"),
    ],
)


def drawn(picture: Picture, history: tuple[float, ...] = (), width: int = 80) -> str:
    told = io.StringIO()
    Console(file=told, width=width).print(screen(picture, history, "localhost:9092"))
    return told.getvalue()


def test_everything_is_there_in_eighty_columns_without_colour() -> None:
    text = drawn(PICTURE, (0.0, 1_000.0, 2_000.0))
    for words in (
        "2,010 scored, 2,013 received  ▁▅█",
        "10 wait",
        "4.0% flagged: 3 review, 1 decline, 2 degraded of the last 100",
        "p50 51 ms, p99 400 ms",
        "119,990",
        "host-71-ab12cd",
        "m-0123456789ab",
        "m-fedcba987654",
        "2018-05-01 00:00",
        "ready",
        "alarm",
        "shadow started",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, drawn(PICTURE, width=width).splitlines())) <= width


def test_an_empty_system_says_what_is_missing() -> None:
    text = drawn(Picture(at_ms=0))
    for words in ("? scored", "no score yet", "not known", "no worker lives: fraudstream score", "nothing was found"):
        assert words in text


def test_a_partition_without_a_worker_and_a_lag_that_takes_long_are_said_in_words() -> None:
    late = replace(PICTURE, partitions=[PartitionView(0, 90_000, 0), PartitionView(7, 5, 5)])
    assert "90,000 wait - behind" in drawn(late)
    assert "nobody" in drawn(late)


def test_what_is_silent_is_said_above_what_was_seen_last() -> None:
    text = drawn(replace(PICTURE, silent="Redis does not answer"))
    assert "! Redis does not answer" in text
    assert "host-71-ab12cd" in text


def test_what_a_topic_holds_is_shown_letter_by_letter() -> None:
    hostile = "[/no] [bold]approved[/bold] \x1b[2J"
    text = drawn(replace(PICTURE, findings=[Finding(1, "model", hostile)], workers=[]), width=120)
    assert "[/no] [bold]approved[/bold] ?[2J" in text
    assert "\x1b" not in text
