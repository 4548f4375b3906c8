"""`/{lang}/belt/policies`: what is screened for, its versions, and changes that wait for a second person."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Lang
from safebelt.rooms.access.model import STANDS, Stand
from safebelt.rooms.belt.decide.toolcalls import condition_says
from safebelt.rooms.belt.model import NOT_EVALUATED
from safebelt.rooms.belt.pages import rates, words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt, Loaded
from safebelt.web.forms import Form, empty_form
from safebelt.web.security import requires
from safebelt.web.templating import page as render

MAX_AT_ONCE = 2_000
"""Exchanges of a replay that somebody waits for; the command line takes more."""
SHOWN_TERMS = 200
"""Terms of a rule on its policy's page: a list of fifty thousand would be a page of megabytes; the API gives all."""
PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]
Version = Annotated[str, QueryParameter(max_length=64)]


class PolicyPages(Controller):
    """Policies and their versions."""

    path = "/{lang:str}/belt"
    include_in_schema = False

    @get("/policies", sync_to_thread=True, guards=[requires("belt.read")])
    def policies(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang) -> Template:
        """List the policies, and what waits for a second person."""
        return _list(request, belt, lang, empty_form(), notice=True)

    @get("/policies/{policy_id:path}", sync_to_thread=True, guards=[requires("belt.read")])
    def policy(
        self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, policy_id: PathId, version: Version = ""
    ) -> Template:
        """Show one policy: every rule, what it does, what it rests on; and its versions."""
        return _one(request, belt, lang, policy_id.strip("/"), empty_form(), version=version)

    @post("/replay", sync_to_thread=True, status_code=200, guards=[requires("belt.read")])
    def replay(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, data: FormData) -> Template:
        """Show what a pasted policy would have done to the newest exchanges.  Nothing is remembered."""
        source, days = data.get("yaml", "").replace("\r\n", "\n"), data.get("days", "7")
        form = empty_form(yaml=source)
        try:
            policy = belt.check_policy(source.encode("utf-8", "replace"))
            since = datetime.now(UTC) - timedelta(days=min(int(days), 3650) if days.isdecimal() else 7)
            found = belt.replay(policy, since, system_id=data.get("system", "")[:80], most=MAX_AT_ONCE)
        except Problem as problem:
            return _list(request, belt, lang, form.refused(_beside(problem, "yaml")), status=problem.status)
        return render(
            "belt/replay.html",
            lang=lang,
            title=words.REPLAY,
            replay=found,
            read=sum(found.after.values()),
            titles={rule.id: rule.title for one in (policy, *belt.policies()) for rule in one.rules},
            reasons=NOT_EVALUATED,
            words=words,
        )

    @post("/policy-changes", sync_to_thread=True, guards=[requires("belt.configure")])
    def load(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Bring a pasted version into force."""
        source, reason = data.get("yaml", "").replace("\r\n", "\n"), data.get("reason", "")
        try:
            loaded = belt.load_policy(source.encode("utf-8", "replace"), reason, by=by)
        except Problem as problem:
            form = empty_form(yaml=source, reason=reason).refused(_beside(problem, "yaml"))
            return _list(request, belt, lang, form, status=problem.status)
        return _after(lang, loaded)

    @post("/policy-changes/roll-back", sync_to_thread=True, guards=[requires("belt.configure")])
    def roll_back(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Bring an earlier version back into force."""
        policy, version, reason = (data.get(name, "") for name in ("policy", "version", "reason"))
        try:
            loaded = belt.roll_back_policy(policy, reason, by=by, version=version)
        except Problem as problem:
            form = empty_form(version=version, reason=reason).refused(_beside(problem, "reason"))
            return _one(request, belt, lang, policy, form, status=problem.status)
        return _after(lang, loaded)

    @get("/policy-changes/{proposal_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def change(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
    ) -> Template:
        """Show a change of red lines, and let a second person decide."""
        return _change(request, belt, by, lang, belt.policy_changes(proposal_id), empty_form())

    @post("/policy-changes/{proposal_id:str}/second", sync_to_thread=True, guards=[requires("belt.red_lines")])
    def second(  # noqa: PLR0917  Litestar injects by name
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        proposal_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Second a change of red lines: the version comes into force."""
        answer = data.get("answer", "")
        try:
            made = belt.second_policy(proposal_id, answer=answer, by=by)
        except Problem as problem:
            form = empty_form(answer=answer).refused(_beside(problem, "answer"))
            return _change(request, belt, by, lang, belt.policy_changes(proposal_id), form, status=problem.status)
        return Redirect(f"/{lang}/belt/policies/{made.policy}?done=policy", status_code=303)


def _beside(problem: Problem, field: str) -> Problem:
    """Return the problem with the field it is shown beside, where it names none that the form has."""
    if problem.details.get("field") not in {"yaml", "reason", "answer"}:
        problem.details = {**problem.details, "field": field}
    return problem


def _after(lang: Lang, loaded: Loaded) -> Redirect:
    if loaded.proposal is not None:
        return Redirect(f"/{lang}/belt/policy-changes/{loaded.proposal.id}", status_code=303)
    return Redirect(f"/{lang}/belt/policies/{loaded.policy.id}?done=policy", status_code=303)


def _list(
    request: AnyRequest, belt: Belt, lang: Lang, form: Form[Any], *, status: int = 200, notice: bool = False
) -> Template:
    return render(
        "belt/policies.html",
        lang=lang,
        title=words.POLICIES,
        status=status,
        policies=belt.policies(),
        used=[harness.policy for harness in belt.harnesses()],
        waiting=[one for one in belt.waiting_policy_changes() if one.stand is Stand.OPEN],
        form=form,
        may=lambda action: words.may(request, action),
        notice=words.notice(request) if notice else None,
        words=words,
    )


def _one(
    request: AnyRequest,
    belt: Belt,
    lang: Lang,
    policy_id: str,
    form: Form[Any],
    *,
    version: str = "",
    status: int = 200,
) -> Template:
    now = belt.policy(policy_id)
    policy = belt.policy_version(policy_id, version) if version else now
    return render(
        "belt/policy.html",
        lang=lang,
        title=policy.title,
        status=status,
        policy=policy,
        now=now,
        hits=dict(belt.traffic("", 1440).by_rule),
        shown=SHOWN_TERMS,
        says=condition_says,
        figures=belt.classifier_figures(),
        over_blocking=belt.over_blocking(policy),
        rates=rates,
        versions=belt.policy_versions(policy_id),
        form=form,
        may=lambda action: words.may(request, action, policy_id),
        notice=words.notice(request) if status == 200 else None,
        words=words,
    )


def _change(  # noqa: PLR0917  one page, what it shows
    request: AnyRequest, belt: Belt, by: Actor, lang: Lang, loaded: Loaded, form: Form[Any], status: int = 200
) -> Template:
    proposal = loaded.proposal
    return render(
        "belt/policy_change.html",
        lang=lang,
        title=words.POLICY_CHANGE,
        status=status,
        loaded=loaded,
        proposal=proposal,
        stands=STANDS,
        is_own=proposal is not None and proposal.by == by.id,
        may_decide=words.may(request, "belt.red_lines", loaded.policy.id),
        form=form,
        words=words,
    )
