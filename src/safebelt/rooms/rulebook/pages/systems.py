"""`/{lang}/rulebook/systems/{id}`: what is owed for a system; and for a party, across its systems."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import Proposal, Stand
from safebelt.rooms.access.service import Access
from safebelt.rooms.rulebook.exports.ics import calendar_ics
from safebelt.rooms.rulebook.model import BEARERS
from safebelt.rooms.rulebook.model.deeds import ProposeOverride
from safebelt.rooms.rulebook.pages import owed_picture, owed_words
from safebelt.rooms.rulebook.pages.cited import cited
from safebelt.rooms.rulebook.pages.owed_view import Chosen, When, known_facts, view
from safebelt.rooms.rulebook.pages.owed_words import AnyRequest, Day, FormData, PathId, PathLang, Word
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.deciding import OVERRIDE
from safebelt.rooms.rulebook.service.owing import Outlook, SystemFile
from safebelt.web.forms import Form, empty_form, read_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

_LABELS = {
    "norms": Text(zh="红线", en="red lines"),
    "until": Text(zh="例外止于", en="last day"),
    "reason": Text(zh="理由", en="reason"),
}


class OwedPages(Controller):
    """What is owed for one system."""

    path = "/{lang:str}/rulebook/systems/{system_id:str}"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("rulebook.read")])
    def owed(
        self,
        *,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        on: Day = "",
        instrument: Word = "",
        bearer: Word = "",
        view: Word = "",
    ) -> Template:
        """Show what is owed for a system on a day."""
        asked = _Asked(request, rulebook, access, by, lang, system_id)
        return asked.page(owed_words.day(on), Chosen(instrument=instrument, bearer=bearer), is_print=view == "print")

    @get("/calendar.ics", sync_to_thread=True, guards=[requires("rulebook.read")])
    def calendar(
        self, rulebook: NamedDependency[Rules], lang: PathLang, system_id: PathId, on: Day = ""
    ) -> Response[bytes]:
        """Give the dates to come as a calendar file."""
        found = rulebook.file_of(system_id, on=owed_words.day(on))
        if found is None:
            raise NotFound(
                what=Text(
                    zh="该系统还没有记录事实，因此没有日历。", en="No facts are on record, so there is no calendar."
                ),
                hint=Text(zh="请先记录事实。", en="Put its facts on record first."),
            )
        body = calendar_ics(found.outlook.calendar, name=found.about.name, at=rulebook.now(), lang=lang)
        headers = {"content-disposition": f'attachment; filename="{system_id}.ics"'}
        return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)

    @post("/overrides", sync_to_thread=True, guards=[requires("rulebook.override")])
    def propose(
        self,
        *,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Propose that red lines be set aside for a time."""
        asked = _Asked(request, rulebook, access, by, lang, system_id)
        form = read_form(data, ProposeOverride, labels=_LABELS)
        if form.value is None:
            return asked.page(None, Chosen(), propose=form, status=422)
        try:
            rulebook.propose_override(system_id, form.value, by=by)
        except Problem as problem:
            return asked.page(None, Chosen(), propose=form.refused(problem), status=problem.status)
        return asked.back("override-proposed")

    @post("/overrides/{proposal_id:str}/second", sync_to_thread=True, guards=[requires("rulebook.override")])
    def second(
        self,
        *,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Second what another proposed: the exception holds."""
        asked = _Asked(request, rulebook, access, by, lang, system_id)
        answer = owed_words.one(data, "answer")
        try:
            rulebook.override(proposal_id, answer=answer, by=by, system=system_id)
        except Problem as problem:
            decide = empty_form(answer=answer).refused(_beside(problem))
            return asked.page(None, Chosen(), decide=decide, status=problem.status)
        return asked.back("override")

    @post("/overrides/{proposal_id:str}/refuse", sync_to_thread=True, guards=[requires("rulebook.override")])
    def refuse(
        self,
        *,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        system_id: PathId,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Refuse what another proposed."""
        asked = _Asked(request, rulebook, access, by, lang, system_id)
        answer = owed_words.one(data, "answer")
        try:
            access.refuse(proposal_id, answer=answer, by=by)
        except Problem as problem:
            decide = empty_form(answer=answer).refused(_beside(problem))
            return asked.page(None, Chosen(), decide=decide, status=problem.status)
        return asked.back("refused")


class PartyPages(Controller):
    """What a party owes across its systems."""

    path = "/{lang:str}/rulebook/parties/{party_id:str}"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("rulebook.read")])
    def party(self, rulebook: NamedDependency[Rules], lang: PathLang, party_id: PathId, on: Day = "") -> Template:
        """List a party's systems, with how much is owed for each and the next date."""
        day = owed_words.day(on) or rulebook.today()
        holdings = rulebook.holdings(party_id)
        rows = [_Held.of(name, rulebook, day) for name in holdings.systems]
        return render(
            "rulebook/owed_party.html",
            lang=lang,
            title=owed_words.PARTY,
            party_id=party_id,
            holdings=holdings,
            rows=rows,
            on=day,
            When=When,
            groups=owed_words.GROUPS,
            commitments=rulebook.commitments(party=party_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """One system in a party's list; `counts` is None where nothing is on record: *not evaluated*."""

    id: str
    name: Text
    counts: Mapping[When, int] | None
    next: tuple[date, Text] | None = None
    barred: tuple[str, ...] = ()

    @classmethod
    def of(cls, system: str, rulebook: Rules, on: date) -> "_Held":
        found = rulebook.file_of(system, on=on)
        if found is None:
            return cls(id=system, name=rulebook.about(system).name, counts=None)
        shown = view(found.outlook, Chosen())
        first = next(iter(found.outlook.calendar), None)
        return cls(
            id=system,
            name=found.about.name,
            counts={group.when: group.count for group in shown.groups},
            next=(first.on, first.title) if first else None,
            barred=found.barred_by,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A reader at a system's page."""

    request: AnyRequest
    rulebook: Rules
    access: Access
    by: Actor
    lang: Lang
    system: str

    def back(self, done: str) -> Redirect:
        """Return to the page, which says what was done."""
        return Redirect(f"/{self.lang}/rulebook/systems/{self.system}?done={done}", status_code=303)

    def page(
        self,
        on: date | None,
        chosen: Chosen,
        *,
        is_print: bool = False,
        propose: Form[Any] | None = None,
        decide: Form[Any] | None = None,
        status: int = 200,
    ) -> Template:
        """Show the page; where no facts are on record, what would fill it."""
        found = self.rulebook.file_of(self.system, on=on)
        if found is None:
            about = self.rulebook.about(self.system)
            return render(
                "rulebook/owed_empty.html", lang=self.lang, title=owed_words.OWED, system_id=self.system, about=about
            )
        return render(
            "rulebook/owed.html",
            lang=self.lang,
            title=Text(zh=f"我的义务：{found.about.name.zh}", en=f"What I owe: {found.about.name.en}"),
            status=status,
            file=found,
            system_id=self.system,
            today=self.rulebook.today(),
            proposals=self._proposals(),
            by=self.by,
            may_override=self.access.may(self.by, OVERRIDE, self.system),
            propose=propose or empty_form(),
            decide=decide or empty_form(),
            form=propose or decide or empty_form(),
            notice=owed_words.notice(self.request),
            is_print=is_print,
            **shown(found.outlook, chosen, self.lang),
            facts=known_facts(found.record.description, found.outlook),
            red_titles=_red_titles(found),
        )

    def _proposals(self) -> list[Proposal]:
        found = self.access.proposals(actions=(OVERRIDE,), subject=self.system)
        return [one for one in found if one.stand is Stand.OPEN]


def shown(outlook: Outlook, chosen: Chosen, lang: Lang) -> dict[str, Any]:
    """Return what the parts of a page of duties need."""
    found = view(outlook, chosen)
    names = {name: one.short for name, one in outlook.text.instruments.items()}
    return {
        "owed": found,
        "chosen": chosen,
        "groups": owed_words.GROUPS,
        "bearers": BEARERS,
        "cite": lambda one: cited(outlook.text, one),
        "picture": owed_picture.timeline(found.calendar, names, outlook.on, lang),
        "legend": owed_picture.legend(found.calendar),
        "kinds": owed_picture.KINDS,
        "names": names,
    }


def _red_titles(found: SystemFile) -> dict[str, Text]:
    return {name: found.outlook.text.norms[name].title for name in found.red_lines}


def _beside(problem: Problem) -> Problem:
    """The problem, at the field where the answer is given."""
    problem.details = {**problem.details, "field": "answer"}
    return problem


PAGES: tuple[type[Controller], ...] = (OwedPages, PartyPages)
