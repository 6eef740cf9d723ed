"""/audit: who did what, when and why, and whether the chain of records holds."""

import time
from collections.abc import Iterator
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
from stream_app.console.moment import exact, moment

_JSON_LINES: Final = "application/x-ndjson"


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    reading = AuditReading(console.registry.log.lines)
    settings = console.settings

    def allowed() -> AllowedSigners:
        return AllowedSigners.in_folder(settings.allowed_signers or settings.data_folder / "allowed-signers")

    def verify() -> tuple[bool, str]:
        try:
            return True, verified(console.registry, KafkaAudit(settings.broker, settings.topics), None, allowed)
        except FraudstreamError as error:
            return False, str(error)

    async def page(request: Request, whole: tuple[bool, str] | None = None) -> Response:
        query = AuditQuery.read(request.query_params)
        context = await run_in_threadpool(_context, reading, query, request)
        return console.render(request, "audit.html", {**context, "whole": whole}, 400 if context["refused"] else 200)

    async def show(request: Request) -> Response:
        return await page(request)

    async def check(request: Request) -> Response:
        return await page(request, await run_in_threadpool(verify))

    async def back(request: Request) -> Response:
        return RedirectResponse(f"/audit{AuditQuery.read(request.query_params).link()}", 303)

    async def export(request: Request) -> Response:
        query = AuditQuery.read(request.query_params)
        try:
            matcher = query.matcher()
        except QueryError as error:
            return console.render(request, "refused.html", {"code": 400, "said": str(error)}, 400)
        chain = await run_in_threadpool(reading.read)

        def lines() -> Iterator[bytes]:
            return (record.canonical() + b"\n" for record in chain.records if matcher.fits(record))

        name = f"audit-{moment(int(time.time() * 1000)).replace(' ', '-').replace(':', '')}.jsonl"
        return StreamingResponse(
            lines(), media_type=_JSON_LINES, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    return [
        Route("/audit", show),
        Route("/audit/verify", check, methods=["POST"]),
        Route("/audit/verify", back),
        Route("/audit/export", export),
    ]


def _context(reading: AuditReading, query: AuditQuery, request: Request) -> dict[str, Any]:
    refused, chain, fitting = None, AuditChain(), list[AuditRecord]()
    try:
        chain = reading.read()
        matcher = query.matcher()
        fitting = [record for record in chain.records if matcher.fits(record)]
    except FraudstreamError as error:
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
    return int(text) if text.isascii() and text.isdecimal() else None


def _behind(chain: AuditChain) -> frozenset[int]:
    """Return the numbers of the records that the chain does not vouch for."""
    if chain.broken is None:
        return frozenset()
    return frozenset(record.sequence for record in chain.records[chain.broken.place - 1 :])
