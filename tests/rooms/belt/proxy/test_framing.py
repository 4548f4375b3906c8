"""Both sides of the belt meet peers that interleave, half-send, over-send, or stop reading."""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, HANG_SECONDS, Belt, answering, choice, event, in_belt, post, raw
from tests.rooms.belt.proxy.test_server import exchange, served

from safebelt.rooms.belt.model import Command
from safebelt.rooms.belt.proxy.client import Upstream, UpstreamBroke, UpstreamDown, UpstreamSlow
from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request

HI = [{"role": "user", "content": "hi"}]


# ---- the client's side


def test_the_answer_to_head_has_no_body() -> None:
    ask = b"HEAD /x HTTP/1.1\r\nHost: x\r\n\r\nGET /y HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    answer = served(lambda port: exchange(port, ask))

    assert answer.count(b"HTTP/1.1 200") == 2 and b"HEAD /x" not in answer and answer.endswith(b"GET /y ")


def test_a_continue_never_lands_amid_another_answer() -> None:
    async def slowly(request: Request, reply: Reply) -> None:
        await reply.begin(200, ())
        for _ in range(5):
            await reply.write(b"part")
            await asyncio.sleep(0.05)
        await reply.end()

    second = b"POST /b HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"

    answer = served(
        lambda port: exchange(port, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", second, b"ok", pause=0.06),
        slowly,
        Limits(),
    )

    assert answer.count(b"HTTP/1.1 200") == 2 and b"100 Continue" not in answer


def test_a_handler_that_fails_does_not_leave_the_client_waiting() -> None:
    async def failing(_request: Request, _reply: Reply) -> None:
        raise ValueError("a fault of our own")

    async def scenario(port: int) -> bytes:
        return await exchange(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", wait=1)

    assert served(scenario, failing, Limits()) == b""


def test_a_client_that_never_takes_the_end_of_its_answer_is_let_go() -> None:
    async def large(_request: Request, reply: Reply) -> None:
        await reply.whole(200, (), b"x" * 12_000_000)

    async def scenario(port: int) -> int:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(1.5)
        late = await exchange(port, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", wait=5)
        writer.close()
        return len(late)

    assert served(scenario, large, Limits(write_seconds=0.5, connections=1)) > 1_000_000


def test_a_slow_but_steady_reader_gets_everything() -> None:
    async def large(_request: Request, reply: Reply) -> None:
        await reply.whole(200, (), b"x" * 24_000_000)

    async def scenario(port: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        size = 0
        while piece := await reader.read(400_000):
            size += len(piece)
            await asyncio.sleep(0.004)
        writer.close()
        return size

    assert served(scenario, large, Limits(write_seconds=0.3)) > 24_000_000


def test_bytes_behind_a_last_request_do_not_take_its_answer_away() -> None:
    async def slowly(request: Request, reply: Reply) -> None:
        await asyncio.sleep(0.2)
        await reply.whole(200, (), b"the answer")

    last = b"POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"

    assert served(lambda port: exchange(port, last, b"\r\n", pause=0.02), slowly, Limits()).endswith(b"the answer")


# ---- the upstream's side


def with_upstream(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    scenario: Callable[[Upstream], Awaitable[Any]],
) -> Any:
    async def run() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        upstream = Upstream(url, key="", tls=ssl.create_default_context(), answer_seconds=0.5)
        async with server:
            try:
                return await asyncio.wait_for(scenario(upstream), HANG_SECONDS)
            finally:
                upstream.close()
                await asyncio.sleep(0.05)

    return asyncio.run(run())


def saying(*answers: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        await reader.read()  # until the belt closes
        writer.close()

    return serve


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _read(upstream: Upstream) -> bytes:
    answer = await upstream.send("GET", "/v1/models", b"")
    try:
        return await answer.read(10_000)
    finally:
        answer.close()


def test_an_answer_nobody_asked_for_is_not_the_next_ones() -> None:
    async def scenario(upstream: Upstream) -> list[bytes]:
        return [await _read(upstream), await _read(upstream)]

    double = OK + b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled"

    assert with_upstream(saying(double, OK), scenario) == [b"ok", b"ok"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nanything",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok!",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 400_000 + b"\r\n\r\n",
        b"garbage",
        b"",
    ],
)
def test_whatever_is_no_answer_is_told_apart_and_nothing_hangs(answer: bytes) -> None:
    with pytest.raises((UpstreamBroke, UpstreamDown, UpstreamSlow)):
        with_upstream(saying(answer), _read)


def test_an_upstream_that_does_not_take_the_request_is_given_up() -> None:
    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        try:
            await asyncio.sleep(5)
        finally:
            writer.transport.abort()

    with pytest.raises(UpstreamSlow):
        with_upstream(deaf, lambda upstream: upstream.send("POST", "/v1/completions", b"x" * 50_000_000))


def test_an_interim_answer_and_trailers_are_not_the_answer() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    late = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: secret\r\n\r\n"

    async def scenario(upstream: Upstream) -> tuple[bytes, list[bytes]]:
        answer = await upstream.send("GET", "/v1/models", b"")
        return await answer.read(100), [name for name, _ in answer.headers]

    assert with_upstream(saying(early + late), scenario) == (b"ok", [])


def test_a_refused_stream_leaves_no_connection_to_the_upstream_behind(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> int:
        for _ in range(5):
            await raw(belt, post({"model": "m", "messages": HI, "stream": True}))
        await asyncio.sleep(0.1)
        return len(belt.connections)

    assert in_belt(tmp_path, answering(f"{FORBIDDEN} and"), scenario) <= 1


def test_a_streamed_answer_gives_its_connection_back(tmp_path: Path) -> None:
    async def scenario(belt: Belt) -> int:
        for _ in range(5):
            await raw(belt, post({"model": "m", "messages": HI, "stream": True}))
        return len(belt.connections)

    assert in_belt(tmp_path, answering("Hello."), scenario) == 1


# ---- an order meets an exchange at every stage


def test_an_order_given_while_the_input_is_screened_keeps_it_from_the_model(tmp_path: Path) -> None:
    long = [
        {"role": "user", "content": "The quick brown fox. " * 400_000}
    ]  # long enough for the order to come meanwhile

    async def scenario(belt: Belt) -> list[Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post({"model": "m", "messages": long}))
        while not belt.switch.running():
            await asyncio.sleep(0.001)
        belt.switch.apply(Command.CUT, "", "ord_1")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(10)
        writer.close()
        await asyncio.sleep(0.5)
        assert belt.seen == []
        return belt.records("outcome")

    assert in_belt(tmp_path, answering(), scenario) == []  # nothing began, so nothing had to be recorded


def test_the_loop_stays_free_while_a_long_text_is_screened_and_masked(tmp_path: Path) -> None:
    long = "The quick brown fox, 13812345678. " * 30_000

    async def scenario(belt: Belt) -> float:
        asking = asyncio.create_task(raw(belt, post({"model": "m", "messages": [{"role": "user", "content": long}]})))
        worst = 0.0
        while not asking.done():
            began = time.thread_time()  # this thread's own work: a busy machine does not count against the belt
            await asyncio.sleep(0.005)
            worst = max(worst, time.thread_time() - began)
        assert (await asking).startswith(b"HTTP/1.1 200")
        return worst

    assert in_belt(tmp_path, answering(long[:200_000]), scenario) < 0.7


def test_a_belt_that_ends_writes_down_how_its_exchanges_ended(tmp_path: Path) -> None:
    async def endless(_body: dict[str, Any], reply: Reply) -> None:
        await reply.begin(200, ((b"content-type", b"text/event-stream"),))
        while True:
            await event(reply, {"id": "1", "choices": [choice({"content": "The quick brown fox. " * 500})]})
            await asyncio.sleep(0.02)

    async def scenario(belt: Belt) -> list[Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
        writer.write(post({"model": "m", "messages": HI, "stream": True}))
        await reader.readuntil(b"fox")
        belt.until.set()
        await belt.serving
        writer.close()
        await asyncio.to_thread(belt.writer.close)
        return belt.records("outcome")

    outcomes = in_belt(tmp_path, endless, scenario)

    assert [outcome["finish"] for outcome in outcomes] == ["client_gone"]


def test_json_written_with_any_escapes_or_numbers_is_answered(tmp_path: Path) -> None:
    odd = [rb'"\ud800"', b'"\\u0000"', b"1e999", b"9" * 400, b"-0", b'"\xc3"', b"\xef\xbb\xbf{}", b"NaN"]

    async def scenario(belt: Belt) -> list[bytes]:
        return [await raw(belt, post(b'{"messages":[{"role":"user","content":%b}]}' % value)) for value in odd]

    for answer in in_belt(tmp_path, answering(), scenario):
        assert answer[:12] in (b"HTTP/1.1 200", b"HTTP/1.1 400")
        json.loads(answer.partition(b"\r\n\r\n")[2])
