"""The kit's own doors: the way in, the explanations of problems, and the API reference for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, get
from litestar.params import PathParameter
from litestar.response import Redirect, Response, Template

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.web.language import preferred
from safebelt.web.problem_words import KINDS, Kind, said
from safebelt.web.problems import reader, wants_page
from safebelt.web.security import open_to_all
from safebelt.web.static_files import static_file
from safebelt.web.templating import page

_EXPLAINS = open_to_all("explains the interface; holds nothing about anybody")
_METHODS = ("get", "post", "put", "patch", "delete")

AnyRequest = Request[Any, Any, Any]


@get("/", guards=[open_to_all("only says where to go")], include_in_schema=False)
async def way_in(request: AnyRequest) -> Redirect:
    """Send a visitor to the home page in the language the browser asks for."""
    return Redirect(
        f"/{preferred(request.headers.get('accept-language', ''))}/",
        status_code=302,
        headers={"vary": "accept-language"},
    )


def _kind(code: str) -> Kind:
    if code not in KINDS:
        raise NotFound(**said("not-found"), details={"code": code})
    return KINDS[code]


def _explained(kind: Kind, lang: Lang) -> Template:
    return page("web/problem_kind.html", lang=lang, title=kind.title, kind=kind)


@get("/problems/{code:str}", guards=[_EXPLAINS], include_in_schema=False)
async def problem_kind(request: AnyRequest, code: Annotated[str, PathParameter()]) -> Response[Any] | Template:
    """Explain one kind of problem; RFC 9457 `type` leads here."""
    kind = _kind(code)
    if wants_page(request):
        return _explained(kind, reader(request))
    both = {name: {"zh": text.zh, "en": text.en} for name, text in _texts(kind)}
    return Response({"code": code, "status": kind.form.status, "retry": kind.retry, **both})


def _texts(kind: Kind) -> Iterator[tuple[str, Text]]:
    return iter((("title", kind.title), ("what", kind.what), ("hint", kind.hint)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the API as its page lists it."""

    method: str
    path: str
    summary: str
    statuses: tuple[str, ...]


def operations(schema: Mapping[str, Any]) -> dict[str, list[Operation]]:
    """Return an OpenAPI document's operations, by tag."""
    found: dict[str, list[Operation]] = {}
    for path, item in sorted(schema.get("paths", {}).items()):
        for method in _METHODS:
            if method in item:
                operation = item[method]
                line = Operation(
                    method=method.upper(),
                    path=path,
                    summary=str(operation.get("description") or operation.get("summary") or "").split("\n")[0],
                    statuses=tuple(sorted(operation.get("responses", {}))),
                )
                found.setdefault((operation.get("tags") or ["—"])[0], []).append(line)
    return found


class KitPages(Controller):
    """Pages that belong to no room."""

    path = "/{lang:str}"
    include_in_schema = False

    @get("/problems", guards=[_EXPLAINS])
    async def problems(self, lang: Annotated[Lang, PathParameter()]) -> Template:
        """List every kind of problem."""
        title = Text(zh="问题说明", en="Problems explained")
        return page("web/problem_kinds.html", lang=lang, title=title, kinds=KINDS)

    @get("/problems/{code:str}", guards=[_EXPLAINS])
    async def problem(self, lang: Annotated[Lang, PathParameter()], code: Annotated[str, PathParameter()]) -> Template:
        """Explain one kind of problem."""
        return _explained(_kind(code), lang)

    @get("/api", guards=[_EXPLAINS])
    async def api(self, request: AnyRequest, lang: Annotated[Lang, PathParameter()]) -> Template:
        """List the API's operations, from the OpenAPI document itself."""
        title = Text(zh="接口说明", en="API reference")
        schema = request.app.openapi_schema.to_schema() if request.app.openapi_config else {}
        return page("web/api.html", lang=lang, title=title, groups=operations(schema))


KIT_DOORS: tuple[Any, ...] = (way_in, problem_kind, static_file, KitPages)
"""What `run/doors.py` hands to Litestar beside the rooms' doors."""
