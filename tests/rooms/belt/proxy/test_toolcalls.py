"""Tool calls in traffic: none leaves before it is judged whole; what is held waits for a person; the record tells."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import ID_CARD, POLICY, Belt, Script, choice, event, in_belt, json_reply, post, raw

from safebelt.engines.clock import wall_clock
from safebelt.kernel.text import Text
from safebelt.rooms.belt.control.calls import CallBox
from safebelt.rooms.belt.model import (
    Answer,
    Answered,
    Compare,
    Held,
    Offered,
    Policy,
    Stance,
    ToolAction,
    ToolCondition,
    ToolPolicy,
    ToolRule,
)
from safebelt.rooms.belt.proxy.client import UpstreamBroke
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.toolcalls import Waiting, gate_of
from safebelt.rooms.belt.proxy.toolcalls.asking import MAX_CALLS, MAX_HELD_CHARS, Ruling

TITLE = Text(zh="付款", en="Payments")


def tool_rule(id_: str, *tools: str, action: ToolAction, when: tuple[ToolCondition, ...] = ()) -> ToolRule:
    return ToolRule(id=id_, title=TITLE, tools=tools, action=action, when=when)


SMALL = ToolCondition(argument="amount", compare=Compare.AT_MOST, constant=100)
TOOLS = ToolPolicy(
    rules=(
        tool_rule("t.read", "read", action=ToolAction.ALLOW),
        tool_rule("t.pay", "pay", action=ToolAction.ALLOW, when=(SMALL,)),
        tool_rule("t.pay_more", "pay", action=ToolAction.HOLD, when=(replace(SMALL, is_negated=True),)),
    ),
    unknown_tools=ToolAction.DENY,
    hold_seconds=5,
)
GOVERNED = replace(POLICY, id="test/agents", tools=TOOLS)


def call(name: str, arguments: str = "{}", id_: str = "call_1") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: dict[str, Any], text: str | None = None) -> Script:
    """An upstream that calls tools: whole, or streamed a few characters at a time, calls mixed."""

    async def script(body: dict[str, Any], reply: Reply) -> None:
        base = {"id": "chatcmpl-1", "created": 1, "model": "fake"}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text, "tool_calls": list(calls)}
            whole = {"index": 0, "message": message, "finish_reason": "tool_calls"}
            await json_reply(
                reply, {**base, "object": "chat.completion", "choices": [whole], "usage": {"total_tokens": 3}}
            )
            return
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for delta in ({"role": "assistant", "content": text}, *_deltas(calls)):
            await event(reply, {**base, "object": "chat.completion.chunk", "choices": [choice(delta)]})
        await event(reply, {**base, "object": "chat.completion.chunk", "choices": [choice({}, "tool_calls")]})
        await reply.end(b"data: [DONE]\n\n")

    return script


def _deltas(calls: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
    begun = [
        {"index": at, **each, "function": {"name": each["function"]["name"], "arguments": ""}}
        for at, each in enumerate(calls)
    ]
    pieces = [
        {"index": at, "function": {"arguments": each["function"]["arguments"][start : start + 3]}}
        for start in range(0, max(len(each["function"]["arguments"]) for each in calls), 3)
        for at, each in enumerate(calls)
    ]
    return [{"tool_calls": [piece]} for piece in (*begun, *pieces)]


def asking(**more: Any) -> bytes:
    return post({"model": "m", "messages": [{"role": "user", "content": f"Pay {ID_CARD} please."}], **more})


def body_of(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def chunks_of(answer: bytes) -> list[dict[str, Any]]:
    lines = [line[6:] for line in answer.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line.strip() != b"[DONE]"]


def merged(answer: bytes) -> tuple[list[tuple[str, str]], str, str]:
    """What a client makes of a stream: its calls, its text, and why it ended."""
    calls: dict[int, list[str]] = {}
    text, reason = "", ""
    for chunk in chunks_of(answer):
        for each in chunk["choices"]:
            text += each["delta"].get("content") or ""
            reason = each.get("finish_reason") or reason
            for piece in each["delta"].get("tool_calls", ()):
                mine = calls.setdefault(piece["index"], ["", ""])
                mine[0] += piece["function"].get("name", "")
                mine[1] += piece["function"].get("arguments", "")
    return [(name, arguments) for name, arguments in calls.values()], text, reason


def through(home: Path, script: Script, request: bytes, **options: Any) -> tuple[bytes, dict[str, Any]]:
    """Send one request through a belt; return the answer and the outcome's record."""

    async def scenario(belt: Belt) -> tuple[bytes, dict[str, Any]]:
        return await raw(belt, request), belt.records("outcome")[-1]

    found: tuple[bytes, dict[str, Any]] = in_belt(home, script, scenario, **{"policy": GOVERNED, **options})
    return found


