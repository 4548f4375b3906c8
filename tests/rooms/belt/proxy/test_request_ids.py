"""The upstream is told each record's id, on either way and whoever is asked, so that its log can be held against ours."""

import json
import ssl
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.rooms.belt.proxy.bench import Belt, answering, in_belt, json_reply, post, raw
from tests.rooms.belt.proxy.test_quick import ASKED, KEY, Seen

from safebelt.rooms.belt.proxy.client import Upstream
from safebelt.rooms.belt.proxy.mcp import McpServer
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.upstreams import Upstreams
from safebelt.rooms.belt.proxy.wire import Request

MINE = {"x-request-id": "rec_of_my_own"}


def told(tmp_path: Path, *bodies: dict[str, Any], path: str = "chat/completions") -> tuple[list[bytes], list[str]]:
    """Ask a belt, as a client that says an id of its own; return what the upstream was told and the answers' records."""
    heard: list[bytes] = []

    async def scenario(belt: Belt) -> list[str]:
        async def upstream(request: Request, reply: Reply) -> None:
            heard.append(request.header(b"x-request-id"))
            if request.method == "GET":
                await json_reply(reply, {"object": "list", "data": []})
            else:
                await belt.script(json.loads(request.body), reply)

        belt.upstream_handler = upstream
        async with httpx2.AsyncClient(timeout=20, headers={**KEY, **MINE}) as calls:
            answers = [await calls.post(f"{belt.url}/{path}", json=body) for body in bodies]
        return [answer.headers["x-safebelt-record"] for answer in answers]

    return heard, in_belt(tmp_path, answering("Hello."), scenario)


@pytest.mark.interpreted
@pytest.mark.parametrize("is_stream", [False, True])
def test_both_ways_tell_the_records_id_and_never_the_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_stream: bool
) -> None:
    seen = Seen(monkeypatch)
    body = {**ASKED, "stream": is_stream}

    heard, records = told(tmp_path, *[body] * 3)

    assert seen.taken == 2, "both ways were gone"
    assert heard == [record.encode() for record in records]
    assert len(set(heard)) == 3 and MINE["x-request-id"].encode() not in heard


def test_what_is_no_exchange_has_no_id(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def scenario(belt: Belt) -> bytes:
        async def upstream(request: Request, reply: Reply) -> None:
            heard.append(request.header(b"x-request-id"))
            await json_reply(reply, {"object": "list", "data": []})

        belt.upstream_handler = upstream
        return await raw(
            belt, b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sbk_test\r\nConnection: close\r\n\r\n"
        )

    assert b"200" in in_belt(tmp_path, answering(), scenario)[:20]
    assert heard == [b""]


def test_the_next_upstream_is_told_the_same_id(tmp_path: Path) -> None:
    heard: list[bytes] = []

    async def scenario(belt: Belt) -> int:
        async def upstream(request: Request, reply: Reply) -> None:
            heard.append(request.header(b"x-request-id"))
            await json_reply(reply, {"error": {}} if len(heard) == 1 else {}, 503 if len(heard) == 1 else 200)

        belt.upstream_handler = upstream
        tls = ssl.create_default_context()
        both = Upstreams([Upstream(f"{belt.up_origin}/v1", key="", tls=tls) for _ in range(2)])
        answer = await both.send("POST", "/v1/chat/completions", b"{}", may_repeat=True, record="rec_1")
        await answer.read(1000)
        both.close()
        return answer.status

    assert in_belt(tmp_path, answering(), scenario) == 200
    assert heard == [b"rec_1", b"rec_1"]


def test_a_tools_server_is_told_too(tmp_path: Path) -> None:
    heard: list[bytes] = []
    tools = McpServer("http://127.0.0.1:1/mcp", key="", tls=ssl.create_default_context())

    async def scenario(belt: Belt) -> list[dict[str, Any]]:
        async def server(request: Request, reply: Reply) -> None:
            heard.append(request.header(b"x-request-id"))
            await json_reply(reply, {"jsonrpc": "2.0", "id": 1, "result": {}})

        belt.upstream_handler = server
        tools._port = int(belt.up_origin.rpartition(":")[2])  # known only now
        await raw(belt, post({"jsonrpc": "2.0", "id": 1, "method": "ping"}, path="/mcp/files"))
        return belt.records("intent")

    (intent,) = in_belt(tmp_path, answering(), scenario, mcp={"files": tools})

    assert heard == [intent["id"].encode()]
