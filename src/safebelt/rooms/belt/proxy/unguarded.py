"""What passes although the belt cannot screen it, because a policy names it: byte by byte, on record, and saying so.

Everything else holds as for any exchange: keys, quotas, rules of admission, limits of size and time, orders, the intent
before the first byte of the answer and the outcome before its end.  Nobody reads what passes, so of both bodies the
record keeps length, media type and a salted digest, and an order on a model or a tool that could be meant in there
lets nothing pass.
"""

import asyncio
import re
from contextlib import suppress
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.control.switch import Switch, parts_of
from safebelt.rooms.belt.decide.unguarded import is_plain_query, passes
from safebelt.rooms.belt.model import UNGUARDED, Action, Policy, Scope, Unguarded, scope_of
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.answers import passed_on
from safebelt.rooms.belt.proxy.client import Answer, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.forms import Malformed
from safebelt.rooms.belt.proxy.ordered import entered, model_entered
from safebelt.rooms.belt.proxy.picked import surely_named_model
from safebelt.rooms.belt.proxy.recording import RecordsDown, policy_facts
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.steps import aside, recording_of
from safebelt.rooms.belt.proxy.tools import Caller, Tools, upstream_error
from safebelt.rooms.belt.proxy.versions import Question, Way
from safebelt.rooms.belt.proxy.wire import Headers, Request, field_of, head
from safebelt.rooms.belt.records.digests import DIGESTS, SALT
from safebelt.rooms.belt.records.line import SALT_BYTES
from safebelt.rooms.belt.scanner.engine import mask_all

NOT_EVALUATED = b"not_evaluated"
_SHOWN: Headers = ((b"x-safebelt-verdict", NOT_EVALUATED), (b"x-safebelt-screening", b"off"))
"""What every answer says that nobody screened."""
_KEPT = (b"content-type", b"content-encoding", b"content-disposition", b"cache-control")
"""Fields without which the bytes of an answer cannot be read; what leads elsewhere or speaks for a site is not kept."""
_PRINTABLE = re.compile(rb"[\x20-\x7e]{1,1000}")
_MEDIA_TYPE = re.compile(rb"[A-Za-z0-9!#$&^_.+-]{1,80}/[A-Za-z0-9!#$&^_.+-]{1,80}")
_CONTINUED = bytes(range(0x80, 0xC0))
"""Bytes that continue a character of UTF-8."""
_UNREWRITABLE = (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError, Malformed)


def named_by(policy: Policy, request: Request) -> Unguarded | errors.BeltError:
    """Return by which name of a policy a request may pass unread; or why it may not."""
    name = passes(policy, request.method, request.path)
    if name is None:
        return errors.UNKNOWN_ENDPOINT
    query = request.target.partition("?")[2]
    return errors.QUERY if request.has_query and not (name.has_query and is_plain_query(query)) else name


