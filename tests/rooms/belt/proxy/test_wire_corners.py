"""The corners of HTTP/1.1, from both sides: nothing passes there unread, nothing grows without end, nothing is smuggled."""

import asyncio
import gzip
import json
import ssl
import zlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, HANG_SECONDS, ID_CARD, POLICY, Belt, answering, in_belt, post, raw
from tests.rooms.belt.proxy.test_mcp import GOVERNED
from tests.rooms.belt.proxy.test_server import exchange, served
from tests.rooms.belt.proxy.test_unguarded import OPEN, RERANK, ask, parts

from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.mcp import McpServer, servers_of
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request

ASKED = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
BAD = ASKED.replace(b"hi", FORBIDDEN.encode())
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
KEY = b"Authorization: Bearer sbk_test\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
FLOOD = b"a" * 65536


def in_chunks(data: bytes, *, size: bytes = b"", extension: bytes = b"", trailers: bytes = b"") -> bytes:
    size = size or b"%x"
    return (size % len(data) if b"%" in size else size) + extension + b"\r\n" + data + b"\r\n0\r\n" + trailers + b"\r\n"


def chunked(data: bytes, fields: bytes = KEY, **more: bytes) -> bytes:
    return HEAD + fields + CHUNKED + b"\r\n" + in_chunks(data, **more)


def sized(data: bytes, fields: bytes = b"") -> bytes:
    return HEAD + KEY + fields + b"Content-Length: %d\r\n\r\n" % len(data) + data


def told(home: Path, requests: list[bytes], **options: Any) -> tuple[list[tuple[int, str]], int]:
    """Return status and code of each answer, and how often the model was asked."""

    async def scenario(belt: Belt) -> tuple[list[tuple[int, str]], int]:
        answers = [parts(await raw(belt, request)) for request in requests]
        return [(status, (json.loads(body).get("error") or {}).get("code", "")) for status, _, body in answers], len(
            belt.seen
        )

    found: tuple[list[tuple[int, str]], int] = in_belt(home, answering("Hello."), scenario, **options)
    return found


# ---- the client's side


def test_what_trails_behind_a_request_is_no_field_of_its_head(tmp_path: Path) -> None:
    login = b"authorization: Bearer sbk_test\r\n"
    answers, asked = told(
        tmp_path,
        [
            chunked(ASKED, b"", trailers=login),
            chunked(ASKED, b"", trailers=login + b"x: y\r\n"),
            chunked(ASKED, trailers=b"authorization: Bearer nobody\r\nhost: elsewhere\r\n"),
            chunked(BAD, KEY + b"Content-Encoding: gzip\r\n", trailers=b"content-encoding: identity\r\n"),
            chunked(ASKED, login),  # the control: the same field, where it belongs
        ],
    )

    assert answers == [
        (401, "invalid_api_key"),
        (401, "invalid_api_key"),
        (200, ""),
        (415, "encoded_body"),
        (200, ""),
    ]
    assert asked == 2


@pytest.mark.parametrize("trailer", [b"content-length: 3\r\n", b"transfer-encoding: chunked\r\n"])
def test_what_trails_behind_a_request_cannot_frame_it_anew(tmp_path: Path, trailer: bytes) -> None:
    assert told(tmp_path, [chunked(ASKED, trailers=trailer)]) == ([(400, "malformed_http")], 0)


def test_chunks_are_read_whatever_their_sizes_and_extensions_look_like_or_refused(tmp_path: Path) -> None:
    def sound(data: bytes) -> list[bytes]:
        size = b"%X" % len(data)
        odd = ({"extension": b";a=b"}, {"extension": b';a="b;c"'}, {"size": b"0" * 40 + size}, {"size": size})
        return [chunked(data, **one) for one in odd]

    size = b"%x" % len(ASKED)
    broken: list[dict[str, bytes]] = [
        {"size": b"1" + b"0" * 16 + size},
        {"size": b"0x" + size},
        {"size": b"-" + size},
        {"size": b" " + size},
        {"size": size + b" "},
        {"extension": b";"},
        {"extension": b";a\nb"},
        {"extension": b";a\rb"},
        {"extension": b";a\0b"},
    ]
    answers, asked = told(tmp_path, [*sound(ASKED), *sound(BAD), *(chunked(ASKED, **one) for one in broken)])

    assert answers == [(200, "")] * 4 + [(400, "content_filter")] * 4 + [(400, "malformed_http")] * len(broken)
    assert asked == 4


