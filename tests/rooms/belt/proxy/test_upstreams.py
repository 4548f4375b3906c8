"""Several upstreams: one that fails rests, the next takes over, and what was delivered never comes twice."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import Belt, answering, choice, in_belt, post, raw

from safebelt.rooms.belt.proxy.client import Upstream, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.upstreams import (
    FAILURES,
    FIRST_REST_SECONDS,
    LONGEST_REST_SECONDS,
    Breaker,
    NoneLeft,
    Upstreams,
)

Deed = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_TLS = ssl.create_default_context()


class Scripted:
    """A real server on a port of its own that does one deed with each connection."""

    def __init__(self, deed: Deed) -> None:
        self.deed, self.asked = deed, 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length[0].split(b":")[1]) if length else 0)
                self.asked += 1
                await self.deed(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def running(deed: Deed) -> Any:
    one = Scripted(deed)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield one, f"http://127.0.0.1:{port}/v1"
    finally:
        server.close()


def says(data: bytes) -> Deed:
    async def deed(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return deed


def whole(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def leaves(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Close without a word."""
    writer.close()


async def stays_silent(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def stream_of(*texts: str, is_ended: bool) -> Deed:
    async def deed(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        events = [{"object": "chat.completion.chunk", "choices": [choice({"content": text})]} for text in texts]
        events += [{"object": "chat.completion.chunk", "choices": [choice({}, "stop")]}] if is_ended else []
        said = [json.dumps(one).encode() for one in events] + ([b"[DONE]"] if is_ended else [])
        for one in said:
            data = b"data: " + one + b"\n\n"
            writer.write(b"%x\r\n%b\r\n" % (len(data), data))
            await writer.drain()
            await asyncio.sleep(0.01)
        if is_ended:
            writer.write(b"0\r\n\r\n")
        else:
            writer.transport.abort()

    return deed


ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "second"}, "finish_reason": "stop"}]}
).encode()
PLAIN = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def through(tmp_path: Path, deeds: list[Deed], requests: list[bytes]) -> tuple[list[bytes], list[int], list[Any]]:
    """Send requests through a belt before scripted upstreams; return answers, how often each was asked, outcomes."""

    async def run() -> tuple[list[bytes], list[int], list[Any]]:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(running(deed)) for deed in deeds]
            model = Upstreams([Upstream(url, key="", tls=_TLS, answer_seconds=1) for _, url in servers])
            async with Belt(tmp_path, answering(), model=model) as belt:
                answers = [await raw(belt, request) for request in requests]
                outcomes = belt.records("outcome")
            return answers, [one.asked for one, _ in servers], outcomes

    return asyncio.run(run())


@pytest.mark.parametrize(
    "first",
    [leaves, says(b"no HTTP at all\r\n\r\n"), says(whole(503, b"{}")), says(whole(502, b"<html>"))],
    ids=["leaves", "garbage", "503", "502"],
)
def test_an_upstream_that_fails_before_it_answers_is_stood_in_for_by_the_next(tmp_path: Path, first: Deed) -> None:
    answers, asked, outcomes = through(tmp_path, [first, says(whole(200, ANSWER))], [post(PLAIN)])
    assert answers[0].startswith(b"HTTP/1.1 200")
    assert b"second" in answers[0]
    assert asked == [1, 1]
    assert outcomes[0]["finish"] == "complete"
    assert outcomes[0]["upstream"].startswith("127.0.0.1:")


def test_a_refusal_by_the_first_is_no_failure_and_nobody_else_is_asked(tmp_path: Path) -> None:
    answers, asked, _ = through(
        tmp_path, [says(whole(400, b'{"error": {"message": "no"}}')), says(whole(200, ANSWER))], [post(PLAIN)]
    )
    assert answers[0].startswith(b"HTTP/1.1 400")
    assert asked == [1, 0]


def test_a_stream_that_dies_midway_is_told_as_broken_and_never_begun_again(tmp_path: Path) -> None:
    answers, asked, outcomes = through(
        tmp_path,
        [stream_of("one ", "two ", is_ended=False), stream_of("one ", "two ", "three", is_ended=True)],
        [post({**PLAIN, "stream": True})],
    )
    assert answers[0].count(b'"one ') <= 1
    assert b"three" not in answers[0]
    assert b"upstream_broken" in answers[0]
    assert asked == [1, 0]
    assert outcomes[0]["finish"] == "upstream_error"


def test_an_upstream_that_is_silent_may_still_be_at_work_so_nobody_else_is_asked(tmp_path: Path) -> None:
    answers, asked, _ = through(tmp_path, [stays_silent, says(whole(200, ANSWER))], [post(PLAIN)])
    assert answers[0].startswith(b"HTTP/1.1 504")
    assert asked == [1, 0]


