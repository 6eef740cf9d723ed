"""A retrain request on its way, and all that are: what a worker has to know to carry on after a crash."""

from typing import Final, Literal

import msgspec

from models.schema.retrain_request import RetrainRequest

Step = Literal["taken", "pinned", "trained", "registered", "waiting"]
"""What was last done: `taken` from the topic; data and champion `pinned`; `trained` and judged by the gate; its model
`registered`; `waiting` for another mature day, because the gate was undecided. What is done is no longer here."""

_UNDER_WAY: Final = ("pinned", "trained", "registered")


class Pinned(msgspec.Struct, frozen=True):
    """What a try is made from, written down before it begins, so that a repetition makes the same.

    Attributes
    ----------
    as_of: event time up to which anything is known, ms.
    champion: version that the candidate is held against.
    table_versions: the archive's tables.
    fitted_until: by version the event time of its last training row, ms.
    """

    as_of: int
    champion: str
    table_versions: dict[str, int]
    fitted_until: dict[str, int] = {}


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    Attributes
    ----------
    request: as it was published.
    offset, key, value: where it lay and what it was, for the position in Kafka and for a dead letter.
    step: what was last done.
    number: of the try, from 1; another mature day is another try.
    pinned: of this try.
    failures: of this try.
    not_before_ms: wall clock before which a failed try is not begun again.
    trace: W3C traceparent of what took the request in; None where nobody traced.
    """

    request: RetrainRequest
    offset: int
    key: bytes | None
    value: bytes
    step: Step = "taken"
    number: int = 1
    pinned: Pinned | None = None
    failures: int = 0
    not_before_ms: int = 0
    trace: str | None = None

    @property
    def id(self) -> str:
        """The request's id."""
        return self.request.request_id

    @property
    def ids(self) -> dict[str, str]:
        """What log lines and spans about it carry."""
        return {"correlation_id": self.request.correlation_id, "request_id": self.id}

    @property
    def subject(self) -> str | None:
        """What a newer request makes this one superfluous for: its incident, or the schedule."""
        request = self.request
        return request.incident or ("schedule" if request.cause == "schedule" else None)

    @property
    def under_way(self) -> bool:
        """Whether this try has begun and has not failed."""
        return self.step in _UNDER_WAY and not self.not_before_ms


class RetrainState(msgspec.Struct, frozen=True, kw_only=True):
    """All requests that are not done, in the order in which they were asked.

    Attributes
    ----------
    jobs: by offset.
    revision: counts the writes; a writer that has not seen the latest is refused.
    """

    jobs: tuple[Job, ...] = ()
    revision: int = 0

    def job(self, request_id: str) -> Job | None:
        """Return the job of a request, None where there is none."""
        return next((job for job in self.jobs if job.id == request_id), None)

    def next(self, now_ms: int) -> Job | None:
        """Return the job to go on with: the one under way, else the oldest that may begin."""
        due = [job for job in self.jobs if job.step != "waiting" and job.not_before_ms <= now_ms]
        return next((job for job in due if job.under_way), due[0] if due else None)

    def superseded(self, by: Job) -> tuple[Job, ...]:
        """Return the jobs that a new one makes superfluous: of the same incident or the schedule, and not under way.

        Also one that waits because the gate was undecided: its next try would learn from no more than the new one does.
        """
        if by.subject is None:
            return ()
        return tuple(job for job in self.jobs if job.subject == by.subject and job.id != by.id and not job.under_way)

    def answered_with(self, job: Job, as_of: int) -> tuple[Job, ...]:
        """Return those of them that a try as of a moment makes superfluous: they asked for no later labels."""
        return tuple(one for one in self.superseded(job) if one.request.as_of <= as_of)

    def waiting(self) -> tuple[Job, ...]:
        """Return the jobs that wait for another mature day."""
        return tuple(job for job in self.jobs if job.step == "waiting")

    def with_job(self, job: Job) -> "RetrainState":
        """Return the state with a job added or changed."""
        others = [one for one in self.jobs if one.id != job.id]
        return msgspec.structs.replace(self, jobs=tuple(sorted([*others, job], key=lambda one: one.offset)))

    def without(self, *request_ids: str) -> "RetrainState":
        """Return the state without the jobs of some requests."""
        return msgspec.structs.replace(self, jobs=tuple(job for job in self.jobs if job.id not in request_ids))

    def position(self, next_offset: int) -> int:
        """Return the offset that everything below is done."""
        return min([next_offset, *(job.offset for job in self.jobs)])
