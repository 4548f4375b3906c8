"""Nothing forbidden or personal leaves by a side door: other fields, errors, headers, redirects, names, duplicates."""

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, Belt, Script, choice, event, in_belt, json_reply, post, raw

from safebelt.rooms.belt.model import RecordMode
from safebelt.rooms.belt.proxy.reply import Reply

HI = [{"role": "user", "content": "hi"}]
SSE = ((b"content-type", b"text/event-stream"),)
MESSAGE = {"role": "assistant", "content": "Hello."}
WHOLE = {"id": "1", "object": "chat.completion", "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]}


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def whole(data: Any, status: int = 200) -> Script:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await json_reply(reply, data, status)

    return script


def streaming(*pieces: bytes, done: bytes = b"data: [DONE]\n\n") -> Script:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, SSE)
        for piece in pieces:
            await reply.write(piece)
        await reply.end(done)

    return script


def sse(chunk: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"


END = sse({"id": "1", "choices": [choice({}, "stop")]})


def asked(home: Path, script: Script, body: dict[str, Any] | None = None, **options: Any) -> tuple[bytes, list[Any]]:
    """Ask once; return the whole answer and the outcomes recorded."""

    async def scenario(belt: Belt) -> tuple[bytes, list[Any]]:
        answer = await raw(belt, post({"model": "m", "messages": HI, **(body or {})}))
        return answer, belt.records("outcome")

    return in_belt(home, script, scenario, **options)


@pytest.mark.parametrize(
    "data",
    [
        {**WHOLE, "error": None, "choices": [{"index": 0, "message": {"role": "assistant", "content": FORBIDDEN}}]},
        {**WHOLE, "error": {"message": "x"}, "choices": [{"index": 0, "message": {"content": FORBIDDEN}}]},
        {**WHOLE, "system_fingerprint": f"fp {FORBIDDEN}"},
        {**WHOLE, "__verbose": {"prompt": ["x", f"a {FORBIDDEN}"]}},
        {**WHOLE, "choices": {"0": {"message": {"content": FORBIDDEN}}}},
        {**WHOLE, "choices": [FORBIDDEN]},
        {**WHOLE, "choices": [[{"message": {"content": FORBIDDEN}}]]},
        {**WHOLE, "choices": [{"index": 0, "message": MESSAGE, "reasoning": FORBIDDEN}]},
        {**WHOLE, "choices": [{"index": 0, "message": {"role": FORBIDDEN, "content": "x"}}]},
        {**WHOLE, "choices": [{"index": 0, "message": {"content": [{"type": "text", "id": FORBIDDEN}]}}]},
        {**WHOLE, "choices": [{"index": 0, "message": {"arguments": {FORBIDDEN: 1}}}]},
        {**WHOLE, "choices": [{"index": 0, "message": MESSAGE, "finish_reason": FORBIDDEN}]},
        {**WHOLE, "choices": [{"index": 0, "message": MESSAGE, "logprobs": {"content": [{"token": FORBIDDEN}]}}]},
        {"output": FORBIDDEN},
    ],
)
def test_no_field_of_an_answer_says_what_is_forbidden(tmp_path: Path, data: Any) -> None:
    answer, outcomes = asked(tmp_path, whole(data))

    assert FORBIDDEN not in answer.decode("utf-8", "replace")
    assert len(outcomes) == 1


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"detail": f"you sent {ID_CARD}"}, 422),
        ({"error": {"message": "x"}, "detail": ID_CARD}, 400),
        ({"error": {"message": f"echo: {FORBIDDEN}"}}, 400),
        ({"error": ID_CARD}, 200),
        ({"error": {ID_CARD: "x"}}, 500),
    ],
)
def test_an_upstreams_error_echoes_nothing(tmp_path: Path, data: Any, status: int) -> None:
    answer, outcomes = asked(tmp_path, whole(data, status))

    assert ID_CARD.encode() not in answer and FORBIDDEN.encode() not in answer
    assert answer.startswith(b"HTTP/1.1 %d" % status) and b'"error"' in answer
    assert outcomes[0]["finish"] == ("refused" if FORBIDDEN in str(data) else "upstream_error")


