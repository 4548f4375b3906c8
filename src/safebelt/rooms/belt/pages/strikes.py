"""`/{lang}/belt/strikes`: repeated abuse, and what a person decides about it."""

from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import DECISIONS, Decision
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

_ROWS = 50
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]
Word = Annotated[str, QueryParameter(max_length=80)]
DECIDED = Text(zh="已记下决定，并已写入存证账本。", en="The decision stands, and the ledger remembers it.")


class StrikePages(Controller):
    """Strikes."""

    path = "/{lang:str}/belt/strikes"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("belt.read")])
    def strikes(self, belt: NamedDependency[Belt], lang: PathLang, page: PageNumber = 1) -> Template:
        """List strikes, those that wait for a person first."""
        return render(
            "belt/strikes.html",
            lang=lang,
            title=words.STRIKES_TITLE,
            found=belt.strikes(page, _ROWS),
            names=belt.names(),
            issued={key.id: key for key in belt.keys()},  # noqa: SIM118  a deed, not a mapping
            decisions=DECISIONS,
        )

    @get("/{strike_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def strike(
        self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, strike_id: PathId, done: Word = ""
    ) -> Template:
        """Show one strike with all that a person needs to decide."""
        return _one(belt, lang, strike_id, empty_form(), may=words.may(request, "belt.configure"), done=done)

    @post("/{strike_id:str}/review", sync_to_thread=True, guards=[requires("belt.configure")])
    def review(
        self,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        strike_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Decide about it."""
        try:
            belt.review_strike(strike_id, _decision(data.get("decision", "")), data.get("reason", ""), by=by)
        except (Conflict, Invalid) as problem:
            problem.details = {"field": "reason"}
            form = empty_form(**data).refused(problem)
            return _one(belt, lang, strike_id, form, may=True, status=problem.status)
        return Redirect(f"/{lang}/belt/strikes/{strike_id}?done=yes", status_code=303)


def _decision(word: str) -> Decision:
    if word not in set(Decision):
        raise Invalid(
            what=Text(zh="请选择一项决定。", en="Choose what you decide."),
            hint=Text(zh="撤销、维持，或停用密钥。", en="Withdraw it, uphold it, or suspend the key."),
        )
    return Decision(word)


def _one(
    belt: Belt,
    lang: Lang,
    strike_id: str,
    form: Form[Any],
    *,
    may: bool,
    status: int = 200,
    done: str = "",
) -> Template:
    strike = belt.strike(strike_id)
    return render(
        "belt/strike.html",
        lang=lang,
        title=words.STRIKE,
        status=status,
        strike=strike,
        key=belt.key(strike.key_id),
        names=belt.names(),
        decisions=DECISIONS,
        form=form,
        done=DECIDED if done and status == 200 else None,
        may=may,
    )
