"""More pages about the law: crosswalks, how far evidence reaches, what is encoded, facts, covenants, gaps."""

import json
from dataclasses import dataclass
from re import fullmatch
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook import decide, packs
from safebelt.rooms.rulebook.decide.deeds import covenants
from safebelt.rooms.rulebook.model import Coverage, Held, LawText
from safebelt.rooms.rulebook.pages import words
from safebelt.rooms.rulebook.pages.cited import cited
from safebelt.rooms.rulebook.pages.reading_charts import Reach, reach_picture
from safebelt.rooms.rulebook.service import Rules, looking
from safebelt.rooms.rulebook.service.bindings import PARTY, AdoptCovenant, LeaveCovenant
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.problems import invalid_field
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Words = Annotated[str, QueryParameter(max_length=200)]
Several = Annotated[list[str] | None, QueryParameter(max_items=200)]


class MorePages(Controller):
    """`/{lang}/rulebook`: the law seen across instruments."""

    path = "/{lang:str}/rulebook"
    include_in_schema = False

    @get("/crosswalks", sync_to_thread=True, guards=[requires("rulebook.read")])
    def crosswalk(self, rulebook: NamedDependency[Rules], lang: PathLang, a: Words = "", b: Words = "") -> Template:
        """Show how the provisions of two instruments relate."""
        text, book = rulebook.text(), rulebook.rulebook
        rulebook.known(one for one in (a, b) if one)
        pairs = decide.crosswalk(book, text, a, b)
        written = sorted({name for one in book.crosswalks.values() for name in (one.a, one.b)})
        return render(
            "rulebook/crosswalk.html",
            lang=lang,
            title=words.CROSSWALK,
            a=a,
            b=b,
            pairs=[(one, cited(text, one.a.id), cited(text, one.b.id)) for one in pairs],
            written=[(name, text.instruments[name].short) for name in written],
            ready=[(one.a, one.b, len(one.relations)) for one in book.crosswalks.values()],
            instruments=text.instruments,
            norms=text.norms,
            words=words,
        )

    @get("/coverage", sync_to_thread=True, guards=[requires("rulebook.read")])
    def coverage(self, rulebook: NamedDependency[Rules], lang: PathLang, held: Several = None) -> Template:
        """Show how far the evidence somebody holds reaches in each regime."""
        text = rulebook.text()
        have = rulebook.known_evidence(held or ())
        rows = reaches(decide.coverage(text, have), text) if have else []
        return render(
            "rulebook/coverage.html",
            lang=lang,
            title=words.COVERAGE,
            held=have,
            evidence=list(text.evidence.values()),
            rows=[one for one in rows if one.fully or one.partly],
            untouched=[one for one in rows if not (one.fully or one.partly)],
            picture=reach_picture([one.reach for one in rows if one.fully or one.partly], lang) if rows else "",
            norms=text.norms,
            words=words,
        )

    @get("/completeness", sync_to_thread=True, guards=[requires("rulebook.read")])
    def completeness(self, rulebook: NamedDependency[Rules], lang: PathLang) -> Template:
        """Show, per instrument, what has a norm and what is verified."""
        rows = packs.completeness(rulebook.rulebook, rulebook.law.cases)
        return render(
            "rulebook/law_completeness.html",
            lang=lang,
            title=words.COMPLETENESS,
            rows=rows,
            instruments=rulebook.text().instruments,
            words=words,
        )

    @get("/facts", sync_to_thread=True, guards=[requires("rulebook.read")])
    def facts(self, rulebook: NamedDependency[Rules], lang: PathLang, search: Words = "") -> Template:
        """Show the facts norms ask about."""
        text = rulebook.text()
        found = sorted(
            (one for one in text.facts.values() if looking.mentions(one, search)), key=lambda one: (one.rank, one.id)
        )
        groups = {subject: [one for one in found if one.subject is subject] for subject in words.SUBJECTS}
        return render(
            "rulebook/law_facts.html",
            lang=lang,
            title=words.FACTS,
            search=search,
            total=len(found),
            groups={subject: same for subject, same in groups.items() if same},
            instruments=text.instruments,
            words=words,
        )

    @get("/facts/template.yaml", sync_to_thread=True, guards=[requires("rulebook.read")])
    def template(self, rulebook: NamedDependency[Rules], lang: PathLang) -> Response[str]:
        """Hand out a descriptor to fill in, every question beside its fact."""
        return _file(packs.template(rulebook.rulebook, lang, None), "system.yaml", "text/yaml; charset=utf-8")

    @get("/facts/schema.json", sync_to_thread=True, guards=[requires("rulebook.read")])
    def schema(self, rulebook: NamedDependency[Rules]) -> Response[str]:
        """Hand out the JSON Schema of descriptors."""
        schema = json.dumps(packs.description_schema(rulebook.rulebook), ensure_ascii=False, indent=2)
        return _file(schema, "system.schema.json", "application/schema+json; charset=utf-8")

    @get("/covenants", sync_to_thread=True, guards=[requires("rulebook.read")])
    def covenants(self, request: AnyRequest, rulebook: NamedDependency[Rules], lang: PathLang) -> Template:
        """Show voluntary commitments and who is bound."""
        return _covenants(request, rulebook, lang, empty_form())

    @post("/covenants/adopt", sync_to_thread=True, guards=[requires("rulebook.describe")])
    def adopt(
        self,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Bind a party by a covenant."""
        form = _with_party(read_form(data, AdoptCovenant, labels=words.COVENANT_FIELDS))
        if form.value is None:
            return _covenants(request, rulebook, lang, form)
        try:
            rulebook.adopt_covenant(form.value.party, form.value.covenant, by=by)
        except (Conflict, NotFound) as problem:
            return _covenants(request, rulebook, lang, form.refused(problem))
        return Redirect(f"/{lang}/rulebook/covenants?done=adopted", status_code=303)

    @post("/covenants/leave", sync_to_thread=True, guards=[requires("rulebook.describe")])
    def leave(
        self,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """End a commitment."""
        form = read_form(data, LeaveCovenant, labels=words.COVENANT_FIELDS)
        if form.value is None:
            return _covenants(request, rulebook, lang, form)
        try:
            rulebook.leave_covenant(form.value.party, form.value.covenant, reason=form.value.reason, by=by)
        except (NotFound, Invalid) as problem:
            return _covenants(request, rulebook, lang, form.refused(problem))
        return Redirect(f"/{lang}/rulebook/covenants?done=left", status_code=303)

    @get("/gaps", sync_to_thread=True, guards=[requires("rulebook.read")])
    def gaps(self, rulebook: NamedDependency[Rules], lang: PathLang) -> Template:
        """Show what happened and met no norm."""
        return render("rulebook/law_gaps.html", lang=lang, title=words.GAPS, gaps=rulebook.gaps(), words=words)


PAGES: tuple[type[Controller], ...] = (MorePages,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """One instrument's row of the coverage page.

    Attributes:
        fully, partly: Ids of its norms whose evidence is held in full, in part.
        silent: How many of its norms name no evidence.
    """

    instrument: str
    reach: Reach
    fully: tuple[str, ...]
    partly: tuple[str, ...]
    silent: int


def reaches(found: dict[str, Coverage], text: LawText) -> list[Reached]:
    """Return instruments whose norms name evidence, those the evidence reaches furthest in front."""
    rows = [_reached(one, text) for one in found.values() if len(one.norms) > one.count(Held.NONE_NAMED)]
    return sorted(rows, key=lambda one: -(one.reach.fully + one.reach.partly / 2) / one.reach.total)


def _reached(one: Coverage, text: LawText) -> Reached:
    fully, partly = (
        tuple(name for name, held in one.norms.items() if held is wanted) for wanted in (Held.FULLY, Held.PARTLY)
    )
    reach = Reach(
        name=text.instruments[one.instrument].short, fully=len(fully), partly=len(partly), none=one.count(Held.NOT)
    )
    return Reached(
        instrument=one.instrument, reach=reach, fully=fully, partly=partly, silent=one.count(Held.NONE_NAMED)
    )


def _with_party(form: Form[AdoptCovenant]) -> Form[AdoptCovenant]:
    """Return the form, refused where what was typed is no party's id: a name would bind nobody."""
    if form.value is None or fullmatch(PARTY, form.value.party):
        return form
    what = Text(zh="主体编号形如 pty_…，请照登记填写。", en="A party's id looks like pty_…; enter it as registered.")
    return form.refused(invalid_field("party", what, what))


def _file(body: str, name: str, media_type: str) -> Response[str]:
    return Response(body, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})


def _covenants(request: AnyRequest, rules: Rules, lang: Lang, form: Form[Any]) -> Template:
    text = rules.text()
    names = covenants(text)
    return render(
        "rulebook/covenants.html",
        lang=lang,
        title=words.COVENANTS,
        status=422 if form.errors else 200,
        form=form,
        covenants=[
            (
                name,
                text.instruments[instrument],
                [norm for norm in text.norms.values() if norm.instrument == instrument],
                rules.commitments(covenant=name),
            )
            for name, instrument in names.items()
        ],
        may_change=words.may(request, "rulebook.describe"),
        notice=words.notice(request),
        words=words,
    )
