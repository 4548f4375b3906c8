"""A belt in a test: real server, real records, real scanner, in front of an upstream that says what it is told."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from safebelt.engines.clock import Clock, real_chance, real_ids, wall_clock
from safebelt.engines.signing import Signer, VerifierKey, open_note, sign_note
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.heartbeat import Heartbeat
from safebelt.rooms.belt.control.switch import Switch
from safebelt.rooms.belt.model import (
    Action,
    Admits,
    ContentMode,
    Harness,
    Key,
    NoticeMode,
    Policy,
    RecordMode,
    Rule,
    RuleKind,
    Side,
    Snapshot,
    Stance,
    Usage,
)
from safebelt.rooms.belt.proxy.classifying import Classify, nobody_classifies
from safebelt.rooms.belt.proxy.client import Upstream
from safebelt.rooms.belt.proxy.fetching import Places
from safebelt.rooms.belt.proxy.gateway import Gateway
from safebelt.rooms.belt.proxy.identity import Prove, nobody
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.mcp import McpServer
from safebelt.rooms.belt.proxy.meter import Meter, Metered
from safebelt.rooms.belt.proxy.port import BeltPort
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.screens import Screens
from safebelt.rooms.belt.proxy.server import ClientConnection
from safebelt.rooms.belt.proxy.toolcalls import Holding, nobody_to_ask
from safebelt.rooms.belt.proxy.tools import Tools
from safebelt.rooms.belt.proxy.upstreams import Model
from safebelt.rooms.belt.proxy.wire import Request
from safebelt.rooms.belt.records.acks import on_loop
from safebelt.rooms.belt.records.reader import Reader
from safebelt.rooms.belt.records.writer import Writer
from safebelt.rooms.labelling.service import Labelling

BOTH = frozenset({Side.INPUT, Side.OUTPUT})
HANG_SECONDS = 120.0
"""Only bounds a hang: what a test says of time it measures itself."""
FORBIDDEN = "purple elephant protocol"
ID_CARD = "11010519491231002X"
"""The example number of GB 11643: valid check digit, no living person."""


def rule(id_: str, kind: RuleKind, action: Action, **more: Any) -> Rule:
    return Rule(id=id_, kind=kind, title=Text(zh="测试规则", en="test rule"), sides=BOTH, action=action, **more)


POLICY = Policy(
    id="test/policy",
    version=3,
    title=Text(zh="测试", en="Test"),
    appeal=Text(zh="请联系运营者。", en="Write to the operator."),
    rules=(
        rule("words", RuleKind.KEYWORDS, Action.REFUSE, terms=(FORBIDDEN, "绝密大象")),
        rule("red", RuleKind.KEYWORDS, Action.REFUSE, terms=("crimson line",), is_red_line=True),
        rule("personal", RuleKind.PERSONAL, Action.MASK, detectors=("cn_id", "cn_mobile", "email")),
    ),
    digest="0" * 64,
)

Script = Callable[[dict[str, Any], Reply], Awaitable[None]]


def answering(text: str = "Hello.", *, status: int = 200, **message: Any) -> Script:
    """An upstream that says one text, streamed one character per chunk where asked."""

    async def script(body: dict[str, Any], reply: Reply) -> None:
        base = {"id": "chatcmpl-1", "created": 1, "model": "fake"}
        if body.get("stream"):
            await reply.begin(status, ((b"content-type", b"text/event-stream"),))
            for at, char in enumerate(text):
                delta = {"content": char} | ({"role": "assistant"} if at == 0 else {})
                await event(reply, {**base, "object": "chat.completion.chunk", "choices": [choice(delta)]})
            ending = {**base, "object": "chat.completion.chunk", "choices": [choice({}, "stop")]}
            await event(reply, ending)
            if body.get("stream_options", {}).get("include_usage"):
                await event(reply, {**ending, "choices": [], "usage": {"total_tokens": 7}})
            await reply.end(b"data: [DONE]\n\n")
            return
        said = {"role": "assistant", "content": text, **message}
        whole = {"index": 0, "message": said, "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        await json_reply(reply, {**base, "object": "chat.completion", "choices": [whole], "usage": usage}, status)

    return script


def choice(delta: dict[str, Any], finish: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish}


async def event(reply: Reply, data: dict[str, Any]) -> None:
    await reply.write(b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n")


async def json_reply(reply: Reply, data: Any, status: int = 200) -> None:
    await reply.whole(status, ((b"content-type", b"application/json"),), json.dumps(data, ensure_ascii=False).encode())


class Belt:
    """A belt and its upstream, both on free ports of one event loop."""

    def __init__(self, home: Path, script: Script, **options: Any) -> None:
        self.home, self.script = home, script
        self.upstream_handler: Callable[[Request, Reply], Awaitable[None]] | None = None
        self.seen: list[dict[str, Any]] = []
        self.stance: Stance = options.pop("stance", Stance.ENFORCE)
        self.notice: NoticeMode = options.pop("notice", NoticeMode.OFF)
        self.mode: RecordMode = options.pop("mode", RecordMode.STRICT)
        self.provider_code: str = options.pop("provider_code", "")
        self.upstream_url: str = options.pop("upstream_url", "")
        self.labelling: Labelling = options.pop("labelling", None) or Labelling(self.provider_code)
        self.system_id: str = options.pop("system_id", "sys_1")
        self.model: Model | None = options.pop("model", None)
        self.prove: Prove = options.pop("prove", nobody)
        self.complain_at: Callable[[str], Text] | None = options.pop("complain_at", None)
        self.policy: Policy = options.pop("policy", POLICY)
        self.mcp: dict[str, McpServer] = options.pop("mcp", {})
        self.hold: Holding = options.pop("hold", nobody_to_ask)
        self.classify: Classify = options.pop("classify", nobody_classifies)
        self.key: dict[str, Any] = options.pop("key", {})
        self.clock: Clock = options.pop("clock", wall_clock)
        self.usages: Iterable[Usage] = options.pop("usages", ())
        self.admission: Admits | None = options.pop("admission", None)
        self.zone: tzinfo = options.pop("zone", UTC)
        self.content: ContentMode = options.pop("content", ContentMode.MASKED)
        self.recipients: tuple[str, ...] = options.pop("recipients", ())
        self.more_policies: dict[str, Policy] = options.pop("more_policies", {})
        self.limits = Limits(**options)
        self.signer = Signer.of("test.example/log", bytes(range(32)))

    async def _upstream(self, request: Request, reply: Reply) -> None:
        if self.upstream_handler:
            await self.upstream_handler(request, reply)
            return
        if request.method == "GET":
            await json_reply(reply, {"object": "list", "data": [{"id": "fake", "object": "model"}]})
            return
        body = json.loads(request.body)
        self.seen.append(body)
        await self.script(body, reply)

    def snapshot(self) -> Snapshot:
        from hashlib import sha256

        known = {"id": "key_1", "name": "t", "digest": "", "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
        key = Key(**{**known, "system_id": self.system_id, **self.key})
        harness = Harness(
            system_id=self.system_id,
            policy=self.policy.id,
            stance=self.stance,
            notice=self.notice,
            record_mode=self.mode,
            content=self.content,
            recipients=self.recipients,
        )
        return Snapshot(
            keys={sha256(b"sbk_test").hexdigest(): key},
            harnesses={self.system_id: harness},
            policies={self.policy.id: self.policy, **self.more_policies},
            admission=self.admission,
        )

    async def __aenter__(self) -> "Belt":
        loop = asyncio.get_running_loop()
        self.connections: set[ClientConnection] = set()
        self.up = await loop.create_server(
            lambda: ClientConnection(self._upstream, Limits(body_bytes=10**8), self.connections), "127.0.0.1", 0
        )
        up_url = f"http://127.0.0.1:{self.up.sockets[0].getsockname()[1]}/v1"
        self.writer = Writer(
            self.home / "records",
            sign=lambda text: sign_note(text, self.signer),
            log_origin="test.example/log",
            clock=wall_clock,
            chance=real_chance,
            new_id=real_ids(),
            on_sealed=lambda *_: None,
            deliver=on_loop(loop),
        )
        self.writer.start()
        self.switch = Switch()

        async def refresh() -> Snapshot:
            return self.snapshot()

        self.up_origin = up_url.removesuffix("/v1")
        meter = Meter()
        meter.restore(self.usages, self.clock())
        tools = Tools(
            fetch=Places([up_url], tls=ssl.create_default_context()).fetch,
            upstream=self.model
            or Upstream(
                self.upstream_url or up_url, key="up-secret", tls=ssl.create_default_context(), answer_seconds=2
            ),
            switch=self.switch,
            recorder=Metered(self.writer, meter, self.clock),
            meter=meter,
            zone=self.zone,
            snapshot=self.snapshot,
            refresh=refresh,
            screens=Screens(),
            clock=self.clock,
            new_id=real_ids(),
            labelling=self.labelling,
            health=lambda: {"status": "ok"},
            prove=self.prove,
            complain_at=self.complain_at,
            hold=self.hold,
            classify=self.classify,
        )
        self.switch.heard = tools.room.look
        self.tools, self.until = tools, asyncio.Event()
        heartbeat = Heartbeat(self.home / "pulse")
        self.gateway = Gateway(tools, self.mcp)
        port = BeltPort(self.gateway, limits=self.limits, switch=self.switch, heartbeat=heartbeat)
        with __import__("socket").socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.serving = loop.create_task(port.serve("127.0.0.1", self.port, tls=None, until=self.until, drain_seconds=1))
        await self._until_listening()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        return self

    async def _until_listening(self) -> None:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return

    async def __aexit__(self, *_: object) -> None:
        self.until.set()
        await self.serving
        self.tools.upstream.close()
        for server in self.mcp.values():
            server.close()
        self.up.close()
        for connection in list(self.connections):
            connection.abort()
        await asyncio.sleep(0.02)
        await asyncio.to_thread(self.writer.close)

    def verifier(self) -> VerifierKey:
        return self.signer.verifier

    def open_note(self, note: str) -> str:
        return open_note(note, [self.signer.verifier]).text

    def records(self, type_: str) -> list[dict[str, Any]]:
        """All durable records of a type: core and content together."""
        reader, found = Reader(self.home / "records"), []
        for segment in reader.segments():
            for _, line in reader.lines(segment):
                if line is not None and line.core.type == type_:
                    record = line.record()
                    found.append({**record.core, "id": record.id, "content": record.content})
        return found


def in_belt(home: Path, script: Script, scenario: Callable[[Belt], Awaitable[Any]], **options: Any) -> Any:
    """Run a scenario inside a belt."""

    async def run() -> Any:
        async with Belt(home, script, **options) as belt:
            return await asyncio.wait_for(scenario(belt), HANG_SECONDS)

    return asyncio.run(run())


async def raw(belt: Belt, data: bytes, *, wait: float = HANG_SECONDS) -> bytes:
    """Send bytes, return every byte of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
    try:
        writer.write(data)
        return await asyncio.wait_for(reader.read(), wait)
    finally:
        writer.close()


def post(body: Any, *, path: str = "/v1/chat/completions", key: str = "sbk_test") -> bytes:
    """An HTTP request that closes the connection afterwards."""
    payload = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(payload)}\r\n"
    return head.encode() + b"Content-Type: application/json\r\nConnection: close\r\n\r\n" + payload
