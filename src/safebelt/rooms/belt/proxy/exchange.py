"""Life of an exchange, from the first byte in to the last byte out.

Screen the input → intent on its way to disk → upstream → intent durable → screen the output → label → outcome
durable → last byte.  Whatever happens, both records are written and say how it ended.
"""

import asyncio
from typing import Any

import msgspec

from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.model import Action, Hit, NoticeMode, RecordMode, Rule, Stance, Verdict
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.client import Answer, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.recording import (
    Recording,
    RecordsDown,
    output_verdict,
    policy_facts,
    strictest,
    verdict_facts,
)
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.screens import ChannelOpener, WholeAnswer, masked_request, screen_request
from safebelt.rooms.belt.proxy.sse import SseSplitter, write_event
from safebelt.rooms.belt.proxy.streaming import StreamedAnswer
from safebelt.rooms.belt.proxy.tools import Caller, Tools, upstream_error
from safebelt.rooms.belt.proxy.wire import Headers, Request
from safebelt.rooms.belt.scanner.engine import mask_all
from safebelt.rooms.belt.scanner.structured import is_json_request, is_structured

_JSON = b"application/json"
_SSE = b"text/event-stream"


class Exchange:
    """One exchange, from a whole request to a whole answer."""

    def __init__(self, tools: Tools, caller: Caller, request: Request, reply: Reply) -> None:
        self._tools, self._caller, self._request, self._reply = tools, caller, request, reply
        self._recording = Recording(tools.recorder, tools.new_id("rec"))
        self._scanner = tools.screens.of(caller.policy, tools.clock().date())
        self._body: dict[str, Any] = {}
        self._input: Verdict | None = None
        self._said: dict[str, str] = {}
        self._hits: list[Hit] = []
        self._label = tools.labelling.generated(self._recording.id)
        self._status = 0

    async def run(self) -> None:
        """Carry the exchange through; never raises for what a client or an upstream does."""
        try:
            await self._run()
        except (UpstreamDown, UpstreamBroke, UpstreamSlow) as failure:
            await self._fail(upstream_error(failure), "upstream_error")
        except RecordsDown:
            await self._fail(errors.RECORDS_FAILED, "records_failed")
        except (Stopped, ConnectionResetError, asyncio.CancelledError) as end:
            self._note_end("cut" if self._is_cut else "client_gone")
            if isinstance(end, asyncio.CancelledError):
                raise

    @property
    def _is_cut(self) -> bool:
        return self._reply.line is not None and self._reply.line.is_cut

    async def _run(self) -> None:
        body = _decoded(self._request)
        if isinstance(body, errors.BeltError):
            await self._reply.error(body)
            return
        self._body = body
        self._input, passed = screen_request(self._scanner, self._caller.harness, body)
        self._recording.intent(self._intent_facts(self._input), {"texts": masked_request(body)})
        if refusal := self._refusal(self._input):
            await self._refuse(refusal)
            return
        self._recording.upstream_begins()
        answer = await self._tools.upstream.send("POST", self._request.path, msgspec.json.encode(passed))
        try:
            self._recording.upstream_speaks()
            if answer.header(b"content-type").startswith(_SSE):
                await self._stream(answer)
            else:
                await self._whole(answer)
        finally:
            answer.close()

    # ---- refusing

    def _refusal(self, verdict: Verdict) -> errors.BeltError | None:
        """Return why the input may not go to the model."""
        if verdict.done is Action.REFUSE:
            hit = next(hit for hit in verdict.hits if hit.done is Action.REFUSE)
            return errors.refused(self._rule(hit).title, self._caller.policy.appeal)
        is_tokens = any(part.endswith("(tokens)") for part in verdict.not_evaluated)
        return errors.UNREADABLE if is_tokens and self._caller.harness.stance is Stance.ENFORCE else None

    def _rule(self, hit: Hit) -> Rule:
        return next(rule for rule in self._caller.policy.rules if rule.id == hit.rule)

    async def _refuse(self, error: errors.BeltError) -> None:
        self._recording.outcome(self._outcome_facts(error.status, "refused", Action.REFUSE), None)
        await self._recording.durable()
        await self._reply.error(error, self._headers(Action.REFUSE))

    # ---- an answer in one piece

    async def _whole(self, answer: Answer) -> None:
        raw = await answer.read(self._tools.max_answer_bytes)
        self._recording.upstream_ends()
        self._status = answer.status
        body = _answer_body(raw)
        if "error" in body or answer.status >= 400:
            body = {**body, "error": _masked_tree(body.get("error", body))}
            finish = "upstream_error"
        else:
            screen = WholeAnswer(self._scanner, self._caller.harness, is_json=is_json_request(self._body))
            body = screen.screen(body)
            self._said, self._hits, finish = screen.said, screen.hits, "complete"
            body = self._noticed(body)
        done = self._done()
        if done is Action.REFUSE:
            finish = "refused"
        body["safebelt"] = self._field(done)
        facts = {**self._outcome_facts(answer.status, finish, done), "usage": _usage(body)}
        self._recording.outcome(facts, self._outcome_content())
        await self._recording.durable(last=self._caller.harness.record_mode is RecordMode.STRICT)
        headers = (*_passed_on(answer), (b"content-type", _JSON), *self._headers(done))
        await self._reply.whole(answer.status, headers, msgspec.json.encode(body))

    def _noticed(self, body: dict[str, Any]) -> dict[str, Any]:
        """End plain-text choices with the explicit notice, where the harness asks for one."""
        choices = [self._noticed_choice(choice) for choice in body.get("choices", []) if isinstance(choice, dict)]
        return {**body, "choices": choices} if "choices" in body else body

    def _noticed_choice(self, choice: dict[str, Any]) -> dict[str, Any]:
        message = choice.get("message")
        if choice.get("finish_reason") == "content_filter":
            return choice
        if isinstance(message, dict) and isinstance(text := message.get("content"), str) and not _calls(message):
            return {**choice, "message": {**message, "content": text + self._notice(text)}}
        if isinstance(text := choice.get("text"), str):
            return {**choice, "text": text + self._notice(text)}
        return choice

    def _notice(self, text: str) -> str:
        """Return the notice to end a text with; nothing where a program reads it."""
        is_off = self._caller.harness.notice is NoticeMode.OFF or not text.strip()
        return "" if is_off or is_structured(self._body, text) else f"\n\n{self._tools.labelling.notice_for(text)}"

    # ---- a streamed answer

    async def _stream(self, answer: Answer) -> None:
        opener = ChannelOpener(self._scanner, self._caller.harness, is_json=is_json_request(self._body))
        streamed = StreamedAnswer(opener, self._notice)
        self._status = answer.status
        await self._recording.durable()
        fields = ((b"content-type", _SSE), (b"cache-control", b"no-cache"))
        await self._reply.begin(answer.status, (*_passed_on(answer), *fields, *self._headers(self._done())))
        try:
            await self._pass_on(answer, streamed)
        finally:
            self._recording.upstream_ends()
            self._said, self._hits = streamed.said(), streamed.hits
        done = self._done()
        finish = "refused" if streamed.is_refused else "complete"
        facts = {**self._outcome_facts(answer.status, finish, done), "usage": streamed.usage}
        self._recording.outcome(facts, self._outcome_content())
        await self._recording.durable(last=self._caller.harness.record_mode is RecordMode.STRICT)
        await self._reply.end(streamed.last(self._field(done)))

    async def _pass_on(self, answer: Answer, streamed: StreamedAnswer) -> None:
        """Pass events on until the model is done or a rule refuses."""
        splitter = SseSplitter()
        async for piece in answer.pieces():
            try:
                events = splitter.feed(piece)
            except ValueError as error:
                raise UpstreamBroke(str(error)) from error
            await self._reply.write(self._screened(streamed, events))
            if streamed.is_refused:
                return
        await self._reply.write(self._screened(streamed, splitter.close()) + streamed.flush())
        if not streamed.is_done and not streamed.is_refused:
            raise UpstreamBroke("the stream ended without [DONE]")

    @staticmethod
    def _screened(streamed: StreamedAnswer, events: list[Any]) -> bytes:
        out = []
        for event in events:
            if streamed.is_refused or streamed.is_done:
                break
            out.append(streamed.take(event))
        return b"".join(out)

    # ---- ends that nobody wished for

    async def _fail(self, error: errors.BeltError, finish: str) -> None:
        """Tell the client what failed, in the answer's own shape, and record it."""
        status = self._status or error.status
        try:
            if self._input is not None:
                self._recording.outcome(self._outcome_facts(status, finish, self._done()), self._outcome_content())
                await self._recording.durable()
        except RecordsDown:
            error = errors.RECORDS_FAILED
        try:
            if self._reply.is_begun:
                await self._reply.end(write_event(error.body()))
            else:
                await self._reply.error(error, self._headers(self._done()) if self._input else ())
        except (Stopped, ConnectionResetError):
            return

    def _note_end(self, finish: str) -> None:
        """Record an end by order or by the client leaving; nobody waits for it."""
        if self._input is None:
            return
        try:
            self._recording.outcome(self._outcome_facts(self._status, finish, self._done()), self._outcome_content())
        except RecordsDown:
            return  # the intent stands; recovery or the next start marks it lost

    # ---- words for records and labels

    def _intent_facts(self, verdict: Verdict) -> dict[str, Any]:
        key = self._caller.key
        return {
            "system_id": key.system_id,
            "key_id": key.id,
            "endpoint": self._request.path,
            "model": mask_all(str(self._body.get("model", "")))[:200],
            "is_stream": self._body.get("stream") is True,
            **policy_facts(self._caller.policy, self._caller.harness),
            **verdict_facts(verdict),
        }

    def _outcome_facts(self, status: int, finish: str, done: Action) -> dict[str, Any]:
        verdict = output_verdict(self._scanner.policy, self._caller.harness, self._hits)
        order = self._reply.line.order_id if self._is_cut and self._reply.line else ""
        return {
            "status": status,
            "finish": finish,
            **verdict_facts(verdict),
            "done": done.value if finish == "refused" else verdict.done.value,
            "label": self._label.field,
            **({"order": order} if order else {}),
        }

    def _outcome_content(self) -> dict[str, Any] | None:
        return {"texts": {path: mask_all(text) for path, text in self._said.items()}} if self._said else None

    def _done(self) -> Action:
        first = self._input.done if self._input else Action.ALLOW
        return strictest(first, *(hit.done for hit in self._hits))

    def _headers(self, done: Action) -> Headers:
        return (
            (b"x-safebelt-record", self._recording.id.encode()),
            (b"x-safebelt-verdict", done.value.encode()),
            (b"x-safebelt-aigc", self._label.header.encode("ascii")),
        )

    def _field(self, done: Action) -> dict[str, Any]:
        hits = [*(self._input.hits if self._input else ()), *self._hits]
        return {
            "record": self._recording.id,
            "verdict": done.value,
            "would": strictest(Action.ALLOW, *(hit.would for hit in hits)).value,
            "stance": self._caller.harness.stance.value,
            "rules": sorted({hit.rule for hit in hits}),
            "label": self._label.field,
        }