def answering(answered: Answered, seen: list[Held] | None = None) -> Callable[[Held], Awaitable[Answer]]:
    async def hold(held: Held) -> Answer:
        if seen is not None:
            seen.append(held)
        return Answer(answered=answered, at=held.at, by="usr_1", reason="because")

    return hold


@pytest.mark.parametrize("stream", [False, True])
def test_an_allowed_call_passes_and_a_denied_one_is_replaced_by_words(tmp_path: Path, stream: bool) -> None:
    script = calling(call("delete_all", '{"path": "/"}', "call_a"), call("read", '{"path": "x"}', "call_b"))
    answer, outcome = through(tmp_path, script, asking(stream=stream))

    if stream:
        calls, text, reason = merged(answer)
    else:
        message = body_of(answer)["choices"][0]["message"]
        calls = [(each["function"]["name"], each["function"]["arguments"]) for each in message["tool_calls"]]
        text, reason = message["content"], body_of(answer)["choices"][0]["finish_reason"]
    assert calls == [("read", '{"path": "x"}')]
    assert "delete_all" in text
    assert "安全带" in text
    assert reason == "tool_calls"
    assert b'"/"' not in answer
    assert [(each["tool"], each["done"]) for each in outcome["tools"]] == [("delete_all", "deny"), ("read", "allow")]
    assert (outcome["done"], outcome["finish"]) == ("refuse", "refused")
    assert outcome["content"]["texts"]["tools[0].arguments"] == '{"path": "/"}'


@pytest.mark.parametrize("stream", [False, True])
def test_where_no_call_is_left_the_answer_ends_as_the_interface_says_it(tmp_path: Path, stream: bool) -> None:
    answer, _ = through(tmp_path, calling(call("delete_all")), asking(stream=stream))

    calls, _, reason = merged(answer) if stream else ([], "", body_of(answer)["choices"][0]["finish_reason"])
    assert calls == []
    assert reason == "content_filter"
    assert b'"tool_calls"' not in answer


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("answered", "passes"), [(Answered.APPROVED, True), (Answered.REFUSED, False), (Answered.EXPIRED, False)]
)
def test_a_held_call_goes_on_only_where_a_person_approves(
    tmp_path: Path, stream: bool, answered: Answered, passes: bool
) -> None:
    seen: list[Held] = []
    script = calling(call("pay", f'{{"amount": 500, "to": "{ID_CARD}"}}'))
    answer, outcome = through(tmp_path, script, asking(stream=stream), hold=answering(answered, seen))

    assert (b"500" in answer) is passes
    assert outcome["tools"][0]["answered"] == answered.value
    assert outcome["tools"][0]["approval"] == seen[0].id
    assert seen[0].rule == "t.pay_more"
    assert seen[0].said.startswith("Pay ")
    assert ID_CARD not in seen[0].said + seen[0].arguments
    assert '"amount": 500' in seen[0].arguments
    assert (seen[0].expires_at - seen[0].at).total_seconds() == 5


