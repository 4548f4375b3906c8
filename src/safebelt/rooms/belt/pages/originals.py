"""`…/systems/{id}/originals`, `…/exchanges/{id}/originals`: what is kept for an auditor, and what was handed out."""

from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang
from safebelt.rooms.access.model import STANDS
from safebelt.rooms.belt.model import ContentMode
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt, HandedOut
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

FILE_TYPE = "application/json"
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]
_FIELDS = frozenset({"recipients", "basis", "reason", "answer"})


class OriginalPages(Controller):
    """Originals: of a system, and of an exchange."""

    path = "/{lang:str}/belt"
    include_in_schema = False

    @get("/systems/{system_id:str}/originals", sync_to_thread=True, guards=[requires("belt.read")])
    def kept(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
    ) -> Template:
        """Show whether a system's records keep originals, for whom, and what was proposed."""
        return _kept(request, belt, by, lang, system_id, empty_form())

    @post(
        "/systems/{system_id:str}/originals",
        sync_to_thread=True,
        guards=[requires("belt.seal_originals", resource="system_id")],
    )
    def propose_sealing(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Propose that originals are kept."""
        recipients, basis, reason = (data.get(name, "") for name in ("recipients", "basis", "reason"))
        try:
            belt.propose_sealing(system_id, recipients.splitlines(), basis, reason, by=by)
        except Problem as problem:
            form = empty_form(recipients=recipients, basis=basis, reason=reason).refused(_beside(problem, "reason"))
            return _kept(request, belt, by, lang, system_id, form, status=problem.status)
        return Redirect(f"/{lang}/belt/systems/{system_id}/originals?done=proposed", status_code=303)

    @post("/sealings/{proposal_id:str}/second", sync_to_thread=True, guards=[requires("belt.seal_originals")])
    def second_sealing(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Second it: from now on originals of new exchanges are kept, sealed."""
        answer, system_id = data.get("answer", ""), belt.sealing(proposal_id).subject
        try:
            belt.second_sealing(proposal_id, answer=answer, by=by)
        except Problem as problem:
            form = empty_form(answer=answer).refused(_beside(problem, "answer"))
            return _kept(request, belt, by, lang, system_id, form, status=problem.status)
        return Redirect(f"/{lang}/belt/systems/{system_id}/originals?done=sealed", status_code=303)

    @get("/exchanges/{record_id:str}/originals", sync_to_thread=True, guards=[requires("belt.read")])
    def original(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        record_id: PathId,
    ) -> Template:
        """Show for whom an exchange's originals are sealed, and who handed them out."""
        return _original(request, belt, by, lang, record_id, empty_form())

    @post(
        "/exchanges/{record_id:str}/originals",
        sync_to_thread=True,
        guards=[requires("belt.open_originals", resource="record_id")],
    )
    def propose_opening(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        record_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Propose to hand an original out."""
        reason = data.get("reason", "")
        try:
            belt.propose_opening(record_id, reason, by=by)
        except Problem as problem:
            form = empty_form(reason=reason).refused(_beside(problem, "reason"))
            return _original(request, belt, by, lang, record_id, form, status=problem.status)
        return Redirect(f"/{lang}/belt/exchanges/{record_id}/originals?done=proposed", status_code=303)

    @post("/openings/{proposal_id:str}/second", sync_to_thread=True, guards=[requires("belt.open_originals")])
    def hand_out(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Response[bytes]:
        """Second it: the sealed file is downloaded."""
        answer, record_id = data.get("answer", ""), belt.opening(proposal_id).subject
        try:
            handed = belt.hand_out(proposal_id, answer=answer, by=by)
        except Problem as problem:
            form = empty_form(answer=answer).refused(_beside(problem, "answer"))
            return _original(request, belt, by, lang, record_id, form, status=problem.status)
        return as_file(handed)


def as_file(handed: HandedOut) -> Response[bytes]:
    """Return what leaves as a download, named after its record."""
    name = "".join(char for char in handed.handout.record if char.isascii() and (char.isalnum() or char in "-_"))
    headers = {"content-disposition": f'attachment; filename="{name}.sealed.json"', "cache-control": "no-store"}
    return Response(handed.content, media_type=FILE_TYPE, headers=headers, status_code=200)


def _beside(problem: Problem, field: str) -> Problem:
    """Return the problem with the field it is shown beside, where it names none that the form has."""
    if problem.details.get("field") not in _FIELDS:
        problem.details = {**problem.details, "field": field}
    return problem


def _kept(  # noqa: PLR0917  one page, what it shows
    request: AnyRequest, belt: Belt, by: Actor, lang: Lang, system_id: str, form: Form[Any], status: int = 200
) -> Template:
    harness = belt.harness(system_id)
    return render(
        "belt/originals.html",
        lang=lang,
        title=words.ORIGINALS,
        status=status,
        system_id=system_id,
        name=belt.names()[system_id],
        harness=harness,
        is_sealed=harness.content is ContentMode.SEALED,
        proposals=belt.sealings(system_id),
        stands=STANDS,
        by=by,
        may_decide=words.may(request, "belt.seal_originals", system_id),
        form=form,
        notice=words.notice(request) if status == 200 else None,
    )


def _original(  # noqa: PLR0917  one page, what it shows
    request: AnyRequest, belt: Belt, by: Actor, lang: Lang, record_id: str, form: Form[Any], status: int = 200
) -> Template:
    return render(
        "belt/original.html",
        lang=lang,
        title=words.ORIGINAL,
        status=status,
        record_id=record_id,
        handout=belt.original(record_id),
        proposals=belt.openings(record_id),
        stands=STANDS,
        by=by,
        may_decide=words.may(request, "belt.open_originals", record_id),
        form=form,
        notice=words.notice(request) if status == 200 else None,
    )
