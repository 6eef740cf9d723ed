"""The retrainer's work: takes requests and brings one at a time from step to step, each written before the next."""

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec
from confluent_kafka import Message
from opentelemetry.trace import Span, SpanKind

from models.alias import Alias
from models.audit.chain import Entry
from models.bundle import Bundle
from models.drift.words import date
from models.errors import FraudstreamError
from models.manifest import Manifest
from models.metrics.pairing import Pairing
from models.registry import CHAMPION, RegistryError
from models.release.release import ReleaseError
from models.schema import wire
from models.schema.archive_commit import ArchiveCommit
from models.schema.audit_record import Detail
from models.schema.cloud_event import event_id
from models.schema.model_event import ModelEvent
from models.schema.retrain_request import RetrainRequest
from models.schema.topics import DAY_MS, RETRAIN_REQUESTS
from stream_app.retrain.gauges import STEPS, RetrainGauges
from stream_app.retrain.job import Job, Pinned, RetrainState
from stream_app.retrain.making import ArchiveMaking
from stream_app.retrain.report import Outcome, RetrainReport
from stream_app.retrain.request_entry import request_entry
from stream_app.retrain.retrain_store import RetrainStore
from stream_app.retrain.settings import RetrainSettings
from stream_app.retrain.state_store import StateError
from stream_app.retrain.training_order import BundleParts, TrainingOrder, TrainingOutcome
from stream_app.retrain.verdict_events import ACTOR, verdict_event
from stream_app.telemetry.about import about
from stream_app.telemetry.traces import messaging, span, trace_of, traceparent

log = logging.getLogger(__name__)

_replace = msgspec.structs.replace


class RequestError(FraudstreamError):
    """Raised when a request cannot be begun now."""


class Requests(Protocol):
    """The topic of the requests."""

    @property
    def next_offset(self) -> int:
        """Offset behind the last message that was read."""
        ...

    def read(self, timeout_s: float) -> Sequence[Message]:
        """Return what has come within a time."""
        ...

    def commit(self, offset: int) -> None:
        """Say that everything below an offset is done."""
        ...


class Commits(Protocol):
    """What the archive announces."""

    def newest(self) -> ArchiveCommit | None:
        """Return the last announcement."""
        ...


class Trains(Protocol):
    """Whoever trains, one order at a time, without being waited for."""

    @property
    def order(self) -> TrainingOrder | None:
        """What is being trained."""
        ...

    def start(self, order: TrainingOrder) -> None:
        """Begin."""
        ...

    def outcome(self) -> TrainingOutcome | None:
        """Return what came of it; None while it runs."""
        ...


class Publishes(Protocol):
    """Whoever sends events to the world."""

    def publish(self, event: ModelEvent) -> None:
        """Send an event unless it was sent, and wait until it is acknowledged."""


class Buries(Protocol):
    """Whoever takes dead letters."""

    def bury(self, offset: int, key: bytes | None, value: bytes | None, reason: str) -> None:
        """Send a dead letter and wait until it is acknowledged."""


class Records(Protocol):
    """The audit; `models.audit.log.AuditLog` is one."""

    def append(self, entry: Entry) -> object:
        """Write one record; an entry whose `event_id` is there already changes nothing."""
        ...


class Offers(Protocol):
    """Whoever brings models into use."""

    def offer(self, version: str, request: RetrainRequest | None = None, pairing: Pairing | None = None) -> object:
        """Hand over a model; the same one again changes nothing."""


class Models(Protocol):
    """The registry, as far as the retrainer uses it; `models.registry.Registry` is one."""

    def alias(self, name: str) -> Alias | None:
        """Return where an alias points, or None."""
        ...

    def get(self, version: str) -> Bundle:
        """Return a stored bundle, not yet verified."""
        ...

    def manifests(self) -> Sequence[Manifest]:
        """Manifests of all versions."""
        ...

    def put(self, bundle: Bundle) -> str:
        """Store a bundle and return its version."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the worker works with.

    Attributes
    ----------
    store: state and reports.
    requests, commits: what it reads.
    trainer: makes the models.
    registry: where models are.
    releases: brings them into use.
    announcer, graveyard: what it sends.
    audit: what it answers for.
    """

    store: RetrainStore
    requests: Requests
    commits: Commits
    trainer: Trains
    registry: Models
    releases: Offers
    announcer: Publishes
    graveyard: Buries
    audit: Records