def test_a_call_that_needs_nobody_is_not_held(tmp_path: Path) -> None:
    seen: list[Held] = []
    answer, _ = through(
        tmp_path, calling(call("pay", '{"amount": 5}')), asking(), hold=answering(Answered.REFUSED, seen)
    )

    assert body_of(answer)["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "pay"
    assert seen == []


def test_arguments_nobody_could_read_whole_are_not_put_before_anybody(tmp_path: Path) -> None:
    seen: list[Held] = []
    long = json.dumps({"amount": 500, "note": "x" * 20_000})
    answer, outcome = through(tmp_path, calling(call("pay", long)), asking(), hold=answering(Answered.APPROVED, seen))

    assert seen == []
    assert "nobody could read it whole" in body_of(answer)["choices"][0]["message"]["content"]
    assert outcome["tools"][0]["answered"] == "refused"


def test_while_observing_every_call_passes_and_what_would_have_been_is_recorded(tmp_path: Path) -> None:
    answer, outcome = through(tmp_path, calling(call("delete_all")), asking(), stance=Stance.OBSERVE)

    assert body_of(answer)["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "delete_all"
    assert (outcome["done"], outcome["would"], outcome["finish"]) == ("allow", "refuse", "complete")


def test_without_a_section_on_tools_nothing_changes(tmp_path: Path) -> None:
    answer, outcome = through(tmp_path, calling(call("delete_all")), asking(stream=True), policy=POLICY)

    assert merged(answer)[0] == [("delete_all", "{}")]
    assert "tools" not in outcome


@pytest.mark.parametrize(
    ("tools", "choice_", "left", "chosen"),
    [
        (["read", "delete_all"], "auto", ["read"], "auto"),
        (["read", "delete_all"], {"type": "function", "function": {"name": "delete_all"}}, ["read"], None),
        (["read", "pay"], "required", ["read", "pay"], "required"),
        (["delete_all"], "auto", [], None),
    ],
)
def test_a_tool_that_is_denied_anyway_is_not_offered(
    tmp_path: Path, tools: list[str], choice_: Any, left: list[str], chosen: Any
) -> None:
    offered = [{"type": "function", "function": {"name": name}} for name in tools]

    async def scenario(belt: Belt) -> dict[str, Any]:
        await raw(belt, asking(tools=offered, tool_choice=choice_))
        return belt.seen[0]

    seen = in_belt(tmp_path, calling(call("read")), scenario, policy=GOVERNED)

    assert [each["function"]["name"] for each in seen.get("tools", ())] == left
    assert seen.get("tool_choice") == chosen


def test_the_policy_may_leave_the_offer_as_it_is(tmp_path: Path) -> None:
    leaving = replace(GOVERNED, tools=replace(TOOLS, offered=Offered.LEAVE))
    offered = [{"type": "function", "function": {"name": "delete_all"}}, {"type": "web_search"}]

    async def scenario(belt: Belt) -> dict[str, Any]:
        await raw(belt, asking(tools=offered))
        return belt.seen[0]

    assert (
        in_belt(tmp_path, calling(call("read")), scenario, policy=leaving)["tools"] == offered[:1]
    )  # the other runs unseen


def test_a_stream_that_waits_says_that_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safebelt.rooms.belt.proxy.governing.BEAT_SECONDS", 0.02)

    async def slow(held: Held) -> Answer:
        await asyncio.sleep(0.15)
        return Answer(answered=Answered.APPROVED, at=held.at, by="usr_1")

    answer, _ = through(tmp_path, calling(call("pay", '{"amount": 500}')), asking(stream=True), hold=slow)

    assert answer.count(b"\n:\n\n") >= 2
    assert merged(answer)[0] == [("pay", '{"amount": 500}')]


# ---------------------------------------------------------------------- waiting


@pytest.mark.parametrize("stream", [False, True])
def test_the_time_a_person_takes_is_told_apart_and_neither_the_belts_nor_the_models(
    tmp_path: Path, stream: bool
) -> None:
    async def slow(held: Held) -> Answer:
        await asyncio.sleep(1.6 if "500" in held.arguments else 1.2)
        return Answer(answered=Answered.APPROVED, at=held.at, by="usr_1")

    one, other = call("pay", '{"amount": 500}', "call_a"), call("pay", '{"amount": 700}', "call_b")
    _, outcome = through(tmp_path / "held", calling(one, other), asking(stream=stream), hold=slow)
    _, plain = through(tmp_path / "plain", calling(call("read")), asking(stream=stream), hold=slow)

    assert 1600 <= outcome["waited_ms"] < 2800  # side by side: one wait, not the sum of two
    assert outcome["added_ms"] + outcome["upstream_ms"] + outcome["waited_ms"] == pytest.approx(
        outcome["total_ms"], abs=0.01
    )
    assert outcome["added_ms"] < 1600 and outcome["upstream_ms"] < 1600
    assert "waited_before_ms" not in outcome
    assert not {"waited_ms", "waited_before_ms"} & plain.keys()
    assert plain["added_ms"] + plain["upstream_ms"] == pytest.approx(plain["total_ms"], abs=0.01)


def test_a_person_is_heard_at_once_and_whoever_answers_first_has_answered(tmp_path: Path) -> None:
    box, seen = CallBox(tmp_path / "calls"), []
    waiting = Waiting(box, wall_clock)

    async def scenario(belt: Belt) -> bytes:
        asked = asyncio.ensure_future(raw(belt, asking(stream=True)))
        while not (held := box.all()):
            await asyncio.sleep(0.02)
        seen.append(held[0])
        approved = Answer(answered=Answered.APPROVED, at=wall_clock(), by="usr_1", reason="checked")
        assert box.answer(held[0].id, approved)
        assert not box.answer(held[0].id, replace(approved, answered=Answered.REFUSED))
        return await asked

    script = calling(call("pay", '{"amount": 500}'))
    answer = in_belt(tmp_path / "belt", script, scenario, policy=GOVERNED, hold=waiting)

    assert merged(answer)[0] == [("pay", '{"amount": 500}')]
    assert box.acted(seen[0].id) is not None


def test_the_end_of_the_wait_is_a_refusal(tmp_path: Path) -> None:
    box = CallBox(tmp_path / "calls")
    hasty = replace(GOVERNED, tools=replace(TOOLS, hold_seconds=0))  # a policy file asks for one second at least
    script = calling(call("pay", '{"amount": 500}'))
    answer, outcome = through(tmp_path / "belt", script, asking(), policy=hasty, hold=Waiting(box, wall_clock))

    assert "nobody answered in time" in body_of(answer)["choices"][0]["message"]["content"]
    assert outcome["tools"][0]["answered"] == "expired"
    (held,) = box.all()
    assert box.answered(held.id).answered is Answered.EXPIRED  # type: ignore[union-attr]
    assert not box.answer(held.id, Answer(answered=Answered.APPROVED, at=wall_clock(), by="usr_1"))


def test_a_caller_who_leaves_takes_the_call_along(tmp_path: Path) -> None:
    box = CallBox(tmp_path / "calls")

    async def scenario(belt: Belt) -> Held:
        _, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(asking())
        while not (held := box.all()):
            await asyncio.sleep(0.02)
        writer.close()
        while box.answered(held[0].id) is None:
            await asyncio.sleep(0.02)
        return held[0]

    script = calling(call("pay", '{"amount": 500}'))
    held = in_belt(tmp_path / "belt", script, scenario, policy=GOVERNED, hold=Waiting(box, wall_clock))

    assert box.answered(held.id).answered is Answered.GONE  # type: ignore[union-attr]


def test_where_the_call_cannot_be_put_before_anybody_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("a file where the folder should be")
    hold = Waiting(CallBox(tmp_path / "calls"), wall_clock)
    answer, _ = through(tmp_path / "belt", calling(call("pay", '{"amount": 500}')), asking(), hold=hold)

    assert b"500" not in answer


def test_no_name_of_a_file_is_taken_from_a_stranger(tmp_path: Path) -> None:
    box = CallBox(tmp_path / "calls")
    approve = Answer(answered=Answered.APPROVED, at=wall_clock(), by="usr_1")

    for strange in ("../../etc/passwd", "apr_", "apr_../x", "", "apr_\n"):
        assert box.held(strange) is None
        assert not box.answer(strange, approve)


# ---------------------------------------------------------------------- every interface, by its gate


async def _rule(call_: Any) -> Ruling:
    return Ruling(is_allowed=call_.name == "read", says=Text(zh="不行", en="no"))


def driven(path: str, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    async def run() -> list[bytes]:
        gate = gate_of(path, _rule)
        assert gate is not None
        out: list[bytes] = []
        for each in events:
            out += await gate.events([json.dumps(each).encode()])
        return [*out, *await gate.events([], is_over=True)]

    return [json.loads(data) for data in asyncio.run(run())]


def whole(path: str, body: dict[str, Any]) -> dict[str, Any]:
    gate = gate_of(path, _rule)
    assert gate is not None
    return asyncio.run(gate.whole(body))


def block_events(index: int, name: str, source: str, kind: str = "tool_use") -> list[dict[str, Any]]:
    block = {"type": kind, "id": f"toolu_{index}", "name": name, "input": {}}
    pieces = [source[at : at + 2] for at in range(0, len(source), 2)]
    return [
        {"type": "content_block_start", "index": index, "content_block": block},
        *(
            {"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": p}}
            for p in pieces
        ),
        {"type": "content_block_stop", "index": index},
    ]


@pytest.mark.parametrize("kind", ["tool_use", "server_tool_use", "mcp_tool_use"])
def test_messages_hold_a_block_until_it_stops_and_put_words_in_the_place_of_a_denied_one(kind: str) -> None:
    ending = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}}
    both = [*block_events(0, "read", '{"a": 1}', kind), *block_events(1, "rm", '{"b": 2}', kind), ending]
    out = driven("/v1/messages", both)
    alone = driven("/v1/messages", [*block_events(0, "rm", '{"b": 2}', kind), ending])

    assert [each["type"].removeprefix("content_block_") for each in out] == [
        *("start", "delta", "stop") * 2,
        "message_delta",
    ]
    assert out[1]["delta"]["partial_json"] == '{"a": 1}'
    assert out[3]["content_block"] == {"type": "text", "text": ""}
    assert out[4]["delta"] == {"type": "text_delta", "text": "no / 不行"}
    assert out[-1]["delta"]["stop_reason"] == "tool_use"
    assert alone[-1]["delta"]["stop_reason"] == "refusal"


