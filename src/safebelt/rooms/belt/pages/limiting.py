"""`/{lang}/belt/limits`: limit traffic, see how much of each limit is used, lift it."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import Command, OrderTerms
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.stopping import came_of, target
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.rooms.belt.service.holding import Wanted
from safebelt.web.forms import FieldError, Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


class LimitPages(Controller):
    """Limits."""

    path = "/{lang:str}/belt/limits"
    include_in_schema = False

    @get("/", sync_to_thread=True, guards=[requires("belt.read")])
    def limits(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Show the limits in force, and the form."""
        return _shown(request, belt, lang, empty_form(), empty_form())

    @post("/", sync_to_thread=True, guards=[requires("belt.stop")])
    def limit(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Order a limit."""
        form = _read(data)
        if form.value is None:
            return _shown(request, belt, lang, form, empty_form(), status=422)
        try:
            order = belt.ask(belt.to_limit(target(data), form.value, by), data.get("reason", ""), by)
        except (Conflict, Invalid, NotFound, Refused) as problem:
            return _shown(request, belt, lang, form.refused(problem), empty_form(), status=problem.status)
        return came_of(belt, lang, order)

    @post("/lift", sync_to_thread=True, guards=[requires("belt.resume")])
    def lift(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Lift a limit."""
        try:
            wanted = Wanted(command=Command.UNLIMIT, target=data.get("system", ""))
            order = belt.ask(wanted, data.get("why", ""), by)
        except (Invalid, NotFound, Refused) as problem:
            problem.details = {"field": "why"}
            form: Form[OrderTerms] = empty_form(**data).refused(problem)
            return _shown(request, belt, lang, empty_form(), form, status=problem.status)
        return came_of(belt, lang, order)


def _read(data: FormData) -> Form[OrderTerms]:
    numbers, errors = dict[str, int](), []
    for field in ("per_minute", "at_once"):
        said = data.get(field, "").strip()
        if not said or (said.isascii() and said.isdigit() and len(said) <= 9):
            numbers[field] = int(said or 0)
        else:
            errors.append(FieldError(field=field, says=Text(zh="请填写整数。", en="Give a whole number.")))
    basis = data.get("basis", "")
    terms = None if errors else OrderTerms(per_minute=numbers["per_minute"], at_once=numbers["at_once"], basis=basis)
    return Form(values=data, errors=tuple(errors), value=terms)


def _shown(
    request: AnyRequest, belt: Belt, lang: Lang, form: Form[OrderTerms], back: Form[OrderTerms], *, status: int = 200
) -> Template:
    return render(
        "belt/limits.html",
        lang=lang,
        title=words.LIMITS,
        status=status,
        form=form,
        back=back,
        limits=belt.state().limits,
        names=belt.names(),
        words=words,
        may=lambda action: words.may(request, action),
    )
