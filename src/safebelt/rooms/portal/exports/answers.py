"""Answers of HTTP that machines need not fetch twice: validators, and what a match of them comes to (RFC 9110, 13)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.response import Response

AnyRequest = Request[Any, Any, Any]

OPEN_HEADERS: Mapping[str, str] = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag, last-modified",
    "cross-origin-resource-policy": "cross-origin",
    "cache-control": "public, max-age=60",
}
"""What is public may be read from any site; a minute old is new enough."""


def base_of(request: AnyRequest) -> str:
    """Return this house's address, without a slash at its end: as its operator set it, or as whoever asks knows it.

    Behind a proxy that does not pass the host on, only the operator knows it.
    """
    return str(getattr(request.app.state, "public_url", "") or request.base_url).rstrip("/")


def answer(
    request: AnyRequest,
    body: bytes,
    media_type: str,
    *,
    changed: datetime | None = None,
    headers: Mapping[str, str] = OPEN_HEADERS,
) -> Response[Any]:
    """Answer with a body, or say that it has not changed.

    Args:
        request: Who asks, and what they have.
        body: What there is.
        media_type: Of the body.
        changed: When anything in it last changed; None where that is not known.
        headers: What else is said.
    """
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    told = {**headers, "etag": etag}
    if changed is not None:
        told["last-modified"] = format_datetime(changed.astimezone(UTC).replace(microsecond=0), usegmt=True)
    if matches(request, etag, changed):
        return Response(b"", status_code=304, headers=told, media_type=media_type)
    return Response(body, media_type=media_type, headers=told)


def matches(request: AnyRequest, etag: str, changed: datetime | None = None) -> bool:
    """Whether whoever asks has this already: by its tag, and only where they sent none, by its time."""
    held = request.headers.get("if-none-match", "")
    if held:
        tags = {one.strip().removeprefix("W/") for one in held.split(",")}
        return "*" in tags or etag.removeprefix("W/") in tags
    since = _time(request.headers.get("if-modified-since", ""))
    return changed is not None and since is not None and changed.replace(microsecond=0) <= since


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
