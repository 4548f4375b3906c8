"""`/{lang}/belt/stop`: order, confirm, and the proof."""

from collections.abc import Sequence
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import Redirect, ServerSentEvent, Template

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Invalid, NotFound, Refused
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.access.model import Proposal
from safebelt.rooms.belt.model import BLIND_SPOTS, NO_TERMS, STOPS, Command, Order, OrderTerms, Scope
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import Belt, Stop
from safebelt.web.forms import FieldError, Form, empty_form
from safebelt.web.live import Update, live
from safebelt.web.security import requires
from safebelt.web.templating import fragment
from safebelt.web.templating import page as render

HISTORY = 20
WAIT_SECONDS = 0.3
"""The proof page opens as soon as the order is given; a healthy belt is proven within this."""

PathLang = Annotated[Lang, PathParameter()]
PathId = Annotated[str, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]
Word = Annotated[str, QueryParameter(max_length=80)]
PageNumber = Annotated[int, QueryParameter(ge=1, le=100_000)]


class StopPages(Controller):
    """The stop control."""

    path = "/{lang:str}/belt"
    include_in_schema = False

    @get("/stop", sync_to_thread=True, guards=[requires("belt.read")])
    def control(
        self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, system: Word = "", page: PageNumber = 1
    ) -> Template:
        """Show what holds, the four orders, and the history."""
        return _control(request, belt, lang, empty_form(system=system), page)

    @post("/stop/confirm", sync_to_thread=True, status_code=200, guards=[requires("belt.read")])
    def confirm(self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, data: FormData) -> Template:
        """Say once more what the order does, before it is given.  Nothing happens yet."""
        form = _checked(data)
        if form.value is None:
            return _control(request, belt, lang, form)
        command = form.value
        system = target(data)
        return render(
            "belt/stop_confirm.html",
            lang=lang,
            title=words.CONFIRM,
            command=command,
            hold=belt.hold() if command is Command.PAUSE else None,
            system=system,
            name=belt.names().get(system),
            reason=data["reason"].strip(),
            action=f"/{lang}/belt/{'resume' if command is Command.RUN else 'stop'}",
            may_order=words.may(request, "belt.resume" if command is Command.RUN else "belt.stop", system),
            words=words,
        )

    @post("/stop", sync_to_thread=True, guards=[requires("belt.stop")])
    def stop(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Order pause, drain or cut."""
        if data.get("command") == Command.RUN.value:  # resuming has a door, and a right, of its own
            return _control(request, belt, lang, _checked({**data, "command": ""}))
        return _order(request, belt, by, lang, data)

    @post("/resume", sync_to_thread=True, guards=[requires("belt.resume")])
    def resume(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        by: NamedDependency[Actor],
        lang: PathLang,
        data: FormData,
    ) -> Template | Redirect:
        """Let traffic pass again."""
        return _order(request, belt, by, lang, {**data, "command": Command.RUN.value})

    @get("/stops/{order_id:str}", sync_to_thread=True, guards=[requires("belt.read")])
    def proof(self, belt: NamedDependency[Belt], lang: PathLang, order_id: PathId) -> Template:
        """Show the proof of an order."""
        stop = belt.stop(order_id)
        return render(
            "belt/stop_proof.html",
            lang=lang,
            title=words.PROOF,
            stop=stop,
            rest=_rest(belt, stop),
            names=belt.names(),
            blind_spots=BLIND_SPOTS,
            words=words,
            state_of=_state_of(stop),
        )

    @get("/stops/{order_id:str}/live", sync_to_thread=True, guards=[requires("belt.read")])
    def live_proof(
        self, request: AnyRequest, belt: NamedDependency[Belt], lang: PathLang, order_id: PathId, since: Word = ""
    ) -> ServerSentEvent:
        """Send the proof again whenever more of it is known."""

        def newer_than(cursor: str) -> Sequence[Update]:
            stop = belt.stop(order_id)
            if _state_of(stop) == cursor:
                return []
            html = fragment(
                request.app,
                "belt/_proof.html",
                lang=lang,
                stop=stop,
                rest=_rest(belt, stop),
                names=belt.names(),
                words=words,
            )
            return [Update(cursor=_state_of(stop), html=html, event="text")]

        return live(request, newer_than, since=since, every_seconds=0.5)


def _state_of(stop: Stop) -> str:
    """Return a word that changes whenever more is known of an order."""
    return f"{int(stop.proof is not None)}{int(bool(stop.ordered_entry))}{int(bool(stop.effective_entry))}"


def _rest(belt: Belt, stop: Stop) -> list[str]:
    """Return which systems stay stopped by orders of their own, after a resume."""
    if stop.order.command is not Command.RUN:
        return []
    return [name for name in belt.state().systems if name != stop.order.system_id]


def _checked(data: FormData) -> Form[Command]:
    """Read the form; its value is the command where nothing is wrong."""
    errors = []
    if not data.get("reason", "").strip():
        errors.append(FieldError(field="reason", says=Text(zh="请写明理由。", en="Say why.")))
    command = next((each for each in STOPS if each.value == data.get("command")), None)
    if command is None:
        errors.append(
            FieldError(field="command", says=Text(zh="请选择一项命令。", en="Choose one of the four orders."))
        )
    return Form(values=data, errors=tuple(errors), value=None if errors else command)


def target(data: FormData) -> str:
    """Return what the order is for: a part, where one is named, else the system that was chosen, else all."""
    part, kind = data.get("part", "").strip(), data.get("part_kind", "")
    return f"{kind}:{part}" if part and kind in list(Scope) else data.get("system", "")


def _terms(belt: Belt, data: FormData) -> OrderTerms:
    """Return whether a pause lets new requests wait."""
    return belt.hold() if (data.get("command"), data.get("hold")) == (Command.PAUSE.value, "yes") else NO_TERMS


def _order(request: AnyRequest, belt: Belt, by: Actor, lang: Lang, data: FormData) -> Template | Redirect:
    form = _checked(data)
    if form.value is None:
        return _control(request, belt, lang, form)
    try:
        order = belt.ask(belt.to_stop(form.value, target(data), _terms(belt, data)), data["reason"], by)
    except (Invalid, NotFound, Refused) as problem:
        return _control(request, belt, lang, form.refused(problem), refused=problem.status)
    return came_of(belt, lang, order)


def came_of(belt: Belt, lang: Lang, order: Order | Proposal) -> Redirect:
    """Show what came of an order: its proof, or that a second person is needed."""
    if isinstance(order, Proposal):
        return Redirect(f"/{lang}/belt/orders/{order.id}", status_code=303)
    belt.wait_effective(order.id, WAIT_SECONDS)
    return Redirect(f"/{lang}/belt/stops/{order.id}", status_code=303)


def _control(
    request: AnyRequest, belt: Belt, lang: Lang, form: Form[Command], page: int = 1, *, refused: int = 422
) -> Template:
    return render(
        "belt/stop.html",
        lang=lang,
        title=words.STOP,
        status=refused if form.errors else 200,
        form=form,
        now=belt.state(),
        names=belt.names(),
        history=belt.stops(page, HISTORY),
        words=words,
        may=lambda action: words.may(request, action),
    )
