"""Life of an exchange, from the first byte in to the last byte out.

Screen the input → intent on its way to disk → upstream → intent there → screen the output → label → outcome there →
last byte.  Whatever happens, both records are written and say how it ended.
"""

import asyncio
from collections.abc import Awaitable
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
import structlog

from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.line import Stopped
from safebelt.rooms.belt.model import Action, Hit, Side, Stance, Verdict
from safebelt.rooms.belt.proxy import errors
from safebelt.rooms.belt.proxy.answers import answer_body, masked_tree, must_have_body, passed_on
from safebelt.rooms.belt.proxy.classifying import classified
from safebelt.rooms.belt.proxy.client import After, Answer, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.forms import Malformed
from safebelt.rooms.belt.proxy.governing import ToolCalls
from safebelt.rooms.belt.proxy.notices import NoticeFor, notice_of, noticed
from safebelt.rooms.belt.proxy.ordered import entered, model_entered
from safebelt.rooms.belt.proxy.recording import RecordsDown, output_verdict, strictest, verdict_facts
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.screens import (
    ChannelOpener,
    Screened,
    WholeAnswer,
    masks_all_that_records_do,
    screen_request,
)
from safebelt.rooms.belt.proxy.sse import write_event
from safebelt.rooms.belt.proxy.steps import (
    Begun,
    Flow,
    Streamed,
    as_said,
    aside,
    intent_facts,
    masked,
    recording_of,
    screened_answer,
    taken,
    to_the_end,
    unreadable,
    usage,
)
from safebelt.rooms.belt.proxy.streaming import BEAT, StreamedAnswer
from safebelt.rooms.belt.proxy.strikes import warned
from safebelt.rooms.belt.proxy.tools import Caller, Tools, upstream_error
from safebelt.rooms.belt.proxy.versions import Question, Way
from safebelt.rooms.belt.proxy.wire import Headers, Request
from safebelt.rooms.belt.scanner.structured import is_json_request

_JSON = b"application/json"
_SSE = b"text/event-stream"
_UNREADABLE = ("(tokens)", "(int)", "(float)", "(bool)")
_AFTER_DONE_SECONDS = 0.2
"""How long the upstream may take to end a stream it called done; then its connection is not used again."""


