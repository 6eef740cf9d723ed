"""Requests on their way, reports and finished trainings in Redis."""

from collections.abc import Mapping

import msgspec

from models.errors import one_line
from stream_app.retrain.job import RetrainState
from stream_app.retrain.report import RetrainReport
from stream_app.retrain.state_store import StateError, StateStore
from stream_app.retrain.training_order import TrainingOutcome


class RetrainStore(StateStore):
    """Everything of the retrainer under one key prefix."""

    def read(self) -> RetrainState:
        """Return the state, an empty one before the first write."""
        return self._record("retrain", RetrainState) or RetrainState()

    def report(self, request_id: str) -> RetrainReport | None:
        """Return what became of a request; None where nobody has taken it."""
        return self._record(f"report:{request_id}", RetrainReport)

    def outcome(self, request_id: str) -> TrainingOutcome | None:
        """Return what the training of a request's try has brought, until the request is done or tried again."""
        content = self._get(f"retrain-outcome:{request_id}")
        if content is None:
            return None
        try:
            return msgspec.msgpack.decode(content, type=TrainingOutcome)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise StateError(
                f"the outcome of {request_id} in Redis cannot be read ({one_line(error)}); remove it"
            ) from None

    def write(
        self,
        state: RetrainState,
        reports: Mapping[str, RetrainReport] | None = None,
        outcomes: Mapping[str, TrainingOutcome | None] | None = None,
    ) -> RetrainState:
        """Write a state that was made from the latest, with what belongs to it; return it with its new revision.

        Parameters
        ----------
        reports: by request.
        outcomes: by request; None removes.

        Raises
        ------
        StateConflictError: the state was made from an older one: another worker has taken over.
        """
        written = msgspec.structs.replace(state, revision=state.revision + 1)
        values: dict[str, bytes] = {"retrain": msgspec.json.encode(written)}
        values |= {f"report:{name}": msgspec.json.encode(report) for name, report in (reports or {}).items()}
        for name, outcome in (outcomes or {}).items():
            values[f"retrain-outcome:{name}"] = b"" if outcome is None else msgspec.msgpack.encode(outcome)
        self._write(state.revision, values)
        return written