class UnguardedExchange:
    """One exchange that nobody reads.

    Args:
        tools: What every exchange works with.
        caller: Who calls.
        request: The request.
        reply: Where the answer goes.
        name: By which name of the policy it passes.
    """

    def __init__(self, tools: Tools, caller: Caller, request: Request, reply: Reply, name: Unguarded) -> None:
        self._tools, self._caller, self._request, self._reply, self._name = tools, caller, request, reply, name
        self._recording = recording_of(tools, caller)
        self._way = Way(tools.upstream, tools.earlier, tools.switch)
        self._model: str | None = None
        self._salt = tools.chance(SALT_BYTES)
        self._said = _Body(self._salt)
        self._status, self._served_by, self._media_type, self._has_intent = 0, "", "", False

    async def run(self) -> None:
        """Carry the exchange through; never raises for what a client or an upstream does."""
        try:
            await self._run()
        except (UpstreamDown, UpstreamBroke, UpstreamSlow) as failure:
            await self._fail(upstream_error(failure), "upstream_error")
        except RecordsDown:
            await self._fail(errors.RECORDS_FAILED, "records_failed")
        except (Stopped, ConnectionResetError, asyncio.CancelledError) as end:
            is_cut = isinstance(end, Stopped) or self._is_cut
            with suppress(RecordsDown):
                self._outcome(self._status, "cut" if is_cut else "client_gone")
            if isinstance(end, asyncio.CancelledError):
                raise
        except Exception:  # noqa: BLE001  whatever was not foreseen: nothing more passes, and the client is told
            structlog.get_logger("safebelt.belt").exception("belt.exchange_failed", record=self._recording.id)
            await self._fail(errors.INTERNAL, "belt_error")

    @property
    def _is_cut(self) -> bool:
        return self._reply.line is not None and self._reply.line.is_cut

    async def _run(self) -> None:
        tools, line, body = self._tools, self._reply.line, self._request.body
        if not self._request.stated.is_identity:
            return await self._reply.error(errors.ENCODED)  # else the digest would be of something nobody has
        self._model = await aside(len(body), partial(surely_named_model, body))
        named = {"model": self._model} if self._model else {}
        enter = partial(entered, tools.room, size=len(body), waited=self._recording.waited)
        if stop := await model_entered(tools.switch, line, named, enter):
            return await self._reply.error(stop)
        if stop := unseen(tools.switch, self._model):
            return await self._reply.error(stop)
        asked = _Body(self._salt)
        await aside(len(body), partial(asked.take, body))
        self._intent(asked)
        if self._is_cut:
            raise Stopped
        self._recording.upstream_begins()
        try:
            answer = await self._way.ask(line, named, self._question())
        except _UNREWRITABLE:  # a person rolled back to an earlier model, which this body cannot be made to name
            return await self._fail(errors.UNKNOWN_VERSION, "upstream_error")
        try:
            self._recording.upstream_speaks()
            await self._pass_on(answer)
        finally:
            answer.close()

    def _question(self) -> Question:
        request = self._request
        accept = request.header(b"accept")
        return Question(
            request.method,
            request.target,
            request.body,
            request.header(b"content-type"),
            record=self._recording.id,
            accept=accept if _PRINTABLE.fullmatch(accept) else b"*/*",
        )

    # ---- the answer

    async def _pass_on(self, answer: Answer) -> None:
        """Pass an answer on as it comes, as slowly as the client takes it."""
        self._status, self._served_by = answer.status, answer.served_by
        self._media_type = _media_type(answer.headers)
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            raise UpstreamBroke("the upstream answers with a redirect")
        await self._recording.durable()
        fields = (*_kept(answer), *self._headers())
        if answer.status == HTTPStatus.NO_CONTENT:
            return await self._end(answer, head(answer.status, (*fields, *self._closing())))
        await self._reply.begin(answer.status, fields)
        held = b""
        async for piece in answer.pieces():
            self._said.take(piece)
            if self._said.size > self._tools.max_answer_bytes:
                raise UpstreamBroke(f"the answer is larger than {self._tools.max_answer_bytes} bytes")
            if not self._request.is_http_1_0:
                await self._reply.write(piece)
                continue
            # HTTP/1.0 has no mark for the end, so the last bytes themselves wait for the outcome
            await self._reply.write(held)
            held = piece
        await self._end(answer, b"", held)

    async def _end(self, answer: Answer, whole: bytes, last: bytes = b"") -> None:
        """Let the end of the answer go once its outcome is safe."""
        self._recording.upstream_ends()
        self._outcome(answer.status, "complete")
        await self._recording.durable()
        await (self._reply.as_it_is(whole) if whole else self._reply.end(last))

    def _closing(self) -> Headers:
        return ((b"connection", b"close"),) if self._reply.is_last else ()

    def _headers(self) -> Headers:
        record = (b"x-safebelt-record", self._recording.id.encode())
        return (record, *_SHOWN, *self._caller.headers, *self._way.headers)

    async def _fail(self, error: errors.BeltError, finish: str) -> None:
        try:
            self._outcome(self._status or error.status, finish)
            await self._recording.durable()
        except RecordsDown:
            error = errors.RECORDS_FAILED
        try:
            await self._reply.error(error, self._headers())
        except (Stopped, ConnectionResetError):
            return

    # ---- the records

    def _intent(self, asked: "_Body") -> None:
        key, request = self._caller.key, self._request
        facts = {
            "system_id": key.system_id,
            "key_id": key.id,
            "endpoint": mask_all(request.path)[:200],
            "model": mask_all(self._model or "")[:200],
            "is_stream": False,
            **policy_facts(self._caller.policy, self._caller.harness),
            **self._caller.admitted,
            **self._verdict("request"),
            UNGUARDED: {
                "name": self._name.named,
                "method": request.method,
                "media_type": _media_type(request.headers),
                "bytes": asked.size,
            },
        }
        self._recording.intent(facts, self._content("request", asked) or {}, {})
        self._has_intent = True

    def _outcome(self, status: int, finish: str) -> None:
        if not self._has_intent:
            return
        order = self._reply.line.order_id if finish == "cut" and self._reply.line else ""
        facts = {
            "status": int(status),
            "finish": finish,
            **self._verdict("answer"),
            UNGUARDED: {"media_type": self._media_type, "bytes": self._said.size},
            **({"order": order} if order else {}),
            **({"upstream": self._served_by} if self._served_by else {}),
            **self._way.facts,
        }
        self._recording.outcome(facts, self._content("answer", self._said), {})

    def _content(self, part: str, body: "_Body") -> dict[str, Any] | None:
        return {DIGESTS: {part: body.told()}, SALT: self._salt.hex()} if body.size else None

    def _verdict(self, part: str) -> dict[str, Any]:
        policy = self._caller.policy
        return {
            "done": Action.ALLOW.value,
            "would": Action.ALLOW.value,
            "rules": [],
            "hits": [],
            "not_evaluated": [part],
            "reason": Reason(
                says=Text(
                    zh=f"策略让 {self._name.named} 不经审查放行；没有任何规则读过这部分内容。",
                    en=f"The policy lets {self._name.named} pass unguarded; no rule has read any of this.",
                ),
                holds=Truth.UNKNOWN,
                cites=(f"{policy.id}@{policy.version}#{UNGUARDED}",),
            ).as_data(),
        }


