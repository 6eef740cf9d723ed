"""Faults inside a worker, put in before its command runs; each is called in the child process only."""

import asyncio
import os
import signal
from collections.abc import Sequence
from typing import Any

from stream_app.scoring.joint_scoring import JointScoring
from stream_app.scoring.record_batch import Scored
from stream_app.scoring.sink import Sink

FAULT = "a fault put in by a test"


def scoring_raises() -> None:
    """The third poll raises inside the agent."""
    whole = JointScoring.score
    calls = 0

    def score(scoring: JointScoring, *arguments: Any, **named: Any) -> list[Scored]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ArithmeticError(FAULT)
        return whole(scoring, *arguments, **named)

    JointScoring.score = score  # type: ignore[method-assign, assignment]


def dies_between_scores_and_feature_rows() -> None:
    """The third batch's scores are acknowledged, its feature rows never sent."""
    _signals_itself_behind_the_scores(3, signal.SIGKILL)


def stands_still_between_scores_and_feature_rows() -> None:
    """The scores of the twentieth batch are acknowledged, then the process stops until somebody wakes it."""
    _signals_itself_behind_the_scores(20, signal.SIGSTOP)


def _signals_itself_behind_the_scores(batch: int, number: signal.Signals) -> None:
    whole = Sink._send_scores
    calls = 0

    async def send_scores(sink: Sink, *arguments: Any) -> list[asyncio.Future[Any]]:
        nonlocal calls
        calls += 1
        sends = await whole(sink, *arguments)
        if calls == batch:
            await asyncio.gather(*sends)
            os.kill(os.getpid(), number)
        return sends

    Sink._send_scores = send_scores  # type: ignore[method-assign, assignment]


def dies_before_the_feature_rows_of_a_control_group() -> None:
    """The scores of a batch with a few rows let pass are acknowledged, its feature rows never sent."""
    whole = Sink._send_scores

    async def send_scores(sink: Sink, partition: int, topic_id: str, scored: Scored, now_ms: int) -> list[Any]:
        sends = await whole(sink, partition, topic_id, scored, now_ms)
        if scored.control >= 4:
            await asyncio.gather(*sends)
            os.kill(os.getpid(), signal.SIGKILL)
        return sends

    Sink._send_scores = send_scores  # type: ignore[method-assign, assignment]


def dies_before_the_dead_letter_is_acknowledged() -> None:
    """A dead letter has been handed to the producer and the process is gone before an answer can come."""

    async def bury(sink: Sink, partition: int, dead: Sequence[Any], now_ms: int) -> None:
        del partition, now_ms
        await sink._producer.send(sink._topics.dead_letter, dead[0].rejection.masked_value)
        os.kill(os.getpid(), signal.SIGKILL)

    Sink.bury = bury  # type: ignore[method-assign, assignment]