class Exchange:
    """One exchange, from a whole request to a whole answer."""

    _method, _passed_type = "POST", _JSON
    _may_repeat = True
    """Whether a request may go to another upstream although one may have received it: it only computes."""

    def __init__(
        self, tools: Tools, caller: Caller, request: Request, reply: Reply, begun: Begun | None = None
    ) -> None:
        self._tools, self._caller, self._request, self._reply = tools, caller, request, reply
        self._recording = begun.recording if begun else recording_of(tools, caller)
        self._scanner = tools.screens.of(caller.policy, tools.clock().date())
        self._body: dict[str, Any] = begun.body if begun else {}
        self._input: Verdict | None = begun.verdict if begun else None
        self._said: dict[str, tuple[str, bool]] = {}
        self._hits: list[Hit] = []
        self._label = tools.labelling.generated(self._recording.id, caller.provider)
        self._way = Way(tools.upstream, tools.earlier, tools.switch)
        self._served_by, self._status, self._is_generated, self._is_clean = "", 0, False, False
        self._calls = ToolCalls(tools, caller, self._recording, request.path)

    async def run(self) -> None:
        """Carry the exchange through; never raises for what a client or an upstream does."""
        await self.carry(self._run())

    async def carry(self, work: Awaitable[None]) -> None:
        """Do the work; never raises for what a client or an upstream does."""
        try:
            await work
        except (UpstreamDown, UpstreamBroke, UpstreamSlow) as failure:
            await self._fail(upstream_error(failure), "upstream_error")
        except RecordsDown:
            await self._fail(errors.RECORDS_FAILED, "records_failed")
        except (Stopped, ConnectionResetError, asyncio.CancelledError) as end:
            is_ordered = self._is_cut or isinstance(end, Stopped)
            await to_the_end(self.note_end("cut" if is_ordered else "client_gone"))
            if isinstance(end, asyncio.CancelledError):
                raise
        except Exception:  # noqa: BLE001  whatever was not foreseen: nothing more passes, and the client is told
            structlog.get_logger("safebelt.belt").exception("belt.exchange_failed", record=self._recording.id)
            await self._fail(errors.INTERNAL, "belt_error")

    @property
    def _is_cut(self) -> bool:
        return self._reply.line is not None and self._reply.line.is_cut

    async def _run(self) -> None:
        if not self._request.stated.is_identity:
            return await self._reply.error(errors.ENCODED)
        try:
            body, screened, passed = await aside(len(self._request.body), self._screened_input)
        except (msgspec.DecodeError, UnicodeDecodeError, TypeError, RecursionError, Malformed) as error:
            await self._reply.error(unreadable(error))
            return
        tools, line, size = self._tools, self._reply.line, len(self._request.body)
        enter = partial(entered, tools.room, size=size, waited=self._recording.waited)
        if stop := await model_entered(tools.switch, line, body, enter):
            return await self._reply.error(stop)
        screened, silent = await classified(self._tools.classify, self._scanner.policy, self._caller.harness, screened)
        self._body, self._input = body, screened.verdict
        self._recording.intent(self._intent_facts(self._input), {"texts": screened.kept}, screened.texts)
        if refusal := silent or self._refusal(self._input):
            return await self._refuse(refusal)
        if self._is_cut:
            raise Stopped  # ordered while the input was screened: the model is not even asked
        self._recording.upstream_begins()
        await self.ask(passed)

    async def ask(self, passed: bytes, after: After | None = None) -> None:
        """Ask the upstream, and pass on what it answers; raises as `run` catches."""
        how = self._passed_type, self._may_repeat, self._recording.id
        question = Question(self._method, self._request.path, passed, *how)
        await self.pass_answer(await self._way.ask(self._reply.line, self._body, question, after))

    async def pass_answer(self, answer: Answer) -> None:
        """Pass an answer on; raises as `run` catches."""
        self._served_by = answer.served_by
        try:
            self._recording.upstream_speaks()
            if answer.header(b"content-type").lower().startswith(_SSE):
                await self._stream(answer)
            else:
                await self._whole(answer)
        finally:
            answer.close()

    def _screened_input(self) -> tuple[dict[str, Any], Screened, bytes]:
        """Read and judge the request; needs no event loop.

        Raises:
            msgspec.DecodeError: It is no JSON, or UnicodeDecodeError: no UTF-8, or TypeError: no object.
            RecursionError: It is nested too deeply.
            Malformed: It is no form, where the endpoint takes one.
        """
        body = msgspec.json.decode(self._request.body)
        if not isinstance(body, dict):
            raise TypeError("a request must be a JSON object")
        screened = screen_request(self._scanner, self._caller.harness, body)
        return body, screened, msgspec.json.encode(self._calls.offered(screened.body))

    # ---- refusing

    def _refusal(self, verdict: Verdict) -> errors.BeltError | None:
        """Return why the input may not go to the model."""
        if verdict.done is Action.REFUSE:
            hit = next(hit for hit in verdict.hits if hit.done is Action.REFUSE)
            rule = next(rule for rule in self._caller.policy.rules if rule.id == hit.rule)
            error = errors.refused(rule.title, self._caller.policy.appeal, self._complain_at)
            return warned(error, self._caller.stands, self._complain_at)
        is_tokens = any(part.endswith(_UNREADABLE) for part in verdict.not_evaluated)
        return errors.UNREADABLE if is_tokens and self._caller.harness.stance is Stance.ENFORCE else None

    @property
    def _complain_at(self) -> Text | None:
        """Where anybody complains about this system: a console that the public reaches, if there is one."""
        return self._tools.complain_at(self._caller.key.system_id) if self._tools.complain_at else None

    async def _refuse(self, error: errors.BeltError) -> None:
        self._recording.outcome(self._outcome_facts(error.status, "refused", Action.REFUSE), None, {})
        await self._recording.durable()
        await self._reply.error(error, self._headers(Action.REFUSE))

    # ---- an answer in one piece

    async def _whole(self, answer: Answer) -> None:
        await self.pass_whole(answer, await answer.read(self._tools.max_answer_bytes))

    async def pass_whole(self, answer: Answer, raw: bytes) -> None:
        """Pass on an answer that is whole; raises as `run` catches."""
        self._served_by = answer.served_by
        self._recording.upstream_ends()
        screen = self._whole_screen(is_json=is_json_request(self._body))
        opened = await self._calls.whole(await aside(len(raw), lambda: self._opened(answer, raw)))
        body = await aside(len(raw), lambda: screened_answer(screen, opened))
        self._status, self._said, self._hits = answer.status, screen.said | self._calls.withheld, screen.hits
        self._is_clean = screen.is_clean and not self._calls.withheld
        if answer.status >= HTTPStatus.BAD_REQUEST or body.get("error"):
            body, finish = {"error": masked_tree(body.get("error") or body)}, "upstream_error"
        else:
            self._is_generated = True
            body, finish = await self._finished(body), "complete"
        done = self._done()
        if done is Action.REFUSE:
            finish = "refused"
        body["safebelt"] = self._field(done)
        facts = {**self._outcome_facts(answer.status, finish, done), "usage": usage(body), **self._made()}
        self._recording.outcome(facts, await self._outcome_content(), as_said(self._said))
        await self._recording.durable()
        kind, content = self._content(body)
        headers = (*passed_on(answer), (b"content-type", kind), *self._headers(done))
        await self._reply.whole(answer.status, headers, content)

    def _whole_screen(self, *, is_json: bool) -> WholeAnswer:
        """Return what screens an answer in one piece."""
        return WholeAnswer(self._scanner, self._caller.harness, is_json=is_json)

    def _streamed(self, opener: ChannelOpener) -> Streamed:
        """Return what screens a streamed answer."""
        return StreamedAnswer(opener, opener.words, self._notice)

    def _error_event(self, error: errors.BeltError) -> bytes:
        """Return the event that ends a stream that failed."""
        return write_event(error.body(self._reply.lang))

    def _opened(self, answer: Answer, raw: bytes) -> dict[str, Any]:
        """Return an answer's JSON; raises UpstreamBroke where it is none."""
        return answer_body(answer, raw)

    async def _finished(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return a generated answer as it leaves."""
        return noticed(body, self._notice)

    @property
    def _notice(self) -> NoticeFor:
        return notice_of(self._tools.labelling, self._caller.harness, self._body, self._caller.policy.notice)

    def _made(self) -> dict[str, Any]:
        """Return what the record is told of what was generated beside texts."""
        return {}

    def _content(self, body: dict[str, Any]) -> tuple[bytes, bytes]:
        """Return the media type and bytes of the answer."""
        return _JSON, msgspec.json.encode(body)

    # ---- a streamed answer

    async def _stream(self, answer: Answer) -> None:
        flow = self.flow_of(answer)
        await self._recording.durable()
        await self._reply.begin(answer.status, self.stream_headers(answer))
        await self.stream_on(answer, flow)

    def flow_of(self, answer: Answer) -> Flow:
        """Return what screens a streamed answer piece by piece; from here on this is an answer of the model."""
        must_have_body(answer.status)
        opener = ChannelOpener(self._scanner, self._caller.harness, is_json=is_json_request(self._body))
        self._status, self._is_generated, self._served_by = answer.status, True, answer.served_by
        return Flow(self._streamed(opener), self._tools.max_answer_bytes)

    def stream_headers(self, answer: Answer) -> Headers:
        """Return the fields of a streamed answer's head."""
        fields = ((b"content-type", _SSE), (b"cache-control", b"no-cache"))
        return (*passed_on(answer), *fields, *self._headers(self._done()))

    def stream_ended(self, flow: Flow) -> None:
        """Take over what came of a stream, for the records."""
        self._recording.upstream_ends()
        self._said, self._hits = flow.streamed.said() | self._calls.withheld, flow.streamed.hits

    async def stream_on(self, answer: Answer, flow: Flow, waiting: bytes = b"", error: Exception | None = None) -> None:
        """Pass a stream on to its end, first what could not leave on the quick way; raises as `run` catches."""
        streamed = flow.streamed
        try:
            await self._reply.resume(waiting)
            if error is not None:
                raise error
            await self._pass_on(answer, flow)
        finally:
            answer.close()
            self.stream_ended(flow)
        done = self._done()
        finish = "refused" if streamed.is_refused or self._calls.done is Action.REFUSE else "complete"
        facts = {**self._outcome_facts(answer.status, finish, done), "usage": streamed.usage}
        self._recording.outcome(facts, await self._outcome_content(), as_said(self._said))
        await self._recording.durable()
        await self._reply.end(streamed.last(self._field(done)))

    async def _beat(self) -> None:
        await self._reply.write(BEAT)

    async def _pass_on(self, answer: Answer, flow: Flow) -> None:
        """Pass events on until the model is done or a rule refuses."""
        streamed = flow.streamed
        if not flow.is_over:
            async for piece in answer.pieces():
                events = await self._calls.events(flow.events(piece), self._beat)
                await self._reply.write(await aside(len(piece), partial(taken, streamed, events)))
                if flow.is_over:
                    break
        if streamed.is_refused:
            return
        rest = await self._calls.events(flow.close(), self._beat, is_over=True)
        await self._reply.write(taken(streamed, rest) + streamed.flush())
        if not streamed.is_done and not streamed.is_refused:
            raise UpstreamBroke("the stream ended before the model was done")
        await answer.finish(_AFTER_DONE_SECONDS)

    # ---- ends that nobody wished for

    async def _fail(self, error: errors.BeltError, finish: str) -> None:
        """Tell the client what failed, in the answer's own shape, and record it."""
        status = self._status or error.status
        try:
            if self._input is not None:
                content = await self._outcome_content()
                self._recording.outcome(self._outcome_facts(status, finish, self._done()), content, as_said(self._said))
                await self._recording.durable()
        except RecordsDown:
            error = errors.RECORDS_FAILED
        try:
            if self._reply.is_begun:
                await self._reply.end(self._error_event(error))
            else:
                await self._reply.error(error, self._headers(self._done()) if self._input else ())
        except (Stopped, ConnectionResetError):
            return

    async def note_end(self, finish: str) -> None:
        """Record an end by order or by the client leaving; nobody waits for it."""
        if self._input is None:
            return
        try:
            content = await self._outcome_content()
            facts = self._outcome_facts(self._status, finish, self._done())
            self._recording.outcome(facts, content, as_said(self._said))
        except RecordsDown:
            return  # the intent stands; recovery or the next start marks it lost

    # ---- words for records and labels

    def _intent_facts(self, verdict: Verdict) -> dict[str, Any]:
        return intent_facts(self._caller, self._request.path, self._body, verdict)

    def _outcome_facts(self, status: int, finish: str, done: Action) -> dict[str, Any]:
        verdict = output_verdict(self._scanner.policy, self._caller.harness, self._hits)
        order = self._reply.line.order_id if finish == "cut" and self._reply.line else ""
        facts = {
            "status": status,
            "finish": finish,
            **verdict_facts(verdict),
            "done": done.value if finish == "refused" else verdict.done.value,
            **({"label": self._label.field} if self._is_generated else {}),
            **({"order": order} if order else {}),
            **({"upstream": self._served_by} if self._served_by else {}),
            **self._way.facts,
        }
        return self._calls.facts(facts)

    async def _outcome_content(self) -> dict[str, Any] | None:
        """Return what the model said, masked; nothing where that was done already."""
        if not self._said or self._recording.has_outcome:
            return None
        if self._is_clean and masks_all_that_records_do(self._scanner, Side.OUTPUT):
            return {"texts": {path: text for path, (text, _) in self._said.items()}}
        return await aside(sum(len(text) for text, _ in self._said.values()), lambda: masked(self._said))

    def _done(self) -> Action:
        first = self._input.done if self._input else Action.ALLOW
        return strictest(first, self._calls.done, *(hit.done for hit in self._hits))

    def _headers(self, done: Action) -> Headers:
        """Return our header fields; an error carries no label, because nothing was generated."""
        label: Headers = ((b"x-safebelt-aigc", self._label.header.encode("ascii")),) if self._is_generated else ()
        return (
            (b"x-safebelt-record", self._recording.id.encode()),
            (b"x-safebelt-verdict", done.value.encode()),
            *self._caller.headers,
            *self._way.headers,
            *label,
        )

    def _field(self, done: Action) -> dict[str, Any]:
        hits = [*(self._input.hits if self._input else ()), *self._hits]
        field = {
            "record": self._recording.id,
            "verdict": done.value,
            "would": strictest(Action.ALLOW, *(hit.would for hit in hits)).value,
            "stance": self._caller.harness.stance.value,
            "rules": sorted({hit.rule for hit in hits}),
            **({"label": self._label.field} if self._is_generated else {}),
            **({"complain": at.en} if (at := self._complain_at) else {}),
        }
        return self._calls.field(field)