def _decoded(request: Request) -> dict[str, Any] | errors.BeltError:
    """Return the request's JSON object, or what is wrong with it."""
    if request.header(b"content-encoding") not in (b"", b"identity"):
        return errors.ENCODED
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return errors.NOT_JSON
    return body if isinstance(body, dict) else errors.NOT_JSON


def _answer_body(raw: bytes) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamBroke("an answer that is not JSON cannot be screened") from error
    if not isinstance(body, dict):
        raise UpstreamBroke("an answer that is no JSON object cannot be screened")
    return body


def _masked_tree(node: Any) -> Any:
    """Mask personal data in every string of an upstream's error, which may echo the input."""
    match node:
        case str():
            return mask_all(node)
        case dict():
            return {key: _masked_tree(value) for key, value in node.items()}
        case list():
            return [_masked_tree(item) for item in node]
    return node


def _passed_on(answer: Answer) -> Headers:
    """Return the upstream's fields that mean the same behind us."""
    ours = {
        b"content-type",
        b"content-length",
        b"cache-control",
        b"server",
        b"date",
        b"content-encoding",
        b"set-cookie",
    }
    return tuple(pair for pair in answer.headers if pair[0] not in ours and not pair[0].startswith(b"x-safebelt"))


def _usage(body: dict[str, Any]) -> dict[str, Any]:
    usage = body.get("usage")
    return usage if isinstance(usage, dict) else {}


def _calls(message: dict[str, Any]) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call"))
