"""`/{lang}/belt/admission`: who may use what, for which purpose, in which setting."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang
from safebelt.rooms.belt.decide import ATTRIBUTES
from safebelt.rooms.belt.decide.admission import HEADERS, NotAdmitted, not_permitted
from safebelt.rooms.belt.model import Asked
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


class AdmissionPages(Controller):
    """Rules of admission."""

    path = "/{lang:str}/belt/admission"
    include_in_schema = False

    @get("/", sync_to_thread=True, guards=[requires("belt.read")])
    def rules(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """Show the rules in force, their versions, and a form to try them."""
        return _page(request, belt, lang)

    @post("/try", sync_to_thread=True, status_code=200, guards=[requires("belt.read")])
    def try_(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, data: FormData) -> Template:
        """Say what the rules come to for a request.  Nothing is remembered."""
        given = {name: data.get(name, "").strip()[:200] for name in ("scope", "model", *ATTRIBUTES)}
        known = {name: value for name, value in given.items() if value and name != "scope"}
        hour = data.get("hour", "")
        found = belt.try_admission(
            Asked(
                "key_tried",
                "",
                "",
                given["scope"] or "chat",
                hour=int(hour) if hour.isascii() and hour.isdecimal() and int(hour) < 24 else None,
                **known,  # type: ignore[arg-type]
            )
        )
        barred = not_permitted(found) if found and not found.is_admitted else None
        return _page(request, belt, lang, tried=empty_form(**given, hour=hour), barred=barred, is_tried=True)

    @post("/load", sync_to_thread=True, guards=[requires("belt.configure")])
    def load(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Bring pasted rules into force."""
        source, reason = data.get("cedar", "").replace("\r\n", "\n"), data.get("reason", "")
        try:
            belt.load_admission(source.encode("utf-8", "replace"), reason, by=by)
        except Problem as problem:
            form = empty_form(cedar=source, reason=reason).refused(_beside(problem, "cedar"))
            return _page(request, belt, lang, form=form, status=problem.status)
        return Redirect(f"/{lang}/belt/admission?done=admission", status_code=303)

    @post("/roll-back", sync_to_thread=True, guards=[requires("belt.configure")])
    def roll_back(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Bring an earlier version back into force."""
        number, why = data.get("number", ""), data.get("why", "")
        try:
            belt.roll_back_admission(why, by=by, number=int(number[:9]) if number.isdecimal() else 0)
        except Problem as problem:
            problem.details = {"field": "why"}
            form = empty_form(number=number, why=why).refused(problem)
            return _page(request, belt, lang, back=form, status=problem.status)
        return Redirect(f"/{lang}/belt/admission?done=admission", status_code=303)

    @post("/off", sync_to_thread=True, guards=[requires("belt.configure")])
    def off(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Have no rules at all."""
        why = data.get("off_why", "")
        try:
            belt.switch_off_admission(why, by=by)
        except Problem as problem:
            problem.details = {"field": "off_why"}
            return _page(request, belt, lang, off=empty_form(off_why=why).refused(problem), status=problem.status)
        return Redirect(f"/{lang}/belt/admission?done=admission", status_code=303)


def _beside(problem: Problem, field: str) -> Problem:
    if problem.details.get("field") not in {"cedar", "reason"}:
        problem.details = {**problem.details, "field": field}
    return problem


def _page(
    request: AnyRequest,
    belt: Belt,
    lang: Lang,
    *,
    form: Form[Any] | None = None,
    back: Form[Any] | None = None,
    tried: Form[Any] | None = None,
    off: Form[Any] | None = None,
    barred: NotAdmitted | None = None,
    is_tried: bool = False,
    status: int = 200,
) -> Template:
    rules = belt.admission()
    return render(
        "belt/admission.html",
        lang=lang,
        title=words.ADMISSION,
        status=status,
        rules=rules,
        versions=belt.admission_versions(),
        headers=HEADERS,
        form=form or empty_form(cedar=rules.content if rules else ""),
        back=back or empty_form(),
        off=off or empty_form(),
        tried=tried or empty_form(scope="chat"),
        barred=barred,
        is_tried=is_tried,
        may=lambda action: words.may(request, action),
        notice=words.notice(request) if status == 200 and not is_tried else None,
        words=words,
    )
