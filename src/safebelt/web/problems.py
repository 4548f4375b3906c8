"""Say no in one place: RFC 9457 problem+json for programs, a page for people, both languages in each.

    Litestar(exception_handlers=problem_handlers(new_id))

Whatever is raised (our `Problem`s, the framework's own exceptions, a bug) leaves here with *what*
happened and *what to do next*.  A bug leaves with an incident id and nothing else; the rest is in the log.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from safebelt.kernel.errors import Invalid, NotFound, Problem
from safebelt.kernel.ids import NewId
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.web.language import as_lang, preferred, sayer
from safebelt.web.problem_words import FRAMEWORK, KINDS, said

MEDIA_TYPE = "application/problem+json"
_JSON_PATHS = ("/api", "/log", "/schema", "/health", "/v1")

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemText:
    """What a problem says in one language."""

    title: str
    detail: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemBody:
    """A problem as programs get it (RFC 9457, media type `application/problem+json`).

    Attributes:
        type: Address of the page that explains this kind of problem.
        title: The kind of problem, in one phrase.
        status: The HTTP status.
        detail: What happened this time.
        hint: What to do next.
        code: Stable name of the kind.
        details: Machine-readable facts.
        zh: The same in Chinese.
        en: The same in English.
    """

    type: str
    title: str
    status: int
    detail: str
    hint: str
    code: str
    zh: ProblemText
    en: ProblemText
    details: dict[str, str] = field(default_factory=dict)


def problem_body(problem: Problem, lang: Lang) -> ProblemBody:
    """Write a problem for programs, with `lang` in the main fields."""
    kind = KINDS[problem.code]
    texts = {
        each: ProblemText(title=kind.title.in_(each), detail=problem.what.in_(each), hint=problem.hint.in_(each))
        for each in LANGS
    }
    mine = texts[lang]
    return ProblemBody(
        type=f"/problems/{problem.code}",
        title=mine.title,
        status=problem.status,
        detail=mine.detail,
        hint=mine.hint,
        code=problem.code,
        details=dict(problem.details),
        zh=texts["zh"],
        en=texts["en"],
    )


def reader(request: AnyRequest) -> Lang:
    """Return the language of whoever asks: the address says it, or else the browser does."""
    return as_lang(request.url.path.lstrip("/").partition("/")[0]) or preferred(
        request.headers.get("accept-language", "")
    )


def wants_page(request: AnyRequest) -> bool:
    """Whether a person reads the answer: never below `/api`, `/log` and the like, always below `/zh`, `/en`."""
    path, accept = request.url.path, request.headers.get("accept", "")
    if any(path == prefix or path.startswith(prefix + "/") for prefix in _JSON_PATHS):
        return False
    if "json" in accept and "text/html" not in accept:
        return False
    return as_lang(path.lstrip("/").partition("/")[0]) is not None or "text/html" in accept


def render_problem(request: AnyRequest, problem: Problem) -> Response[Any]:
    """Answer with a problem, as a page or as RFC 9457 JSON."""
    lang = reader(request)
    headers = _headers(problem)
    if not wants_page(request):
        return Response(problem_body(problem, lang), status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)
    sign_in = str(request.app.state.get("sign_in_path", ""))
    if problem.status == HTTPStatus.UNAUTHORIZED and sign_in and request.method == "GET":
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return Redirect(f"/{lang}/{sign_in}?{urlencode({'next': here})}", status_code=303)
    return _page(request, problem, lang, headers)


def _page(request: AnyRequest, problem: Problem, lang: Lang, headers: Mapping[str, str]) -> Response[Any]:
    from safebelt.web.templating import page  # noqa: PLC0415  templating shows problems too: avoid the circle

    answer = page(
        "web/problem.html",
        lang=lang,
        title=KINDS[problem.code].title,
        status=problem.status,
        problem=problem,
        say=sayer(lang),
    )
    answer.headers.update(headers)
    return answer


def _headers(problem: Problem) -> dict[str, str]:
    """What HTTP wants beside some statuses (RFC 9110 sections 10.2.1, 10.2.3, 11.6.1)."""
    headers = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="safebelt"'
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED and "allow" in problem.details:
        headers["allow"] = problem.details["allow"]
    if seconds := problem.details.get("retry_after_seconds"):
        headers["retry-after"] = seconds
    return headers


def as_problem(request: AnyRequest, error: HTTPException) -> Problem:
    """Translate one of the framework's exceptions into a `Problem` of ours."""
    if as_lang(str(request.path_params.get("lang", "zh"))) is None:
        return NotFound(**said("no-such-page"))
    status = error.status_code
    form = FRAMEWORK.get(status, FRAMEWORK[400 if status < 500 else 500])
    return form(**said(form.code), details=_details(error))


def _details(error: HTTPException) -> dict[str, str]:
    allow = next((value for name, value in (error.headers or {}).items() if name.lower() == "allow"), "")
    extra = error.extra if isinstance(error.extra, list) else []
    return ({"allow": allow} if allow else {}) | {
        str(item.get("key", "body")): str(item.get("message", "")) for item in extra if item
    }


def problem_handlers(new_id: NewId) -> dict[int | type[Exception], Callable[[AnyRequest, Any], Response[Any]]]:
    """Return the application's exception handlers.

    Args:
        new_id: Mints the incident id (`inc_…`) that ties a person's report to the log's line.
    """
    log = structlog.get_logger("safebelt.web")

    def framework(request: AnyRequest, error: HTTPException) -> Response[Any]:
        if error.status_code >= 500 and error.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
            return unexpected(request, error)
        return render_problem(request, as_problem(request, error))

    def unexpected(request: AnyRequest, error: Exception) -> Response[Any]:
        if isinstance(error, RecursionError) and "deserializing" in str(error):  # JSON nested beyond all reading
            return render_problem(request, FRAMEWORK[400](**said("bad-request")))
        incident = new_id("inc")
        log.error("unexpected", incident=incident, method=request.method, path=request.url.path, exc_info=error)
        form = FRAMEWORK[500]
        return render_problem(request, form(**said("internal"), details={"incident": incident}))

    return {Problem: render_problem, HTTPException: framework, Exception: unexpected}


def invalid_field(name: str, what: Text, hint: Text) -> Invalid:
    """Build the problem of one field, for doors that check a form themselves."""
    return Invalid(what=what, hint=hint, details={"field": name})
