"""The client's side of the belt meets honest, slow, greedy and contradictory clients."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.proxy.bench import HANG_SECONDS

from safebelt.rooms.belt.proxy.limits import Limits
from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.server import ClientConnection, Handler
from safebelt.rooms.belt.proxy.wire import Request

QUICK = Limits(head_seconds=0.3, body_seconds=0.3, idle_seconds=0.5, body_bytes=2000, head_bytes=1000, connections=4)


async def echo(request: Request, reply: Reply) -> None:
    body = f"{request.method} {request.target} ".encode() + request.body
    await reply.whole(200, ((b"content-type", b"text/plain"),), body)


def served(scenario: Callable[[int], Awaitable[object]], handler: Handler = echo, limits: Limits = QUICK) -> object:
    """Run a scenario against a server on a free port."""

    async def run() -> object:
        connections: set[ClientConnection] = set()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: ClientConnection(handler, limits, connections), "127.0.0.1", 0)
        async with server:
            try:
                return await asyncio.wait_for(scenario(server.sockets[0].getsockname()[1]), HANG_SECONDS)
            finally:
                for connection in list(connections):
                    connection.abort()
                await asyncio.sleep(0)

    return asyncio.run(run())


async def exchange(port: int, *pieces: bytes, pause: float = 0.0, wait: float = HANG_SECONDS) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        return await asyncio.wait_for(reader.read(), wait)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_a_whole_request_is_answered_and_the_connection_kept() -> None:
    async def scenario(port: int) -> bytes:
        return await exchange(
            port,
            b"POST /a?b=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
            b"GET /second HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            pause=0.05,
        )

    answer = served(scenario)

    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert b"POST /a?b=1 abc" in answer and answer.endswith(b"GET /second ")


def test_pipelined_requests_are_answered_in_order() -> None:
    async def scenario(port: int) -> bytes:
        many = b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(6))
        return await exchange(port, many + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    answer = served(scenario)

    places = [answer.index(b"GET /%d " % i) for i in range(6)]
    assert places == sorted(places) and answer.endswith(b"GET /last ")


def test_a_chunked_body_arrives_whole_however_it_is_cut() -> None:
    raw = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"

    async def scenario(port: int) -> list[bytes]:
        return [await exchange(port, raw[:cut], raw[cut:], pause=0.01) for cut in range(10, len(raw), 9)]

    assert all(answer.endswith(b"POST / abcde") for answer in served(scenario))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nabcde", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: 0\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\nHost: x\n\n\0garbage\xff\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n", b"413"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 5000 + b"\r\n\r\n", b"431"),
    ],
)
def test_contradiction_and_greed_get_a_clear_answer(head: bytes, status: bytes) -> None:
    answer = served(lambda port: exchange(port, head))

    assert answer.startswith(b"HTTP/1.1 " + status), answer
    assert b'"hint"' in answer and b"200 OK" not in answer


def test_an_upgrade_is_not_taken_up_and_what_follows_is_not_read() -> None:
    head = b"GET /up HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    answer = served(lambda port: exchange(port, head + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"))

    assert answer.count(b"HTTP/1.1") == 1 and answer.endswith(b"GET /up ")


def test_a_chunked_body_over_the_limit_is_refused_while_it_grows() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"

    answer = served(lambda port: exchange(port, head, *[b"400\r\n" + b"x" * 1024 + b"\r\n"] * 4))

    assert answer.startswith(b"HTTP/1.1 413")


def test_a_slow_loris_is_told_and_closed() -> None:
    async def scenario(port: int) -> bytes:
        return await exchange(port, *[bytes([byte]) for byte in b"GET / HTTP/1.1\r\nHo"], pause=0.03)

    assert served(scenario).startswith(b"HTTP/1.1 408")


def test_a_body_that_never_ends_is_told_and_closed() -> None:
    answer = served(lambda port: exchange(port, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nabc"))

    assert answer.startswith(b"HTTP/1.1 408")


def test_a_silent_client_is_closed_without_a_word() -> None:
    assert served(exchange) == b""


def test_one_connection_too_many_is_told_to_come_back() -> None:
    async def scenario(port: int) -> bytes:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        await asyncio.sleep(0.05)
        late = await exchange(port)
        for _, writer in crowd:
            writer.close()
        return late

    assert served(scenario).startswith(b"HTTP/1.1 503")


def test_a_client_that_does_not_read_holds_back_the_writer_and_is_given_up() -> None:
    written = []

    async def flood(_request: Request, reply: Reply) -> None:
        await reply.begin(200, ())
        while True:
            await reply.write(b"x" * 65536)
            written.append(65536)

    async def scenario(port: int) -> None:
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await asyncio.sleep(1.2)
        before = len(written)
        await asyncio.sleep(0.3)
        assert len(written) == before, "writing went on though nobody read"
        writer.close()

    served(scenario, flood, Limits(write_seconds=0.5))

    assert sum(written) < 32 * 1024 * 1024


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=4))
def test_no_bytes_whatever_crash_the_server(pieces: list[bytes]) -> None:
    async def scenario(port: int) -> bytes:
        await exchange(port, *pieces, b"\r\n\r\n", wait=2)
        return await exchange(port, b"GET /alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert served(scenario, limits=Limits(head_seconds=0.2, body_seconds=0.2, idle_seconds=0.2)).endswith(
        b"GET /alive "
    )