def test_an_order_for_a_film_that_one_may_have_received_goes_to_no_other(tmp_path: Path) -> None:
    order = post({"model": "m", "prompt": "a cat"}, path="/v1/videos")
    answers, asked, _ = through(tmp_path, [leaves, says(whole(200, b'{"id": "video_1"}'))], [order])
    assert answers[0].startswith(b"HTTP/1.1 502")
    assert asked == [1, 0]


def test_a_film_is_found_with_whoever_makes_it(tmp_path: Path) -> None:
    asking = post({}, path="/v1/videos/video_1").replace(b"POST", b"GET", 1)
    found = says(whole(200, b'{"id": "video_1", "object": "video", "status": "queued"}'))
    answers, asked, _ = through(tmp_path, [says(whole(404, b'{"error": {}}')), found], [asking])
    assert answers[0].startswith(b"HTTP/1.1 200")
    assert asked == [1, 1]


def test_an_upstream_that_failed_too_often_is_not_asked_for_a_while(tmp_path: Path) -> None:
    answers, asked, _ = through(tmp_path, [leaves, says(whole(200, ANSWER))], [post(PLAIN)] * (FAILURES + 2))
    assert all(answer.startswith(b"HTTP/1.1 200") for answer in answers)
    assert asked == [FAILURES, FAILURES + 2]


@pytest.mark.parametrize(("accepted", "first"), [(b"zh-CN,zh;q=0.9", "所有上游模型"), (b"en", "No upstream model")])
def test_where_none_is_left_the_caller_is_told_so_in_their_language_and_when_to_come_back(
    tmp_path: Path, accepted: bytes, first: str
) -> None:
    asking = post(PLAIN).replace(b"Host: x\r\n", b"Host: x\r\nAccept-Language: " + accepted + b"\r\n")
    answers, asked, outcomes = through(tmp_path, [leaves, leaves], [post(PLAIN)] * FAILURES + [asking])
    head, _, body = answers[-1].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503")
    assert b"retry-after: " in head
    assert json.loads(body)["error"]["code"] == "no_upstream_left"
    assert json.loads(body)["error"]["message"].startswith(first)
    assert asked == [FAILURES, FAILURES]
    assert [one["finish"] for one in outcomes] == ["upstream_error"] * (FAILURES + 1)


def test_a_breaker_rests_longer_with_each_trial_that_fails_and_lets_one_trial_through() -> None:
    now = 100.0
    breaker = Breaker(lambda: now)
    for _ in range(FAILURES):
        assert breaker.wait() == 0
        breaker.failed()
    rest = FIRST_REST_SECONDS
    while rest < LONGEST_REST_SECONDS:
        assert breaker.wait() == pytest.approx(rest)
        now += rest
        assert breaker.wait() == 0
        breaker.begin()
        assert breaker.wait() > 0, "a second trial was let through beside the first"
        breaker.failed()
        rest *= 2
    assert breaker.wait() == pytest.approx(LONGEST_REST_SECONDS)
    now += LONGEST_REST_SECONDS
    breaker.begin()
    breaker.answered()
    assert breaker.wait() == 0
    assert not breaker.is_resting


def test_a_trial_whose_caller_left_leaves_room_for_the_next() -> None:
    now = 0.0
    breaker = Breaker(lambda: now)
    for _ in range(FAILURES):
        breaker.failed()
    now += FIRST_REST_SECONDS
    breaker.begin()
    breaker.leave()
    assert breaker.wait() == 0


def test_what_no_upstream_answers_is_named_as_the_last_ones_failure() -> None:
    async def run() -> None:
        dead = Upstream("http://127.0.0.1:9/v1", key="", tls=_TLS)
        both = Upstreams([dead, Upstream("http://127.0.0.1:9/v1", key="", tls=_TLS)])
        for _ in range(FAILURES):
            with pytest.raises(UpstreamDown):
                await both.send("POST", "/v1/chat/completions", b"{}", may_repeat=True)
        with pytest.raises(NoneLeft):
            await both.send("POST", "/v1/chat/completions", b"{}", may_repeat=True)
        assert both.health() == {"all": 2, "resting": 2}

    asyncio.run(run())


def test_an_only_upstream_that_says_503_goes_on_being_asked(tmp_path: Path) -> None:
    answers, asked, _ = through(tmp_path, [says(whole(503, b'{"error": {}}'))], [post(PLAIN)] * (FAILURES + 1))
    assert asked == [FAILURES + 1]
    assert all(answer.startswith(b"HTTP/1.1 503") and b"no_upstream_left" not in answer for answer in answers)


def test_failures_have_names_of_their_own() -> None:
    assert issubclass(NoneLeft, UpstreamDown)
    assert not issubclass(UpstreamSlow, UpstreamDown)
    assert not issubclass(UpstreamBroke, UpstreamDown)


def test_one_upstream_alone_is_asked_as_before(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> bytes:
        return await raw(belt, post(PLAIN))

    assert in_belt(tmp_path, answering("Hello."), scenario).startswith(b"HTTP/1.1 200")
