"""What is written as a number, escaped within a text, or spelled over several pieces, is read as its reader would."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, Belt, Script, choice, in_belt, json_reply, post, raw

from safebelt.rooms.belt.proxy.reply import Reply

MOBILE = "13812345678"
CHAT = ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "hi"}]})
MESSAGES = ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]})
RESPONSES = ("/v1/responses", {"model": "m", "input": "hi"})
Endpoint = tuple[str, dict[str, Any]]


def saying(data: Any) -> Script:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await json_reply(reply, data)

    return script


def streaming(*events: dict[str, Any], done: bytes = b"data: [DONE]\n\n") -> Script:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        for event in events:
            await reply.write(b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n")
        await reply.end(done)

    return script


def asked(home: Path, endpoint: Endpoint, script: Script, **body: Any) -> str:
    """Ask once; return the body of the answer."""

    async def scenario(belt: Belt) -> str:
        answer = await raw(belt, post({**endpoint[1], **body}, path=endpoint[0]))
        assert answer.startswith(b"HTTP/1.1 200"), answer
        return answer.partition(b"\r\n\r\n")[2].decode()

    told: str = in_belt(home, script, scenario)
    return told


def message(**said: Any) -> dict[str, Any]:
    return {"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", **said}, "finish_reason": "stop"}]}


def call(arguments: Any) -> list[dict[str, Any]]:
    return [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]


def blocks(*content: dict[str, Any]) -> dict[str, Any]:
    return {"id": "m", "type": "message", "role": "assistant", "content": list(content)}


def items(*output: dict[str, Any]) -> dict[str, Any]:
    return {"id": "r", "object": "response", "status": "completed", "created_at": 1700000000, "output": list(output)}


# ---- numbers


@pytest.mark.parametrize(
    ("endpoint", "answer"),
    [
        (CHAT, message(content="x", tool_calls=call({"phone": 13812345678}))),
        (CHAT, message(content="x", extra={"a": [13812345678.0]})),
        (CHAT, message(content="x") | {"embedding": MOBILE + "="}),
        (MESSAGES, blocks({"type": "tool_use", "id": "t", "name": "f", "input": {"phone": 13812345678}})),
        (RESPONSES, items({"type": "computer_call", "action": {"x": [1, 13812345678]}})),
    ],
)
def test_a_bare_number_in_an_answers_content_is_read(tmp_path: Path, endpoint: Endpoint, answer: Any) -> None:
    told = json.loads(asked(tmp_path, endpoint, saying(answer)))

    assert MOBILE not in json.dumps({name: value for name, value in told.items() if name != "created_at"})


def test_a_bare_number_in_a_streamed_call_is_read(tmp_path: Path) -> None:
    script = streaming(
        {"id": "1", "choices": [choice({"tool_calls": call({"phone": 13812345678})})]},
        {"id": "1", "choices": [choice({}, "tool_calls")]},
    )

    assert MOBILE not in asked(tmp_path, CHAT, script, stream=True)


def test_times_and_sizes_stay_numbers(tmp_path: Path) -> None:
    told = json.loads(
        asked(
            tmp_path, RESPONSES, saying(items() | {"created_at": 13812345678, "usage": {"input_tokens": 13812345678}})
        )
    )

    assert (told["created_at"], told["usage"]["input_tokens"]) == (13812345678, 13812345678)


# ---- escapes within texts


@pytest.mark.parametrize("text", [f"手机号{MOBILE}", "绝密大象", f"电话\n{MOBILE}"])
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("stream", [False, True])
def test_json_in_a_text_hides_nothing(tmp_path: Path, text: str, times: int, stream: bool) -> None:
    for _ in range(times):
        text = json.dumps({"note": text})
    pieces = [text[at : at + 5] for at in range(0, len(text), 5)]
    chunks = [{"id": "1", "choices": [choice({"content": piece})]} for piece in pieces]
    script = (
        streaming(*chunks, {"id": "1", "choices": [choice({}, "stop")]}) if stream else saying(message(content=text))
    )

    told = asked(tmp_path, CHAT, script, stream=stream)

    escaped = json.dumps("密大")[1:-1]
    assert MOBILE not in told and escaped not in told and escaped.replace("\\", "\\\\") not in told


@pytest.mark.parametrize("role", ["tool", "user"])
def test_json_in_what_a_tool_gave_is_read_before_the_model_is_asked(tmp_path: Path, role: str) -> None:
    async def scenario(belt: Belt) -> tuple[bytes, bytes, list[Any]]:
        found = json.dumps({"result": f"手机号{MOBILE}"})
        bad = json.dumps({"result": json.dumps({"title": "绝密大象"})})
        said = [{"role": role, "tool_call_id": "c", "content": content} for content in (found, bad)]
        first, second = [await raw(belt, post({**CHAT[1], "messages": [one]})) for one in said]
        return first, second, belt.seen

    passed, refused, seen = in_belt(tmp_path, saying(message(content="ok")), scenario)

    assert passed.startswith(b"HTTP/1.1 200") and refused.startswith(b"HTTP/1.1 400")
    assert len(seen) == 1 and MOBILE not in json.dumps(seen)


def test_an_escape_that_hides_nothing_passes_as_it_came(tmp_path: Path) -> None:
    text = json.dumps({"note": "你好\n", "path": "C:\\users\\x41", "math": "\\alpha \\u \\x \\"})

    told = asked(tmp_path, CHAT, saying(message(content=f"{text} {FORBIDDEN[:6]}")))

    assert json.loads(told)["choices"][0]["message"]["content"] == f"{text} {FORBIDDEN[:6]}"


# ---- over several texts

HALVES = [(FORBIDDEN[:9], FORBIDDEN[9:]), (MOBILE[:5], MOBILE[5:]), ("绝密", "大象"), ("purple elephant", "protocol")]


def text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def output(*texts: str) -> dict[str, Any]:
    return {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text} for text in texts],
    }


@pytest.mark.parametrize(("first", "second"), HALVES)
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", lambda parts: {"messages": [{"role": "user", "content": parts}]}),
        ("/v1/messages", lambda parts: {"messages": [{"role": "user", "content": "x"}], "system": parts}),
        (
            "/v1/messages",
            lambda parts: {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": parts}]}]},
        ),
        ("/v1/responses", lambda parts: {"input": [{"type": "message", "role": "user", "content": parts}]}),
    ],
)
@pytest.mark.parametrize("between", [(), ("",), ("middle " * 100,)])
def test_what_stands_over_parts_of_a_request_is_found(
    tmp_path: Path, path: str, body: Any, first: str, second: str, between: tuple[str, ...]
) -> None:
    parts = [text_block(text) for text in ("long " * 200 + first, *between, second + ", please")]

    async def scenario(belt: Belt) -> tuple[bytes, list[Any], str]:
        answer = await raw(belt, post({"model": "m", "max_tokens": 9, **body(parts)}, path=path))
        return answer, belt.seen, json.dumps(belt.records("intent"))

    answer, seen, kept = in_belt(tmp_path, saying(message(content="ok")), scenario)

    if between == ("middle " * 100,):  # they do not follow each other
        assert answer.startswith(b"HTTP/1.1 200") and second in json.dumps(seen, ensure_ascii=False)
    elif first + second == MOBILE:
        assert answer.startswith(b"HTTP/1.1 200")
        assert first not in json.dumps(seen) and second not in json.dumps(seen)
        assert first not in kept and second not in kept
    else:
        assert answer.startswith(b"HTTP/1.1 400") and seen == []


@pytest.mark.parametrize(("first", "second"), HALVES)
@pytest.mark.parametrize(
    ("endpoint", "answer"),
    [
        (CHAT, lambda *texts: message(content=[text_block(text) for text in texts])),
        (MESSAGES, lambda *texts: blocks(*map(text_block, texts))),
        (MESSAGES, lambda one, two: blocks(text_block(one), {"type": "thinking", "thinking": "hm"}, text_block(two))),
        (RESPONSES, lambda *texts: items(output(*texts))),
        (RESPONSES, lambda one, two: items(output(one), output(two))),
    ],
)
def test_what_stands_over_blocks_of_an_answer_does_not_leave(
    tmp_path: Path, endpoint: Endpoint, answer: Any, first: str, second: str
) -> None:
    told = asked(tmp_path, endpoint, saying(answer(f"I say {first}", f"{second} now")))

    told = json.dumps(json.loads(told), ensure_ascii=False).partition('"safebelt"')[0]
    assert "I say" in told and (first not in told or second not in told)
    assert first not in told or first + second != MOBILE


def test_parts_that_spell_nothing_together_pass_as_they_came(tmp_path: Path) -> None:
    parts = [text_block(text) for text in ("purple", "elephants", "138", "please call")]

    async def scenario(belt: Belt) -> Any:
        await raw(belt, post({**CHAT[1], "messages": [{"role": "user", "content": parts}]}))
        return belt.seen[0]["messages"][0]["content"]

    assert in_belt(tmp_path, saying(message(content="ok")), scenario) == parts


def streamed_blocks(*texts: str, step: int = 3) -> Script:
    events: list[dict[str, Any]] = [{"type": "message_start", "message": blocks()}]
    for at, text in enumerate(texts):
        events.append({"type": "content_block_start", "index": at, "content_block": text_block("")})
        for begin in range(0, len(text), step):
            delta = {"type": "text_delta", "text": text[begin : begin + step]}
            events.append({"type": "content_block_delta", "index": at, "delta": delta})
        events.append({"type": "content_block_stop", "index": at})
    events += [{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}}, {"type": "message_stop"}]
    return streaming(*events, done=b"")


def said_in(told: str, field: str = "text") -> str:
    lines = [json.loads(line[6:]) for line in told.splitlines() if line.startswith("data: {")]
    return "".join(str(event["delta"].get(field, "")) for event in lines if isinstance(event.get("delta"), dict))


@pytest.mark.parametrize(("first", "second"), HALVES[:3])
@pytest.mark.parametrize("step", [1, 4, 100])
def test_what_goes_on_in_the_next_streamed_block_ends_there(tmp_path: Path, first: str, second: str, step: int) -> None:
    script = streamed_blocks(f"I say {first}", f"{second} now", step=step)

    said = said_in(asked(tmp_path, MESSAGES, script, stream=True))

    assert said.startswith("I say") and second not in said
    assert said.endswith(" now") is (first + second == MOBILE)


@pytest.mark.parametrize("step", [1, 4, 100])
def test_streamed_blocks_that_spell_nothing_together_pass_as_they_came(tmp_path: Path, step: int) -> None:
    texts = ["I say purple ele", "vators, 138", " and 1381", "234567", "9 purple", " x", "elephant"]

    said = said_in(asked(tmp_path, MESSAGES, streamed_blocks(*texts, step=step), stream=True))

    assert said == "".join(texts)


def test_what_goes_on_in_the_next_part_of_a_response_ends_there(tmp_path: Path) -> None:
    def delta(part: int, text: str) -> dict[str, Any]:
        return {"type": "response.output_text.delta", "output_index": 0, "content_index": part, "delta": text}

    script = streaming(
        {"type": "response.created", "response": items()},
        delta(0, f"call {MOBILE[:5]}"),
        delta(1, f"{MOBILE[5:]} now"),
        {"type": "response.completed", "response": items()},
        done=b"",
    )

    told = asked(tmp_path, RESPONSES, script, stream=True)

    assert "call" in told and "now" in told and MOBILE[5:] not in told


# ---- pieces of fields that nobody knows yet


@pytest.mark.parametrize(("first", "second"), HALVES[:3])
def test_a_text_of_an_unknown_kind_grows_as_one(tmp_path: Path, first: str, second: str) -> None:
    def grown(text: str) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": 0, "delta": {"type": "new_delta", "new": text}}

    script = streaming(
        {"type": "message_start", "message": blocks()},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "new"}},
        grown(f"I say {first}"),
        grown(f"{second} now"),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_stop"},
        done=b"",
    )

    told = asked(tmp_path, MESSAGES, script, stream=True)
    said = said_in(told, "new")

    assert said.startswith("I say") and first not in said and second not in said
    assert "new_delta" in told


@pytest.mark.parametrize(("first", "second"), HALVES[:3])
def test_a_piece_that_is_an_object_grows_as_one(tmp_path: Path, first: str, second: str) -> None:
    def grown(text: str) -> dict[str, Any]:
        return {"type": "response.new.delta", "output_index": 0, "delta": {"text": text}}

    script = streaming(
        {"type": "response.created", "response": items()},
        grown(f"I say {first}"),
        grown(f"{second} now"),
        {"type": "response.completed", "response": items()},
        done=b"",
    )

    said = said_in(asked(tmp_path, RESPONSES, script, stream=True))

    assert said.startswith("I say") and first not in said and second not in said


def test_a_choice_that_goes_on_after_its_end_breaks_off(tmp_path: Path) -> None:
    script = streaming(
        {"id": "1", "choices": [choice({"content": f"I say {FORBIDDEN[:9]}"})]},
        {"id": "1", "choices": [choice({}, "stop")]},
        {"id": "1", "choices": [choice({"content": FORBIDDEN[9:]})]},
    )

    told = asked(tmp_path, CHAT, script, stream=True)

    assert "I say" in told and FORBIDDEN[9:] not in told and "upstream_broken" in told


# ---- files that are texts


@pytest.mark.parametrize(
    "part",
    [
        lambda data: {"type": "file", "file": {"file_data": f"data:text/plain;base64,{data}"}},
        lambda data: {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": data}},
        lambda data: {"type": "image_url", "image_url": {"url": f"data:image/svg+xml;base64,{data}"}},
    ],
)
def test_a_text_in_base64_is_no_picture(tmp_path: Path, part: Any) -> None:
    async def scenario(belt: Belt) -> tuple[list[bytes], list[Any]]:
        filler = "你好 lorem ipsum " * 40
        texts = f"{filler}绝密大象 {filler}", f"{filler}{MOBILE} {filler}", filler
        datas = [base64.b64encode(text.encode()).decode() for text in texts]
        said = [{**CHAT[1], "messages": [{"role": "user", "content": [part(data)]}]} for data in datas]
        return [await raw(belt, post(body)) for body in said], belt.seen

    (refused, masked, passed), seen = in_belt(tmp_path, saying(message(content="ok")), scenario)

    assert refused.startswith(b"HTTP/1.1 400") and masked.startswith(b"HTTP/1.1 200")
    assert passed.startswith(b"HTTP/1.1 200") and len(seen) == 2
    assert "⟦手机号 mobile⟧" in json.dumps(seen[0], ensure_ascii=False)
