"""`/.well-known/safebelt/identity` on the belt's own port: who the guarded system is, never asked of the upstream.

The same answers, and the same problems, as at the console's door of that name; open to any site's page, kept by nobody.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import msgspec

from safebelt.kernel.errors import NotFound, Problem
from safebelt.kernel.text import LANGS, Text
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Headers, Request
from safebelt.web.language import preferred
from safebelt.web.problem_words import KINDS, MethodNotAllowed, said

if TYPE_CHECKING:
    from safebelt.rooms.certificates.model import Identity

PATH = "/.well-known/safebelt/identity"
Prove = Callable[[str, str], "Identity"]
"""`(system or "", nonce)`: signs what the asker chose, or raises a `Problem`; takes some 50 microseconds."""
_OPEN: Headers = ((b"access-control-allow-origin", b"*"), (b"cache-control", b"no-store"))
_SAID: Headers = ((b"content-type", b"application/json"), *_OPEN)
_REFUSED: Headers = ((b"content-type", b"application/problem+json"), *_OPEN)
_MAX_FIELDS = 8


def nobody(system_id: str, _nonce: str) -> "Identity":
    """Say that this belt proves nobody's identity."""
    name = system_id[:40] or "—"
    raise NotFound(
        what=Text(zh=f"此安全带没有系统 {name} 的身份。", en=f"This belt carries no identity of {name}."),
        hint=Text(
            zh="运营者设置 SAFEBELT_IDENTITY_SYSTEM 后即可证明身份。",
            en="It does once its operator sets SAFEBELT_IDENTITY_SYSTEM.",
        ),
        details={"field": "system"},
    )


class IdentityDoor:
    """Answers whoever asks who the guarded system is.

    Args:
        prove: Signs.
    """

    def __init__(self, prove: Prove) -> None:
        self._prove = prove

    async def __call__(self, request: Request, reply: Reply) -> None:
        """Answer one challenge."""
        try:
            if request.method not in {"GET", "HEAD"}:
                raise MethodNotAllowed(**said("method-not-allowed"), details={"allow": "GET, HEAD"})
            system_id, nonce = _asked(request)
            await reply.whole(200, _SAID, msgspec.json.encode(self._prove(system_id, nonce)))
        except Problem as problem:
            allow = problem.details.get("allow", "").encode()
            more: Headers = ((b"allow", allow),) if allow else ()
            await reply.whole(problem.status, (*_REFUSED, *more), _body(problem, request))


def _asked(request: Request) -> tuple[str, str]:
    """Return the system and the nonce of a challenge; what cannot be read is an empty nonce, and refused as one."""
    try:
        fields = parse_qs(request.target.partition("?")[2], max_num_fields=_MAX_FIELDS)
    except ValueError:
        return "", ""
    return fields.get("system", [""])[0], fields.get("nonce", [""])[0]


def _body(problem: Problem, request: Request) -> bytes:
    """Write a problem as the console does (RFC 9457), without the framework that serves there."""
    kind, lang = KINDS[problem.code], preferred(request.header(b"accept-language").decode("latin-1"))
    texts = {
        each: {"title": kind.title.in_(each), "detail": problem.what.in_(each), "hint": problem.hint.in_(each)}
        for each in LANGS
    }
    told = {"type": f"/problems/{problem.code}", "status": problem.status, "code": problem.code, **texts[lang]}
    return msgspec.json.encode({**told, **texts, "details": problem.details})
