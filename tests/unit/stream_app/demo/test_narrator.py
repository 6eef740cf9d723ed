"""What a person sees while a demo runs."""

import io

from rich.console import Console

from stream_app.demo.narrator import LINE_EVERY_S, Narrator


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_each_step_is_a_line_with_the_time_gone() -> None:
    out, clock = io.StringIO(), Clock()
    narrator = Narrator(Console(file=out, width=80), clock)
    clock.now_s += 12.34
    narrator.say("trained [a model]")
    assert out.getvalue() == "  12.3 s  trained [a model]\n"


def test_without_a_terminal_the_moving_line_is_printed_now_and_then() -> None:
    out, clock = io.StringIO(), Clock()
    narrator = Narrator(Console(file=out, width=80), clock)
    with narrator.flow():
        for _ in range(int(4 * LINE_EVERY_S)):
            clock.now_s += 0.5
            narrator.show("flowing")
    assert out.getvalue().count("flowing") == 2


def test_on_a_terminal_a_step_stays_above_the_moving_line() -> None:
    out = io.StringIO()
    narrator = Narrator(Console(file=out, width=80, force_terminal=True))
    with narrator.flow():
        narrator.show("flowing")
        narrator.say("a step")
    assert "a step" in out.getvalue()