def unseen(switch: Switch, model: str | None) -> errors.BeltError | None:
    """Return why an order lets nothing pass that nobody reads: it is about a tool, or a model that may be meant."""
    if not switch.has_orders:
        return None
    for key, order in switch.orders().items():
        scope = scope_of(parts_of(key)[1])
        if scope is Scope.TOOL or (scope is Scope.MODEL and model is None):
            return errors.unavailable(
                "unseen_by_order",
                Text(
                    zh=f"负责人对某个模型或工具下达了命令（{order.order_id}），而安全带不读取此请求，无从知道是否涉及它。",
                    en=f"A person has given an order about a model or a tool ({order.order_id}), and the belt does not "
                    "read this request, so it cannot tell whether that is meant.",
                ),
                Text(
                    zh="命令撤销之前不予放行；如命令只关模型，请在 JSON 正文中写明 model。",
                    en="It does not pass until the order is lifted; if it is about a model, name yours in a JSON body.",
                ),
                retry=30,
            )
    return None


class _Body:
    """A body that passes: how long it is, and its digest.

    Attributes:
        size: Bytes.
    """

    def __init__(self, salt: bytes) -> None:
        self._digest, self.size, self._chars, self._is_ascii = sha256(salt), 0, 0, True

    def take(self, data: bytes) -> None:
        """Take some of it."""
        self._digest.update(data)
        self.size += len(data)
        if data.isascii():
            self._chars += len(data)
        else:
            self._is_ascii = False
            self._chars += len(data.translate(None, _CONTINUED))

    def told(self) -> dict[str, Any]:
        """Return what a record keeps of it: as of any text of which only a digest is kept."""
        return {"ascii": self._is_ascii, "chars": self._chars, "sha256": self._digest.hexdigest()}


def _kept(answer: Answer) -> Headers:
    """Return the fields of an answer's head that are passed on."""
    kept = [(name, value) for name, value in answer.headers if name in _KEPT and _PRINTABLE.fullmatch(value)]
    return (*kept, *passed_on(answer))


def _media_type(headers: Headers) -> str:
    """Return what a head says its body is; nothing where that is no plain media type."""
    said = field_of(headers, b"content-type").partition(b";")[0].strip().lower()
    return said.decode("ascii") if _MEDIA_TYPE.fullmatch(said) else ""
