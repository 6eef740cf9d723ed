"""/models: which models there are and were, how they came to be, and what a person may do about them."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.errors import FraudstreamError
from models.schema.audit_record import AuditRecord
from models.schema.cloud_event import CloudEvent
from models.schema.drift_event import DriftEvent
from models.schema.retrain_request import RetrainRequest
from models.signing import AllowedSigners
from stream_app.console.audit.chain import AuditReading
from stream_app.console.console import Console
from stream_app.console.feed.entry import Entry
from stream_app.console.guard.requires import requires
from stream_app.console.guard.threads import InThread, bounded
from stream_app.console.models.acts import LONGEST_REASON, Acts
from stream_app.console.models.card import ModelCard
from stream_app.console.models.comparison import Comparison
from stream_app.console.models.outcome import outcome
from stream_app.console.models.reading import ModelsReading, UnknownVersionError
from stream_app.console.models.verification import Verification, Verifier
from stream_app.console.moment import exact, lasted, moment
from stream_app.console.people.role import Role
from stream_app.drift.stream import Told
from stream_app.retrain.release.release_state import ReleaseStore
from stream_app.retrain.retrain_store import RetrainStore

Act = Callable[[Acts, str, Mapping[str, str]], int]

_UNFROZEN: Final = "unfrozen"
_KINDS: Final = (("drift", DriftEvent), ("request", RetrainRequest))
_EVERY: Final = 2_000
_LONGEST_NUMBER: Final = 19


def _seen(form: Mapping[str, str]) -> int:
    text = form.get("seen", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER else 0


def _unfreeze(acts: Acts, person: str, form: Mapping[str, str]) -> int:
    acts.unfreeze(person, form["reason"])
    return 0


_ACTS: Final[Mapping[str, Act]] = {
    "promote": lambda acts, person, form: acts.promote(form["version"], person, form["reason"], _seen(form)),
    "approve": lambda acts, person, form: acts.approve(form["version"], person, form["reason"]),
    "reject": lambda acts, person, form: acts.reject(form["version"], person, form["reason"]),
    "roll-back": lambda acts, person, form: acts.roll_back(person, form["reason"], _seen(form)),
    "unfreeze": _unfreeze,
    "require-two": lambda acts, person, form: acts.require_two(person, form["reason"]),
    "propose-one": lambda acts, person, form: acts.propose_one(person, form["reason"]),
}


class ModelsPages:
    """The handlers; every one that asks Redis does so in a thread.

    Parameters
    ----------
    console: what every page is given.
    """

    def __init__(self, console: Console) -> None:
        settings, registry = console.settings, console.registry
        releases = ReleaseStore(settings.redis_url, settings.redis_prefix)
        self._console = console
        self._reading = ModelsReading(
            registry,
            releases,
            RetrainStore(settings.redis_url, settings.redis_prefix),
            AuditReading(registry.log.lines),
            lambda: drift_events(console),
            lambda: time.time_ns() // 1_000_000,
        )
        self._verifier = Verifier(registry.get, self._allowed)
        # One model is verified at a time, and those that wait for it hold no thread.
        self._in_verifying_thread = bounded(1)
        self._acts = Acts(registry, releases, self._allowed)

    def _allowed(self) -> AllowedSigners:
        settings = self._console.settings
        return AllowedSigners.in_folder(settings.allowed_signers or settings.data_folder / "allowed-signers")

    async def show(self, request: Request) -> Response:
        """Show all versions and what goes on."""
        return await self._overview(request)

    async def version(self, request: Request) -> Response:
        """Show one version, named by itself or by an alias."""
        return await self._card(request, request.path_params["version"])

    async def compare(self, request: Request) -> Response:
        """Show two versions side by side."""
        first, second = (request.query_params.get(name, "") for name in ("first", "second"))

        def read() -> Mapping[str, Any]:
            versions = [row.version for row in self._reading.overview().versions]
            found = [self._reading.manifest(self._reading.named(name)) for name in (first, second)]
            return {"versions": versions, "comparison": Comparison.of(*found)}

        return await self._answer(request, "compare.html", read, _no_typing())

    async def verification(self, request: Request) -> Response:
        """Verify one version and show what its features weigh: the part of its page that takes a moment."""
        version = request.path_params["version"]
        return await self._answer(
            request,
            "verification.html",
            lambda: {"found": self._verified(version)},
            _no_typing(),
            in_thread=self._in_verifying_thread,
        )

    def _verified(self, version: str) -> Verification:
        self._reading.manifest(version)  # tells a version that is not there from a bundle that is no good
        return self._verifier.verify(version)

    async def act(self, request: Request) -> Response:
        """Carry out what an approver wants, or say on the same page why not."""
        act, form = _ACTS.get(request.path_params["act"]), _fields(await request.form())
        if act is None:
            return RedirectResponse("/models", 303)
        try:
            done = await run_in_threadpool(act, self._acts, request.state.person.name, form)
        except FraudstreamError as error:
            typed = {**form, "act": request.path_params["act"], "refused": str(error)}
            if form["page"]:
                return await self._card(request, form["page"], typed)
            return await self._overview(request, typed)
        return RedirectResponse(f"/models?done={done or _UNFROZEN}", 303)

    async def _overview(self, request: Request, typed: Mapping[str, str] | None = None) -> Response:
        done = request.query_params.get("done", "")
        person = request.state.person.name

        def read() -> Mapping[str, Any]:
            overview = self._reading.overview()
            record = next((one for one in overview.audit.records if str(one.sequence) == done), None)
            said = _said(record, person) if done != _UNFROZEN else "Candidates are promoted automatically again."
            return {"overview": overview, "said": said}

        return await self._answer(request, "models.html", read, typed or _no_typing())

    async def _card(self, request: Request, name: str, typed: Mapping[str, str] | None = None) -> Response:
        def read() -> Mapping[str, Any]:
            version = self._reading.named(name)
            manifest, overview = self._reading.manifest(version), self._reading.overview()
            return {
                "card": ModelCard.of(manifest, overview.aliases),
                "history": self._reading.history(version),
                "overview": overview,
                "others": [row.version for row in overview.versions if row.version != version],
            }

        return await self._answer(request, "model.html", read, typed or _no_typing())

    async def _answer(
        self,
        request: Request,
        template: str,
        read: Callable[[], Mapping[str, Any]],
        typed: Mapping[str, str],
        in_thread: InThread | None = None,
    ) -> Response:
        try:
            context = await (run_in_threadpool(read) if in_thread is None else in_thread(read))
        except UnknownVersionError as error:
            return self._console.render(request, "refused.html", {"code": 404, "said": str(error)}, 404)
        except FraudstreamError as error:
            return self._console.render(request, "unavailable.html", {"said": str(error)}, 503)
        frame = {
            "typed": typed,
            "may": request.state.person.may(Role.APPROVER),
            "moment": moment,
            "exact": exact,
            "lasted": lasted,
            "longest_reason": LONGEST_REASON,
        }
        return self._console.render(request, template, {**frame, **context}, 409 if typed["refused"] else 200)


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    pages = ModelsPages(console)

    async def back(_request: Request) -> Response:
        return RedirectResponse("/models", 303)

    return [
        Route("/models", pages.show),
        Route("/models/compare", pages.compare),
        Route("/models/acts/{act}", requires(Role.APPROVER)(pages.act), methods=["POST"]),
        Route("/models/acts/{act}", back),
        Route("/models/{version}", pages.version),
        Route("/models/{version}/verification", pages.verification),
    ]


def drift_events(console: Console) -> list[Told]:
    """Return the drift events and retrain requests that the feed keeps, by event time."""
    found = [_told(entry, kind) for name, kind in _KINDS for entry in console.feed.journal(name).latest(_EVERY)]
    return sorted(found, key=lambda told: told.record.as_of)


def _told(entry: Entry, kind: type[DriftEvent] | type[RetrainRequest]) -> Told:
    data = {name: value for name, value in entry.data.items() if name != "event"}
    return Told(msgspec.convert(entry.data["event"], CloudEvent), msgspec.convert(data, kind))


def _said(record: AuditRecord | None, person: str) -> str | None:
    return None if record is None else outcome(record, person)


def _fields(form: FormData) -> dict[str, str]:
    names: Iterable[str] = ("version", "reason", "seen", "page")
    return {name: str(form.get(name, "")).strip() for name in names}


def _no_typing() -> dict[str, str]:
    return dict.fromkeys(("version", "reason", "seen", "page", "act", "refused"), "")
