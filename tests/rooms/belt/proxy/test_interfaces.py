"""Anthropic's messages, OpenAI's responses and moderations: unmodified clients, every text guarded."""

import json
from pathlib import Path
from typing import Any

import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, Belt, answering, in_belt, json_reply, post, raw

from safebelt.rooms.belt.model import NoticeMode, Stance
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request

NOTICE = "AI"


def pieces_of(text: str) -> list[str]:
    """One character at a time: the hardest cut."""
    return list(text)


async def _events(reply: Reply, events: list[dict[str, Any]]) -> None:
    await reply.begin(200, ((b"content-type", b"text/event-stream"),))
    for one in events:
        await reply.write(f"event: {one['type']}\ndata: {json.dumps(one, ensure_ascii=False)}\n\n".encode())
    await reply.end()


def message_events(text: str, *, thinking: str = "", arguments: str = "") -> list[dict[str, Any]]:
    base = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": None}
    start = {**base, "content": [], "stop_sequence": None, "usage": {"input_tokens": 3, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}, {"type": "ping"}]
    blocks = [("thinking", "thinking", thinking)] if thinking else []
    blocks += [("text", "text", text)] if text else []
    blocks += [("tool_use", "partial_json", arguments)] if arguments else []
    kinds = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}
    for index, (kind, name, said) in enumerate(blocks):
        block: dict[str, Any] = {"type": kind, name: ""}
        if kind == "tool_use":
            block = {"type": kind, "id": "toolu_1", "name": "send", "input": {}}
        if kind == "thinking":
            block["signature"] = ""
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        for piece in pieces_of(said):
            delta = {"type": kinds[name], name: piece}
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    ended = {"stop_reason": "tool_use" if arguments else "end_turn", "stop_sequence": None}
    events.append({"type": "message_delta", "delta": ended, "usage": {"output_tokens": 9}})
    return [*events, {"type": "message_stop"}]