@pytest.mark.parametrize(
    "begin",
    [
        b"GET / HTTP/1.1\r\nX: ",
        b"GET / HTTP/1.1\r\nX",
        b"GET /",
        b"POST / HTTP/1.1\r\n" + CHUNKED + b"\r\n1;",
        b"POST / HTTP/1.1\r\n" + CHUNKED + b"\r\n0\r\nX: ",
        b"POST / HTTP/1.1\r\n" + CHUNKED + b"\r\n" + b"0" * 100,
    ],
)
def test_half_a_line_that_never_ends_is_refused_long_before_its_time_is_up(begin: bytes) -> None:
    flood = b"0" * 65536 if begin.endswith(b"0") else FLOOD
    limits = Limits(head_seconds=HANG_SECONDS, body_seconds=HANG_SECONDS)

    async def scenario(port: int) -> tuple[bytes, int]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin)
        sent, answer = 0, asyncio.create_task(reader.read(12))
        while not answer.done() and sent < 64_000_000:
            writer.write(flood)
            sent += len(flood)
            await writer.drain()
            await asyncio.sleep(0)
        writer.transport.abort()
        return await answer, sent

    answer, sent = served(scenario, limits=limits)  # type: ignore[misc]

    assert answer == b"HTTP/1.1 431" and sent < 32_000_000


def test_the_negative_control_a_long_body_and_long_fields_in_small_pieces_pass() -> None:
    limits = Limits(head_bytes=1000)
    fields = b"".join(b"X-%d: %b\r\n" % (at, b"a" * 100) for at in range(8))
    head = b"POST / HTTP/1.1\r\nHost: x\r\n" + fields + b"Connection: close\r\nContent-Length: 40000\r\n\r\n"
    pieces = [head[at : at + 7] for at in range(0, len(head), 7)] + [b"b" * 500] * 80

    answer = served(lambda port: exchange(port, *pieces), limits=limits)

    assert isinstance(answer, bytes) and answer.endswith(b"b" * 40000)


def test_an_old_client_is_not_told_to_continue() -> None:
    ask_10 = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"

    answers = [
        served(lambda port, version=version: exchange(port, ask_10.replace(b"1.0\r\n", version, 1)))  # type: ignore[misc]
        for version in (b"1.0\r\n", b"1.1\r\nConnection: close\r\n")
    ]

    assert [b"100 Continue" in answer for answer in answers] == [False, True]  # type: ignore[operator]
    assert all(answer.endswith(b"ok") for answer in answers)  # type: ignore[attr-defined]


def test_a_body_in_any_coding_is_refused_by_name_and_one_as_it_is_is_read(tmp_path: Path) -> None:
    coded = {
        b"gzip": gzip.compress(BAD),
        b"deflate": zlib.compress(BAD),
        b"br": b"\x0b\x02" + BAD,
        b"zstd": b"\x28\xb5\x2f\xfd" + BAD,
        b"gzip, gzip": gzip.compress(gzip.compress(BAD)),
        b"gzip, identity": gzip.compress(BAD),
        b"nobody-knows": BAD,
        b"gzip\r\nContent-Encoding: identity": gzip.compress(BAD),
        b"identity\r\nContent-Encoding: gzip": gzip.compress(BAD),
        b"gzip\r\nContent-Encoding:": gzip.compress(BAD),
    }
    requests = [sized(data, b"Content-Encoding: %b\r\n" % name) for name, data in coded.items()]
    plain = [sized(BAD, b"Content-Encoding: identity\r\n"), sized(BAD), sized(ASKED)]
    answers, asked = told(tmp_path, [*requests, *plain])

    assert answers == [(415, "encoded_body")] * len(coded) + [(400, "content_filter")] * 2 + [(200, "")]
    assert asked == 1


