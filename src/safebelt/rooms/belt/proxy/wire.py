"""Words of the wire: a request as received, and the bytes of a response head."""

from functools import lru_cache
from hashlib import sha256
from http import HTTPStatus

Headers = tuple[tuple[bytes, bytes], ...]
"""Header fields in order of arrival, names in lower case."""

MINOR = b"x-safebelt-minor"
"""Says whether a minor asks."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that end at each hop (RFC 9110 section 7.6.1)."""


_AS_IT_IS = (b"", b"identity")


class Stated:
    """What a head states that every exchange asks for.

    Attributes:
        digest: SHA-256 of the credential, hexadecimal; the credential itself is kept nowhere.
        is_identity: Whether the body is as it is, not compressed.
        minor: What is said of the user's age; empty where nothing is.
    """

    __slots__ = ("digest", "is_identity", "minor")

    def __init__(self, digest: str, is_identity: bool, minor: bytes) -> None:
        self.digest, self.is_identity, self.minor = digest, is_identity, minor


class Request:
    """A request, whole; `known` is what its head states, where that is known already."""

    __slots__ = ("_known", "body", "headers", "is_http_1_0", "method", "target")

    def __init__(
        self,
        *,
        method: str,
        target: str,
        headers: Headers,
        body: bytes,
        is_http_1_0: bool = False,
        known: Stated | None = None,
    ) -> None:
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.is_http_1_0, self._known = is_http_1_0, known

    @property
    def stated(self) -> Stated:
        """What the head states."""
        if self._known is None:
            self._known = stated(self.headers)
        return self._known

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def has_query(self) -> bool:
        """Whether the target has a query, be it empty."""
        return "?" in self.target

    def header(self, name: bytes) -> bytes:
        """Return the last field of that lower-case name, or nothing."""
        return field_of(self.headers, name)


def field_of(headers: Headers, name: bytes) -> bytes:
    """Return the last field of that lower-case name, or nothing."""
    for key, value in reversed(headers):
        if key == name:
            return value
    return b""


def stated(headers: Headers) -> Stated:
    """Return what the fields of a head state."""
    scheme, _, credential = field_of(headers, b"authorization").partition(b" ")
    if scheme.lower() != b"bearer":
        credential = field_of(headers, b"x-api-key")  # as Anthropic's clients send it
    return Stated(
        sha256(credential.strip()).hexdigest() if credential.strip() else "",
        all(value in _AS_IT_IS for name, value in headers if name == b"content-encoding"),
        field_of(headers, MINOR),
    )


def head(status: int, headers: Headers) -> bytes:
    """Return a status line and fields, with the blank line."""
    return b"".join([_status_line(status), *[b"%b: %b\r\n" % pair for pair in headers], b"\r\n"])


@lru_cache(maxsize=1024)
def _status_line(status: int) -> bytes:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else "Status"
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase.encode())


def chunk(data: bytes) -> bytes:
    """Frame bytes as one HTTP chunk; nothing stays nothing, because an empty chunk ends the message."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


LAST_CHUNK = b"0\r\n\r\n"
