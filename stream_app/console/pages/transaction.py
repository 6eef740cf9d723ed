"""/transaction: one decision with everything that was recorded, explained and computed again on request."""

from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.errors import FraudstreamError
from models.schema.audit_record import AuditRecord
from stream_app.console.console import Console
from stream_app.console.guard.threads import MOST_SEARCHES, bounded
from stream_app.console.people.card_mask import mask_card
from stream_app.console.people.person import Person
from stream_app.console.records.amounts import amount_text
from stream_app.console.records.place import Place
from stream_app.console.records.reasons import feature_words, in_words, value_text
from stream_app.console.review.bureau import Bureau
from stream_app.console.transaction.decision import Decision
from stream_app.console.transaction.explanation import Explanation
from stream_app.console.transaction.reproduction import Reproduction
from stream_app.console.transaction.search import Found, day_of
from stream_app.console.transaction.words import remarks

_AUDIT_LOOKED_AT: Final = 5_000
"""Last records of the audit that are looked through for what concerns a transaction."""


class TransactionPage:
    """Handlers of the page.

    Parameters
    ----------
    console: what every page is given.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bureau: Bureau = console.bureau
        self._in_thread = bounded(MOST_SEARCHES)

    def routes(self) -> list[BaseRoute]:
        """Return the page's routes."""
        return [
            Route("/transaction", self.show),
            Route("/transaction-parts/explanation", self.explanation),
            Route("/transaction-parts/reproduction", self.reproduction),
            Route("/transaction/{transaction_id:path}", self.named),
        ]

    async def show(self, request: Request) -> Response:
        """The form, and what it was asked for."""
        asked = {
            name: request.query_params.get(name, "").strip() for name in ("id", "day", "partition", "offset", "at")
        }
        if not any(asked[name] for name in ("id", "offset", "at")):
            return self._console.render(request, "transaction.html", {"asked": asked, "decision": None})
        context: dict[str, Any] = {"asked": asked}
        try:
            found = await self._in_thread(self._found, asked)
            context |= await self._in_thread(self._context, found, request.state.person)
            if found.decision is not None:
                context["asked"] = {**asked, "id": found.decision.score.transaction_id}
            for part, make in (("explain", self._explained), ("reproduce", self._reproduced)):
                if request.query_params.get(part) and found.decision is not None:
                    context |= await self._in_thread(make, found.decision)
        except FraudstreamError as error:
            # A date that is none must not go back into its field.
            context |= {"asked": {**asked, "day": ""}, "decision": None, "problem_found": str(error)}
        return self._console.render(request, "transaction.html", context)

    async def named(self, request: Request) -> Response:
        """An address that says the identifier."""
        return RedirectResponse(f"/transaction?{urlencode({'id': request.path_params['transaction_id']})}", 303)

    async def explanation(self, request: Request) -> Response:
        """The contributions alone."""
        return await self._part(request, "transaction_explanation.html", self._explained)

    async def reproduction(self, request: Request) -> Response:
        """The score computed again, alone."""
        return await self._part(request, "transaction_reproduction.html", self._reproduced)

    async def _part(self, request: Request, template: str, make: Any) -> Response:
        try:
            place = Place.of(request.query_params.get("at", ""))
            found = await self._in_thread(self._bureau.search.by_place, place)
            if found.decision is None:
                raise HTTPException(404, f"nothing is recorded at {place}")
            context = await self._in_thread(make, found.decision)
        except FraudstreamError as error:
            context = {"part_problem": str(error)}
        return self._console.render(request, template, context)

    def _found(self, asked: dict[str, str]) -> Found:
        search = self._bureau.search
        if asked["at"]:
            return search.by_place(Place.of(asked["at"]))
        if asked["id"]:
            return search.by_id(asked["id"], day_of(asked["day"]) if asked["day"] else None)
        place = Place.of(f"{asked['partition'] or '0'}-0-{asked['offset']}")
        return search.by_offset(place.partition, place.source_offset)

    def _context(self, found: Found, person: Person) -> dict[str, Any]:
        decision = found.decision
        context: dict[str, Any] = {"decision": decision, "searched": found.searched, "others": found.others}
        if decision is None:
            return context
        mask = partial(mask_card, role=person.role)
        feature = decision.feature
        return {
            **context,
            "card": mask(decision.score.card_id),
            "amount": None if decision.amount is None else amount_text(*decision.amount),
            "payment": _payment_facts(decision, mask),
            "reasons": in_words(decision.score.reason_codes),
            "remarks": list(remarks(decision)),
            "values": [] if feature is None else _values(decision),
            "beside": [] if feature is None else feature.beside,
            "statements": self._bureau.search.statements(decision),
            "audit": self._audit(decision.score.transaction_id),
            "is_case": self._bureau.desk.case(decision.place) is not None,
        }

    def _audit(self, transaction_id: str) -> list[AuditRecord]:
        log = self._console.registry.log
        try:
            head = log.head()
            first = max(1, (0 if head is None else head.sequence) - _AUDIT_LOOKED_AT + 1)
            records = log.records(first) if head is not None else []
        except FraudstreamError:
            return []
        return [record for record in records if record.subject == transaction_id]

    def _explained(self, decision: Decision) -> dict[str, Any]:
        if decision.feature is None:
            return {"part_problem": "There is no feature row of it, so it cannot be explained."}
        try:
            model = self._bureau.shelf.get(decision.score.model_version)
            return {"explanation": Explanation.of(model, decision.feature)}
        except FraudstreamError as error:
            return {"part_problem": str(error)}

    def _reproduced(self, decision: Decision) -> dict[str, Any]:
        if decision.feature is None:
            return {"reproduction_problem": "There is no feature row of it, so it cannot be computed again."}
        try:
            model = self._bureau.shelf.get(decision.score.model_version)
            return {"reproduction": Reproduction.of(model, decision, decision.feature)}
        except FraudstreamError as error:
            return {"reproduction_problem": str(error)}


def _values(decision: Decision) -> list[tuple[str, str, str]]:
    if decision.feature is None:
        return []
    pairs = zip(decision.feature.names, decision.feature.values.tolist(), strict=True)
    return [(name, feature_words(name), value_text(name, value)) for name, value in pairs]


def _payment_facts(decision: Decision, mask: Any) -> list[tuple[str, str]]:
    sent = decision.transaction
    facts = [("Card", mask(decision.score.card_id)), ("Terminal", decision.terminal_id or "not kept")]
    if sent is not None:
        named = (
            ("Merchant", sent.merchant_id), ("Merchant category", sent.mcc), ("Country", sent.merchant_country),
            ("Channel", sent.channel), ("Entry mode", sent.entry_mode),
        )  # fmt: skip
        facts += [(name, value) for name, value in named if value]
    return facts


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    return TransactionPage(console).routes()