def test_messages_in_one_piece_are_judged_the_same() -> None:
    blocks = [{"type": "text", "text": "ok"}, {"type": "tool_use", "id": "t", "name": "rm", "input": {"b": 2}}]
    body = whole("/v1/messages", {"content": blocks, "stop_reason": "tool_use"})

    assert body["content"] == [{"type": "text", "text": "ok"}, {"type": "text", "text": "no / 不行"}]
    assert body["stop_reason"] == "refusal"


def item(name: str, source: str = "{}", **more: Any) -> dict[str, Any]:
    made = {"type": "function_call", "id": f"fc_{name}", "call_id": f"c_{name}", "name": name, "arguments": source}
    return {**made, "status": "completed", **more}


def response_events(*items: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = [{"type": "response.created", "response": {"output": [], "status": "in_progress"}}]
    for at, each in enumerate(items):
        begun = {**each, "arguments": "", "status": "in_progress"}
        place = {"item_id": each["id"], "output_index": at}
        events += [
            {"type": "response.output_item.added", "output_index": at, "item": begun},
            {"type": "response.function_call_arguments.delta", **place, "delta": each["arguments"]},
            {"type": "response.function_call_arguments.done", **place, "arguments": each["arguments"]},
            {"type": "response.output_item.done", "output_index": at, "item": each},
        ]
    return [*events, {"type": "response.completed", "response": {"output": list(items), "status": "completed"}}]


def test_responses_hold_an_item_until_it_is_done_and_the_whole_at_the_end_says_the_same() -> None:
    out = driven("/v1/responses", response_events(item("read", '{"a": 1}'), item("rm", '{"secret": 2}')))
    kinds = [each["type"] for each in out]

    assert kinds[1:5] == [each["type"] for each in response_events(item("read"))[1:5]]
    assert "response.output_text.delta" in kinds
    assert "secret" not in json.dumps(out)
    assert out[-1]["type"] == "response.completed"
    assert [each["type"] for each in out[-1]["response"]["output"]] == ["function_call", "message"]
    alone = driven("/v1/responses", response_events(item("rm")))
    assert (alone[-1]["type"], alone[-1]["response"]["status"]) == ("response.incomplete", "incomplete")


def test_a_call_that_only_the_end_of_a_response_names_is_judged_too() -> None:
    ending = {
        "type": "response.completed",
        "response": {"output": [item("rm", '{"secret": 2}')], "status": "completed"},
    }

    assert "secret" not in json.dumps(driven("/v1/responses", [ending]))


@pytest.mark.parametrize(
    "strange",
    [
        {"type": "computer_call", "id": "x", "action": {"secret": 1}},
        {"type": "local_shell_call", "id": "x", "action": {"command": ["secret"]}},
        {"type": "custom_tool_call", "id": "x", "name": "rm", "input": "secret"},
        {"type": "mcp_call", "id": "x", "name": "rm", "server_label": "s", "arguments": "secret"},
        {"type": "some_future_call", "secret": 1},
    ],
)
def test_every_kind_of_call_is_judged(strange: dict[str, Any]) -> None:
    assert "secret" not in json.dumps(whole("/v1/responses", {"output": [strange], "status": "completed"}))


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [{"id": "1", "type": "custom", "custom": {"name": "rm", "input": "secret"}}]},
        {"tool_calls": [{"id": "1", "function": {"name": "read"}, "custom": {"name": "rm", "input": "secret"}}]},
        {"tool_calls": {"function": {"name": "rm", "arguments": "secret"}}},
        {"tool_calls": ["secret"]},
        {"tool_calls": [{"function": "secret"}]},
        {"tool_calls": [{"function": {"name": {"secret": 1}, "arguments": "{}"}}]},
        {"tool_calls": [{"function": {"name": "rm", "arguments": {"secret": 1}}}]},
        {"function_call": {"name": "rm", "arguments": "secret"}},
        {"function_call": "secret"},
    ],
)
def test_a_call_of_any_form_is_judged_and_one_of_no_form_is_denied(message: dict[str, Any]) -> None:
    body = whole("/v1/chat/completions", {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    streamed = driven("/v1/chat/completions", [{"choices": [choice(message)]}, {"choices": [choice({}, "tool_calls")]}])

    assert "secret" not in json.dumps(body)
    assert "secret" not in json.dumps(streamed)
    assert streamed[-1]["choices"][0]["finish_reason"] == "content_filter"


def test_a_name_cut_over_pieces_is_judged_whole_and_a_new_id_is_a_new_call() -> None:
    def piece(id_: str | None, name: str, source: str) -> dict[str, Any]:
        return {
            "choices": [
                choice({"tool_calls": [{"index": 0, "id": id_, "function": {"name": name, "arguments": source}}]})
            ]
        }

    cut = [piece("a", "re", '{"a"'), piece(None, "ad", ": 1}"), piece("b", "read", "{}"), piece("c", "readx", "{}")]
    out = driven("/v1/chat/completions", [*cut, {"choices": [choice({}, "tool_calls")]}])
    calls = [each for chunk in out for each in chunk["choices"][0]["delta"].get("tool_calls", ())]

    assert [(each["index"], each["id"], each["function"]["arguments"]) for each in calls] == [
        (0, "a", '{"a": 1}'),
        (1, "b", "{}"),
    ]


def test_a_stream_that_ends_in_the_middle_of_a_call_does_not_let_it_pass_unjudged() -> None:
    begun = {
        "choices": [
            choice({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "rm", "arguments": "secret"}}]})
        ]
    }

    assert "secret" not in json.dumps(driven("/v1/chat/completions", [begun]))
    assert "secret" not in json.dumps(driven("/v1/messages", block_events(0, "rm", "secret")[:-1]))
    assert "secret" not in json.dumps(driven("/v1/responses", response_events(item("read", "secret"))[:3]))