@pytest.mark.parametrize(
    "chunk",
    [
        {"id": "1", "choices": [choice({"content": "ok "})], "system_fingerprint": FORBIDDEN},
        {"id": "1", "content": FORBIDDEN},
        {"id": "1", "choices": [], "note": FORBIDDEN},
        {"id": "1", "choices": {"0": FORBIDDEN}},
        {"id": "1", "choices": [{**choice({"content": "ok "}), "reasoning": FORBIDDEN}]},
        {"id": "1", "choices": [{**choice({"content": "ok "}), "logprobs": {"content": [{"token": FORBIDDEN}]}}]},
        {"id": "1", "choices": [choice({"content": [{"type": "text", "id": FORBIDDEN}]})]},
        {"id": "1", "choices": [choice({"arguments": {FORBIDDEN: "x"}})]},
        {"id": "1", "choices": [choice({"content": "ok "}, FORBIDDEN)]},
    ],
)
def test_no_field_of_a_streamed_chunk_says_what_is_forbidden(tmp_path: Path, chunk: dict[str, Any]) -> None:
    answer, outcomes = asked(tmp_path, streaming(sse(chunk), END), {"stream": True})

    assert FORBIDDEN.encode() not in answer and answer.startswith(b"HTTP/1.1 200")
    assert len(outcomes) == 1


@pytest.mark.parametrize(
    "piece",
    [
        b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"%s","content":"ok "}}]}\n\n' % FORBIDDEN.encode(),
        b"event: %s\nid: %s\n: %s\ndata: {\n" % ((FORBIDDEN.encode(),) * 3)
        + b'data: "id":"1","choices":[{"index":0,"delta":{"content":"ok "}}]}\n\n',
        b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"ok "}}]}\r\n%s\r\n\r\n' % FORBIDDEN.encode(),
    ],
)
def test_what_no_json_reader_would_read_does_not_leave_either(tmp_path: Path, piece: bytes) -> None:
    answer, _ = asked(tmp_path, streaming(piece, END), {"stream": True})

    assert FORBIDDEN.encode() not in answer and b'"ok "' in answer and b"[DONE]" in answer


@pytest.mark.parametrize("gap", [b"\n\n", b"\r\n\r\n", b"\r\r", b"\n\r\n", b"\r\n\n", b"\n\r", b"\r\n\r"])
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_events_are_told_apart_whatever_their_line_ends_and_cuts(tmp_path: Path, gap: bytes, step: int) -> None:
    events = [sse({"id": "1", "choices": [choice({"content": text})]}).strip() for text in ("One. ", "Two. ")]
    text = b"\xef\xbb\xbf" + b"".join(line + gap for line in (*events, END.strip(), b"data: [DONE]"))
    pieces = [text[at : at + step] for at in range(0, len(text), step)]

    answer, outcomes = asked(tmp_path, streaming(*pieces, done=b""), {"stream": True})

    assert b"One. " in answer and b"Two. " in answer and b"upstream_broken" not in answer
    assert outcomes[0]["finish"] == "complete"


