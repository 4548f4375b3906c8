"""`/{lang}/transparency`: what everybody may know of screening; the same as a file in `report.pdf`."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response import Template

from safebelt.kernel.text import Lang
from safebelt.rooms.belt.decide.openly import SMALL
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.transparency_paper import paper
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.security import open_to_all
from safebelt.web.templating import page as render

_OPEN = open_to_all("whoever is screened may know by which rules; no list's terms and no exchange is told")

PathLang = Annotated[Lang, PathParameter()]


class TransparencyPages(Controller):
    """`/{lang}/transparency`."""

    path = "/{lang:str}/transparency"
    include_in_schema = False
    opt = {"sets_no_cookie": True}  # noqa: RUF012  the form the framework asks for

    @get(sync_to_thread=True, guards=[_OPEN])
    def transparency(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Show the report; its provisions lead to the rulebook for whoever may read that."""
        report = belt.transparency()
        return render(
            "belt/transparency.html",
            lang=lang,
            title=words.TRANSPARENCY,
            report=report,
            small=SMALL,
            words=words,
            is_linked=words.may(request, "rulebook.read"),
        )

    @get("/report.pdf", sync_to_thread=True, guards=[_OPEN])
    def printed(self, belt: NamedDependency[Belt], lang: PathLang) -> Response[bytes]:
        """Return the report as a tagged PDF; the same count is the same file."""
        name = {"content-disposition": f'inline; filename="transparency-{lang}.pdf"'}
        return Response(
            belt.transparency_printed(lang, lambda report: paper(report, lang)),
            media_type="application/pdf",
            headers=name | {"cache-control": "public, max-age=300"},
        )
