"""/review: flagged transactions, the most valuable look first; analysts say what each was."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from models.errors import FraudstreamError
from stream_app.console.console import Console
from stream_app.console.guard.requires import requires
from stream_app.console.guard.threads import MOST_SEARCHES, bounded
from stream_app.console.people.card_mask import mask_card
from stream_app.console.people.person import Person
from stream_app.console.people.role import Role
from stream_app.console.records.place import Place, PlaceError
from stream_app.console.review.bureau import Bureau
from stream_app.console.review.case import Case
from stream_app.console.review.sheets import case_sheet, history_lines, queue_lines

SHOWN: Final = 40
"""Lines of the queue on the page: an hour's work."""
_TOLD: Final = 200
_VERDICTS: Final = {"fraud": True, "genuine": False}


class ReviewPage:
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
            Route("/review", self.show),
            Route("/review/state", self.state),
            Route("/review/queue", self.queue),
            Route("/review/case/{place}", self.case),
            Route("/review/case/{place}/more", self.more),
            Route("/review/claim", requires(Role.ANALYST)(self.claim), methods=["POST"]),
            Route("/review/decide", requires(Role.ANALYST)(self.decide), methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page with one case opened: the one asked for, or the first that nobody else holds."""
        person: Person = request.state.person
        asked = request.query_params.get("case")
        frame = await run_in_threadpool(self._frame, person)
        case = self._found(asked) if asked else self._first(frame["lines"])
        more = {} if case is None else await self._in_thread(self._more, case, person)
        said = request.query_params.get("said", "")
        return self._console.render(
            request, "review.html", {**frame, **self._sheet(case, person), **more, "said": said, "inline": True}
        )

    async def state(self, request: Request) -> Response:
        """What an open page compares itself with."""
        return JSONResponse(await run_in_threadpool(self._state))

    async def queue(self, request: Request) -> Response:
        """The list alone."""
        frame = await run_in_threadpool(self._frame, request.state.person)
        return self._console.render(request, "review_queue.html", frame)

    async def case(self, request: Request) -> Response:
        """One case alone, from memory."""
        case = self._found(request.path_params["place"])
        sheet = self._sheet(case, request.state.person)
        return self._console.render(request, "review_case.html", {**sheet, "inline": False})

    async def more(self, request: Request) -> Response:
        """What takes a look into Kafka and the archive: merchant, history of card and terminal."""
        case, person = self._found(request.path_params["place"]), request.state.person
        more = await self._in_thread(self._more, case, person)
        return self._console.render(request, "review_more.html", {**more, **self._sheet(case, person)})

    async def claim(self, request: Request) -> Response:
        """Take or renew one case and give another back."""
        form = await request.form()
        person = request.state.person.name
        take, free = (str(form.get(name, "")) for name in ("take", "free"))
        return JSONResponse(await run_in_threadpool(self._claim, person, take, free))

    async def decide(self, request: Request) -> Response:
        """State that a case is fraud or genuine, or take that back."""
        form = await request.form()
        place, verdict = (str(form.get(name, "")) for name in ("place", "verdict"))
        case, person = self._found(place), request.state.person.name
        try:
            said = await run_in_threadpool(self._decide, case, person, verdict)
            problem = None
        except FraudstreamError as error:
            said, problem = "", str(error)
        if "text/html" not in request.headers.get("accept", ""):
            return JSONResponse({"said": said, "error": problem, "place": str(case.place)})
        if problem is not None:
            raise HTTPException(409, problem)
        back = f"case={case.place}&" if verdict == "undo" else ""
        return RedirectResponse(f"/review?{back}said={verdict}", 303)

    def _frame(self, person: Person) -> dict[str, Any]:
        desk, intake = self._bureau.desk, self._bureau.intake
        waiting = desk.waiting()
        problem = intake.trouble
        try:
            holders: Mapping[str, str] = self._bureau.claims.holders([case.transaction_id for case in waiting[:SHOWN]])
        except FraudstreamError as error:
            holders, problem = {}, str(error)
        mask = partial(mask_card, role=person.role)
        return {
            "lines": queue_lines(desk, waiting[:SHOWN], holders, person.name, mask),
            "total": len(waiting),
            "decided": [(case, said.in_words) for case, said in desk.decided(10)],
            "rule": desk.worth.rule,
            "since_ms": intake.since_ms,
            "caught_up": intake.caught_up,
            "forgotten": desk.forgotten,
            "trouble": problem,
            "can_decide": person.may(Role.ANALYST),
        }

    def _state(self) -> dict[str, Any]:
        desk = self._bureau.desk
        waiting = desk.waiting()
        shown = waiting[:SHOWN]
        try:
            by_id, problem = self._bureau.claims.holders([case.transaction_id for case in shown]), None
        except FraudstreamError as error:
            by_id, problem = {}, str(error)
        return {
            "waiting": [str(case.place) for case in waiting[:_TOLD]],
            "shown": SHOWN,
            "total": len(waiting),
            "held": {str(case.place): by_id[case.transaction_id] for case in shown if case.transaction_id in by_id},
            "decided": {str(case.place): said.in_words for case, said in desk.decided(_TOLD)},
            "problem": problem or self._bureau.intake.trouble,
        }

    def _sheet(self, case: Case | None, person: Person) -> dict[str, Any]:
        mask = partial(mask_card, role=person.role)
        sheet = None if case is None else case_sheet(self._bureau.desk, case, mask)
        return {"case": sheet, "can_decide": person.may(Role.ANALYST)}

    def _more(self, case: Case, person: Person) -> dict[str, Any]:
        mask = partial(mask_card, role=person.role)
        until_ms, histories = case.score.event_time, self._bureau.histories
        of_card = histories.before("card_id", case.score.card_id, until_ms)
        at_terminal = histories.before("terminal_id", case.payment.terminal_id, until_ms)
        try:
            away = self._bureau.intake.trouble is not None
            sent = None if away else self._bureau.topics.transaction(case.place, case.transaction_id)
        except FraudstreamError:
            sent = None
        return {
            "sent": sent,
            "card_history": history_lines(of_card, mask),
            "terminal_history": history_lines(at_terminal, mask),
            "history_source": of_card.source,
        }

    def _claim(self, person: str, take: str, free: str) -> dict[str, Any]:
        claims = self._bureau.claims
        try:
            given, taken = self._maybe(free), self._maybe(take)
            if given is not None:
                claims.free(given.transaction_id, person)
            holder = None if taken is None else claims.take(taken.transaction_id, person)
        except FraudstreamError as error:
            return {"holder": None, "mine": False, "error": str(error)}
        return {"holder": holder, "mine": holder == person, "error": None}

    def _decide(self, case: Case, person: str, verdict: str) -> str:
        if verdict == "undo":
            label = self._bureau.verdicts.take_back(case, person)
            counts = "fraud" if label.is_fraud else "genuine"
            return f"{case.transaction_id}: taken back. It waits again, and counts as {counts} until somebody decides."
        if verdict not in _VERDICTS:
            raise HTTPException(400, f"{verdict!r:.20} is no verdict; there are fraud, genuine and undo")
        self._bureau.verdicts.decide(case, person, is_fraud=_VERDICTS[verdict])
        return f"{case.transaction_id}: stated as {verdict}. Kafka has it, and the audit says that it was you."

    def _found(self, text: str) -> Case:
        case = self._maybe(text)
        if case is None:
            raise HTTPException(
                404, f"There is no case at {text:.40} (any more); it may still be found as transaction."
            )
        return case

    def _maybe(self, text: str) -> Case | None:
        try:
            return self._bureau.desk.case(Place.of(text)) if text else None
        except PlaceError as error:
            raise HTTPException(404, str(error)) from None

    def _first(self, lines: Sequence[Any]) -> Case | None:
        free = [line for line in lines if line.holder is None]
        return self._bureau.desk.case(free[0].place) if free else None


def routes(console: Console) -> list[BaseRoute]:
    """Return the page's routes."""
    return ReviewPage(console).routes()
