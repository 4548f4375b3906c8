"""One exchange with an MCP server: a message in, an answer or a stream of messages out.

The same as with a model: the input is screened, the intent is durable before the first byte of the answer, every
string of what comes back is screened, calls of tools are judged or held, the outcome is durable before the last byte,
and a stop ends it at once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.model import Action, Side, Stance, ToolCall
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.answers import masked_tree, must_have_body
from safebelt.rooms.belt.proxy.classifying import classified
from safebelt.rooms.belt.proxy.client import Answer, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.governing import ToolCalls
from safebelt.rooms.belt.proxy.leaves import Keys, is_index, rewrite_tree
from safebelt.rooms.belt.proxy.mcp.events import PLAIN, Event, Events
from safebelt.rooms.belt.proxy.mcp.servers import RESUMED, McpServer, kept
from safebelt.rooms.belt.proxy.over import NOTHING, found_over, in_answer
from safebelt.rooms.belt.proxy.recording import (
    RecordsDown,
    output_verdict,
    policy_facts,
    strictest,
    verdict_facts,
)
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.screens import Screened, Words, screen_request
from safebelt.rooms.belt.proxy.steps import as_said, recording_of
from safebelt.rooms.belt.proxy.streaming import BEAT
from safebelt.rooms.belt.proxy.tools import Caller, Tools, upstream_error
from safebelt.rooms.belt.proxy.wire import Headers, Request
from safebelt.rooms.belt.scanner.engine import mask_all

PASSED = frozenset({"initialize", "ping", "server/discover", "tools/list", "tools/call"})
"""Methods that pass whatever the policy: what a client needs to find tools and call them; notifications pass too."""
_DENIED, _NOT_FOUND = -32000, -32601
"""Codes of JSON-RPC 2.0: a server's own, and method not found."""
_JSON: Headers = ((b"content-type", b"application/json"),)
_SSE = b"text/event-stream"
Json = dict[str, Any]


