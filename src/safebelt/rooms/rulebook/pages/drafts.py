"""`/{lang}/rulebook/drafts`: what a draft would change and for whom; two people adopt it before it judges."""

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Annotated, Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import STANDS, Proposal, Stand
from safebelt.rooms.access.service import Access
from safebelt.rooms.rulebook.exports.impact import class_title, impact_csv, norm_title
from safebelt.rooms.rulebook.model import Overlay
from safebelt.rooms.rulebook.packs.findings import Finding, Unreadable
from safebelt.rooms.rulebook.pages import draft_view, owed_words
from safebelt.rooms.rulebook.pages.cited import cited
from safebelt.rooms.rulebook.pages.owed_words import AnyRequest, Day, FormData, PageNumber, PathId, PathLang, Word
from safebelt.rooms.rulebook.service import Rules
from safebelt.rooms.rulebook.service.deciding import ADOPT
from safebelt.rooms.rulebook.service.weighing import WHOM, Whom
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

PathName = Annotated[PurePosixPath, PathParameter()]

ROWS = 25
"""Affected systems on one page."""


class DraftPages(Controller):
    """Drafts, and what two people make of them."""

    path = "/{lang:str}/rulebook/drafts"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("rulebook.read")])
    def drafts(
        self,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        lang: PathLang,
    ) -> Template:
        """List amendments, drafts and proposals, with the form to check a draft of one's own."""
        return _list(rulebook, access, lang, empty_form(), notice=owed_words.notice(request))

    @post(sync_to_thread=True, status_code=200, guards=[requires("rulebook.read")])
    def check(
        self,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template:
        """Read a draft that was pasted, and show what it would change and for whom.  Nothing is remembered."""
        source = owed_words.one(data, "source").replace("\r\n", "\n")
        form = empty_form(source=source, whom=owed_words.one(data, "whom") or Whom.EXAMPLES.value)
        try:
            overlay = rulebook.draft(source)
            return _Weighed(rulebook, lang, overlay, form).page(source=source, may_propose=access.may(by, ADOPT))
        except Unreadable as problem:
            return _list(rulebook, access, lang, form.refused(_short(problem)), findings=problem.findings, status=422)
        except Problem as problem:
            return _list(rulebook, access, lang, form.refused(problem), status=problem.status)

    @post("/impact.csv", sync_to_thread=True, status_code=200, guards=[requires("rulebook.read")])
    def as_csv(self, rulebook: NamedDependency[Rules], data: FormData) -> Response[str]:
        """Give whom a pasted draft would touch as a file."""
        source = owed_words.one(data, "source").replace("\r\n", "\n")
        return _file(rulebook, rulebook.draft(source), _whom(owed_words.one(data, "whom")))

    @post("/propose", sync_to_thread=True, guards=[requires("rulebook.adopt")])
    def propose(
        self,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Propose that a draft be adopted."""
        source, reason = owed_words.one(data, "source").replace("\r\n", "\n"), owed_words.one(data, "reason")
        form = empty_form(source=source, reason=reason, whom=Whom.EXAMPLES.value)
        try:
            overlay = rulebook.draft(source)
        except Problem as problem:
            return _list(rulebook, access, lang, form.refused(_short(problem)), status=problem.status)
        try:
            made = rulebook.propose_draft(source, reason=reason, by=by)
        except Problem as problem:
            refused = form.refused(_at(problem, "reason"))
            return _Weighed(rulebook, lang, overlay, refused).page(
                source=source, may_propose=True, status=problem.status
            )
        return Redirect(f"/{lang}/rulebook/drafts/proposals/{made.id}?done=proposed", status_code=303)

    @get("/proposals/{proposal_id:str}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def proposal(
        self,
        *,
        request: AnyRequest,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
    ) -> Template:
        """Show a proposed draft: what it would change, for whom, why, and who decides."""
        return _Deciding(rulebook, access, by, lang).page(
            access.proposal(proposal_id), empty_form(), notice=owed_words.notice(request)
        )

    @post("/proposals/{proposal_id:str}/second", sync_to_thread=True, guards=[requires("rulebook.adopt")])
    def second(
        self,
        *,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Second what another proposed: from its day on the draft judges."""
        return _Deciding(rulebook, access, by, lang).answered(proposal_id, data, is_yes=True)

    @post("/proposals/{proposal_id:str}/refuse", sync_to_thread=True, guards=[requires("rulebook.adopt")])
    def refuse(
        self,
        *,
        rulebook: NamedDependency[Rules],
        access: NamedDependency[Access],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Refuse what another proposed."""
        return _Deciding(rulebook, access, by, lang).answered(proposal_id, data, is_yes=False)


class ImpactPages(Controller):
    """What an amendment, or a draft that comes with the law, does to whom."""

    path = "/{lang:str}/rulebook/impact"
    include_in_schema = False

    @get("/{name:path}", sync_to_thread=True, guards=[requires("rulebook.read")])
    def impact(
        self,
        *,
        rulebook: NamedDependency[Rules],
        lang: PathLang,
        name: PathName,
        whom: Word = "",
        on: Day = "",
        form: Word = "",
        page: PageNumber = 1,
    ) -> Template | Response[str]:
        """Show it, or give the list as CSV."""
        overlay = rulebook.overlay(str(name).strip("/"))
        if form == "csv":
            return _file(rulebook, overlay, _whom(whom), on)
        asked = empty_form(whom=_whom(whom).value, on=on)
        return _Weighed(rulebook, lang, overlay, asked, number=page).page()


@dataclass(frozen=True, slots=True)
class _Weighed:
    """A change of the law with what it does to a population, for a reader."""

    rulebook: Rules
    lang: Lang
    overlay: Overlay
    form: Form[Any]
    number: int = 1

    def page(self, *, source: str = "", may_propose: bool = False, status: int = 200) -> Template:
        """Show it.  `source` is the text of a draft that is not kept here."""
        title = Text(zh=self.overlay.title.zh, en=self.overlay.title.en)
        return render(
            "rulebook/impact.html",
            lang=self.lang,
            title=title,
            status=status,
            source=source,
            may_propose=may_propose,
            proposal=None,
            **self.parts(),
        )

    def parts(self) -> dict[str, Any]:
        """Return what the parts of the page need."""
        whom = _whom(self.form.typed("whom"))
        day = owed_words.day(self.form.typed("on"))
        found = self.rulebook.impact(self.overlay, whom, on=day)
        pages = max(1, -(-len(found.listed) // ROWS))
        number = min(self.number, pages)
        reform = found.reform
        return {
            "form": self.form,
            "overlay": self.overlay,
            "impact": found,
            "changes": draft_view.changes(reform),
            "whom": whom,
            "populations": WHOM,
            "rows": found.listed[(number - 1) * ROWS : number * ROWS],
            "number": number,
            "pages": pages,
            "by_sector": draft_view.share_bars(found.by_sector, self.lang),
            "by_size": draft_view.share_bars(found.by_size, self.lang),
            "by_norm": draft_view.norm_bars(found, self.lang),
            "norms_drawn": draft_view.NORMS_DRAWN,
            "norm_title": lambda norm: norm_title(reform, norm),
            "class_title": lambda instrument, name: class_title(reform, instrument, name),
            "cite": lambda one: cited(reform.after, one),
            "is_known": self.overlay.id in {one.id for one in self.rulebook.overlays()},
        }


@dataclass(frozen=True, slots=True)
class _Deciding:
    """A person before a proposal."""

    rulebook: Rules
    access: Access
    by: Actor
    lang: Lang

    def page(self, proposal: Proposal, decide: Form[Any], *, status: int = 200, notice: Text | None = None) -> Template:
        """Show a proposal; what was proposed is read again, so that the page shows what would be adopted."""
        overlay = self._overlay(proposal)
        asked = replace(decide, values={**decide.values, "whom": Whom.EXAMPLES.value})
        return render(
            "rulebook/impact.html",
            lang=self.lang,
            title=owed_words.PROPOSAL,
            status=status,
            source=str(proposal.content.get("source", "")),
            may_propose=False,
            proposal=proposal,
            stands=STANDS,
            is_own=proposal.by == self.by.id,
            may_decide=self.access.may(self.by, ADOPT, proposal.subject),
            notice=notice,
            **_Weighed(self.rulebook, self.lang, overlay, asked).parts(),
        )

    def _overlay(self, proposal: Proposal) -> Overlay:
        """The proposed draft; once adopted, the one that judges.

        Raises:
            NotFound: The proposal is about something else.
        """
        if proposal.action != ADOPT or proposal.stand is Stand.SECONDED:
            return self.rulebook.overlay(proposal.subject)
        return self.rulebook.draft(str(proposal.content["source"]))

    def answered(self, proposal_id: str, data: dict[str, str | list[str]], *, is_yes: bool) -> Template | Redirect:
        """Carry out a decision, or show why it cannot be."""
        answer = owed_words.one(data, "answer")
        try:
            if is_yes:
                self.rulebook.adopt_draft(proposal_id, answer=answer, by=self.by)
            else:
                self.access.refuse(proposal_id, answer=answer, by=self.by)
        except Problem as problem:
            form = empty_form(answer=answer).refused(_at(problem, "answer"))
            return self.page(self.access.proposal(proposal_id), form, status=problem.status)
        done = "adopted" if is_yes else "refused"
        return Redirect(f"/{self.lang}/rulebook/drafts?done={done}", status_code=303)


def _list(
    rulebook: Rules,
    access: Access,
    lang: Lang,
    form: Form[Any],
    *,
    findings: tuple[Finding, ...] = (),
    status: int = 200,
    notice: Text | None = None,
) -> Template:
    adopted = {one.overlay: one for one in rulebook.adoptions()}
    return render(
        "rulebook/drafts.html",
        lang=lang,
        title=owed_words.DRAFTS,
        status=status,
        form=form,
        findings=findings,
        notice=notice,
        enacted=rulebook.rulebook.enacted,
        adopted=adopted,
        unfit=rulebook.unfit(),
        drafts=rulebook.rulebook.drafts,
        proposals=access.proposals(actions=(ADOPT,)),
        stands=STANDS,
        populations=WHOM,
        instruments=rulebook.rulebook.base.instruments,
    )


def _whom(typed: str) -> Whom:
    try:
        return Whom(typed or Whom.EXAMPLES.value)
    except ValueError:
        raise Invalid(
            what=Text(zh=f"没有这样的一组系统：“{typed}”。", en=f"There is no such population: “{typed}”."),
            hint=Text(zh="请选择 register 或 examples。", en="Choose register or examples."),
            details={"field": "whom"},
        ) from None


def _file(rulebook: Rules, overlay: Overlay, whom: Whom, on: str = "") -> Response[str]:
    found = rulebook.impact(overlay, whom, on=owed_words.day(on))
    headers = {"content-disposition": 'attachment; filename="impact.csv"'}
    return Response(impact_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


def _at(problem: Problem, field: str) -> Problem:
    """The problem, at the field where the reason is given."""
    problem.details = {**problem.details, "field": field}
    return problem


def _short(problem: Problem) -> Problem:
    """A problem of reading in one sentence; its findings are listed apart."""
    if not isinstance(problem, Unreadable):
        return problem
    what = Text(
        zh=f"草案有 {len(problem.findings)} 处错误，逐项列在下面。",
        en=f"The draft has {len(problem.findings)} error(s); each is listed below.",
    )
    return Invalid(what=what, hint=problem.hint, details={"field": "source"})


PAGES: tuple[type[Controller], ...] = (DraftPages, ImpactPages)
