"""Our own files, served by us: `/static/…`, cached for a year where the address carries the content's digest.

Only files that were there at start are served, by exact name: there is no path to walk out of.
"""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.params import PathParameter

from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Text
from safebelt.web.security import open_to_all

_ROOT = Path(str(files("safebelt") / "web" / "static"))
_SERVED = frozenset({".css", ".js", ".svg", ".png", ".ico", ".woff2"})
_YEAR = "public, max-age=31536000, immutable"
_HOUR = "public, max-age=3600"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file: its bytes, its media type and its digest (12 hex digits of SHA-256)."""

    body: bytes
    media_type: str
    digest: str


@cache
def assets() -> dict[str, Asset]:
    """Return every servable file by its path under `static/`, read once (about half a megabyte)."""
    found = (path for path in sorted(_ROOT.rglob("*")) if path.is_file() and path.suffix in _SERVED)
    return {path.relative_to(_ROOT).as_posix(): _read(path) for path in found}


def _read(path: Path) -> Asset:
    body, (media_type, _) = path.read_bytes(), guess_type(path.name)
    return Asset(body=body, media_type=media_type or "application/octet-stream", digest=sha256(body).hexdigest()[:12])


def asset(path: str) -> str:
    """Return the address of a file under `static/`, with its digest, so that a new version is seen at once.

    Raises:
        KeyError: There is no such file: a typing error in a template, found by any test that renders it.
    """
    return f"/static/{path}?v={assets()[path].digest}"


@get("/static/{path:path}", guards=[open_to_all("styles and scripts hold nothing secret")], include_in_schema=False)
async def static_file(
    request: Request[Any, Any, Any], path: Annotated[PurePosixPath, PathParameter()]
) -> Response[bytes]:
    """Serve one file; answer 304 where the browser has it already."""
    found = assets().get(path.as_posix().lstrip("/"))
    if found is None:
        raise NotFound(
            what=Text(zh="没有这个文件。", en="There is no such file."),
            hint=Text(zh="请从首页重新进入。", en="Start again from the home page."),
        )
    etag = f'"{found.digest}"'
    headers = {
        "etag": etag,
        "cache-control": _YEAR if request.query_params.get("v") == found.digest else _HOUR,
    }
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers=headers, media_type=found.media_type)
    return Response(found.body, headers=headers, media_type=found.media_type)
