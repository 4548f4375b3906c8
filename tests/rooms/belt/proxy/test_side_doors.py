"""What is written as a number, escaped within a text, or spelled over several pieces, is read as its reader would."""

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
    return {"id": "r", "object": "response", "status": "completed", "created_at": 13812345678, "output": list(output)}


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
    told = json.loads(asked(tmp_path, RESPONSES, saying(items() | {"usage": {"input_tokens": 13812345678}})))

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
