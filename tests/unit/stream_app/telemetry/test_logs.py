"""Log lines for people and for machines, and the ids that they carry."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from stream_app.telemetry.about import about
from stream_app.telemetry.log_lines import JsonLines, TextLines


def record(text: str = "promoted %s", *args: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"name": "stream_app.x", "levelname": "INFO", "msg": text, "args": args or ("m-1",)})
    made.created = 1_525_132_800.25
    vars(made).update(extra)
    return made


def line(made: logging.LogRecord) -> dict:
    read: dict = json.loads(JsonLines("retrain", lambda: 7).format(made))
    return read


def test_a_json_line_says_when_who_and_what() -> None:
    assert line(record()) == {
        "time": "2018-05-01T00:00:00.250Z",
        "level": "info",
        "logger": "stream_app.x",
        "process": "retrain",
        "pid": 7,
        "message": "promoted m-1",
    }


def test_ids_are_fields_of_their_own_and_none_is_left_out() -> None:
    with about(correlation_id="i-1", request_id="q-1", causation_id=None):
        said = line(record(partition=3, request_id="q-2", model_version=None))
    assert (said["correlation_id"], said["request_id"], said["partition"]) == ("i-1", "q-2", 3)
    assert not {"causation_id", "model_version"} & set(said)


def test_ids_belong_to_the_thread_whose_work_it_is() -> None:
    with ThreadPoolExecutor(1) as thread, about(correlation_id="i-1"):
        assert "correlation_id" not in thread.submit(lambda: line(record())).result()
    assert "correlation_id" not in line(record())


def test_no_id_can_replace_what_a_line_says_of_itself() -> None:
    with about(level="fatal", message="another"):
        assert (line(record())["level"], line(record())["message"]) == ("info", "promoted m-1")


def test_a_trace_is_in_its_line_and_a_line_has_no_end_within() -> None:
    try:
        raise ValueError("two\nlines")  # noqa: TRY301  caught to be logged
    except ValueError:
        made = record("ended\nbadly %s", "x")
        made.exc_info = sys.exc_info()
    text = JsonLines("score").format(made)
    assert "\n" not in text
    assert "ValueError: two\nlines" in json.loads(text)["exception"]


@pytest.mark.parametrize(("text", "found"), [("swapped to %s", " [correlation_id=i-1]"), ("of i-1: %s", "")])
def test_a_text_line_names_the_correlation_where_its_message_does_not(text: str, found: str) -> None:
    with about(correlation_id="i-1"):
        assert TextLines().format(record(text)).endswith(f"m-1{found}")


_LIFE = """
import sys, threading, warnings
from stream_app.telemetry.logs import say_error, set_up_logging
set_up_logging("score", "INFO", sys.argv[1])
warnings.warn("old")
worker = threading.Thread(target=lambda: 1 / 0)
worker.start()
worker.join()
say_error("no broker")
raise KeyError("last")
"""


@pytest.fixture(scope="module")
def life() -> Callable[[str], list[str]]:
    def said(log_format: str) -> list[str]:
        ended = subprocess.run(
            [sys.executable, "-c", _LIFE, log_format], capture_output=True, text=True, timeout=60, check=False
        )
        assert ended.returncode == 1
        return ended.stderr.splitlines()

    return said


def test_whatever_a_process_says_is_one_json_object_a_line(life: Callable[[str], list[str]]) -> None:
    said = [json.loads(text) for text in life("json")]
    assert [one["level"] for one in said] == ["warning", "critical", "critical", "critical"]
    assert said[2]["message"] == "error: no broker"
    assert "ZeroDivisionError" in said[1]["exception"]
    assert "KeyError: 'last'" in said[3]["exception"]


def test_as_text_an_error_is_a_line_that_begins_so(life: Callable[[str], list[str]]) -> None:
    assert "error: no broker" in life("text")


def test_what_a_message_holds_cannot_look_like_another_line() -> None:
    text = TextLines().format(record("%s cannot be shown", "/x\nINFO forged\x1b[2J\u2028"))
    assert text.endswith(r"/x\nINFO forged\x1b[2J\u2028 cannot be shown")
    assert len(text.splitlines()) == 1