def test_two_codings_do_not_pass_for_none_where_nobody_reads_either(tmp_path: Path) -> None:
    two = "Content-Encoding: gzip\r\nContent-Encoding: identity\r\n"
    one = "Content-Encoding: identity\r\n"
    zipped = gzip.compress(b'{"model":"m"}')

    async def taking(request: Request, reply: Reply) -> None:
        await reply.whole(200, (), request.body)

    async def scenario(belt: Belt) -> list[int]:
        belt.upstream_handler = taking
        return [parts(await raw(belt, ask(RERANK.path, zipped, fields=fields)))[0] for fields in (two, one)]

    assert in_belt(tmp_path, answering(), scenario, policy=OPEN) == [415, 200]


def test_a_body_in_another_charset_is_read_as_utf_8_or_refused(tmp_path: Path) -> None:
    text = BAD.decode().replace("purple", "é purple")
    named = {name: sized(text.encode(name), b"Content-Type: application/json; charset=%b\r\n" % name.encode()) for name in
             ("utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "utf-8")}  # fmt: skip
    answers, asked = told(tmp_path, list(named.values()))

    assert answers == [(400, "malformed_json")] * 5 + [(400, "content_filter")]
    assert asked == 0


@pytest.mark.parametrize(
    "line",
    [
        b"CONNECT elsewhere:443",
        b"CONNECT /v1/chat/completions",
        b"TRACE /v1/models",
        b"TRACE /v1/chat/completions",
        b"OPTIONS *",
        b"OPTIONS /v1/chat/completions",
        b"HEAD /v1/models",
        b"GET http://elsewhere/v1/models",
        b"GET //v1/models",
        b"GET /v1/models#x",
    ],
)
def test_no_other_method_and_no_other_form_of_a_target_reaches_the_upstream(tmp_path: Path, line: bytes) -> None:
    asked: list[Request] = []

    async def noting(request: Request, reply: Reply) -> None:
        asked.append(request)
        await reply.whole(200, (), b'{"data":[]}')

    async def scenario(belt: Belt) -> tuple[bytes, bytes]:
        belt.upstream_handler = noting
        fields = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + KEY + b"\r\n"
        refused, count = await raw(belt, line + fields), len(asked)
        assert count == 0
        return refused, await raw(belt, b"GET /v1/models" + fields)

    refused, control = in_belt(tmp_path, answering(), scenario, policy=replace(POLICY, unguarded=OPEN.unguarded))

    assert parts(refused)[0] in (404, 405) and control.startswith(b"HTTP/1.1 200") and len(asked) == 1


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket"])
def test_an_upgrade_carries_no_body_and_no_second_request_past_the_belt(tmp_path: Path, upgrade: bytes) -> None:
    fields = KEY + b"Connection: Upgrade\r\nUpgrade: %b\r\n" % upgrade
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + fields
    behind = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n" + KEY + b"\r\n"
    whole = head + b"Content-Length: %d\r\n\r\n" % len(BAD) + BAD

    assert told(tmp_path, [whole + behind, head + CHUNKED + b"\r\n" + in_chunks(BAD) + behind]) == (
        [(400, "malformed_json")] * 2,
        0,
    )


# ---- the upstream's side


def chat(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    whole = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [whole]}, ensure_ascii=False
    ).encode()


def events(text: str) -> bytes:
    frame = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    deltas = [({"content": text[at : at + 3]}, None) for at in range(0, len(text), 3)]
    said = [
        {**frame, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in [*deltas, ({}, "stop")]
    ]
    return b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in said) + b"data: [DONE]\n\n"


GOOD, WORSE = chat("Hello."), chat(f"Say {FORBIDDEN} now")
SSE = b"text/event-stream"
CLOSE = b"(closes)"
"""At the end of what an upstream says: it closes."""


def said(
    body: bytes,
    *fields: bytes,
    status: bytes = b"200 OK",
    kind: bytes = b"application/json",
    length: int | None = -1,
) -> bytes:
    lines = [b"HTTP/1.1 " + status, *([b"Content-Type: " + kind] if kind else []), *fields]
    lines += [] if length is None else [b"Content-Length: %d" % (len(body) if length < 0 else length)]
    return b"\r\n".join((*lines, b"", body))


def said_in_chunks(body: bytes, *, kind: bytes = b"application/json", **more: bytes) -> bytes:
    half = len(body) // 2
    first = b"%x%b\r\n%b\r\n" % (half, more.get("extension", b""), body[:half])
    return said(first + in_chunks(body[half:], **more), b"Transfer-Encoding: chunked", kind=kind, length=None)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(now: list[bytes]) -> Serve:
    """Return an upstream that answers each request with the bytes of the moment."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(lengths[0][15:]) if lengths else 0)
                writer.write(now[0].removesuffix(CLOSE))
                if now[0].endswith(CLOSE):
                    break
        writer.close()

    return serve


def asked_of(home: Path, *answers: bytes, stream: bool = False, **options: Any) -> list[bytes]:
    """Return what a belt tells whose upstream says these bytes, each over a new connection and over a kept one."""
    now = [GOOD]

    async def run() -> list[bytes]:
        upstream, found = await asyncio.start_server(saying(now), "127.0.0.1", 0), []
        url = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}/v1"
        body = {**json.loads(ASKED), "stream": stream}
        async with upstream, Belt(home, answering(), upstream_url=url, **options) as belt:
            for answer in answers:
                for is_kept in (False, True):
                    belt.tools.upstream.close()
                    if is_kept:
                        now[0] = said(GOOD)
                        assert b"Hello." in await raw(belt, post(body))
                    now[0] = answer
                    found.append(await raw(belt, post(body)))
        return found

    return asyncio.run(asyncio.wait_for(run(), HANG_SECONDS))


def spoken(answer: bytes) -> str:
    """Return what an answer says to a client, whole or streamed."""
    _, fields, body = parts(answer)
    if not fields["content-type"].startswith("text/event-stream"):
        choices = json.loads(body).get("choices", [])
        return "".join(str(one["message"]["content"]) for one in choices)
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]
    chunks = [choice for line in lines for choice in json.loads(line).get("choices", ())]
    return "".join(one["delta"].get("content") or "" for one in chunks)


def is_broken(answer: bytes) -> bool:
    """Whether a client is told that the upstream broke, and nothing of what it said."""
    return b'"upstream_broken"' in answer and not spoken(answer)


TRAILERS = b"X-Trailer: " + FORBIDDEN.encode() + b"\r\nX-Request-Id: smuggled\r\nSet-Cookie: a=b\r\n"


@pytest.mark.parametrize("stream", [False, True])
def test_neither_extensions_of_chunks_nor_trailers_reach_the_client(tmp_path: Path, stream: bool) -> None:
    body, kind = (events("Hello."), SSE) if stream else (GOOD, b"application/json")
    odd = said_in_chunks(body, kind=kind, trailers=TRAILERS, extension=b";a=" + FORBIDDEN.replace(" ", "_").encode())
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Request-Id: smuggled\r\n\r\n"
    control = said(GOOD, b"X-Request-Id: smuggled")

    *answers, shown, _ = asked_of(tmp_path, odd, interim + odd, control, stream=stream)

    assert [spoken(answer) for answer in answers] == ["Hello."] * 4
    assert not any(word in answer for answer in answers for word in (b"purple", b"smuggled", b"cookie", b"Hints"))
    assert b"smuggled" in shown  # the control: as a field of the head it would be


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified", b"302 Found"])
def test_a_stream_behind_a_status_that_has_no_body_is_no_answer(tmp_path: Path, status: bytes) -> None:
    lying = said_in_chunks(events("Hello."), kind=SSE).replace(b"200 OK", status)
    control = said_in_chunks(events("Hello."), kind=SSE)

    *answers, sound, _ = asked_of(tmp_path, lying, control, stream=True)

    assert [parts(answer)[0] for answer in answers] == [502, 502] and all(map(is_broken, answers))
    assert spoken(sound) == "Hello."


def test_a_coded_answer_does_not_pass_unread(tmp_path: Path) -> None:
    coded = {
        b"gzip": gzip.compress(WORSE),
        b"deflate": zlib.compress(WORSE),
        b"br": b"\x0b\x02" + WORSE,
        b"zstd": b"\x28\xb5\x2f\xfd" + WORSE,
    }
    streamed = said(gzip.compress(events("Hello.")), b"Content-Encoding: gzip", kind=SSE)
    unread = [said(data, b"Content-Encoding: %b" % name) for name, data in coded.items()]
    lying = said(WORSE, b"Content-Encoding: gzip")  # says so and is not: read as it is, and passed on as it was read

    *broken, first, second = asked_of(tmp_path, *unread, streamed, lying)

    assert all(map(is_broken, broken))
    for answer in (first, second):
        assert spoken(answer) == "Say " and "content-encoding" not in parts(answer)[1]


UNREADABLE = (
    said(said_in_chunks(GOOD).partition(b"\r\n\r\n")[2], b"Transfer-Encoding: chunked"),
    said(GOOD, b"Content-Length: 3"),
    said(GOOD, b"Content-Length: %d" % len(GOOD)),
    said(GOOD, length=len(GOOD) - 5),
    said(GOOD, length=len(GOOD) + 5) + CLOSE,
    said(GOOD[:-20], length=None) + CLOSE,
    said_in_chunks(GOOD)[:-20] + CLOSE,
    said_in_chunks(GOOD, trailers=b"content-length: 3\r\n"),
    said(GOOD, status=b"204 No Content"),
    said(GOOD, status=b"304 Not Modified"),
    said(b"fffffffffffffffff\r\n" + GOOD, b"Transfer-Encoding: chunked", length=None),
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n" + GOOD,
    said(b"\xef\xbb\xbf" + GOOD),
    said(GOOD.decode().encode("utf-16"), kind=b"application/json; charset=utf-16"),
    said(chat("é").decode().encode("latin-1"), kind=b"application/json; charset=latin-1"),
    said(chat("x").replace(b'"x"', b'"\\ud800"')),
    said(chat("x").replace(b'"x"', b'"\xed\xa0\x80"')),
    said(GOOD + b"\n" + GOOD, kind=b"application/x-ndjson"),
    said(events("Hello."), kind=b"application/x-ndjson"),
    said(events("Hello."), kind=b""),
)


def test_an_answer_that_cannot_be_read_to_its_end_in_one_way_is_none(tmp_path: Path) -> None:
    *answers, control, _ = asked_of(tmp_path, *UNREADABLE, said(GOOD))

    assert [at // 2 for at, answer in enumerate(answers) if not is_broken(answer)] == []
    assert spoken(control) == "Hello."


def test_what_stands_behind_an_answer_is_not_the_next_one(tmp_path: Path) -> None:
    answers = asked_of(tmp_path, said(GOOD) + said(WORSE), said(GOOD + WORSE, length=len(GOOD)))

    assert [spoken(answer) for answer in answers] == ["Hello."] * 4


def test_a_stream_that_breaks_off_in_a_chunk_is_told_to_have_broken(tmp_path: Path) -> None:
    whole = said_in_chunks(events("Hello you."), kind=SSE)

    *answers, control, _ = asked_of(tmp_path, whole[: -len("data: [DONE]") - 20] + CLOSE, whole, stream=True)

    assert all(b'"upstream_broken"' in answer and b"[DONE]" not in answer for answer in answers)
    assert spoken(control) == "Hello you." and b"[DONE]" in control


@pytest.mark.parametrize(
    "kind", [SSE, SSE + b"; charset=utf-16", b"TEXT/Event-Stream", SSE + b"; charset=utf-7", SSE + b";charset=latin-1"]
)
def test_a_stream_is_read_as_utf_8_whatever_it_says_of_itself(tmp_path: Path, kind: bytes) -> None:
    bad, personal = events(f"Say {FORBIDDEN} now"), events(f"It is {ID_CARD} here")
    marked = b"\xef\xbb\xbf" + bad
    returned = bad.replace(b"\n", b"\r")

    answers = asked_of(tmp_path, *(said(one, kind=kind) for one in (bad, personal, marked, returned)), stream=True)

    assert all(parts(answer)[1]["content-type"] == "text/event-stream" for answer in answers)
    assert not any(FORBIDDEN in spoken(answer) or ID_CARD in spoken(answer) for answer in answers)
    assert [spoken(answer) for answer in answers[:2] + answers[4:]] == ["Say "] * 6
    assert is_broken(asked_of(tmp_path, said(bad.decode().encode("utf-16"), kind=kind), stream=True)[0])


def test_a_name_said_twice_is_shown_once_and_that_one_was_read(tmp_path: Path) -> None:
    bad, good = json.dumps(FORBIDDEN).encode(), b'"Hello."'
    whole = b'"content": "Hello."'
    doubled = [
        GOOD.replace(whole, b'"content": %b, "content": %b' % (bad, good)),
        GOOD.replace(whole, b'"content": %b, "content": %b' % (good, bad)),
        GOOD.replace(whole, b'"content": %b, "c\\u006fntent": %b' % (good, bad)),
        GOOD[:-1] + b', "choices": ' + WORSE[WORSE.index(b"[") : WORSE.rindex(b"]") + 1] + b"}",
        WORSE[:-1] + b', "choices": ' + GOOD[GOOD.index(b"[") : GOOD.rindex(b"]") + 1] + b"}",
    ]
    assert len(set(doubled)) == 5 and all(b"purple" in one for one in doubled)

    answers = asked_of(tmp_path, *map(said, doubled))

    assert not any(b"purple" in answer for answer in answers)
    assert [spoken(answer) for answer in answers[::2]] == ["Hello.", "", "", "Say ", "Hello."]
    assert answers[::2][0].count(b'"content"') == 1


def test_a_name_said_twice_within_a_stream_is_shown_once_and_that_one_was_read(tmp_path: Path) -> None:
    token, bad = b'"content": "lo "', json.dumps(f" {FORBIDDEN} ").encode()
    stream = events("Hello you and them.")
    late = stream.replace(token, token + b', "content": ' + bad)
    early = stream.replace(token, b'"content": ' + bad + b", " + token)
    assert late != stream and early != stream

    answers = asked_of(tmp_path, said(late, kind=SSE), said(early, kind=SSE), stream=True)

    assert not any(b"purple" in answer for answer in answers)
    assert [spoken(answer) for answer in answers] == ["Hel ", "Hel ", *["Hello you and them."] * 2]


Flood = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"HTTP/1.1 200 OK\r\nX: ", FLOOD),
        (b"HTTP/1.1 200 OK\r\nX", FLOOD),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2000),
        (b"", b"\r\n" * 32768),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", FLOOD),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 65536),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n", b"X: y\r\n" * 8000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ", FLOOD),
    ],
)
def test_an_upstream_that_says_nothing_without_end_is_given_up(tmp_path: Path, begin: bytes, more: bytes) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begin)
        try:
            while True:
                writer.write(more)
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            writer.close()

    async def run() -> bytes:
        upstream = await asyncio.start_server(flood, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{upstream.sockets[0].getsockname()[1]}/v1"
        async with upstream, Belt(tmp_path, answering(), upstream_url=url) as belt:
            return await raw(belt, post(ASKED), wait=20)

    assert is_broken(asyncio.run(run()))


def test_the_negative_control_a_long_extension_and_some_interim_answers_pass(tmp_path: Path) -> None:
    patient = b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000 + said_in_chunks(GOOD, extension=b";" + b"a" * 50_000)

    assert [spoken(answer) for answer in asked_of(tmp_path, patient)] == ["Hello."] * 2


def test_a_tools_stream_behind_a_status_that_has_no_body_is_no_answer(tmp_path: Path) -> None:
    now = [204]

    async def serve(request: Request, reply: Reply) -> None:
        data = b'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
        await reply.whole(now[0], ((b"content-type", SSE),), b"" if now[0] == 204 else data)

    message, mcp = {"jsonrpc": "2.0", "id": 1, "method": "ping"}, dict[str, McpServer]()

    async def run() -> list[int]:
        found = []
        async with Belt(tmp_path, answering(), policy=GOVERNED, mcp=mcp) as belt:
            belt.upstream_handler = serve
            mcp["files"] = servers_of({"files": f"{belt.up_origin}/mcp"}, {}, ssl.create_default_context())["files"]
            belt.gateway._mcp["/mcp/files"] = mcp["files"]
            for now[0] in (204, 200):
                found.append(parts(await raw(belt, post(message, path="/mcp/files")))[0])
        return found

    assert asyncio.run(run()) == [502, 200]
