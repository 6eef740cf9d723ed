"""What the retrainer says of itself: which requests it works on, and what became of them."""

import time
from collections.abc import Sequence

from models.drift.words import date
from models.schema.model_event import ModelEvent
from models.schema.retrain_request import RetrainRequest
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.retrain_store import RetrainStore


class RetrainerSeen:
    """Looks at the retrainer's requests and reports.

    Parameters
    ----------
    store: where they are.
    """

    def __init__(self, store: RetrainStore) -> None:
        self._store = store
        self._told: set[tuple[str, int]] = set()

    def new(self) -> list[str]:
        """Return a sentence for each training that has begun since the last time."""
        return [_sentence(report) for report in self._begun()]

    def details(self, event: ModelEvent) -> list[str]:
        """Return what is told beside a model that passed the gate: the deciding figures, and what it learned from."""
        report = None if event.request_id is None else self._store.report(event.request_id)
        if report is None or report.gate is None or event.kind != "registered":
            return []
        said = [check.sentence for check in report.gate.checks if check.name.startswith("average_precision")]
        if report.data is not None:
            data = report.data
            said.append(f"it learned from {data.rows:,} payments, {data.frauds:,} of them fraud: {data.description}")
        return said

    def answered(self, requests: Sequence[RetrainRequest]) -> list[RetrainReport] | None:
        """Return what became of requests; None while the retrainer still works on one of them."""
        reports = [self._store.report(request.request_id) for request in requests]
        known = [report for report in reports if report is not None and report.outcome != "under way"]
        return known if len(known) == len(reports) else None

    def close(self) -> None:
        """Disconnect."""
        self._store.close()

    def _begun(self) -> list[RetrainReport]:
        """Return the report of the training under way, the first time that it is: pinned ones may stand behind it."""
        job = self._store.read().next(time.time_ns() // 1_000_000)
        place = None if job is None or job.step != "pinned" else (job.id, job.number)
        if place is None or place in self._told or (report := self._store.report(place[0])) is None:
            return []
        self._told.add(place)
        return [report]


def _sentence(report: RetrainReport) -> str:
    return (
        f"the retrainer begins: archived payments with the labels known on {date(report.as_of)}, pinned at version "
        f"{report.table_versions.get('scores', 0)} of the scores' table, to be held against {report.champion}"
    )
