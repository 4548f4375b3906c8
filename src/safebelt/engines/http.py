"""Calling others over HTTP: always with time-outs, a limit on the answer, and the operating system's trusted roots."""

import ssl
from typing import Any

import httpx2
import truststore

from safebelt.kernel.errors import Unavailable
from safebelt.kernel.text import Text

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Nothing this house fetches is larger; a peer that sends more is cut off, not buffered."""


def client(*, connect_seconds: float = 5.0, read_seconds: float = 30.0, connections: int = 20) -> httpx2.Client:
    """Return a client that never waits forever and follows no redirect it was not told to.

    Args:
        connect_seconds: To reach the other side; also for a free connection of the pool.
        read_seconds: Between two pieces of an answer, and for sending.
        connections: At most so many at once, half of them kept open.
    """
    return httpx2.Client(
        timeout=httpx2.Timeout(read_seconds, connect=connect_seconds, pool=connect_seconds),
        limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections // 2),
        verify=truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        follow_redirects=False,
        headers={"user-agent": "safebelt"},
    )


def fetch(
    calls: httpx2.Client, method: str, url: str, *, max_bytes: int = MAX_ANSWER_BYTES, **options: Any
) -> httpx2.Response:
    """Make one call and return the whole answer, whatever its status.

    Args:
        calls: From `client`.
        method: For example `GET`.
        url: Where to.
        max_bytes: Largest body taken, after decompression.
        **options: `json`, `content`, `headers`, `params`: as for httpx.

    Raises:
        Unavailable: Nobody answers, the answer takes too long, breaks off, or is too large.
    """
    body = bytearray()
    try:
        with calls.stream(method, url, **options) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > max_bytes:
                    raise _unavailable(url, f"> {max_bytes} B")
    except (httpx2.TransportError, httpx2.DecodingError) as error:
        raise _unavailable(url, str(error) or type(error).__name__) from error
    headers = [(k, v) for k, v in answer.headers.multi_items() if k not in ("content-encoding", "content-length")]
    return httpx2.Response(answer.status_code, headers=headers, content=bytes(body), request=answer.request)


def _unavailable(url: str, why: str) -> Unavailable:
    host = httpx2.URL(url).host  # the rest of a URL may hold a secret
    return Unavailable(
        what=Text(zh=f"未能从 {host} 取得完整回应：{why}。", en=f"{host} gave no complete answer: {why}."),
        hint=Text(
            zh="请检查地址、网络和对方服务，然后重试。",
            en="Check the address, the network and that service; then try again.",
        ),
    )


def own_ports_tls() -> ssl.SSLContext:
    """Return a context for asking our own ports on this machine, whose certificate may be self-signed.

    It believes nobody's word, so it reads none of the world's authorities: those take longer than the asking.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
