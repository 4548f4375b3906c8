"""`/{lang}/belt/try`: type a prompt and watch the belt act."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import PathParameter, QueryParameter, URLEncodedBody
from litestar.response import ServerSentEvent, ServerSentEventMessage, Template

from safebelt.kernel.errors import Problem, Unavailable
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.belt.pages import words
from safebelt.rooms.belt.pages.words import AnyRequest
from safebelt.rooms.belt.service import MAX_PROMPT_CHARS, Belt, Full, Tried, TryIt, texts_of
from safebelt.web.forms import Form, empty_form
from safebelt.web.problems import invalid_field
from safebelt.web.security import requires
from safebelt.web.templating import fragment
from safebelt.web.templating import page as render

PathLang = Annotated[Lang, PathParameter()]
FormData = URLEncodedBody[dict[str, str]]


class TryPages(Controller):
    """Try it."""

    path = "/{lang:str}/belt/try"
    include_in_schema = False

    @get(guards=[requires("belt.try")])
    async def ask(self, lang: PathLang, prompt: Annotated[str, QueryParameter(max_length=4000)] = "") -> Template:
        """Show the prompt box and the examples."""
        return _page(lang, empty_form(prompt=prompt))

    @post(status_code=200, guards=[requires("belt.try")])
    async def answer(
        self, belt: NamedDependency[Belt], try_it: NamedDependency[TryIt], lang: PathLang, data: FormData
    ) -> Template:
        """Ask, and answer with a whole page: for browsers without JavaScript."""
        prompt = data.get("prompt", "").strip()
        form = _checked(prompt)
        if form.errors:
            return _page(lang, form, status=422)
        try:
            tried = await try_it.ask(prompt)
        except Unavailable as problem:
            return _page(lang, form.refused(problem), status=problem.status)
        full = await sync_to_thread(_recorded, belt, tried.record_id)
        return _page(lang, form, tried=tried, full=full)

    @post("/stream", status_code=200, guards=[requires("belt.try")])
    async def stream(
        self,
        request: AnyRequest,
        belt: NamedDependency[Belt],
        try_it: NamedDependency[TryIt],
        lang: PathLang,
        data: FormData,
    ) -> ServerSentEvent:
        """Ask, and send the answer as it comes; at the end, what the belt did."""
        prompt = data.get("prompt", "").strip()
        return ServerSentEvent(_events(request, belt, try_it, lang, prompt))


async def _events(
    request: AnyRequest, belt: Belt, try_it: TryIt, lang: Lang, prompt: str
) -> AsyncIterator[ServerSentEventMessage]:
    form, said = _checked(prompt), ""
    if form.errors:
        yield _message("refused", {"text": form.errors[0].says.in_(lang)})
        return
    async for kind, data in try_it.stream(prompt):
        if kind == "text":
            said += data["text"]
            yield _message("text", data)
            continue
        text = said if kind == "end" else data["text"]
        tried = Tried(status=data["status"], text=text, record_id=data["record"], code=data["code"])
        full = await sync_to_thread(_recorded, belt, tried.record_id)
        html = fragment(request.app, "belt/_tried.html", lang=lang, typed=prompt, tried=tried, **_shown(full))
        yield _message(kind, {"text": data["text"], "html": html})


def _message(kind: str, data: dict[str, Any]) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=kind, data=msgspec.json.encode(data).decode())


def _recorded(belt: Belt, record_id: str) -> Full | None:
    """Return the exchange's record; None where there is none (yet): the answer is shown all the same."""
    if not record_id:
        return None
    try:
        belt.index()
        return belt.exchange(record_id)
    except Problem:
        return None


def _shown(full: Full | None) -> dict[str, Any]:
    """Return what `_tried.html` needs of the record."""
    facts = full.intent.core if full and full.intent else {}
    return {
        "full": full,
        "stance": facts.get("stance", ""),
        "done_in": facts.get("done", ""),
        "kept": texts_of(full.intent) if full else [],
        "label": full.outcome.core.get("label") if full and full.outcome else None,
    }


def _checked(prompt: str) -> Form[Any]:
    form: Form[Any] = empty_form(prompt=prompt)
    hint = Text(zh="", en="")
    if not prompt:
        return form.refused(invalid_field("prompt", Text(zh="请输入一句话。", en="Type something."), hint))
    if len(prompt) > MAX_PROMPT_CHARS:
        says = Text(zh=f"请控制在 {MAX_PROMPT_CHARS} 个字符以内。", en=f"Keep it within {MAX_PROMPT_CHARS} characters.")
        return form.refused(invalid_field("prompt", says, hint))
    return form


def _page(
    lang: Lang, form: Form[Any], *, status: int = 200, tried: Tried | None = None, full: Full | None = None
) -> Template:
    return render(
        "belt/try.html",
        lang=lang,
        title=words.TRY,
        status=status,
        form=form,
        tried=tried,
        typed=form.typed("prompt"),
        words=words,
        **_shown(full),
    )