@pytest.mark.parametrize(
    ("path", "flood"),
    [
        ("/v1/chat/completions", [{"choices": [choice({"tool_calls": [{"index": at, "function": {}}]})]} for at in range(MAX_CALLS + 1)]),
        ("/v1/chat/completions", [{"choices": [choice({"tool_calls": [{"index": 0, "function": {"arguments": "x" * (MAX_HELD_CHARS + 1)}}]})]}]),
        ("/v1/messages", [*block_events(0, "read", "ab")[:1], block_events(0, "read", "a" * 2)[1] | {"delta": {"partial_json": "x" * (MAX_HELD_CHARS + 1)}}]),
        ("/v1/responses", [{"type": "response.function_call_arguments.delta", "delta": "x" * (MAX_HELD_CHARS + 1)}]),
    ],
)  # fmt: skip
def test_a_flood_of_unfinished_calls_breaks_the_answer_off(path: str, flood: list[dict[str, Any]]) -> None:
    with pytest.raises(UpstreamBroke):
        driven(path, flood)


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda of: (
        st.lists(of, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "message", "tool_calls", "function", "function_call", "index", "type", "item"]
            )
            | st.sampled_from(
                ["content", "content_block", "output", "response", "output_index", "finish_reason", "name"]
            ),
            of,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
        "response.function_call_arguments.delta",
    ]
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["choices", "item", "response", "index", "delta"]), JSONISH), max_size=4),
    KINDS,
)
def test_no_event_whatever_breaks_a_gate(events: list[dict[str, Any]], kind: str) -> None:
    for path in ("/v1/chat/completions", "/v1/messages", "/v1/responses"):
        driven(path, [{**each, "type": kind} for each in events])
        for each in events:
            whole(path, {**each, "content": each.get("item"), "output": each.get("choices")})