def test_headers_of_the_upstream_do_not_pass_but_for_a_few(tmp_path: Path) -> None:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        named = [(b"x-secret", ID_CARD.encode()), (b"location", b"http://elsewhere/"), (b"set-cookie", b"a=b")]
        limits = [(b"x-ratelimit-remaining-requests", b"7"), (b"x-request-id", ID_CARD.encode())]
        fields = ((b"content-type", b"application/json"), *named, *limits)
        await reply.whole(200, fields, json.dumps(WHOLE).encode())

    head = asked(tmp_path, script)[0].partition(b"\r\n\r\n")[0].lower()

    assert ID_CARD.lower().encode() not in head and b"location" not in head and b"set-cookie" not in head
    assert b"x-ratelimit-remaining-requests: 7" in head


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_does_not_lead_a_client_round_the_belt(tmp_path: Path, status: int) -> None:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await reply.whole(
            status, ((b"location", b"http://elsewhere/v1"), (b"content-type", b"application/json")), b"{}"
        )

    answer, outcomes = asked(tmp_path, script)

    assert answer.startswith(b"HTTP/1.1 502") and b"elsewhere" not in answer
    assert outcomes[0]["finish"] == "upstream_error"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/../files/secret",
        "/v1/models/%2e%2e/files/secret",
        "/v1/models/..%2ffiles",
        "/v1/models/%252e%252e/files",
        "/v1/models/a/../../files",
        "/v1/models/./x",
        "/v1/models//etc",
        "/v1/models/",
        "/v1/models/a;b=..",
        "/v1/models/\\..\\files",
        "//v1/chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions/",
        "/v1/%63hat/completions",
        "/V1/chat/completions",
        "/v1/chat/completions#x",
    ],
)
def test_no_path_reaches_another_endpoint_of_the_upstream(tmp_path: Path, path: str) -> None:
    reached = []

    async def scenario(belt: Belt) -> bytes:
        async def upstream(request: Any, reply: Reply) -> None:
            reached.append(request.target)
            await json_reply(reply, {"data": "reached"})

        belt.upstream_handler = upstream
        method = "GET" if "models" in path else "POST"
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sbk_test\r\nConnection: close\r\n\r\n"
        return await raw(belt, head.encode())

    answer = in_belt(tmp_path, whole(WHOLE), scenario)

    assert answer[:12] in (b"HTTP/1.1 404", b"HTTP/1.1 400"), answer[:60]
    assert reached == []


@pytest.mark.parametrize("name", ["gpt-4o", "org/model:latest", "org%2Fmodel"])
def test_a_model_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    async def scenario(belt: Belt) -> bytes:
        head = (
            f"GET /v1/models/{name} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sbk_test\r\nConnection: close\r\n\r\n"
        )
        return await raw(belt, head.encode())

    assert in_belt(tmp_path, whole(WHOLE), scenario).startswith(b"HTTP/1.1 200")


