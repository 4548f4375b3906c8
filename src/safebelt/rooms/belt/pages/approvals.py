"""`/{lang}/belt/approvals`: tool calls that wait for a person, and the answer to each."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, ServerSentEvent, Template

from safebelt.engines.clock import wall_clock
from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Problem
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.model import Answered, Approval
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt
from safebelt.web.forms import FieldError, Form, empty_form
from safebelt.web.live import Update, live
from safebelt.web.security import requires
from safebelt.web.templating import fragment
from safebelt.web.templating import page as render

_ROWS = 50
_TICK_SECONDS = 5
"""How often the time left is told anew."""
TITLE = Text(zh="待批准的工具调用", en="Tool calls that wait for a person")
ONE = Text(zh="工具调用", en="Tool call")
ANSWERS: dict[Answered, Text] = {
    Answered.APPROVED: Text(zh="已准许", en="allowed"),
    Answered.REFUSED: Text(zh="已拒绝", en="refused"),
    Answered.EXPIRED: Text(zh="过期未批，按拒绝处理", en="nobody answered in time: refused"),
    Answered.GONE: Text(zh="调用方已离开", en="the caller left"),
}
DEEDS = {
    "approve": Text(zh="已准许继续，并已记入存证账本。", en="The call goes on, and the ledger remembers it."),
    "refuse": Text(zh="已拒绝，并已记入存证账本。", en="The call is refused, and the ledger remembers it."),
}

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]
Word = Annotated[str, QueryParameter(max_length=80)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]


class ApprovalPages(Controller):
    """Tool calls that wait for a person."""

    path = "/{lang:str}/belt/approvals"
    include_in_schema = False

    @get(sync_to_thread=True, guards=[requires("belt.read_content")])
    def approvals(self, belt: NamedDependency[Belt], lang: PathLang, page: PageNumber = 1) -> Template:
        """List the calls, those that wait first."""
        found = belt.approvals(page, _ROWS)
        return render(
            "belt/approvals.html",
            lang=lang,
            title=TITLE,
            found=found,
            state_of=_state_of(found.items),
            **_shown(belt),
        )

    @get("/live", sync_to_thread=True, guards=[requires("belt.read_content")])
    def live_list(
        self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, since: Word = ""
    ) -> ServerSentEvent:
        """Send the list again whenever a call comes or is answered, and the time left now and then."""

        def newer_than(cursor: str) -> Sequence[Update]:
            found = belt.approvals(1, _ROWS)
            state, tick = _state_of(found.items), _tick()
            if cursor.partition(".")[0] != state:
                html = fragment(request.app, "belt/_approvals.html", lang=lang, found=found, **_shown(belt))
                return [Update(cursor=f"{state}.{tick}", html=html, event="text")]
            if cursor == f"{state}.{tick}":
                return []
            waiting = [each for each in found.items if each.answer is None]
            return [_left(request, lang, each, f"{state}.{tick}") for each in waiting]

        return live(request, newer_than, since=since, every_seconds=0.5)

    @get("/{approval_id:str}", sync_to_thread=True, guards=[requires("belt.read_content")])
    def approval(self, belt: NamedDependency[Belt], lang: PathLang, approval_id: PathId, done: Word = "") -> Template:
        """Show one call with all that a person needs to decide."""
        return _one(belt, lang, belt.approval(approval_id), empty_form(), done=done)

    @get("/{approval_id:str}/live", sync_to_thread=True, guards=[requires("belt.read_content")])
    def live_one(
        self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, approval_id: PathId, since: Word = ""
    ) -> ServerSentEvent:
        """Send the time left, and that the call was answered; the form stays as it is under the person's hands."""

        def newer_than(cursor: str) -> Sequence[Update]:
            approval = belt.approval(approval_id)
            now = f"{_state_of((approval,))}.{_tick() if approval.answer is None else ''}"
            return [] if cursor == now else [_left(request, lang, approval, now)]

        return live(request, newer_than, since=since, every_seconds=0.5)

    @post("/{approval_id:str}/approve", sync_to_thread=True, guards=[requires("belt.approve", resource="approval_id")])
    def approve_call(
        self,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        approval_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Let the call go on."""
        return _answer(belt, by, lang, approval_id, data, deed="approve")

    @post("/{approval_id:str}/refuse", sync_to_thread=True, guards=[requires("belt.approve", resource="approval_id")])
    def refuse_call(
        self,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        approval_id: PathId,
        data: FormData,
    ) -> Template | Redirect:
        """Refuse the call."""
        return _answer(belt, by, lang, approval_id, data, deed="refuse")


def _answer(belt: Belt, by: Actor, lang: Lang, approval_id: str, data: FormData, *, deed: str) -> Template | Redirect:
    reason = data.get("reason", "").strip()
    if not reason:
        says = Text(zh="请写明理由。", en="Say why.")
        form: Form[Any] = Form(values=data, errors=(FieldError(field="reason", says=says),), value=None)
        return _one(belt, lang, belt.approval(approval_id), form, status=422)
    try:
        belt.answer_call(approval_id, is_approved=deed == "approve", reason=reason, by=by)
    except (Conflict, Invalid) as problem:
        return _refused(belt, lang, approval_id, data, problem)
    return Redirect(f"/{lang}/belt/approvals/{approval_id}?done={deed}", status_code=303)


def _refused(belt: Belt, lang: Lang, approval_id: str, data: FormData, problem: Problem) -> Template:
    form: Form[Any] = Form(values=data, errors=(FieldError(field="reason", says=problem.what),), value=None)
    return _one(belt, lang, belt.approval(approval_id), form, status=problem.status)


def _one(belt: Belt, lang: Lang, approval: Approval, form: Form[Any], *, status: int = 200, done: str = "") -> Template:
    return render(
        "belt/approval.html",
        lang=lang,
        title=ONE,
        status=status,
        approval=approval,
        held=approval.held,
        form=form,
        done=DEEDS.get(done),
        state_of=_state_of((approval,)),
        **_shown(belt),
    )


def _shown(belt: Belt) -> dict[str, Any]:
    return {"names": belt.names(), "answers": ANSWERS, "left": seconds_left, "words": words}


def seconds_left(approval: Approval) -> int:
    """Return how long a call still waits, in whole seconds; a live page tells it by the wall clock."""
    return max(0, int((approval.held.expires_at - wall_clock()).total_seconds()))


def _left(request: AnyRequest, lang: Lang, approval: Approval, cursor: str) -> Update:
    html = fragment(request.app, "belt/_left.html", lang=lang, each=approval, answers=ANSWERS, left=seconds_left)
    return Update(cursor=cursor, html=html, event="text")


def _state_of(approvals: Sequence[Approval]) -> str:
    """Return a word that changes whenever a call comes, or more is known of one."""
    seen = [f"{each.held.id}{each.answer.answered if each.answer else ''}{each.acted_at}" for each in approvals]
    return sha256("|".join(seen).encode()).hexdigest()[:16]


def _tick() -> int:
    return int(wall_clock().timestamp()) // _TICK_SECONDS