def test_the_policy_of_these_tests_governs_tools() -> None:
    assert isinstance(GOVERNED, Policy)
    assert gate_of("/v1/embeddings", _rule) is None


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
def test_the_other_interfaces_are_governed_on_their_way_through_the_belt(
    tmp_path: Path, path: str, stream: bool
) -> None:
    blocks = [
        {"type": "tool_use", "id": f"t_{name}", "name": name, "input": {"k": f"{name}-arg"}} for name in ("read", "rm")
    ]
    items = [item("read", '{"k": "read-arg"}'), item("rm", '{"k": "rm-arg"}')]
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None}
    wholes = {
        "/v1/messages": {**message, "content": blocks, "stop_reason": "tool_use", "usage": {}},
        "/v1/responses": {"id": "resp_1", "object": "response", "status": "completed", "output": items},
    }
    ending = [{"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {}}, {"type": "message_stop"}]
    streams = {
        "/v1/messages": [
            {"type": "message_start", "message": message},
            *block_events(0, "read", '{"k": "read-arg"}'),
            *block_events(1, "rm", '{"k": "rm-arg"}'),
            *ending,
        ],
        "/v1/responses": response_events(*items),
    }

    async def script(_body: dict[str, Any], reply: Reply) -> None:
        if not stream:
            await json_reply(reply, wholes[path])
            return
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for each in streams[path]:
            await reply.write(f"event: {each['type']}\ndata: {json.dumps(each)}\n\n".encode())
        await reply.end()

    said = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9} if "messages" in path else {"input": "hi"}
    answer, outcome = through(tmp_path, script, post({"model": "m", "stream": stream, **said}, path=path))

    assert answer.split(b" ")[1] == b"200", answer
    assert b"read-arg" in answer
    assert b"rm-arg" not in answer
    assert "安全带没有放行".encode() in answer or b"Safebelt did not let" in answer
    assert [(each["tool"], each["done"]) for each in outcome["tools"]] == [("read", "allow"), ("rm", "deny")]
