"""Streams that have much to say share the loop with whoever knocks: counted, not timed."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import pytest

from safebelt.rooms.belt.proxy.client import Upstream
from safebelt.rooms.belt.proxy.turns import Turns

PIECE = b"data: " + b"x" * 100 + b"\n\n"
PIECES = 500
STREAMS = 12


class NoTurns(Turns):
    """Negative control: everybody goes on as long as there is something to say."""

    async def mine(self) -> None:
        return


@contextlib.asynccontextmanager
async def _flooding(turns: Turns) -> AsyncIterator[Upstream]:
    """An upstream that says all it has in one breath."""
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk * PIECES + b"0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    upstream = Upstream(url, key="", tls=ssl.create_default_context(), turns=turns)
    try:
        yield upstream
    finally:
        upstream.close()
        server.close()


async def _longest_wait(turns: Turns) -> tuple[int, int]:
    """Return the most bytes that passed between two looks of somebody else at the loop, and all that passed."""
    passed, waits, seen = 0, [0], 0

    async def pass_on(upstream: Upstream) -> None:
        nonlocal passed
        answer = await upstream.send("GET", "/v1/x", b"")
        await asyncio.sleep(0.2)  # until all of it waits
        async for piece in answer.pieces():
            passed += len(piece)

    async with _flooding(turns) as upstream:
        streams = [asyncio.create_task(pass_on(upstream)) for _ in range(STREAMS)]
        while not all(stream.done() for stream in streams):
            await asyncio.sleep(0)
            waits.append(passed - seen)
            seen = passed
        for stream in streams:
            stream.result()
    return max(waits), passed


def test_between_two_turns_no_more_passes_than_a_helping_of_each() -> None:
    longest, passed = asyncio.run(_longest_wait(Turns()))

    assert passed == STREAMS * PIECES * len(PIECE)
    assert longest <= (STREAMS + 4) * (1024 + len(PIECE))


@pytest.mark.interpreted
def test_without_turns_a_stream_goes_on_to_its_end() -> None:
    longest, _ = asyncio.run(_longest_wait(NoTurns()))

    assert longest >= 20 * 1024


def test_whoever_waits_longest_is_called_first_and_whoever_was_ended_is_passed_over() -> None:
    async def scenario() -> list[int]:
        turns, called = Turns(), list[int]()

        async def wait(number: int) -> None:
            await turns.mine()
            called.append(number)

        waiting = [asyncio.create_task(wait(number)) for number in range(20)]
        await asyncio.sleep(0)
        for ended in waiting[3:9]:
            ended.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting[3]
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not turns.is_crowded
        return called

    assert asyncio.run(scenario()) == [0, 1, 2, *range(9, 20)]