def response_of(text: str, **more: Any) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    base: dict[str, Any] = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    base |= {"error": None, "incomplete_details": None, "parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    return {**base, "output": [item], "usage": usage, **more}


def response_events(text: str) -> list[dict[str, Any]]:
    whole = response_of(text)
    item, at = whole["output"][0], {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    empty = {"type": "output_text", "text": "", "annotations": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.content_part.added", **at, "part": empty},
        *({"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []} for piece in pieces_of(text)),
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [{**one, "sequence_number": number} for number, one in enumerate(events)]


def model(text: str, **more: str) -> Any:
    """An upstream that speaks both interfaces, whole and streamed."""

    async def handler(request: Request, reply: Reply) -> None:
        body = json.loads(request.body)
        handler.seen.append((request, body))  # type: ignore[attr-defined]
        if request.path.endswith("/messages"):
            if body.get("stream"):
                await _events(reply, message_events(text, **more))
                return
            blocks: list[dict[str, Any]] = [{"type": "text", "text": text}]
            said = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": blocks}
            ended = {"stop_reason": "end_turn", "stop_sequence": None}
            await json_reply(reply, {**said, **ended, "usage": {"input_tokens": 3, "output_tokens": 9}})
        elif body.get("stream"):
            await _events(reply, response_events(text))
        else:
            await json_reply(reply, response_of(text))

    handler.seen = []  # type: ignore[attr-defined]
    return handler


def asked(belt: Belt) -> AsyncAnthropic:
    return AsyncAnthropic(base_url=belt.url.removesuffix("/v1"), api_key="sbk_test", max_retries=0)


async def message(belt: Belt, *, stream: bool, text: str = "hi", **more: Any) -> Any:
    """Ask with the official client; a stream is put together by it."""
    async with asked(belt) as client:
        words: dict[str, Any] = {
            "model": "m",
            "max_tokens": 50,
            "messages": [{"role": "user", "content": text}],
            **more,
        }
        if not stream:
            return await client.messages.create(**words)
        async with client.messages.stream(**words) as events:
            return await events.get_final_message()


async def response(belt: Belt, *, stream: bool, text: str = "hi", **more: Any) -> tuple[str, Any]:
    """Ask with the official client; return the text as it came, and the response that ended it."""
    async with AsyncOpenAI(base_url=belt.url, api_key="sbk_test", max_retries=0) as client:
        if not stream:
            whole = await client.responses.create(model="m", input=text, **more)
            return whole.output_text, whole
        said, last = "", None
        async for event in await client.responses.create(model="m", input=text, stream=True, **more):
            said += event.delta if event.type == "response.output_text.delta" else ""
            last = event
        return said, last.response  # type: ignore[union-attr]


@pytest.mark.parametrize("stream", [False, True])
def test_a_message_arrives_whole_labelled_and_recorded(tmp_path: Path, stream: bool) -> None:
    async def scenario(belt: Belt) -> tuple[Any, list[Any]]:
        belt.upstream_handler = model("Hello there.")
        return await message(belt, stream=stream), belt.records("outcome")

    said, outcomes = in_belt(tmp_path, answering(), scenario, notice=NoticeMode.END)
    assert said.content[0].text.startswith("Hello there.\n\n")
    assert NOTICE in said.content[0].text
    assert said.stop_reason == "end_turn"
    assert outcomes[0]["finish"] == "complete"
    assert "label" in outcomes[0]
    assert outcomes[0]["usage"]["output_tokens"] == 9
    assert outcomes[0]["content"]["texts"] == {"content[0].text": "Hello there."}


@pytest.mark.parametrize("stream", [False, True])
def test_a_forbidden_phrase_in_a_message_never_leaves_and_the_text_before_it_does(tmp_path: Path, stream: bool) -> None:
    async def scenario(belt: Belt) -> tuple[Any, list[Any]]:
        belt.upstream_handler = model(f"The plan is {FORBIDDEN} and more.")
        return await message(belt, stream=stream), belt.records("outcome")

    said, outcomes = in_belt(tmp_path, answering(), scenario)
    assert said.content[0].text == "The plan is "
    assert said.stop_reason == "refusal"
    assert outcomes[0]["finish"] == "refused"
    assert FORBIDDEN not in json.dumps([block.to_dict() for block in said.content])


@pytest.mark.parametrize("stream", [False, True])
def test_personal_data_in_a_message_is_masked_in_place(tmp_path: Path, stream: bool) -> None:
    async def scenario(belt: Belt) -> Any:
        belt.upstream_handler = model(f"His number is {ID_CARD}.")
        return await message(belt, stream=stream)

    text = in_belt(tmp_path, answering(), scenario).content[0].text
    assert ID_CARD not in text
    assert text.startswith("His number is ⟦")


def test_thinking_and_tool_input_are_screened_as_they_stream_and_input_stays_json(tmp_path: Path) -> None:
    arguments = json.dumps({"to": f"id {ID_CARD}", "note": "ok"})

    async def scenario(belt: Belt) -> Any:
        belt.upstream_handler = model("Sending.", thinking=f"They gave {ID_CARD}.", arguments=arguments)
        return await message(belt, stream=True)

    said = in_belt(tmp_path, answering(), scenario, notice=NoticeMode.END)
    assert ID_CARD not in json.dumps([block.to_dict() for block in said.content])
    assert said.content[2].input["note"] == "ok"
    assert said.content[1].text == "Sending.", "no notice amid a message that calls a tool"
    assert said.stop_reason == "tool_use"


def test_the_system_prompt_and_results_of_tools_are_screened_and_kept(tmp_path: Path) -> None:
    handler = model("ok")
    turns = [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": f"found {ID_CARD}"}]},
    ]

    async def scenario(belt: Belt) -> list[Any]:
        belt.upstream_handler = handler
        await message(belt, stream=False, system=f"Owner {ID_CARD}", messages=turns)
        return belt.records("intent")

    intents = in_belt(tmp_path, answering(), scenario)
    assert ID_CARD not in json.dumps(handler.seen[0][1])
    assert ID_CARD not in json.dumps(intents)
    assert set(intents[0]["content"]["texts"]) >= {"system", "messages[0].content[0].content"}
    assert intents[0]["not_evaluated"] == []


def test_the_upstream_gets_the_version_and_our_key_never_the_callers(tmp_path: Path) -> None:
    handler = model("ok")

    async def scenario(belt: Belt) -> None:
        belt.upstream_handler = handler
        await message(belt, stream=False)

    in_belt(tmp_path, answering(), scenario)
    fields = dict(handler.seen[0][0].headers)
    assert fields[b"x-api-key"] == b"up-secret"
    assert fields[b"anthropic-version"]
    assert b"sbk_test" not in repr(fields).encode()


def test_a_wrong_key_under_anthropics_name_is_refused(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> bytes:
        asking = post({"model": "m"}, path="/v1/messages").replace(b"Authorization: Bearer sbk_test", b"x-api-key: no")
        return await raw(belt, asking)

    assert in_belt(tmp_path, answering(), scenario).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_arrives_whole_labelled_and_recorded(tmp_path: Path, stream: bool) -> None:
    async def scenario(belt: Belt) -> tuple[Any, list[Any]]:
        belt.upstream_handler = model("Hello there.")
        return await response(belt, stream=stream), belt.records("outcome")

    (text, whole), outcomes = in_belt(tmp_path, answering(), scenario, notice=NoticeMode.END)
    assert text.startswith("Hello there.\n\n")
    assert whole.output_text == text, "what was streamed and what ends the stream say the same"
    assert whole.status == "completed"
    assert outcomes[0]["finish"] == "complete"
    assert "label" in outcomes[0]
    assert outcomes[0]["usage"]["total_tokens"] == 3
    assert [*outcomes[0]["content"]["texts"].values()] == ["Hello there."]


@pytest.mark.parametrize("stream", [False, True])
def test_a_forbidden_phrase_in_a_response_never_leaves_and_the_text_before_it_does(
    tmp_path: Path, stream: bool
) -> None:
    async def scenario(belt: Belt) -> tuple[Any, list[Any]]:
        belt.upstream_handler = model(f"The plan is {FORBIDDEN} and more.")
        return await response(belt, stream=stream), belt.records("outcome")

    (text, whole), outcomes = in_belt(tmp_path, answering(), scenario)
    assert text == "The plan is "
    assert whole.output_text == "The plan is "
    assert whole.status == "incomplete"
    assert whole.incomplete_details.reason == "content_filter"
    assert outcomes[0]["finish"] == "refused"


@pytest.mark.parametrize("stream", [False, True])
def test_personal_data_in_a_response_is_masked_wherever_it_is_said(tmp_path: Path, stream: bool) -> None:
    async def scenario(belt: Belt) -> tuple[Any, list[Any]]:
        belt.upstream_handler = model(f"His number is {ID_CARD}.")
        return await response(belt, stream=stream), belt.records("outcome")

    (text, whole), outcomes = in_belt(tmp_path, answering(), scenario)
    assert ID_CARD not in whole.to_json()
    assert text == whole.output_text
    assert text.startswith("His number is ⟦")
    assert len(outcomes[0]["hits"]) == 1, "a text that is said again is not found again"


def test_every_byte_of_a_streamed_response_is_clean(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> bytes:
        belt.upstream_handler = model(f"{ID_CARD}, {FORBIDDEN}")
        return await raw(belt, post({"model": "m", "input": "hi", "stream": True}, path="/v1/responses"))

    said = in_belt(tmp_path, answering(), scenario)
    assert ID_CARD.encode() not in said
    assert FORBIDDEN.encode() not in said


def test_items_of_a_responses_input_are_screened_and_kept(tmp_path: Path) -> None:
    handler = model("ok")
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": f"I am {ID_CARD}"}]},
        {"type": "function_call", "call_id": "c", "name": "look", "arguments": json.dumps({"id": ID_CARD})},
        {"type": "function_call_output", "call_id": "c", "output": f"found {ID_CARD}"},
    ]

    async def scenario(belt: Belt) -> list[Any]:
        belt.upstream_handler = handler
        await raw(belt, post({"model": "m", "input": items}, path="/v1/responses"))
        return belt.records("intent")

    intents = in_belt(tmp_path, answering(), scenario)
    assert ID_CARD not in json.dumps(handler.seen[0][1])
    assert json.loads(handler.seen[0][1]["input"][1]["arguments"])
    assert len(intents[0]["content"]["texts"]) >= 3
    assert intents[0]["not_evaluated"] == []


def test_json_asked_of_responses_is_never_ended_with_a_notice(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> Any:
        belt.upstream_handler = model('{"a": 1}')
        form = {"format": {"type": "json_object"}}
        return await raw(belt, post({"model": "m", "input": "hi", "text": form}, path="/v1/responses"))

    body = json.loads(in_belt(tmp_path, answering(), scenario, notice=NoticeMode.END).partition(b"\r\n\r\n")[2])
    assert body["output"][0]["content"][0]["text"] == '{"a": 1}'


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/responses"])
@pytest.mark.parametrize(
    "events",
    [
        [b"data: no json\n\n"],
        [b"data: []\n\n"],
        [b'data: {"type": "Bad Name"}\n\n'],
        [b'data: {"type": "error", "error": {"message": "x"}}\n\n'],
        [b'data: {"type": "ping"}\n\n'],
        [b'data: {"type": "content_block_delta", "index": -1, "delta": {"type": "text_delta", "text": "x"}}\n\n'] * 2,
        [b'data: {"type": "response.output_text.delta", "output_index": "0", "delta": "x"}\n\n'] * 2,
        [b'data: {"type": ' + b"[" * 100_000 + b"\n\n"],
    ],
)
def test_a_stream_that_cannot_be_screened_ends_with_an_error(tmp_path: Path, path: str, events: list[bytes]) -> None:
    async def handler(_request: Request, reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for one in events:
            await reply.write(one)
        await reply.end()

    async def scenario(belt: Belt) -> tuple[bytes, list[Any]]:
        belt.upstream_handler = handler
        said = await raw(belt, post({"model": "m", "stream": True, "input": "x", "messages": []}, path=path))
        return said, belt.records("outcome")

    said, outcomes = in_belt(tmp_path, answering(), scenario)
    assert b"error" in said
    assert outcomes[0]["finish"] == "upstream_error"


@pytest.mark.parametrize("stance", [Stance.OBSERVE, Stance.ENFORCE])
def test_moderations_pass_guarded(tmp_path: Path, stance: Stance) -> None:
    async def handler(request: Request, reply: Reply) -> None:
        assert request.path == "/v1/moderations"
        result = {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.1}}
        await json_reply(reply, {"id": "modr_1", "model": "m", "results": [result]})

    async def scenario(belt: Belt) -> tuple[bytes, list[Any]]:
        belt.upstream_handler = handler
        return await raw(belt, post({"input": f"I am {ID_CARD}"}, path="/v1/moderations")), belt.records("intent")

    said, intents = in_belt(tmp_path, answering(), scenario, stance=stance)
    assert said.startswith(b"HTTP/1.1 200")
    assert b'"flagged":false' in said
    assert intents[0]["rules"] == ["personal"]
    assert ID_CARD not in json.dumps(intents)
