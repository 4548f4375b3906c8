"""Who is behind a request: the session cookie, the bearer token, and protection against forged requests.

    cookie = SessionCookie(is_tls=settings.is_tls)
    Litestar(middleware=[Authenticate(access, cookie), Csrf(csrf_config(csrf_secret(path), cookie), cookie)],
             state=State({"authorize": access.authorize, "session_cookie": cookie}))

A page's form carries `{{ csrf_field() }}`, or `{{ csrf_input | safe }}`; a script sends the same value as the
header `X-CSRF-Token`.  A request with a bearer token needs neither: no browser sends one unasked.
"""

import os
import re
from dataclasses import dataclass
from hmac import compare_digest
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from litestar.config.csrf import CSRFConfig
from litestar.connection import ASGIConnection, Request
from litestar.datastructures import Cookie, MutableScopeHeaders
from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.middleware.csrf import generate_csrf_hash, generate_csrf_token
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.utils.scope.state import ScopeState
from litestar.utils.sync import ensure_async_callable

from safebelt.kernel.actors import PUBLIC, Actor
from safebelt.kernel.errors import Refused, Unauthenticated
from safebelt.kernel.text import Lang, Text

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "_csrf_token"
_TOKEN_CHARS = 64
"""Length of the random part of a CSRF token; as many characters of HMAC-SHA-256 follow."""
_FOR_MACHINES = ("/api/", "/pki/", "/witness/")
"""Doors that programs use: JSON, X.509 and the log's witnesses.  No other site's form goes there with a cookie."""
_NO_ONE_LOOKS = ("/static/",)
"""Below these paths it does not matter who asks, so no session is looked up."""
_SAME_SITE_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9\-._~!$&'()*+,;=:@%/?\[\]]*")
"""Path and query of RFC 3986, beginning with exactly one slash: `//host` and `/\\host` lead to other sites."""


class Authenticator(Protocol):
    """Tells who a credential stands for; raises `Unauthenticated` where it opens nothing."""

    def authenticate_session(self, token: str, /) -> Actor:
        """Return who a session's secret stands for."""

    def authenticate_token(self, token: str, /) -> Actor:
        """Return who an API token stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie:
    """The cookie that holds a session's secret (RFC 6265bis).

    Attributes:
        is_tls: Whether the console is served over TLS.  Then the cookie is `Secure` and has the `__Host-` prefix:
            no other host, path or plain connection can set or see it.
    """

    is_tls: bool = False

    def named(self, name: str) -> str:
        """Return a cookie's full name."""
        return f"__Host-{name}" if self.is_tls else name

    @property
    def name(self) -> str:
        """The name of the session cookie."""
        return self.named("safebelt_session")

    def holding(self, token: str, *, seconds: int) -> Cookie:
        """Return the cookie that keeps a session's secret for so long."""
        return self._cookie(token, seconds)

    def gone(self) -> Cookie:
        """Return the cookie that makes a browser forget the secret."""
        return self._cookie("", 0)

    def read(self, connection: ASGIConnection[Any, Any, Any, Any]) -> str:
        """Return the secret a browser sent, or nothing."""
        return connection.cookies.get(self.name, "")

    def _cookie(self, value: str, seconds: int) -> Cookie:
        return Cookie(
            key=self.name, value=value, max_age=seconds, path="/", httponly=True, samesite="lax", secure=self.is_tls
        )


def cookie_of(connection: ASGIConnection[Any, Any, Any, Any]) -> SessionCookie:
    """Return the session cookie of this house, as `run/doors.py` set it up."""
    cookie: SessionCookie = connection.app.state.session_cookie
    return cookie


