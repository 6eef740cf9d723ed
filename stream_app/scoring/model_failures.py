"""Says, now and then, that a model gives no scores and who decides in its place."""

import logging
from typing import Final

from stream_app.scoring.batch_scores import ModelFailure
from stream_app.scoring.lineup import Part
from stream_app.scoring.record_batch import Scored

log = logging.getLogger(__name__)

NOTICE_EVERY_S: Final = 60.0
_MEANWHILE: Final[dict[Part, str]] = {
    "champion": "another model decides and its scores are marked degraded; promote one that works",
    "canary": "the champion decides for its cards",
    "shadow": "its shadow scores are null",
    "reserve": "it cannot stand in for the champion",
}


class ModelFailureNotice:
    """One log line a minute for each model and what it is there for, with how many batches it failed since the last."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, Part], int] = {}
        self._said_at_s: dict[tuple[str, Part], float] = {}

    def see(self, scored: Scored, now_s: float) -> None:
        """Take note of a scored batch."""
        for failure in scored.model_failures:
            self._see(failure, now_s)

    def _see(self, failure: ModelFailure, now_s: float) -> None:
        who = (failure.version, failure.part)
        self._since[who] = self._since.get(who, 0) + 1
        if now_s - self._said_at_s.get(who, -NOTICE_EVERY_S) < NOTICE_EVERY_S:
            return
        self._said_at_s[who] = now_s
        log.error(
            "model %s (%s) failed on %d batches, %s: %s",
            failure.version,
            failure.part,
            self._since.pop(who),
            _MEANWHILE[failure.part],
            failure.reason,
            extra={"model_version": failure.version},
        )
