"""`/{lang}/transparency`: what everybody may know of screening; it prints as a document."""

from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response import Template

from safebelt.kernel.text import Lang
from safebelt.rooms.belt.decide.openly import SMALL
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.service import Belt
from safebelt.web.security import open_to_all
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]


class TransparencyPages(Controller):
    """`/{lang}/transparency`."""

    path = "/{lang:str}/transparency"
    include_in_schema = False
    opt = {"sets_no_cookie": True}  # noqa: RUF012  the form the framework asks for

    @get(
        sync_to_thread=True,
        guards=[open_to_all("whoever is screened may know by which rules; no list's terms and no exchange is told")],
    )
    def transparency(self, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Show the report."""
        report = belt.transparency()
        return render(
            "belt/transparency.html", lang=lang, title=words.TRANSPARENCY, report=report, small=SMALL, words=words
        )
