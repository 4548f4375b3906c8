"""Pages on which the law is read: what is demanded of whom from when, instruments, norms, places, definitions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import ceil
from pathlib import PurePosixPath
from typing import Annotated, Any, TypeVar

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.rulebook import packs
from safebelt.rooms.rulebook.model import Bearer, Instrument, Kind, LawText, Norm, Part, Provision, Status
from safebelt.rooms.rulebook.model.deeds import ReviewNorm
from safebelt.rooms.rulebook.pages import reading_shown as show
from safebelt.rooms.rulebook.pages import words
from safebelt.rooms.rulebook.pages.cited import cited
from safebelt.rooms.rulebook.pages.reading_changes import Shown, shown
from safebelt.rooms.rulebook.pages.reading_charts import calendar_picture
from safebelt.rooms.rulebook.pages.reading_trees import of_term, tree
from safebelt.rooms.rulebook.service import Rules, looking
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.problems import invalid_field
from safebelt.web.security import requires
from safebelt.web.templating import page as render

AnyRequest = Request[Any, Any, Any]
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
PathOf = Annotated[PurePosixPath, PathParameter()]
FormData = URLEncodedBody[dict[str, str | list[str]]]
Words = Annotated[str, QueryParameter(max_length=200)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=10_000)]

PAGE_SIZE = 25
NEXT_SHOWN = 8
"""How many coming days the room's home shows; each instrument's page shows all of its own."""

Choice = TypeVar("Choice", bound=StrEnum)


class LawPages(Controller):
    """`/{lang}/rulebook`: reading the law."""

    path = "/{lang:str}/rulebook"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("rulebook.read")])
    def home(self, rulebook: NamedDependency[Rules], lang: PathLang) -> Template:
        """Show what there is, and what takes effect next."""
        text, today = rulebook.text(), rulebook.today()
        coming = [one for one in looking.days(text, rulebook.rulebook) if one.on > today]
        return render(
            "rulebook/law_home.html",
            lang=lang,
            title=words.HOME,
            unfit=rulebook.unfit(),
            shelves=show.shelves(text, today),
            coming=show.days_shown(coming[:NEXT_SHOWN], text),
            more_coming=max(0, len(coming) - NEXT_SHOWN),
            norms=len(text.norms),
            instruments=len(text.instruments),
            words=words,
        )

    @get("/norms", sync_to_thread=True, guards=[requires("rulebook.read")])
    def norms(
        self,
        *,
        rulebook: NamedDependency[Rules],
        lang: PathLang,
        search: Words = "",
        jurisdiction: Words = "",
        instrument: Words = "",
        class_id: Annotated[str, QueryParameter(name="class", max_length=80)] = "",
        kind: Words = "",
        bearer: Words = "",
        status: Words = "",
        in_force: Words = "",
        bites: Words = "",
        page: PageNumber = 1,
    ) -> Template:
        """List what is demanded of whom from when, and the provisions that match."""
        wanted = looking.Wanted(
            search=search.strip(),
            jurisdiction=jurisdiction,
            instrument=instrument,
            class_id=class_id,
            kind=chosen(Kind, kind, "kind"),
            bearer=chosen(Bearer, bearer, "bearer"),
            status=chosen(Status, status, "status"),
            in_force=day_of(in_force, "in_force"),
            bites=day_of(bites, "bites"),
        )
        text = rulebook.text(wanted.in_force)
        rulebook.known((instrument,) if instrument else ())
        found = looking.norms(text, wanted)
        places = looking.provisions(text, search=search, instrument=instrument) if wanted.search else ()
        return render(
            "rulebook/law_norms.html",
            lang=lang,
            title=words.NORMS,
            wanted=wanted,
            heading=_heading(wanted, text),
            total=len(found),
            groups=show.by_day(_page_of(found, page), text, rulebook.today()),
            page=page,
            pages=max(1, ceil(len(found) / PAGE_SIZE)),
            provisions=[(one, cited(text, one.id)) for one in places[:PAGE_SIZE]],
            provisions_total=len(places),
            text=text,
            today=rulebook.today(),
            bearers=_of_norms(text, wanted),
            words=words,
        )

    @get("/instruments/{name:path}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def instrument(self, rulebook: NamedDependency[Rules], lang: PathLang, name: PathOf) -> Template:
        """Show an instrument whole: what it is, whom it binds to what from when, and its provisions in order."""
        text, book, today = rulebook.text(), rulebook.rulebook, rulebook.today()
        found = instrument_of(text, name)
        days = looking.days(text, book, [found.id])
        marks = show.marks(days)
        return render(
            "rulebook/instrument.html",
            lang=lang,
            title=found.short,
            instrument=found,
            classes=[(one, tree(one.when, text, today)) for one in found.classes],
            grid=looking.grid(text, found),
            counts=next(one for one in packs.completeness(book, rulebook.law.cases) if one.instrument == found.id),
            days=show.days_shown(days, text),
            picture=calendar_picture(marks, today, lang) if len(marks) > 1 else "",
            today=today,
            articles=show.articles(text, found.id),
            overlays=[
                (one, sum(each.overlay == one.id for each in looking.changes(book)))
                for one in looking.in_order(book.enacted)
                if one.instrument == found.id
            ],
            parameters=[one for one in text.parameters.values() if one.instrument == found.id],
            number_on=lambda one: show.number_on(one, today),
            cited=lambda cite: cited(text, cite),
            words=words,
        )

    @get("/amendments/{name:path}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def amendment(self, rulebook: NamedDependency[Rules], lang: PathLang, name: PathOf) -> Template:
        """Show exactly what an enacted amendment changed."""
        book, text, wanted = rulebook.rulebook, rulebook.text(), _inside(name)
        found = next((one for one in book.enacted if one.id == wanted), None)
        if found is None:
            raise _no(Text(zh="修正", en="amendment"), wanted)
        changes = [shown(one, book, found, text) for one in looking.changes(book) if one.overlay == found.id]
        return render(
            "rulebook/law_amendment.html",
            lang=lang,
            title=found.title,
            overlay=found,
            instrument=text.instruments[found.instrument],
            groups=_by_deed(changes),
            total=len(changes),
            words=words,
        )

    @get("/provisions/{name:path}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def provision(self, rulebook: NamedDependency[Rules], lang: PathLang, name: PathOf) -> Template:
        """Show one provision: our summary, what rests on it, what relates to it, how it changed."""
        text, book = rulebook.text(), rulebook.rulebook
        found = provision_of(text, name)
        instrument = text.instruments[found.instrument]
        return render(
            "rulebook/law_provision.html",
            lang=lang,
            title=cited(text, found.id).label,
            provision=found,
            instrument=instrument,
            resting=show.resting(text, found.id),
            relations=show.relations(book, text, found.id),
            history=_history(rulebook, Part.PROVISION, found.id),
            words=words,
        )

    @get("/terms/{name:str}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def term(self, rulebook: NamedDependency[Rules], lang: PathLang, name: PathId) -> Template:
        """Show a definition and the norms that use it."""
        text, today = rulebook.text(), rulebook.today()
        found = text.terms.get(name)
        if found is None:
            raise _no(Text(zh="定义", en="definition"), name)
        return render(
            "rulebook/law_term.html",
            lang=lang,
            title=found.title,
            term=found,
            instrument=text.instruments[found.instrument],
            nodes=of_term(found, text, today),
            cites=[cited(text, one) for one in found.cites],
            users=[text.norms[one] for one in looking.users_of_term(text, name)],
            history=_history(rulebook, Part.TERM, name),
            words=words,
        )

    @get("/norms/{name:str}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def norm(self, request: AnyRequest, rulebook: NamedDependency[Rules], lang: PathLang, name: PathId) -> Template:
        """Show one norm whole."""
        return _norm_page(request, rulebook, name, lang, empty_form())

    @post("/norms/{name:str}/reviews", sync_to_thread=True, guards=[requires("rulebook.review")])
    def review(
        self,
        *,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        by: NamedDependency[Actor],
        lang: PathLang,
        name: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Record what somebody makes of an interpretation."""
        form = read_form(data, ReviewNorm, labels=words.REVIEW_FIELDS)
        if form.value is None:
            return _norm_page(request, rulebook, name, lang, form)
        try:
            rulebook.review(name, form.value, by=by)
        except Invalid as problem:
            return _norm_page(request, rulebook, name, lang, form.refused(problem))
        return Redirect(f"/{lang}/rulebook/norms/{name}?done=review", status_code=303)


