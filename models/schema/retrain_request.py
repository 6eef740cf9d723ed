"""A request for a new model, on the topic `retrain-requests`."""

from typing import Literal

import msgspec

from models.schema.field_types import Count, Version1, version_1

RetrainCause = Literal["drift", "drift follow-up", "schedule", "person"]


class RetrainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Why a new model is wanted, and from what data.

    Attributes
    ----------
    request_id: equal for the same request, however often it is published.
    cause: an incident's first request, one as it goes on, the schedule, or a person.
    incident: the incident, None for the other causes.
    number: counts an incident's requests from 1.
    model_version: the champion that is to be replaced.
    as_of: event time at which it was asked, ms.
    changed_at: event time from which on the champion slipped, ms; None without an incident.
    frauds_since_change: matured frauds since then that a new model can learn from.
    reason: one sentence.
    actor: who asked.
    table_versions: the archive's tables as they stood.
    """

    request_id: str
    cause: RetrainCause
    incident: str | None
    number: Count
    model_version: str
    as_of: int
    changed_at: int | None
    frauds_since_change: Count
    reason: str
    actor: str
    table_versions: dict[str, int]
    schema_version: Version1 = msgspec.field(default_factory=version_1)

    @property
    def correlation_id(self) -> str:
        """Shared by all that the request's cause has set off: the incident, else the request itself."""
        return self.incident or self.request_id