def test_what_the_list_of_models_says_is_screened(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> bytes:
        async def upstream(_request: Any, reply: Reply) -> None:
            await json_reply(reply, {"data": [{"id": "fake", "note": f"{FORBIDDEN} {ID_CARD}"}]})

        belt.upstream_handler = upstream
        head = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sbk_test\r\nConnection: close\r\n\r\n"
        return await raw(belt, head)

    answer = in_belt(tmp_path, whole(WHOLE), scenario)

    assert b"fake" in answer and FORBIDDEN.encode() not in answer and ID_CARD.encode() not in answer


def test_a_query_is_refused_knowingly(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> tuple[bytes, int]:
        answer = await raw(belt, post({"model": "m", "messages": HI}, path=f"/v1/chat/completions?note={ID_CARD}"))
        return answer, len(belt.seen)

    answer, seen = in_belt(tmp_path, whole(WHOLE), scenario)

    assert answer.startswith(b"HTTP/1.1 400") and b"unsupported_query" in answer and seen == 0


@pytest.mark.parametrize(
    "body",
    [
        {"grammar": f"root ::= {ID_CARD}"},
        {"documents": [{"text": ID_CARD}]},
        {"messages": [{"role": f"user {ID_CARD}", "content": "hi"}]},
        {"messages": [{"role": "user", "content": "hi", "extra": {"a": [ID_CARD]}}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": "c", "function": {"arguments": {"who": ID_CARD}}}]}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"properties": {ID_CARD: {}}}}}]},
        {"metadata": {"a.b": ID_CARD, "a": {"b": "clean"}}},
        {"metadata": {"a": {"b": "clean"}, "a.b": ID_CARD}},
        {"model": f"m {ID_CARD}"},
        {"chat_template_kwargs": {"x": ID_CARD}},
        {"chat_template_kwargs": {"x": [440524199001010050, 13812345678]}},
        {"messages": [{"role": "user", "content": "hi", "extra": {"telephone": 13812345678.0}}]},
    ],
)
def test_no_field_of_a_request_carries_personal_data_to_the_model(tmp_path: Path, body: dict[str, Any]) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI, **body}))

        assert answer.startswith(b"HTTP/1.1 200"), answer
        for personal in (ID_CARD, "440524199001010050", "13812345678"):
            assert personal not in json.dumps(belt.seen, ensure_ascii=False)
            for path in (tmp_path / "records").glob("*"):
                assert personal.encode() not in path.read_bytes()

    in_belt(tmp_path, whole(WHOLE), scenario)


def test_a_number_that_names_nobody_stays_a_number(tmp_path: Path) -> None:
    numbers = {"seed": 1234567890, "temperature": 0.7, "stream": False, "x": [12345678, 1e30]}

    async def scenario(belt: Belt) -> None:
        await raw(belt, post({"model": "m", "messages": HI, **numbers}))

        assert {name: belt.seen[0][name] for name in numbers} == numbers

    in_belt(tmp_path, whole(WHOLE), scenario)


@pytest.mark.parametrize("name", [FORBIDDEN, f"{FORBIDDEN}: "])
def test_a_forbidden_name_in_a_tools_schema_is_refused(tmp_path: Path, name: str) -> None:
    schema = {"type": "function", "function": {"name": "f", "parameters": {"properties": {name: {}}}}}

    answer, _ = asked(tmp_path, whole(WHOLE), {"tools": [schema]})

    assert answer.startswith(b"HTTP/1.1 400") and b"content_filter" in answer


def test_a_picture_passes_untouched_and_is_named_as_not_read(tmp_path: Path) -> None:
    picture = "data:image/png;base64," + "iVBORw0KGgo13812345678AAAA" * 40
    content = [{"type": "text", "text": "what is it"}, {"type": "image_url", "image_url": {"url": picture}}]

    async def scenario(belt: Belt) -> None:
        await raw(belt, post({"model": "m", "messages": [{"role": "user", "content": content}]}))

        assert belt.seen[0]["messages"][0]["content"][1]["image_url"]["url"] == picture
        assert belt.records("intent")[0]["not_evaluated"]

    in_belt(tmp_path, whole(WHOLE), scenario)


def test_escaped_personal_data_in_tool_arguments_is_masked_in_the_record(tmp_path: Path) -> None:
    escaped = "".join(f"\\u{ord(char):04x}" for char in ID_CARD)
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": f'{{"who": "{escaped}"}}'}}]
    data = {**WHOLE, "choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": calls}}]}

    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI}))
        kept = json.dumps(belt.records("outcome"))

        assert (
            ID_CARD
            not in json.loads(body_of(answer))["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
        )
        assert "\\u0031\\u0031\\u0030" not in kept.replace("\\\\", "\\")

    in_belt(tmp_path, whole(data), scenario)


@pytest.mark.parametrize("numbers", [[1, 2, 3], [[1, 2], "text"], [1, "text"], [1.5], 7])
def test_numbers_in_place_of_text_do_not_pass(tmp_path: Path, numbers: Any) -> None:
    async def scenario(belt: Belt) -> tuple[bytes, int]:
        return await raw(belt, post({"model": "m", "prompt": numbers}, path="/v1/completions")), len(belt.seen)

    answer, seen = in_belt(tmp_path, whole(WHOLE), scenario)

    assert answer.startswith(b"HTTP/1.1 400") and seen == 0


# ---- what an upstream may do and the belt must end


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": [{"index": True, "delta": {"content": "tok"}}]},
        {"choices": [{"index": "0", "delta": {"content": "tok"}}]},
        {"choices": [{"index": -1, "delta": {"content": "tok"}}]},
        {"choices": [choice({"content": [[["tok"]]]})]},
        {"choices": [choice({"a.b": {"c[d": "tok"}})]},
        {"choices": [choice({"tool_calls": [{"index": True, "function": {"arguments": "tok"}}]})]},
        {"choices": [{"index": 0, "delta": "tok"}]},
    ],
)
def test_odd_shapes_are_screened_or_broken_off_but_never_hang(tmp_path: Path, chunk: dict[str, Any]) -> None:
    async def scenario(belt: Belt) -> None:
        answer = await raw(belt, post({"model": "m", "messages": HI, "stream": True}))

        assert b"[DONE]" in answer or b"upstream_broken" in answer
        assert len(belt.records("outcome")) == 1

    in_belt(tmp_path, streaming(sse({"id": "1", **chunk}), END), scenario)


