"""`/{lang}/belt/orders/{id}`: an order that waits for a second person; and which orders do."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Lang
from safebelt.rooms.access.model import STANDS
from safebelt.rooms.belt.model import TwoPeople
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.stopping import WAIT_SECONDS
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


class TwoPeoplePages(Controller):
    """Orders of two people."""

    path = "/{lang:str}/belt"
    include_in_schema = False

    @get("/two-people", sync_to_thread=True, guards=[requires("belt.read")])
    def rules(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Show the rules, what waits, and the form."""
        return _rules(request, belt, lang, empty_form())

    @post("/two-people", sync_to_thread=True, guards=[requires("belt.resume")])
    def require(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Set a rule."""
        rule = TwoPeople(lifting=data.get("lifting") == "two", placing=data.get("placing") == "two")
        try:
            waits = belt.require_two(data.get("system", ""), rule, data.get("reason", ""), by)
        except (Invalid, NotFound, Refused) as problem:
            form: Form[Any] = empty_form(**data).refused(problem)
            return _rules(request, belt, lang, form, status=problem.status)
        where = f"orders/{waits.id}" if waits else "two-people"
        return Redirect(f"/{lang}/belt/{where}", status_code=303)

    @get("/orders/{proposal_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def waiting(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
    ) -> Template:
        """Show an order that waits for a second person."""
        return _one(request, belt, by, lang, proposal_id, empty_form())

    @post("/orders/{proposal_id:str}/second", sync_to_thread=True, guards=[requires("belt.stop")])
    def second(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Second it; the right to the order itself is asked for too."""
        try:
            made = belt.second_order(proposal_id, answer=data.get("answer", ""), by=by)
        except (Conflict, Invalid, Refused) as problem:
            problem.details = {"field": "answer"}
            form: Form[Any] = empty_form(**data).refused(problem)
            return _one(request, belt, by, lang, proposal_id, form, status=problem.status)
        if made is None:
            return Redirect(f"/{lang}/belt/two-people", status_code=303)
        belt.wait_effective(made.id, WAIT_SECONDS)
        return Redirect(f"/{lang}/belt/stops/{made.id}", status_code=303)


def _rules(request: AnyRequest, belt: Belt, lang: Lang, form: Form[Any], *, status: int = 200) -> Template:
    return render(
        "belt/two_people.html",
        lang=lang,
        title=words.TWO_PEOPLE,
        status=status,
        form=form,
        rules=belt.two_people(),
        proposals=belt.proposed_orders(),
        stands=STANDS,
        names=belt.names(),
        may=lambda action: words.may(request, action),
    )


def _one(  # noqa: PLR0917  what a page is made of
    request: AnyRequest,
    belt: Belt,
    by: Actor,
    lang: Lang,
    proposal_id: str,
    form: Form[Any],
    *,
    status: int = 200,
) -> Template:
    proposal = belt.proposed_order(proposal_id)
    return render(
        "belt/order_proposed.html",
        lang=lang,
        title=words.TWO_PEOPLE,
        status=status,
        form=form,
        proposal=proposal,
        stands=STANDS,
        is_own=proposal.by == by.id,
        may_decide=words.may(request, proposal.action, proposal.subject),
    )
