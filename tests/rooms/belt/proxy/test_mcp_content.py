"""What an MCP server says is read as its client will: JSON within texts, bare numbers, texts that stand together."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, Belt, answering, json_reply, post, raw

from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.mcp import servers_of
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.server import ClientConnection
from safebelt.rooms.belt.proxy.wire import Request

MOBILE = "13812345678"
CALL = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "book", "arguments": {}}}


def called(home: Path, result: dict[str, Any]) -> Any:
    """Call a tool of a server that answers with a result; return what the client gets."""

    async def run() -> bytes:
        connections: set[ClientConnection] = set()

        async def serve(request: Request, reply: Reply) -> None:
            await json_reply(reply, {"jsonrpc": "2.0", "id": json.loads(request.body)["id"], "result": result})

        server = await asyncio.get_running_loop().create_server(
            lambda: ClientConnection(serve, Limits(), connections), "127.0.0.1", 0
        )
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
        mcp = servers_of({"files": url}, {}, ssl.create_default_context())
        async with Belt(home, answering(), mcp=mcp) as belt:
            answer = await raw(belt, post({**CALL, "id": 7}, path="/mcp/files"))
        server.close()
        return answer

    answer = asyncio.run(run())
    assert answer.startswith(b"HTTP/1.1 200")
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def texts(*said: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text} for text in said]}


@pytest.mark.parametrize(
    "result",
    [
        texts(json.dumps({"who": f"手机号{MOBILE}"})),
        texts(json.dumps({"lines": json.dumps([f"手机号{MOBILE}"])})),
        {"structuredContent": {"phone": 13812345678, "rows": [[1.5, 13812345678.0]]}},
        texts(f"call {MOBILE[:5]}", f"{MOBILE[5:]} now"),
    ],
)
def test_personal_data_in_what_a_tool_gave_are_masked(tmp_path: Path, result: dict[str, Any]) -> None:
    told = json.dumps(called(tmp_path, result), ensure_ascii=False)

    assert MOBILE not in told and MOBILE[5:] not in told
    assert "⟦手机号 mobile⟧" in told


@pytest.mark.parametrize("result", [texts(json.dumps({"title": "绝密大象"})), texts(FORBIDDEN[:9], FORBIDDEN[9:])])
def test_what_is_forbidden_in_what_a_tool_gave_does_not_leave(tmp_path: Path, result: dict[str, Any]) -> None:
    told = called(tmp_path, result)

    assert "result" not in told and "test rule" in told["error"]["message"]


def test_what_names_nobody_comes_as_it_was(tmp_path: Path) -> None:
    result = {
        **texts(json.dumps({"who": "你好"}), "purple", "elephants", "138"),
        "structuredContent": {"size": 12345678, "share": 0.25, "rows": [[1, 2]], "at": 1732386000000},
    }

    told = called(tmp_path, result)

    assert told == {"jsonrpc": "2.0", "id": 7, "result": result}
