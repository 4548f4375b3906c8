"""Endless streams: an upstream that never falls silent, and callers who read it, each a process of its own.

In the test's process they would share one interpreter, and be slower than the belt they are to keep busy.

`python -m tests.journeys.streams upstream SEED` prints its port.  Asked with FLOOD in the body it sends whatever is
taken, with FOREVER a piece every tenth of a second, for anything else a short answer.
`python -m tests.journeys.streams callers PORT KEY COUNT SAYING` prints a line of JSON when all have begun, another when
all have ended.
"""

import asyncio
import contextlib
import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

_SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
_ASKED = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
_EVERY_SECONDS = 0.1
"""As fast as people read; a belt has no trouble with fifty of these, however busy the machine."""


class Callers:
    """So many callers of one house, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begun(self) -> list[str]:
        """Wait until each has the first line of its answer; return which statuses there were."""
        return list(self._line()["statuses"])

    def ended(self) -> dict[str, Any]:
        """Wait until all answers have ended; return when the last byte came, and how many callers got no words."""
        return self._line()

    def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the callers' process has ended"
        said: dict[str, Any] = json.loads(line)
        return said


@contextlib.contextmanager
def endless_upstream(seed: int) -> Iterator[str]:
    """Run the upstream meanwhile; yields its address."""
    with _program("upstream", str(seed)) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"


@contextlib.contextmanager
def callers(port: int, key: str, count: int, saying: str = "FOREVER") -> Iterator[Callers]:
    """Have so many callers read meanwhile; they are gone afterwards, however the test ends."""
    with _program("callers", str(port), key, str(count), saying) as process:
        yield Callers(process)


@contextlib.contextmanager
def _program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "tests.journeys.streams", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _events(draw: random.Random, count: int) -> bytes:
    """Return events of one to nine words."""
    out = []
    for _ in range(count):
        choice = {"index": 0, "delta": {"content": "word " * draw.randint(1, 9)}, "finish_reason": None}
        event = json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}).encode()
        data = b"data: " + event + b"\n\n"
        out.append(b"%x\r\n%b\r\n" % (len(data), data))
    return b"".join(out)


def _short() -> bytes:
    message = {"role": "assistant", "content": "hi"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    body = json.dumps({"id": "c", "object": "chat.completion", "choices": choices}).encode()
    return _JSON % (len(body), body)


async def _upstream(seed: int) -> None:
    draw = random.Random(seed)

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                await answer(reader, writer)
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        is_flood = b"FLOOD" in body
        if not is_flood and b"FOREVER" not in body:
            writer.write(_short())
            return
        writer.write(_SSE)
        events = _events(draw, 100 if is_flood else 1)
        while True:
            writer.write(events)
            await writer.drain()
            if not is_flood:
                await asyncio.sleep(_EVERY_SECONDS)

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def _callers(port: int, key: str, count: int, saying: str) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": saying}], "stream": True}).encode()
    begun, last = [], [0.0] * count

    async def read(number: int) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(_ASKED % (key.encode(), len(body), body))
            begun.append((await reader.readuntil(b"\r\n")).split()[1].decode())
            await reader.readuntil(b"\r\n\r\n")
            if len(begun) == count:
                _say({"statuses": sorted(set(begun))})
            while await reader.read(65536):
                last[number] = time.time()

    await asyncio.gather(*map(read, range(count)))
    _say({"last_byte": max(last), "silent": last.count(0.0)})


def _say(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "upstream":
        asyncio.run(_upstream(int(sys.argv[2])))
    else:
        asyncio.run(_callers(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]))