PAGES: tuple[type[Controller], ...] = (LawPages,)


# ---- what handlers ask for


def instrument_of(text: LawText, path: PurePosixPath) -> Instrument:
    """Return the instrument an address names.

    Raises:
        NotFound: There is none.
    """
    found = text.instruments.get(_inside(path))
    if found is None:
        raise _no(Text(zh="文件", en="instrument"), _inside(path))
    return found


def provision_of(text: LawText, path: PurePosixPath) -> Provision:
    """Return the provision an address names, its place set off by a slash or a hash.

    Raises:
        NotFound: There is none.
    """
    wanted = _inside(path)
    instrument, _, eid = wanted.rpartition("/")
    found = text.provisions.get(wanted) or text.provisions.get(f"{instrument}#{eid}")
    if found is None:
        raise _no(Text(zh="条款", en="provision"), wanted)
    return found


def chosen(kind: type[Choice], typed: str, field: str) -> Choice | None:
    """Return the choice a query names; None where it names none.

    Raises:
        Invalid: There is no such choice.
    """
    if not typed:
        return None
    try:
        return kind(typed)
    except ValueError:
        raise invalid_field(
            field,
            Text(zh=f"“{typed}”不是可选的值。", en=f"{typed!r} is not one of the choices."),
            Text(zh=f"可选：{'、'.join(kind)}。", en=f"Choose one of: {', '.join(kind)}."),
        ) from None


