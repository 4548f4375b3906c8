"""Where anybody gets the two tools, without signing in: `/verifier/verifier.html`, `/verifier/safebelt_verify.py`."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get
from litestar.params import PathParameter

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.verifier import PAGE, Tool, page_policy, tools
from safebelt.web.security import open_to_all


class VerifierFiles(Controller):
    """`/verifier`: an address that does not depend on a language, for people write it down."""

    path = "/verifier"
    include_in_schema = False

    @get("/{name:str}", guards=[open_to_all("whoever is shown a receipt must be able to check it")])
    async def tool(self, request: Request[Any, Any, Any], name: Annotated[str, PathParameter()]) -> Response[bytes]:
        """Serve one tool; answer 304 where the reader has it already."""
        found = tools().get(name)
        if found is None:
            raise NotFound(
                what=Text(zh="没有这个核验工具。", en="There is no such tool."),
                hint=Text(zh=f"可下载的文件：{'、'.join(tools())}。", en=f"There are {' and '.join(tools())}."),
            )
        headers = _headers(found)
        if _has(request.headers.get("if-none-match", ""), headers["etag"]):
            return Response(b"", status_code=304, headers=headers, media_type=found.media_type)
        return Response(found.body, headers=headers, media_type=found.media_type)


def _headers(tool: Tool) -> dict[str, str]:
    """Say how to keep the file, and for the page what it may do: it is served with a policy of its own."""
    headers = {"etag": f'"{tool.sha256}"', "cache-control": "public, no-cache"}
    if tool.name == PAGE:
        return headers | {"content-security-policy": f"{page_policy(tool.body.decode())}; frame-ancestors 'none'"}
    return headers | {"content-disposition": f'attachment; filename="{tool.name}"'}


def _has(condition: str, etag: str) -> bool:
    """Whether a reader has this file already (RFC 9110 section 13.1.2)."""
    known = {each.strip().removeprefix("W/") for each in condition.split(",")}
    return bool({etag, "*"} & known)