class McpExchange:
    """One request to an MCP server.

    Args:
        tools: What every exchange works with.
        caller: Who calls.
        request: The request; POST, GET or DELETE.
        reply: Where the answer goes.
        server: The server.
        name: Its name in the settings.
    """

    def __init__(
        self, tools: Tools, caller: Caller, request: Request, reply: Reply, *, server: McpServer, name: str
    ) -> None:
        self._tools, self._caller, self._request, self._reply = tools, caller, request, reply
        self._server, self._name = server, name
        self._recording = recording_of(tools, caller)
        self._scanner = tools.screens.of(caller.policy, tools.clock().date())
        self._words, self._over = Words(self._scanner, caller.harness), NOTHING
        self._calls = ToolCalls(tools, caller, self._recording, request.path)
        self._message: Json = {}
        self._has_intent = False

    async def run(self) -> None:
        """Carry the exchange through; never raises for what a client or a server does."""
        try:
            await self._run()
        except (UpstreamDown, UpstreamBroke, UpstreamSlow) as failure:
            await self._fail(upstream_error(failure), "upstream_error")
        except RecordsDown:
            await self._fail(errors.RECORDS_FAILED, "records_failed")
        except (Stopped, ConnectionResetError, asyncio.CancelledError) as end:
            is_cut = isinstance(end, Stopped) or (self._reply.line is not None and self._reply.line.is_cut)
            with suppress(RecordsDown):
                self._outcome(0, "cut" if is_cut else "client_gone")
            if isinstance(end, asyncio.CancelledError):
                raise
        except Exception:  # noqa: BLE001  whatever was not foreseen: nothing more passes, and the client is told
            structlog.get_logger("safebelt.belt").exception("belt.exchange_failed", record=self._recording.id)
            await self._fail(errors.INTERNAL, "belt_error")

    async def _run(self) -> None:
        if self._request.method == "POST":
            try:
                message = msgspec.json.decode(self._request.body)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                message = None
            if not isinstance(message, dict) or not message:  # the protocol has no batches since 2025-06-18
                await self._reply.error(errors.NOT_JSON)
                return
            self._message = message
        screened = screen_request(self._scanner, self._caller.harness, self._message)
        policy, harness = self._scanner.policy, self._caller.harness
        screened, silent = await classified(self._tools.classify, policy, harness, screened, self._arguments())
        self._intent(verdict_facts(screened.verdict), screened)
        if silent is not None:
            says = f"{silent.what.en} / {silent.what.zh}"
            await self._answer(self._error(_DENIED, says), finish="refused")
        elif screened.verdict.done is Action.REFUSE:
            hit = next(hit for hit in screened.verdict.hits if hit.done is Action.REFUSE)
            await self._answer(self._error(_DENIED, self._refusal(hit.rule)), finish="refused")
        elif (instead := await self._instead()) is not None:
            await self._answer(instead)
        else:
            await self._ask(screened.body)

    async def _ask(self, message: Json) -> None:
        """Ask the server, and pass on what it answers."""
        self._recording.upstream_begins()
        body = msgspec.json.encode(message) if message else b""
        id_, resumed = self._recording.id, self._resumed()
        answer = await self._server.ask(self._request, message or None, body, record=id_, resumed=resumed)
        try:
            self._recording.upstream_speaks()
            if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
                raise UpstreamBroke("the server answers with a redirect")
            if answer.header(b"content-type").lower().startswith(_SSE):
                await self._stream(answer)
            else:
                await self._whole(answer)
        finally:
            answer.close()

    def _resumed(self) -> bytes:
        """Return the event after which a client wants its stream to go on; what no server may have sent is left out."""
        named = self._request.header(RESUMED) if self._request.method == "GET" else b""
        return named if PLAIN.fullmatch(named) and self._is_clean(named, Side.INPUT) else b""

    def _is_clean(self, id_: bytes, side: Side) -> bool:
        return not self._scanner.scan(id_.decode("ascii"), side)

    # ---- judging the request

    async def _instead(self) -> Json | None:
        """Return what is answered without asking the server; None where it is asked."""
        method = self._message.get("method")
        if self._calls.governor is None or not isinstance(method, str):  # a client's answer to a server's request
            return None
        if not self._may_pass(method):
            return self._error(_NOT_FOUND, "the belt's policy does not let this method pass / 策略不允许此方法")
        if method != "tools/call":
            return None
        params = self._message.get("params")
        params = params if isinstance(params, dict) else {}
        name, arguments = params.get("name"), msgspec.json.encode(params.get("arguments") or {}).decode()
        call = ToolCall(name=name if isinstance(name, str) else "", arguments=arguments, server=self._name)
        ruling = await self._calls.governor.rule(call)
        if ruling.is_allowed:
            return None
        told = {"content": [{"type": "text", "text": ruling.text}], "isError": True, "resultType": "complete"}
        return {"jsonrpc": "2.0", "id": self._message.get("id"), "result": told}

    def _may_pass(self, method: str) -> bool:
        tools = self._caller.policy.tools
        is_free = method in PASSED or method.startswith("notifications/")
        acts = self._caller.harness.stance is Stance.ENFORCE
        return is_free or tools is None or not acts or method in tools.mcp_methods

    def _refusal(self, rule: str) -> str:
        title = next((each.title for each in self._caller.policy.rules if each.id == rule), None)
        named = f" ({title.en} / {title.zh})" if title else ""
        return (
            f"refused by a rule{named} / 按规则拒绝；{self._caller.policy.appeal.en} / {self._caller.policy.appeal.zh}"
        )

    def _error(self, code: int, message: str) -> Json:
        data = {"record": self._recording.id}
        error = {"code": code, "message": message, "data": data}
        return {"jsonrpc": "2.0", "id": self._message.get("id"), "error": error}

    async def _answer(self, message: Json, *, finish: str = "") -> None:
        """Answer for the server; a notification gets no answer but that it was taken."""
        done = self._calls.done
        self._outcome(HTTPStatus.OK, finish or ("refused" if done is Action.REFUSE else "complete"))
        await self._recording.durable()
        if "id" not in self._message:
            await self._reply.whole(HTTPStatus.ACCEPTED, self._headers(), b"")
            return
        await self._reply.whole(HTTPStatus.OK, (*_JSON, *self._headers()), msgspec.json.encode(message))

    # ---- what comes back

    async def _whole(self, answer: Answer) -> None:
        raw = await answer.read(self._tools.max_answer_bytes)
        self._recording.upstream_ends()
        body = b""
        if raw.strip():
            message = _decoded(raw)
            is_error = answer.status >= HTTPStatus.BAD_REQUEST
            body = msgspec.json.encode(masked_tree(message) if is_error else self._screened(message))
        self._outcome(answer.status, "refused" if self._words.is_refused else "complete")
        await self._recording.durable()
        kind = _JSON if body else ()
        await self._reply.whole(answer.status, (*kind, *kept(answer.headers), *self._headers()), body)

    async def _stream(self, answer: Answer) -> None:
        must_have_body(answer.status)
        await self._recording.durable()
        fields = ((b"content-type", _SSE), (b"cache-control", b"no-cache"))
        await self._reply.begin(answer.status, (*fields, *kept(answer.headers), *self._headers()))
        async for event in self._events(answer):
            await self._reply.write(self._written(event))
            if self._words.is_refused:
                break
        self._recording.upstream_ends()
        self._outcome(answer.status, "refused" if self._words.is_refused else "complete")
        await self._recording.durable()
        await self._reply.end()

    def _written(self, event: Event) -> bytes:
        """Return an event as it may leave: its id too, so that a client can resume, and is judged anew when it does."""
        if event.id and not self._is_clean(event.id, Side.OUTPUT):
            event = event._replace(id=b"")
        if not event.data:
            return event.written() if event.id or event.retry else BEAT
        return event._replace(data=msgspec.json.encode(self._screened(_decoded(event.data)))).written()

    async def _events(self, answer: Answer) -> AsyncIterator[Event]:
        """Yield each event."""
        events = Events()
        try:
            async for piece in answer.pieces():
                for event in events.read(piece):
                    yield event
        except ValueError as error:
            raise UpstreamBroke(str(error)) from error
        for event in events.rest():
            yield event

    def _screened(self, message: Any) -> Any:
        """Return a message as the client may have it: tools it may not call left out, every string judged."""
        if not isinstance(message, dict):
            raise UpstreamBroke("a message that is no JSON object cannot be screened")
        message = self._governed(message)
        try:
            self._over = found_over(lambda text: self._scanner.scan(text, Side.OUTPUT), in_answer(message))
            judged = rewrite_tree(message, (), self._text, self._words)
            screened = {**judged, "id": message["id"]} if is_index(message.get("id")) else judged
        except RecursionError as error:
            raise UpstreamBroke("a message nested so deeply cannot be screened") from error
        if not self._words.is_refused:
            return screened
        return self._error(_DENIED, self._refusal(self._words.hits[-1].rule))

    def _text(self, keys: Keys, text: str, _is_json: bool) -> str:
        """Return what of a text may be passed on: texts of one answer are read together, as their reader does."""
        over = self._over.get(keys)
        return self._words.with_over(text, over) if over else self._words(text)

    def _governed(self, message: Json) -> Json:
        governor = self._calls.governor
        method, result = message.get("method"), message.get("result")
        if governor is None:
            return message
        if isinstance(method, str) and "id" in message and not self._may_pass(method):  # a server asks the client
            return {"jsonrpc": "2.0", "method": "notifications/message", "params": _NOT_ASKED}
        if not isinstance(result, dict) or not isinstance(result.get("tools"), list):
            return message
        tools = [tool for tool in result["tools"] if isinstance(tool, dict)]
        offered = [tool for tool in tools if governor.may_offer(str(tool.get("name", "")), server=self._name)]
        return {**message, "result": {**result, "tools": offered}}

    # ---- ends, records, headers

    async def _fail(self, error: errors.BeltError, finish: str) -> None:
        try:
            self._outcome(error.status, finish)
            await self._recording.durable()
        except RecordsDown:
            error = errors.RECORDS_FAILED
        try:
            await self._reply.error(error, self._headers())
        except (Stopped, ConnectionResetError):
            return

    def _arguments(self) -> dict[str, str]:
        params = self._message.get("params")
        arguments = params.get("arguments") if isinstance(params, dict) else None
        return {} if arguments is None else {"params.arguments": msgspec.json.encode(arguments).decode()}

    def _intent(self, verdict: Json, screened: Screened) -> None:
        key, method = self._caller.key, self._message.get("method", self._request.method)
        facts = {
            "system_id": key.system_id,
            "key_id": key.id,
            "endpoint": self._request.path,
            "model": mask_all(str(method))[:200],
            "is_stream": self._request.method == "GET",
            **policy_facts(self._caller.policy, self._caller.harness),
            **self._caller.admitted,
            **verdict,
        }
        arguments = self._arguments()
        masked = {path: mask_all(source, as_json=True) for path, source in arguments.items()}
        self._recording.intent(facts, {"texts": {**screened.kept, **masked}}, {**screened.texts, **arguments})
        self._has_intent = True

    def _outcome(self, status: int, finish: str) -> None:
        if not self._has_intent:
            return
        verdict = output_verdict(self._scanner.policy, self._caller.harness, self._words.hits)
        facts = self._calls.facts({"status": int(status), "finish": finish, **verdict_facts(verdict)})
        withheld = self._calls.withheld
        texts = {path: mask_all(text, as_json=is_json) for path, (text, is_json) in withheld.items()}
        self._recording.outcome(facts, {"texts": texts} if texts else None, as_said(withheld))

    def _headers(self) -> Headers:
        done = strictest(self._calls.done, *(hit.done for hit in self._words.hits))
        return (
            (b"x-safebelt-record", self._recording.id.encode()),
            (b"x-safebelt-verdict", done.value.encode()),
            *self._caller.headers,
        )


_NOT_ASKED = {
    "level": "warning",
    "data": "the belt's policy does not let a server's request pass / 策略不允许服务器的请求",
}


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroke("a message that is not JSON cannot be screened") from error