def day_of(typed: str, field: str) -> date | None:
    """Return the day a query names; None where it names none.

    Raises:
        Invalid: It is no day.
    """
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise invalid_field(
            field,
            Text(zh=f"“{typed}”不是日期。", en=f"{typed!r} is not a date."),
            Text(zh="请按 2026-11-22 的形式填写。", en="Write it like 2026-11-22."),
        ) from None


def _inside(path: PurePosixPath) -> str:
    return str(path).strip("/")


def _no(kind: Text, name: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"规则库中没有{kind.zh}“{name}”。", en=f"The rulebook has no {kind.en} {name!r}."),
        hint=Text(zh="请从规则库首页查找。", en="Look for it from the rulebook's home."),
    )


def _page_of(found: tuple[Norm, ...], page: int) -> tuple[Norm, ...]:
    return found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]


def _heading(wanted: looking.Wanted, text: LawText) -> Text | None:
    """What the list is about, where it is about one instrument, bearer, class or day."""
    parts: list[Text] = []
    instrument = text.instruments.get(wanted.instrument)
    if instrument:
        parts.append(instrument.short)
        parts += [one.title for one in instrument.classes if one.id == wanted.class_id]
    if wanted.bearer:
        parts.append(words.BEARERS[wanted.bearer])
    if wanted.bites:
        parts.append(Text(zh=f"自 {wanted.bites} 起", en=f"from {wanted.bites}"))
    if not parts:
        return None
    return Text(zh=" · ".join(one.zh for one in parts), en=" · ".join(one.en for one in parts))


def _of_norms(text: LawText, wanted: looking.Wanted) -> list[tuple[str, Text]]:
    """Bearers to choose from: of the instrument, if one is chosen."""
    there = {one.bearer for one in text.norms.values() if not wanted.instrument or one.instrument == wanted.instrument}
    return [(one.value, words.BEARERS[one]) for one in Bearer if one in there or one is wanted.bearer]


def _by_deed(changes: Iterable[Shown]) -> Mapping[tuple[Text, Text], list[Shown]]:
    groups: dict[tuple[Text, Text], list[Shown]] = {}
    for one in changes:
        groups.setdefault((one.part, one.deed), []).append(one)
    return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One change in the history of an entry."""

    on: date
    title: Text
    overlay: str
    shown: Shown


def _history(rules: Rules, part: Part, name: str) -> list[Past]:
    book, today = rules.rulebook, rules.text()
    found = []
    for one in looking.history(book, part, name):
        overlay = looking.overlay(book, one.overlay)
        told = shown(one, book, overlay, today)
        found.append(Past(on=overlay.effective, title=overlay.title, overlay=overlay.id, shown=told))
    return found


def _norm_page(request: AnyRequest, rules: Rules, name: str, lang: Lang, form: Form[Any]) -> Template:
    text, today = rules.text(), rules.today()
    norm = rules.norm(name)
    return render(
        "rulebook/norm.html",
        lang=lang,
        title=norm.title,
        status=422 if form.errors else 200,
        form=form,
        norm=norm,
        told=show.whole(norm, text, today),
        today=today,
        instrument=text.instruments[norm.instrument],
        reviews=show.reviews(rules.reviews(name), norm),
        history=_history(rules, Part.NORM, name),
        may_review=words.may(request, "rulebook.review"),
        notice=words.notice(request),
        words=words,
    )