@pytest.mark.parametrize("deep", [300, 900, 100_000])
def test_deep_nesting_gets_an_answer_on_both_sides(tmp_path: Path, deep: int) -> None:
    nest = b'{"a":' * deep + b"1" + b"}" * deep
    chunk = b'data: {"id":"1","choices":[{"index":0,"delta":' + nest + b"}]}\n\n"

    async def scenario(belt: Belt) -> tuple[bytes, bytes, bytes]:
        out = await raw(belt, post({"model": "m", "messages": HI, "stream": True}))
        sent = await raw(belt, post(b'{"messages":[],"metadata":' + nest + b"}"))
        belt.script = whole({**WHOLE, "x": 1})
        return out, sent, await raw(belt, post({"model": "m", "messages": HI}))

    out, sent, fine = in_belt(tmp_path, streaming(chunk, END), scenario)

    assert b"[DONE]" in out or b"upstream_broken" in out
    assert sent[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 200")
    assert fine.startswith(b"HTTP/1.1 200")


def test_an_upstream_that_says_done_and_stays_does_not_keep_the_client(tmp_path: Path) -> None:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, SSE)
        await reply.write(sse({"id": "1", "choices": [choice({"content": "Hi."})]}) + END + b"data: [DONE]\n\n")
        await asyncio.sleep(1.7)
        await reply.write(sse({"id": "1", "choices": [choice({"content": FORBIDDEN})]}))
        await asyncio.sleep(10)

    async def scenario(belt: Belt) -> bytes:
        return await raw(
            belt, post({"model": "m", "messages": HI, "stream": True}), wait=8
        )  # less than the upstream stays

    answer = in_belt(tmp_path, script, scenario)

    assert b"Hi." in answer and b"[DONE]" in answer and FORBIDDEN.encode() not in answer


def test_two_dones_and_events_behind_them_end_at_the_first(tmp_path: Path) -> None:
    late = sse({"id": "1", "choices": [choice({"content": "late"})]})
    answer, outcomes = asked(tmp_path, streaming(END, b"data: [DONE]\n\n", late), {"stream": True})

    assert answer.count(b"[DONE]") == 1 and b"late" not in answer and outcomes[0]["finish"] == "complete"


def test_an_empty_error_in_a_chunk_is_no_error(tmp_path: Path) -> None:
    first = sse({"id": "1", "error": None, "choices": [choice({"content": "Hi."})]})

    assert b"Hi." in asked(tmp_path, streaming(first, END), {"stream": True})[0]


@pytest.mark.interpreted
def test_the_upstreams_last_event_is_held_until_the_outcome_is_durable(tmp_path: Path) -> None:
    async def script(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, SSE)
        await event(reply, {"id": "1", "choices": [choice({"content": "Hi. "})]})
        await reply.end(END + b"data: [DONE]\n\n")

    async def scenario(belt: Belt) -> bytes:
        put, held = belt.writer.put, threading.Event()
        belt.writer.put = lambda record, ack: put(record, ack) if record.type == "intent" else held.set()  # type: ignore[method-assign]
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post({"model": "m", "messages": HI, "stream": True}))
        async with asyncio.timeout(60):  # bounds a hang
            while not held.is_set() or b"Hi. " not in reader._buffer:  # type: ignore[attr-defined]
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # what is not held would come now
        seen = bytes(reader._buffer)  # type: ignore[attr-defined]  what has come so far, without waiting for more
        writer.close()
        return seen

    seen = in_belt(tmp_path, script, scenario, mode=RecordMode.STRICT)

    assert b"Hi. " in seen and b"[DONE]" not in seen and b'"stop"' not in seen
