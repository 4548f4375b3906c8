"""Pages of acts that wait for a second person.  Seconding happens in the room whose act it is."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import STANDS, Proposal
from safebelt.rooms.access.service import Access
from safebelt.web.forms import FieldError, Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page

TheAccess = NamedDependency[Access]
By = NamedDependency[Actor]
InLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormBody = URLEncodedBody[dict[str, str | list[str]]]

_LIST = Text(zh="双人事项", en="Acts that need two people")
_ONE = Text(zh="双人事项", en="Act that needs two people")


class ProposalPages(Controller):
    """What waits for a second person."""

    path = "/{lang:str}/access/proposals"
    include_in_schema = False
    guards = [requires("access.proposals")]  # noqa: RUF012  Litestar reads it as a list

    @get(sync_to_thread=True)
    def proposals(self, access: TheAccess, lang: InLang) -> Template:
        """List proposals, latest first."""
        found = access.proposals()
        actions = access.permissions.actions
        return page("access/proposals.html", lang=lang, title=_LIST, found=found, stands=STANDS, actions=actions)

    @get("/{proposal_id:str}", sync_to_thread=True)
    def proposal(self, access: TheAccess, by: By, lang: InLang, proposal_id: PathId) -> Template:
        """Show one proposal, and what the reader may do about it."""
        return _one(access, access.proposal(proposal_id), by, lang, form=empty_form())

    @post("/{proposal_id:str}/refuse", sync_to_thread=True)
    def refuse(
        self, access: TheAccess, by: By, lang: InLang, proposal_id: PathId, data: FormBody
    ) -> Template | Redirect:
        """Refuse another's proposal."""
        try:
            access.refuse(proposal_id, answer=_answer(data), by=by)
        except Problem as problem:
            return _one(
                access, access.proposal(proposal_id), by, lang, form=_with(problem, data), status=problem.status
            )
        return Redirect(f"/{lang}/access/proposals/{proposal_id}", status_code=303)

    @post("/{proposal_id:str}/withdraw", sync_to_thread=True)
    def withdraw(
        self, access: TheAccess, by: By, lang: InLang, proposal_id: PathId, data: FormBody
    ) -> Template | Redirect:
        """Withdraw one's own proposal."""
        try:
            access.withdraw(proposal_id, answer=_answer(data), by=by)
        except Problem as problem:
            return _one(
                access, access.proposal(proposal_id), by, lang, form=_with(problem, data), status=problem.status
            )
        return Redirect(f"/{lang}/access/proposals/{proposal_id}", status_code=303)


def _answer(data: dict[str, str | list[str]]) -> str:
    value = data.get("reason", "")
    return value if isinstance(value, str) else ""


def _with(problem: Problem, data: dict[str, str | list[str]]) -> Form[object]:
    says = Text(zh=f"{problem.what.zh}{problem.hint.zh}", en=f"{problem.what.en} {problem.hint.en}")
    return Form(values={"reason": _answer(data)}, errors=(FieldError(field="reason", says=says),))


def _one(
    access: Access, proposal: Proposal, by: Actor, lang: Lang, *, form: Form[object], status: int = 200
) -> Template:
    return page(
        "access/proposal.html",
        lang=lang,
        title=_ONE,
        status=status,
        proposal=proposal,
        stands=STANDS,
        action_title=access.permissions.actions.get(proposal.action),
        is_own=proposal.by == by.id,
        may=access.may(by, proposal.action, proposal.subject),
        form=form,
    )
