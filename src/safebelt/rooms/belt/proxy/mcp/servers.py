"""MCP servers behind the belt: where they are, and the few header fields that mean something to them."""

import ssl
from collections.abc import Mapping
from typing import Any

from safebelt.rooms.belt.proxy.client import Answer, Upstream
from safebelt.rooms.belt.proxy.mcp.events import PLAIN
from safebelt.rooms.belt.proxy.wire import Headers, Request

_PASSED = (b"mcp-session-id", b"mcp-protocol-version")
"""Fields of the protocol that pass both ways as they are."""
RESUMED = b"last-event-id"
"""What a client asks to have a stream resumed after."""
_BOTH = b"application/json, text/event-stream"
_NAMED_BY = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""Which parameter the field `mcp-name` repeats (specification of 2026-07-28, transports)."""


class McpServer(Upstream):
    """One MCP server.

    Args:
        url: Its endpoint, for example `https://tools.example.org/mcp`.
        key: Bearer key sent to it; empty sends none.
        tls: Context for https.
    """

    async def ask(
        self,
        request: Request,
        message: Mapping[str, Any] | None,
        body: bytes,
        *,
        record: str = "",
        resumed: bytes = b"",
    ) -> Answer:
        """Send a request and return the answer once its head is here.

        Args:
            request: The client's; only its method and the protocol's own fields are read.
            message: The message it carries, as it was judged; None for GET and DELETE.
            body: The same as bytes.
            record: As for `Upstream.send`.
            resumed: The event after which a stream is to go on; empty for none.

        Raises:
            UpstreamDown, UpstreamBroke, UpstreamSlow: As of any upstream.
        """
        fields = [*kept(request.headers), (b"accept", _BOTH), (b"accept-encoding", b"identity")]
        fields += [(b"host", self._authority), (b"user-agent", b"safebelt")]
        if record:
            fields.append((b"x-request-id", record.encode("ascii")))
        if resumed:
            fields.append((RESUMED, resumed))
        if self._key:
            fields.append((b"authorization", b"Bearer " + self._key))
        if message is not None:
            fields += _named(request, message)
            fields += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        head = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), (self._path or "/").encode("ascii"))
        return await self._sent(head + b"".join(b"%b: %b\r\n" % pair for pair in fields) + b"\r\n" + body)


def servers_of(urls: Mapping[str, str], keys: Mapping[str, str], tls: ssl.SSLContext) -> dict[str, McpServer]:
    """Return the servers by name.

    Raises:
        ValueError: An address is none.
    """
    return {name: McpServer(url, key=keys.get(name, ""), tls=tls) for name, url in urls.items()}


def kept(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the protocol's own fields, where their values are plain."""
    return [(name, value) for name, value in headers if name in _PASSED and PLAIN.fullmatch(value)]


def _named(request: Request, message: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the fields that repeat a message, made from the message: no other may stand outside than inside."""
    if not request.header(b"mcp-method"):
        return []
    params = message.get("params")
    name = params.get(_NAMED_BY.get(str(message.get("method")), ""), "") if isinstance(params, dict) else ""
    pairs = ((b"mcp-method", message.get("method")), (b"mcp-name", name))
    written = [(field, value.encode()) for field, value in pairs if isinstance(value, str) and value]
    return [(field, value) for field, value in written if PLAIN.fullmatch(value)]
