"""A stream of an MCP server that breaks off goes on where it ended, through the belt, and is judged as ever."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, POLICY, Belt, raw
from tests.rooms.belt.proxy.test_mcp import connected, text_of, through

from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.mcp.events import Event, Events
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.server import ClientConnection
from safebelt.rooms.belt.proxy.wire import Request

pytest.importorskip("mcp")
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventMessage, EventStore
from mcp.types import JSONRPCMessage


class Kept(EventStore):
    """Every event of every stream, as a server keeps them that lets clients resume."""

    def __init__(self) -> None:
        self.events: list[tuple[str, JSONRPCMessage | None]] = []
        self.asked: list[str] = []

    async def store_event(self, stream_id: str, message: JSONRPCMessage | None) -> str:
        self.events.append((stream_id, message))
        return f"event-{len(self.events)}"

    async def replay_events_after(self, last_event_id: str, send_callback: Any) -> str | None:
        self.asked.append(last_event_id)
        after = int(last_event_id.removeprefix("event-"))
        stream = self.events[after - 1][0]
        for number, (one, message) in enumerate(self.events[after:], after + 1):
            if one == stream and message is not None:
                await send_callback(EventMessage(message, f"event-{number}"))
        return stream


def _server() -> MCPServer[Any]:
    server: MCPServer[Any] = MCPServer("files")

    @server.tool()
    async def slow(ctx: Context[Any, Any], says: str) -> str:
        """Break the stream off, and answer afterwards."""
        await ctx.close_sse_stream()
        await asyncio.sleep(0.3)
        return {"id": f"id {ID_CARD}", "word": f"now say {FORBIDDEN}"}.get(says, says)

    return server


@pytest.fixture
def serving() -> Iterator[tuple[str, Kept]]:
    port, kept = free_port(), Kept()
    app = _server().streamable_http_app(event_store=kept, retry_interval=50)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    yield f"http://127.0.0.1:{port}/mcp", kept
    server.should_exit = True
    thread.join(10)


def asked(home: Path, url: str, says: str) -> tuple[str, list[dict[str, Any]]]:
    async def scenario(belt: Belt) -> tuple[str, list[dict[str, Any]]]:
        async with connected(belt, "legacy") as client:
            try:
                said = text_of(await client.call_tool("slow", {"says": says}))
            except Exception as error:  # noqa: BLE001  the client's own kind of error
                said = str(error)
        return said, belt.records("intent")

    found: tuple[str, list[dict[str, Any]]] = through(home, url, scenario, policy=POLICY)
    return found


def test_a_client_resumes_a_stream_that_broke_off(tmp_path: Path, serving: tuple[str, Kept]) -> None:
    url, kept = serving

    said, intents = asked(tmp_path, url, "all is well")

    assert said == "all is well"
    assert kept.asked, "the client asked, and the belt passed on from where"
    assert all(each.startswith("event-") for each in kept.asked)
    assert any(each["model"] == "GET" for each in intents), "resuming is an exchange of its own, on record"


def test_what_comes_after_a_break_is_screened_as_before_it(tmp_path: Path, serving: tuple[str, Kept]) -> None:
    url, kept = serving

    masked, refused = asked(tmp_path / "a", url, "id")[0], asked(tmp_path / "b", url, "word")[0]

    assert masked.startswith("id ") and ID_CARD not in masked
    assert FORBIDDEN not in refused and "refused by a rule" in refused
    assert len(kept.asked) >= 2


def test_an_id_that_says_what_is_forbidden_passes_neither_way(tmp_path: Path) -> None:
    """The id of an event is the server's, and what it is resumed by the client's: neither is a way around the rules."""
    heard: list[bytes] = []
    word = "绝密大象"

    async def script(request: Request, reply: Reply) -> None:
        heard.append(request.header(b"last-event-id"))
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        message = b'{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
        for id_ in (b"event-7", ID_CARD.encode(), word.encode(), b"two words", b"x" * 300):
            await reply.write(b"id: %b\nretry: 20\ndata: %b\n\n" % (id_, message))
        await reply.end()

    async def scenario(belt: Belt) -> list[bytes]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: ClientConnection(script, Limits(body_bytes=10**6), set()), "127.0.0.1", port
        )
        said = [await raw(belt, _get(id_)) for id_ in (b"event-6", ID_CARD.encode(), b"two words", b"x" * 300)]
        server.close()
        return said

    port = free_port()
    said = through(tmp_path, f"http://127.0.0.1:{port}/mcp", scenario, policy=POLICY)

    assert heard == [b"event-6", b"", b"", b""]
    assert b"id: event-7\nretry: 20\ndata: {" in said[0]
    assert said[0].count(b"\nid: ") + said[0].startswith(b"id: ") == 1
    assert said[0].count(b"retry: 20\n") == 5, "the messages themselves all came"
    assert ID_CARD.encode() not in said[0] and word.encode() not in said[0]


def _get(id_: bytes) -> bytes:
    head = b"GET /mcp/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sbk_test\r\nConnection: close\r\n"
    return head + b"Accept: text/event-stream\r\nLast-Event-ID: " + id_ + b"\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_events_are_read_however_they_are_cut(size: int) -> None:
    raw_ = b"id: a1\r\nretry: 5\r\ndata: \r\n\r\n: beat\n\ndata: {}\n\nevent: message\nid:b\ndata: 1\ndata: 2\n\nid: c\ndata: 3"
    events = Events()

    read = [each for at in range(0, len(raw_), size) for each in events.read(raw_[at : at + size])] + events.rest()

    assert read == [Event(b"", b"a1", b"5"), Event(b""), Event(b"{}"), Event(b"1\n2", b"b"), Event(b"3", b"c")]
    assert read[0].written() == b"id: a1\nretry: 5\ndata: \n\n"
