"""`/{lang}/belt/versions`: roll back to an earlier version, and go forward again."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Lang
from safebelt.rooms.belt.model import Command
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.stopping import came_of, target
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


class VersionPages(Controller):
    """Versions."""

    path = "/{lang:str}/belt/versions"
    include_in_schema = False

    @get("/", sync_to_thread=True, guards=[requires("belt.read")])
    def versions(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Show the roll-backs in force, the versions there are, and the form."""
        return _shown(request, belt, lang, empty_form(running="drain"), empty_form())

    @post("/", sync_to_thread=True, guards=[requires("belt.stop")])
    def roll_back(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Order a roll-back."""
        form: Form[Any] = empty_form(**data)
        name = data.get("to_model", "").strip()
        to, cuts = f"model:{name}" if name else data.get("to", ""), data.get("running") == "cut"
        try:
            order = belt.ask(belt.to_roll_back(target(data), to, by, ends_running=cuts), data.get("reason", ""), by)
        except (Conflict, Invalid, NotFound, Refused) as problem:
            return _shown(request, belt, lang, form.refused(problem), empty_form(), status=problem.status)
        return came_of(belt, lang, order)

    @post("/forward", sync_to_thread=True, guards=[requires("belt.resume")])
    def forward(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Undo a roll-back."""
        try:
            wanted = Wanted(command=Command.FORWARD, target=data.get("system", ""))
            order = belt.ask(wanted, data.get("why", ""), by)
        except (Invalid, NotFound, Refused) as problem:
            problem.details = {"field": "why"}
            form: Form[Any] = empty_form(**data).refused(problem)
            return _shown(request, belt, lang, empty_form(running="drain"), form, status=problem.status)
        return came_of(belt, lang, order)


def _shown(
    request: AnyRequest, belt: Belt, lang: Lang, form: Form[Any], back: Form[Any], *, status: int = 200
) -> Template:
    return render(
        "belt/versions.html",
        lang=lang,
        title=words.VERSIONS,
        status=status,
        form=form,
        back=back,
        versions=belt.state().versions,
        earlier=belt.earlier(),
        names=belt.names(),
        words=words,
        may=lambda action: words.may(request, action),
    )