class RetrainWorker:
    """Owns the requests of the process that holds the lease.

    What a step does can be done again: the state is written behind it, and killed in between, the next worker finds
    pinned data, an outcome or a registered version and goes on from there.

    Parameters
    ----------
    settings: what the process was started with.
    around: what it works with.
    gauges: its metrics.
    check_lease: raises when this process may no longer write.
    now_ms: wall clock, for what is begun again later.
    """

    def __init__(
        self,
        settings: RetrainSettings,
        around: Surroundings,
        gauges: RetrainGauges,
        check_lease: Callable[[], None],
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._settings = settings
        self._around = around
        self._gauges = gauges
        self._check_lease = check_lease
        self._now_ms = now_ms
        self.step: str = "idle"
        self.request: str | None = None

    def turn(self) -> None:
        """Take in what has come, and bring the request at hand one step further; none of it takes long."""
        store = self._around.store
        try:
            state = self._take_in(store.read())
            state = self._wake(state)
            job = state.next(self._now_ms())
            self._show(state, job)
            if job is not None:
                with about(**job.ids):
                    state = self._advance(state, job)
            self._around.requests.commit(state.position(self._around.requests.next_offset))
        except (RegistryError, StateError):
            if store.answers():
                raise
            # Redis is silent: nothing can be written, and the lease says for how long nobody else can write either.
            self._check_lease()
            time.sleep(self._settings.poll_s)

    def _take_in(self, state: RetrainState) -> RetrainState:
        for message in self._around.requests.read(self._settings.poll_s):
            offset, value = message.offset() or 0, message.value()
            try:
                request = wire.decode(RetrainRequest, value or b"")
            except wire.RecordError as error:
                self._bury(offset, message.key(), value, str(error))
                self._refuse(offset, value, str(error))
                continue
            if state.job(request.request_id) is None and self._around.store.report(request.request_id) is None:
                job = Job(request=request, offset=offset, key=message.key(), value=value or b"")
                with about(**job.ids, partition=0, offset=offset), _taking(message, job):
                    state = self._take(state, _replace(job, trace=traceparent()))
        return state

    def _take(self, state: RetrainState, job: Job) -> RetrainState:
        self._gauges.requests.labels(job.request.cause).inc()
        log.info("took request %s (%s): %s", job.id, job.request.cause, job.request.reason)
        self._around.audit.append(request_entry(job.request))
        reports = {job.id: RetrainReport(request=job.request, outcome="under way", number=1, as_of=job.request.as_of)}
        older = state.superseded(job)
        reports |= self._replaced(older, f"request {job.id} of the {_subject(job)} is newer")
        left = state.without(*(one.id for one in older)).with_job(job)
        return self._write(left, reports, {one.id: None for one in older})

    def _replaced(self, jobs: Sequence[Job], reason: str) -> dict[str, RetrainReport]:
        for job in jobs:
            log.info("request %s is replaced: %s", job.id, reason, extra=job.ids)
            self._record(job, "replaced", reason)
        return {job.id: _replace(self._report(job), outcome="replaced", reasons=[reason]) for job in jobs}

    def _wake(self, state: RetrainState) -> RetrainState:
        """Begin the next try of one that waits, once another event day has matured and no other try is under way."""
        commit = self._around.commits.newest()
        if commit is None or any(job.under_way for job in state.jobs):
            return state
        day = commit.watermark // DAY_MS
        for job in state.waiting():
            if job.pinned is None or day > job.pinned.as_of // DAY_MS:
                with about(**job.ids):
                    return self._pin_again(state, job, commit)
        return state

    def _advance(self, state: RetrainState, job: Job) -> RetrainState:
        if job.not_before_ms:
            job = _replace(job, not_before_ms=0)
            state = self._write(state.with_job(job))
        try:
            match job.step:
                case "taken":
                    with span("pin data", parent=job.trace):
                        return self._begin(state, job)
                case "pinned":
                    return self._train(state, job)
                case "trained":
                    with span("act on the verdict", parent=job.trace):
                        return self._judge(state, job)
                case "registered":
                    with span("offer for release", parent=job.trace):
                        return self._offer(state, job)
                case _:
                    return state
        except RequestError as error:
            return self._fail(state, job, str(error))

    def _begin(self, state: RetrainState, job: Job) -> RetrainState:
        """Write down what the first try is made from."""
        request = job.request
        tables, as_of = request.table_versions, request.as_of
        if not tables:
            commit = self._newest()
            tables, as_of = commit.tables, as_of or commit.watermark
        return self._pin(state, job, as_of, dict(tables))

    def _newest(self) -> ArchiveCommit:
        commit = self._around.commits.newest()
        if commit is None:
            raise RequestError("nothing is archived yet to train on; start `fraudstream archive`")
        return commit

    def _pin_again(self, state: RetrainState, job: Job, commit: ArchiveCommit) -> RetrainState:
        """Begin another try on what is archived now, never on less than the one before."""
        day = commit.watermark // DAY_MS * DAY_MS
        as_of = day if job.pinned is None else max(day, job.pinned.as_of)
        return self._pin(state, _replace(job, number=job.number + 1, failures=0), as_of, dict(commit.tables))

    def _pin(self, state: RetrainState, job: Job, as_of: int, tables: dict[str, int]) -> RetrainState:
        champion = self._around.registry.alias(CHAMPION)
        if champion is None:
            return self._fail(
                state, job, "there is no champion to hold a model against; promote one with fraudstream models promote"
            )
        fitted_until = {one.version: one.data.to_event_time for one in self._around.registry.manifests()}
        pinned = Pinned(as_of, champion.version, tables, fitted_until)
        report = RetrainReport(
            request=job.request,
            outcome="under way",
            number=job.number,
            as_of=as_of,
            champion=champion.version,
            table_versions=tables,
        )
        job = _replace(job, step="pinned", pinned=pinned)
        log.info(
            "request %s, try %d: trains on %s against %s", job.id, job.number, tables, champion.version,
            extra={"model_version": champion.version},
        )  # fmt: skip
        others = state.answered_with(job, as_of)
        reports = self._replaced(others, f"request {job.id} of the {_subject(job)} is tried on labels as late")
        left = state.without(*(one.id for one in others)).with_job(job)
        return self._write(left, {**reports, job.id: report}, dict.fromkeys((job.id, *reports)))

    def _train(self, state: RetrainState, job: Job) -> RetrainState:
        """Start the training, or look whether it has ended."""
        trainer, making = self._around.trainer, self._making(job)
        if trainer.order is None or trainer.order.making != making:
            with span("start training", parent=job.trace):
                trainer.start(self._order(making, job))
            return state
        outcome = trainer.outcome()
        if outcome is None:
            return state
        self._gauges.training_seconds.observe(outcome.training_s)
        if outcome.error is not None or outcome.gate is None:
            raise RequestError(outcome.error or "the training brought no verdict")
        self._gauges.verdicts.labels(outcome.gate.verdict).inc()
        bundle = None if outcome.bundle is None else outcome.bundle.whole()
        report = _replace(
            self._report(job),
            verdict=outcome.gate.verdict,
            reasons=outcome.gate.reasons,
            choice=outcome.choice,
            gate=outcome.gate,
            data=None if bundle is None else bundle.manifest.data,
            training_s=outcome.training_s,
        )
        log.info("request %s, try %d: %s after %.1f s", job.id, job.number, outcome.gate.verdict, outcome.training_s)
        return self._write(state.with_job(_replace(job, step="trained")), {job.id: report}, {job.id: outcome})

    def _judge(self, state: RetrainState, job: Job) -> RetrainState:
        """Act on the verdict."""
        report = self._report(job)
        if report.verdict == "pass":
            outcome = self._around.store.outcome(job.id)
            if outcome is None or outcome.bundle is None:
                return self._write(state.with_job(_replace(job, step="pinned")))
            version = self._around.registry.put(outcome.bundle.whole())
            log.info("request %s: registered %s", job.id, version, extra={"model_version": version})
            report = _replace(report, version=version)
            return self._write(state.with_job(_replace(job, step="registered")), {job.id: report})
        self._around.announcer.publish(verdict_event(report))
        if report.verdict == "fail":
            return self._done(state, job, report, "rejected")
        if job.number >= self._settings.most_tries:
            return self._done(state, job, report, "undecided")
        return self._write(
            state.with_job(_replace(job, step="waiting")), {job.id: _replace(report, outcome="waiting")}, {job.id: None}
        )

    def _offer(self, state: RetrainState, job: Job) -> RetrainState:
        report = self._report(job)
        assert report.version is not None, "what is registered has a version"
        self._around.announcer.publish(verdict_event(report))
        champion = self._new_champion(job, report)
        if champion is not None:
            return self._overtaken(state, job, report, champion)
        try:
            pairing = None if report.gate is None else report.gate.expected_pairing
            self._around.releases.offer(report.version, job.request, pairing)
        except ReleaseError as error:
            return self._done(state, job, _replace(report, reasons=[str(error)]), "not offered")
        return self._done(state, job, report, "offered")

    def _new_champion(self, job: Job, report: RetrainReport) -> str | None:
        """Return the champion that has come since the candidate was held against another; None while its proof holds.

        The candidate itself may be champion already, where a step is repeated.
        """
        assert job.pinned is not None, "what is registered is pinned"
        champion = self._around.registry.alias(CHAMPION)
        if champion is None or champion.version in {job.pinned.champion, report.version}:
            return None
        return champion.version

    def _overtaken(self, state: RetrainState, job: Job, report: RetrainReport, champion: str) -> RetrainState:
        """Hold a new candidate against the champion of now, unless that one has learned from rows as late."""
        assert report.data is not None, "what is registered was fitted"
        until = {one.version: one.data.to_event_time for one in self._around.registry.manifests()}[champion]
        if until < report.data.to_event_time:
            log.info("request %s, try %d: %s is champion now, and learned from less", job.id, job.number, champion)
            return self._pin_again(state, job, self._newest())
        reason = (
            f"{champion} has become champion in place of {report.champion}, which it was held against, and learned "
            f"from rows as late: up to {date(until)}"
        )
        return self._done(state, job, _replace(report, reasons=[reason]), "not offered")

    def _done(self, state: RetrainState, job: Job, report: RetrainReport, outcome: Outcome) -> RetrainState:
        self._record(job, outcome, "; ".join(report.reasons) or outcome, version=report.version)
        written = self._write(state.without(job.id), {job.id: _replace(report, outcome=outcome)}, {job.id: None})
        log.info(
            "request %s is done: %s", job.id, "; ".join([outcome, *report.reasons]),
            extra={"model_version": report.version},
        )  # fmt: skip
        return written

    def _fail(self, state: RetrainState, job: Job, reason: str) -> RetrainState:
        """Begin again later, or give up."""
        self._gauges.failures.inc()
        failures, settings = job.failures + 1, self._settings
        log.warning("request %s, try %d failed (%d): %s", job.id, job.number, failures, reason)
        if failures > settings.most_failures:
            self._bury(job.offset, job.key, job.value, reason)
            return self._done(state, job, _replace(self._report(job), reasons=[reason]), "failed")
        wait_ms = round(settings.retry_s * 1000) * 2 ** (failures - 1)
        again = _replace(job, failures=failures, not_before_ms=self._now_ms() + wait_ms)
        return self._write(state.with_job(again), {job.id: _replace(self._report(job), reasons=[reason])})

    def _record(self, job: Job, outcome: Outcome, reason: str, version: str | None = None) -> None:
        """Say in the audit what became of a request; once, for it ends once."""
        details: dict[str, Detail] = {
            "outcome": outcome,
            "version": version,
            "tries": job.number,
            "incident": job.request.incident,
        }
        identity = event_id("retrain-outcome", job.id)
        self._around.audit.append(Entry("retrain-outcome", ACTOR, reason, job.id, details, identity))

    def _making(self, job: Job) -> ArchiveMaking:
        assert job.pinned is not None, "what is trained is pinned"
        settings = self._settings
        return ArchiveMaking(
            request=job.request,
            as_of=job.pinned.as_of,
            table_versions=job.pinned.table_versions,
            fitted_until=job.pinned.fitted_until,
            maturity_days=settings.maturity_days,
            train_from=settings.train_from,
            plan=settings.plan,
            limits=settings.limits,
        )

    def _order(self, making: ArchiveMaking, job: Job) -> TrainingOrder:
        assert job.pinned is not None, "what is trained is pinned"
        settings = self._settings
        try:
            champion = self._around.registry.get(job.pinned.champion)
        except RegistryError as error:
            if self._around.store.answers():
                raise RequestError(str(error)) from error
            raise
        return TrainingOrder(
            making=making,
            champion=BundleParts.of(champion),
            archive_url=settings.archive_url,
            signing_key=str(settings.signing_key),
            allowed_signers=str(settings.allowed_signers),
            code_commit=settings.code_commit,
        )

    def _report(self, job: Job) -> RetrainReport:
        report = self._around.store.report(job.id)
        as_of = job.request.as_of
        return report or RetrainReport(request=job.request, outcome="under way", number=job.number, as_of=as_of)

    def _bury(self, offset: int, key: bytes | None, value: bytes | None, reason: str) -> None:
        log.warning("a request goes to the dead letters: %s", reason)
        self._gauges.dead_letters.inc()
        self._around.graveyard.bury(offset, key, value, reason)

    def _refuse(self, offset: int, value: bytes | None, reason: str) -> None:
        """Say in the audit that something on the topic of requests is none."""
        identity = event_id("unreadable retrain request", offset, value)
        details = {"outcome": "unreadable"}
        self._around.audit.append(Entry("retrain-outcome", ACTOR, reason, f"offset {offset}", details, identity))

    def _write(
        self,
        state: RetrainState,
        reports: dict[str, RetrainReport] | None = None,
        outcomes: dict[str, TrainingOutcome | None] | None = None,
    ) -> RetrainState:
        self._check_lease()
        return self._around.store.write(state, reports, outcomes)

    def _show(self, state: RetrainState, job: Job | None) -> None:
        self.step, self.request = ("idle", None) if job is None else (job.step, job.id)
        self._gauges.step.state(self.step if self.step in STEPS else "idle")
        for step in _OPEN_STEPS:
            self._gauges.open_requests.labels(step).set(sum(one.step == step for one in state.jobs))


def _taking(message: Message, job: Job) -> AbstractContextManager[Span]:
    headers = message.headers() or []
    return span(
        f"process {RETRAIN_REQUESTS}",
        SpanKind.CONSUMER,
        parent=trace_of(headers.items() if isinstance(headers, dict) else headers),
        attributes=messaging(
            "process", RETRAIN_REQUESTS, offset=job.offset, event_id=job.id, correlation_id=job.request.correlation_id
        ),
    )


def _subject(job: Job) -> str:
    return "same incident" if job.request.incident else "schedule"


_OPEN_STEPS: Final = ("taken", "pinned", "trained", "registered", "waiting")