def bearer(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    """Return the bearer token of a request (RFC 6750 section 2.1); None where it has none."""
    scheme, _, credential = connection.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


class Authenticate(ASGIMiddleware):
    """Puts who asks into the connection's state, as `actor`.

    A bearer token, where there is one, is the only thing looked at, and must be good.  A session cookie that opens
    nothing makes its holder the public: the browser may just have slept.
    """

    scopes = (ScopeType.HTTP, ScopeType.WEBSOCKET)

    def __init__(self, access: Authenticator, cookie: SessionCookie) -> None:
        # The look-ups ask the database, so they run in a thread and never hold up the event loop.
        self._by_session = ensure_async_callable(access.authenticate_session)
        self._by_token = ensure_async_callable(access.authenticate_token)
        self._cookie = cookie

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Find out who asks, then go on."""
        connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
        connection.state["actor"] = await self._who(connection)
        await next_app(scope, receive, send)

    async def _who(self, connection: ASGIConnection[Any, Any, Any, Any]) -> Actor:
        if connection.scope["path"].startswith(_NO_ONE_LOOKS):
            return PUBLIC
        if (token := bearer(connection)) is not None:
            return await self._by_token(token)
        if secret := self._cookie.read(connection):
            try:
                return await self._by_session(secret)
            except Unauthenticated:
                return PUBLIC
        return PUBLIC


class Csrf(ASGIMiddleware):
    """Refuses requests that another site made a signed-in browser send (signed double submit, OWASP).

    Litestar's own middleware with three differences: a bearer token needs no CSRF token; an API call without a
    session cookie needs none either (there is nothing to abuse, and it gets its 401); and a cookie signed by an earlier
    secret is replaced instead of refusing every form until somebody clears the browser.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, config: CSRFConfig, cookie: SessionCookie) -> None:
        self._config, self._cookie = config, cookie

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Hand out a token with pages, ask for it back with everything that changes something."""
        request: Request[Any, Any, Any] = Request(scope, receive=receive)
        held = request.cookies.get(self._config.cookie_name, "")
        is_api = request.scope["path"].startswith(_FOR_MACHINES)
        if request.method in self._config.safe_methods:
            if is_api or request.scope["path"].startswith(_NO_ONE_LOOKS) or _sets_no_cookie(scope):
                await next_app(scope, receive, send)
                return
            token = held if self._is_ours(held) else generate_csrf_token(self._config.secret)
            ScopeState.from_scope(scope).csrf_token = token
            await next_app(scope, receive, send if token == held else self._handing_out(token, send))
            return
        if _is_for_strangers(scope):
            _hold_from_here(request)
            await next_app(scope, receive, send)
            return
        is_exempt = bearer(request) is not None or (is_api and not self._cookie.read(request))
        if not is_exempt:
            sent = await _sent(request)
            if not (self._is_ours(held) and compare_digest(sent.encode(), held.encode())):
                raise _forged()
            ScopeState.from_scope(scope).csrf_token = held
        await next_app(scope, receive, send)

    def _is_ours(self, token: str) -> bool:
        random, signature = token[:_TOKEN_CHARS], token[_TOKEN_CHARS:]
        signed = generate_csrf_hash(token=random, secret=self._config.secret)
        return len(random) == _TOKEN_CHARS and compare_digest(signature.encode(), signed.encode())

    def _handing_out(self, token: str, send: Send) -> Send:
        config = self._config
        cookie = Cookie(
            key=config.cookie_name,
            value=token,
            path=config.cookie_path,
            secure=config.cookie_secure,
            httponly=config.cookie_httponly,
            samesite=config.cookie_samesite,
        ).to_header(header="")

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableScopeHeaders.from_message(message).add("set-cookie", cookie)
            await send(message)

        return sending


def _sets_no_cookie(scope: Scope) -> bool:
    """Whether a page says that it has no form to protect (`opt={"sets_no_cookie": True}`): visitors get no cookie."""
    return bool(scope["route_handler"].opt.get("sets_no_cookie"))


def _is_for_strangers(scope: Scope) -> bool:
    """Whether a form acts for nobody (`opt={"for_strangers": True}`): whoever is signed in, it does what anybody may.

    There is no cookie whose power another site could borrow, so none is needed against it either.
    """
    return bool(scope["route_handler"].opt.get("for_strangers"))


def _hold_from_here(request: Request[Any, Any, Any]) -> None:
    """Hold that no other site sent a form in a visitor's name, as far as their browser tells.

    Browsers say by themselves where a request comes from, and no page can make them say another thing (W3C Fetch
    Metadata; RFC 6454).  What is no browser says nothing, and holds nobody's power.

    Raises:
        Refused: It came from another site.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    ours = {str(request.base_url).rstrip("/"), str(request.app.state.get("public_url", "") or "").rstrip("/")}
    is_ours = site in {"same-origin", "none"} if site else origin is None or origin in ours
    if not is_ours:
        raise _forged()


async def _sent(request: Request[Any, Any, Any]) -> str:
    """Return the CSRF token a request carries, in its header or its form."""
    if header := request.headers.get(CSRF_HEADER):
        return header
    if request.content_type[0] in {RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART}:
        field = (await request.form()).get(CSRF_FIELD, "")
        return field if isinstance(field, str) else ""
    return ""


def _forged() -> Refused:
    return Refused(
        what=Text(
            zh="该请求缺少有效的防伪令牌，可能并非由您本人从本页面发出。",
            en="The request lacks a valid CSRF token, so it may not have come from you and this page.",
        ),
        hint=Text(
            zh="请返回页面、刷新后重新提交；请允许本站使用 Cookie。",
            en="Go back, reload the page and send the form again; let this site set cookies.",
        ),
    )


def csrf_config(secret: str, cookie: SessionCookie) -> CSRFConfig:
    """Build Litestar's CSRF settings: same flags as the session cookie, header `X-CSRF-Token`, field `_csrf_token`.

    Args:
        secret: Signs the tokens; the same in every process and after a restart, see `csrf_secret`.
        cookie: The session cookie, for its flags.
    """
    return CSRFConfig(
        secret=secret,
        cookie_name=cookie.named("safebelt_csrf"),
        header_name=CSRF_HEADER,
        cookie_secure=cookie.is_tls,
        cookie_httponly=True,
        cookie_samesite="lax",
    )


def csrf_secret(file: Path) -> str:
    """Return the secret kept in a file of mode 0600, making it on first use.

    Several processes may start at once: the file appears whole or not at all, and the first one wins.
    """
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mine = file.with_name(f".{file.name}.{os.getpid()}.{token_hex(4)}")
        with os.fdopen(os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(token_hex(32))
        try:
            file.hardlink_to(mine)
        except FileExistsError:
            pass  # another process was first; its secret is as good
        finally:
            mine.unlink()
    return file.read_text().strip()


def safe_next(wanted: str, lang: Lang) -> str:
    """Return where to go after signing in: a path of this very site, else the front page.

    Example:
        >>> safe_next("/en/belt?page=2", "en"), safe_next("//evil.example/", "en")
        ('/en/belt?page=2', '/en/')
    """
    is_fit = _SAME_SITE_PATH.fullmatch(wanted) is not None and "/access/sign-" not in wanted
    return wanted if is_fit else f"/{lang}/"
