"""The handler of the belt's port: who calls, which endpoint, is it stopped; then one `Exchange` each."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import msgspec

from safebelt.rooms.belt.control.line import Line
from safebelt.rooms.belt.decide.admission import NotAdmitted
from safebelt.rooms.belt.model import UNGUARDED, Command, Policy
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.admission import Admission
from safebelt.rooms.belt.proxy.answers import answer_body, masked_tree
from safebelt.rooms.belt.proxy.client import UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.exchange import Exchange
from safebelt.rooms.belt.proxy.films import ASKED, CONTENT, JOB, Film, FilmOrder
from safebelt.rooms.belt.proxy.identity import PATH as IDENTITY
from safebelt.rooms.belt.proxy.identity import IdentityDoor
from safebelt.rooms.belt.proxy.leaves import rewrite_words
from safebelt.rooms.belt.proxy.making import Making
from safebelt.rooms.belt.proxy.mcp import McpExchange, McpServer
from safebelt.rooms.belt.proxy.media import Pictures, Speech
from safebelt.rooms.belt.proxy.messages import Messages
from safebelt.rooms.belt.proxy.ordered import PASSING, barred_by, entered
from safebelt.rooms.belt.proxy.picked import named_model
from safebelt.rooms.belt.proxy.quick import Quick
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.responses import Responses
from safebelt.rooms.belt.proxy.screens import Words
from safebelt.rooms.belt.proxy.tools import Caller, Tools, caller_of, upstream_error
from safebelt.rooms.belt.proxy.transcription import Transcription
from safebelt.rooms.belt.proxy.unguarded import UnguardedExchange, named_by
from safebelt.rooms.belt.proxy.versions import Question, Way
from safebelt.rooms.belt.proxy.wire import Headers, Request

EXCHANGES: Mapping[str, type[Exchange]] = {
    "/v1/chat/completions": Exchange,
    "/v1/completions": Exchange,
    "/v1/embeddings": Exchange,
    "/v1/messages": Messages,
    "/v1/messages/count_tokens": Messages,
    "/v1/moderations": Exchange,
    "/v1/responses": Responses,
    "/v1/images/generations": Pictures,
    "/v1/audio/speech": Speech,
    "/v1/audio/transcriptions": Transcription,
    "/v1/audio/translations": Transcription,
    ASKED: FilmOrder,
}
"""Endpoints whose content the belt guards, and how."""
MCP = "/mcp/"
"""Where MCP servers are, each under its name."""
_MODELS = "/v1/models"
_MODEL_NAME = re.compile(r"/v1/models(?:/[\w@:-][\w@:.-]*)+", re.ASCII)
"""One model by its name, which may hold slashes; no segment begins with a dot, so no path leads elsewhere."""
_MAX_TOLD_BYTES = 1024 * 1024
_JSON: Headers = ((b"content-type", b"application/json"),)


class Gateway:
    """Answers requests on the belt's port."""

    def __init__(self, tools: Tools, mcp: Mapping[str, McpServer] | None = None) -> None:
        self._tools = tools
        self._admission = Admission(tools)
        self._making = Making(tools.screens)
        self._mcp = {f"{MCP}{name}": server for name, server in (mcp or {}).items()}
        self._open: dict[str, Callable[[Request, Reply], Awaitable[None]]] = {
            "/health": self._health,
            IDENTITY: IdentityDoor(tools.prove),
        }

        self.quick = Quick(
            tools, self._admission, frozenset(path for path, kind in EXCHANGES.items() if kind is Exchange)
        )

    async def __call__(self, request: Request, reply: Reply) -> None:
        """Answer one request."""
        reply.lang = "zh" if request.header(b"accept-language").lower().startswith(b"zh") else "en"
        door = self._open.get(request.path)
        if door is not None:  # asked by exact path, and open to whoever has no key
            await door(request, reply)
            return
        caller = await self._caller(request)
        if caller is None:
            await reply.error(errors.UNAUTHENTICATED)
        elif request.path in self._mcp:
            await self._let_in(request, reply, caller)
        elif error := _misused(request, caller.policy):
            await reply.error(error)
        else:
            await self._let_in(request, reply, caller)

    async def _health(self, _request: Request, reply: Reply) -> None:
        order = self._tools.switch.in_force("")
        now = {"order": order.command.value, "running": self._tools.switch.running()}
        await reply.whole(200, _JSON, msgspec.json.encode({**self._tools.health(), **now}))

    async def _caller(self, request: Request) -> Caller | None:
        digest = request.stated.digest
        if not digest:
            return None
        return caller_of(self._tools.snapshot(), digest) or caller_of(await self._tools.refresh(), digest)

    async def _let_in(self, request: Request, reply: Reply, caller: Caller) -> None:
        server = self._mcp.get(request.path)
        with self._tools.switch.line(caller.key.system_id, caller.key.id) as line:
            if line.order not in PASSING:
                kept = await self._held(line, request, reply)
                if kept is None:
                    return
                caller = kept
            exchange, is_told = _exchange(request.path), _is_told(request.path)
            over = self._within(line, request) if line.order is Command.LIMIT and not is_told else None
            scope = "" if exchange or server or is_told else UNGUARDED
            let_in = over or self._admission.ask(caller, request, is_recorded=not is_told, scope=scope)
            if isinstance(let_in, NotAdmitted):
                self._tools.switch.give_back(line)
                await self._admission.refuse(caller, request, reply, let_in)
                return
            caller = let_in
            reply.open_line(line)
            await self._making.ready(caller.policy, self._tools.clock().date())
            if server:
                name = request.path.removeprefix(MCP)
                await McpExchange(self._tools, caller, request, reply, server=server, name=name).run()
            elif exchange:
                await exchange(self._tools, caller, request, reply).run()
            elif is_told:
                await self._told(request, reply, caller)
            else:
                await self._unguarded(request, reply, caller)

    async def _unguarded(self, request: Request, reply: Reply, caller: Caller) -> None:
        """Let pass what the policy names, asked anew: minors' mode is stricter, and policies change meanwhile."""
        name = named_by(caller.policy, request)
        if isinstance(name, errors.BeltError):
            await reply.error(name)
        else:
            await UnguardedExchange(self._tools, caller, request, reply, name).run()

    async def _held(self, line: Line, request: Request, reply: Reply) -> Caller | None:
        """Let a request wait while a pause holds it; None where it was answered, else who calls: keys end meanwhile."""
        tools, size = self._tools, len(request.body)
        waited: list[int] = []
        room, ask = tools.room, lambda: tools.switch.entering(line)
        stop = await entered(room, ask, size, lambda: reply.wait_with(line), waited.append)
        line.detach()
        caller = None if stop else await self._caller(request)
        if caller is None:
            await reply.error(stop or errors.UNAUTHENTICATED)
        return replace(caller, waited_ns=sum(waited)) if caller else None

    def _within(self, line: Line, request: Request) -> NotAdmitted | None:
        """Count an exchange in the limits that persons ordered; return why it may not be let in."""
        switch = self._tools.switch
        over = switch.take(line, (named_model(request.body) or "") if switch.limits_models else "")
        return None if over is None else barred_by(over)

    async def _told(self, request: Request, reply: Reply, caller: Caller) -> None:
        """Pass on what models there are, or how far a film is, screened like any answer; neither is recorded."""
        try:
            status, body = await self._ask(request.path, reply.line)
        except (UpstreamDown, UpstreamBroke, UpstreamSlow) as failure:
            await reply.error(upstream_error(failure))
            return
        words = Words(self._tools.screens.of(caller.policy, self._tools.clock().date()), caller.harness)
        body = rewrite_words(body, words)
        shown = body if status < HTTPStatus.BAD_REQUEST else {"error": masked_tree(body.get("error") or body)}
        await reply.whole(status, _JSON, msgspec.json.encode(shown))

    async def _ask(self, path: str, line: Line | None) -> tuple[int, dict[str, Any]]:
        tools = self._tools
        way = Way(tools.upstream, tools.earlier, tools.switch)
        answer = await way.ask(line, {}, Question("GET", path, b""))
        try:
            return answer.status, answer_body(answer, await answer.read(_MAX_TOLD_BYTES))
        finally:
            answer.close()


def _exchange(path: str) -> type[Exchange] | None:
    """Return what guards the content of an endpoint."""
    return Film if CONTENT.fullmatch(path) else EXCHANGES.get(path)


def _is_told(path: str) -> bool:
    """Whether it says what models there are, or how far a film is."""
    return path == _MODELS or JOB.fullmatch(path) is not None or _MODEL_NAME.fullmatch(unquote(path)) is not None


def _misused(request: Request, policy: Policy) -> errors.BeltError | None:
    """Return why an endpoint or method is not taken; what the belt cannot guard passes only where a policy names it."""
    path, is_told = request.path, _is_told(request.path)
    if not is_told and _exchange(path) is None:
        name = named_by(policy, request)
        return name if isinstance(name, errors.BeltError) else None
    if request.has_query:
        return errors.QUERY
    is_read = is_told or CONTENT.fullmatch(path) is not None
    return None if request.method == ("GET" if is_read else "POST") else errors.METHOD
