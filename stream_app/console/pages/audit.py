"""/audit: who did what, when and why, and whether the chain of records holds."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from models.errors import FraudstreamError
from models.schema.audit_record import AuditRecord
from models.signing import AllowedSigners
from stream_app.audit.verification import KafkaAudit, verified
from stream_app.console.audit.chain import AuditChain, AuditReading
from stream_app.console.audit.found import Found
from stream_app.console.audit.query import KINDS, AuditQuery, QueryError
from stream_app.console.console import Console
from stream_app.console.guard.entrance import LIVE
from stream_app.console.guard.threads import bounded
from stream_app.console.moment import exact, moment

_LONGEST_NUMBER: Final = 19
_CHECKS: Final = 2
"""Whole chains that are checked at a time, in Redis and on Kafka."""
_JSON_LINES: Final = "application/x-ndjson"


class AuditPages:
    """The handlers; what asks Redis or Kafka does so in a thread.

    Parameters
    ----------
    console: what every page is given.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._reading = AuditReading(console.registry.log.lines)
        self._in_thread = bounded(_CHECKS)

    async def show(self, request: Request) -> Response:
        """Show what is looked for, the newest first."""
        return await self._page(request, None)

    async def verify(self, request: Request) -> Response:
        """Check everything, and show what was found above the records."""
        return await self._page(request, await self._in_thread(self._verified))

    async def back(self, request: Request) -> Response:
        """Go to the page of the records: a check is asked for by its button."""
        return RedirectResponse(f"/audit{AuditQuery.read(request.query_params).link()}", 303)

    async def export(self, request: Request) -> Response:
        """Send what is looked for as it is kept, a record a line."""
        try:
            matcher = AuditQuery.read(request.query_params).matcher()
            chain = await run_in_threadpool(self._reading.read)
        except QueryError as error:
            return self._console.render(request, "refused.html", {"code": 400, "said": str(error)}, 400)
        except FraudstreamError as error:
            return self._console.render(request, "unavailable.html", {"said": str(error)}, 503)

        def lines() -> Iterator[bytes]:
            return (record.canonical() + b"\n" for record in chain.records if matcher.fits(record))

        name = f"audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
        return StreamingResponse(
            lines(), media_type=_JSON_LINES, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    async def _page(self, request: Request, whole: tuple[bool, str] | None) -> Response:
        query = AuditQuery.read(request.query_params)
        try:
            context = await run_in_threadpool(_context, self._reading, query, request)
        except FraudstreamError as error:
            return self._console.render(request, "unavailable.html", {"said": str(error)}, 503)
        status = 400 if context["refused"] else 200
        return self._console.render(request, "audit.html", {**context, "whole": whole}, status)

    def _verified(self) -> tuple[bool, str]:
        settings = self._console.settings

        def allowed() -> AllowedSigners:
            return AllowedSigners.in_folder(settings.allowed_signers or settings.data_folder / "allowed-signers")

        try:
            where = KafkaAudit(settings.broker, settings.topics)
            return True, verified(self._console.registry, where, None, allowed)
        except FraudstreamError as error:
            return False, str(error)


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    pages = AuditPages(console)
    return [
        Route("/audit", pages.show),
        Route("/audit/verify", pages.verify, methods=["POST"]),
        Route("/audit/verify", pages.back),
        Route("/audit/export", pages.export),
    ]


def _context(reading: AuditReading, query: AuditQuery, request: Request) -> dict[str, Any]:
    refused, fitting, chain = None, list[AuditRecord](), reading.read(whole=LIVE not in request.headers)
    try:
        matcher = query.matcher()
        fitting = [record for record in chain.records if matcher.fits(record)]
    except QueryError as error:
        refused = str(error)
    return {
        "query": query,
        "kinds": KINDS,
        "chain": chain,
        "found": Found.of(fitting, before=_number(request, "before"), after=_number(request, "after")),
        "newest": "before" not in request.query_params and "after" not in request.query_params,
        "behind": _behind(chain),
        "refused": refused,
        "moment": moment,
        "exact": exact,
        "checked_ms": time.time_ns() // 1_000_000,
    }


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _LONGEST_NUMBER else None


def _behind(chain: AuditChain) -> frozenset[int]:
    """Return the numbers of the records that the chain does not vouch for."""
    if chain.broken is None:
        return frozenset()
    return frozenset(record.sequence for record in chain.records[chain.broken.place - 1 :])
