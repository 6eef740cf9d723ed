"""What becomes of the reader of the review queue when something happens that nobody thought of."""

from collections.abc import Iterable

import pytest

from models.schema.money import default_reporting_currency
from models.schema.topics import TopicNames
from stream_app.console.review import intake as reading
from stream_app.console.review.desk import Desk
from stream_app.console.review.intake import Intake, Reach
from stream_app.console.review.worth import Worth
from tests.support.worker_process import wait_until


def test_a_queue_that_cannot_go_on_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[BaseException] = []

    def unforeseen(_broker: str, _names: Iterable[str]) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(reading, "describe_topics", unforeseen)
    monkeypatch.setattr(reading, "end_process", ended.append)
    intake = Intake("nowhere:1", TopicNames(), Desk(Worth(default_reporting_currency(), 500)), Reach())
    intake.start()
    wait_until(lambda: bool(ended), "the end of the process")
    intake.stop()
    assert isinstance(ended[0], ZeroDivisionError)
