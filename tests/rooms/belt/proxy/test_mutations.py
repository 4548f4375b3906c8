"""Requests mutated byte by byte over real sockets: no crash, no hang, no leak, and nothing unguarded gets through.

A small seeded part runs with every test; the soak (`SAFEBELT_SOAK=1`, a million inputs) looks long, and holds memory
and open files at the end beside those after the first inputs.
"""

import asyncio
import gc
import json
import os
import random
import re
import shutil
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.rooms.belt.proxy.bench import FORBIDDEN, ID_CARD, Belt, answering, choice, in_belt, json_reply, post, raw

from safebelt.rooms.belt.proxy.reply import Reply
from safebelt.rooms.belt.proxy.wire import Request

SEED = 20261122
AT_ONCE, SMALL, LARGE, EACH = 100, 600, 1_000_000, 20_000
SLOW, PAUSE_SECONDS = 0.02, 0.2
"""One client in fifty rests between its pieces, and so meets the limits below halfway through a request."""
KEPT = 0.2
"""One client in five has sent a whole request over the connection before, so that the belt knows its head."""
MORE_MB = 48.0
"""What the process may have grown by after `EACH` inputs: a leak of 50 bytes an input would show."""
ANSWER_SECONDS = 120.0
LIMITS = {"head_seconds": 0.3, "body_seconds": 0.3, "idle_seconds": 0.3}
"""Short, so that requests that were cut short end soon: told as slow, and closed."""
_BITS = [
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\xff", b"%00", b"\r\n\r\n", b"0\r\n\r\n", b"1\r\nx\r\n", b"chunked",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length: 5\r\n", b"HTTP/1.0",
    b"Content-Length: 99999999999999999999\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n", b"HTTP/9.9", b"GET ",
    b"Connection: close\r\n", b"Connection: upgrade\r\n", b"HEAD ", b"/v1/models", b"/v1/../v1/models", b"?a=b", b"PRI * ",
    FORBIDDEN.encode(), ID_CARD.encode(), b'"', b"\\u0000", b"{", b"}", b"[", b"stream", b'"stream":true,', b"true",
]  # fmt: skip
"""What a mutation puts in: framing that contradicts itself, other methods and targets, what must not pass."""
Mutation = Callable[[random.Random, bytearray], None]


def _insert(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    data[at:at] = chance.choice(_BITS)


def _overwrite(chance: random.Random, data: bytearray) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _remove(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : at + chance.randrange(1, 20)]


def _repeat(chance: random.Random, data: bytearray) -> None:
    at = chance.randrange(len(data) + 1)
    end = at + chance.randrange(1, 60)
    data[at:at] = data[at:end] * chance.randrange(1, 4)


def _cut(chance: random.Random, data: bytearray) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _swap_lines(chance: random.Random, data: bytearray) -> None:
    lines = bytes(data).split(b"\r\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    data[:] = b"\r\n".join(lines)


_DEEDS: list[Mutation] = [_insert, _insert, _overwrite, _remove, _repeat, _cut, _swap_lines]


def mutated(chance: random.Random, *, is_kept: bool = False) -> bytes:
    """One request, or two behind each other, with up to six mutations."""
    text = chance.choice(["hello", "how are you", "你好", FORBIDDEN, f"I am {ID_CARD}"])
    bodies = [
        ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": text}]}),
        ("/v1/chat/completions", {"model": "m", "stream": True, "messages": [{"role": "user", "content": text}]}),
        ("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": text}]}),
        ("/v1/responses", {"model": "m", "input": text}),
        ("/v1/embeddings", {"model": "m", "input": [text]}),
    ]
    path, body = chance.choice(bodies)
    one = kept(post(body, path=path)) if is_kept else post(body, path=path)
    data = bytearray(one * chance.choice([1, 1, 2]))
    for _ in range(chance.choice([0, 1, 1, 2, 3, 6])):
        chance.choice(_DEEDS)(chance, data)
    return bytes(data)


def kept(request: bytes) -> bytes:
    """Return a request that lets the connection live."""
    return request.replace(b"Connection: close\r\n", b"")


def pieces(chance: random.Random, data: bytes) -> Iterator[bytes]:
    """Cut the bytes as a network might."""
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.choice([0, 0, 1, 3])))
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        yield data[begin:end]


async def sent(belt: Belt, chance: random.Random) -> bytes:
    """Send one mutated input; return every byte that came back."""
    is_kept = chance.random() < KEPT
    data, rest = mutated(chance, is_kept=is_kept), PAUSE_SECONDS * chance.random() * (chance.random() < SLOW)
    reader, writer = await asyncio.open_connection("127.0.0.1", belt.port)
    try:
        if is_kept:  # from here on the head is known (`heads.py`)
            writer.write(kept(post({"model": "m", "messages": [{"role": "user", "content": "hello"}]})))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_SECONDS)
            await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]))
        for piece in pieces(chance, data):
            writer.write(piece)
            await writer.drain()
            if rest:
                await asyncio.sleep(rest)
        said = await asyncio.wait_for(reader.read(), ANSWER_SECONDS)
    except ConnectionError:
        said = b""
    finally:
        writer.close()
    return said


def evil(unguarded: list[str]) -> Callable[[Request, Reply], Awaitable[None]]:
    """An upstream that answers everything with what must not leave, and tells of what should not have come."""

    async def handler(request: Request, reply: Reply) -> None:
        if _has_forbidden(request.body):
            unguarded.append(f"unguarded bytes reached the model by {request.path}")
        text = f"{FORBIDDEN}, {ID_CARD}"
        if b'"stream":true' in request.body:
            await reply.begin(200, ((b"content-type", b"text/event-stream"),))
            one = {"object": "chat.completion.chunk", "choices": [choice({"content": text})]}
            await reply.write(b"data: " + json.dumps(one).encode() + b"\n\n")
            await reply.end(b"data: [DONE]\n\n")
            return
        said = {"role": "assistant", "content": text}
        item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        whole = {"index": 0, "message": said, "finish_reason": "stop"}
        await json_reply(reply, {"choices": [whole], "output": [item], "content": [{"type": "text", "text": text}]})

    return handler


async def look(belt: Belt, count: int, seed: int) -> tuple[int, list[str]]:
    """Send many mutated inputs, so many at once; return how many were answered 200, and what went wrong."""
    wrong = list[str]()
    belt.upstream_handler = evil(wrong)
    await raw(belt, post({"model": "m", "messages": []}))  # so that the word lists are there before anybody waits
    left, tried, passed = iter(range(seed, seed + count)), 0, 0

    async def client() -> None:
        nonlocal tried, passed
        for number in left:
            try:
                said = await sent(belt, random.Random(number))
            except Exception as error:  # noqa: BLE001  whatever it is, it is what the trial looks for
                wrong.append(f"{number}: {error!r}")
            else:
                passed += said.startswith(b"HTTP/1.1 200")
                wrong.extend(f"{number}: {why}" for why in [_amiss(said)] if why)
            tried += 1

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    assert tried == count
    return passed, wrong


def _amiss(said: bytes) -> str:
    """Return what is wrong with what came back; nothing came where the client itself broke off."""
    if said and not said.startswith(b"HTTP/1.1 "):
        return "no HTTP came back"
    if FORBIDDEN.encode() in said or ID_CARD.encode() in said:
        return "unguarded bytes came back"
    return "the belt itself failed" if b" 500 " in said[:16] else ""


_STANDS_ALONE = re.compile(rf"(?<![A-Za-z0-9])(?:{FORBIDDEN}|{ID_CARD})(?![A-Za-z0-9])")
"""What a rule finds: a phrase glued to other letters is another word, and a number within a longer one another number."""


def _has_forbidden(body: bytes) -> bool:
    nodes: list[Any] = [json.loads(body)] if body else []
    while nodes:
        match nodes.pop():
            case str() as text if _STANDS_ALONE.search(text):
                return True
            case dict() as node:
                nodes += [*node.keys(), *node.values()]
            case list() as items:
                nodes += items
    return False


async def settled(belt: Belt) -> tuple[int, int]:
    """Return what is still open once every client has gone: lines under way and tasks."""
    for _ in range(200):
        if not belt.switch.running():
            break
        await asyncio.sleep(0.02)
    gc.collect()
    return belt.switch.running(), len(asyncio.all_tasks())


def _scenario(count: int, seed: int) -> Callable[[Belt], Awaitable[tuple[int, list[str], int, int]]]:
    async def scenario(belt: Belt) -> tuple[int, list[str], int, int]:
        _, before = await settled(belt)
        unforeseen = list[str]()  # an error in a callback ends a connection, and nobody but the loop hears of it
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, told: unforeseen.append(f"{told['message']}: {told.get('exception')!r}"))
        passed, wrong = await look(belt, count, seed)
        wrong += unforeseen
        running, after = await settled(belt)
        return passed, wrong, running, after - before

    return scenario


def test_mutated_requests_are_answered_or_refused_and_nothing_unguarded_passes(tmp_path: Path) -> None:
    passed, wrong, running, more_tasks = in_belt(tmp_path, answering(), _scenario(SMALL, SEED), **LIMITS)
    assert not wrong
    assert passed > SMALL // 20, "hardly anything reached the model: the trial looks at refusals only"
    assert running == 0
    assert more_tasks <= AT_ONCE, "tasks are left behind"


@pytest.mark.interpreted
def test_the_trial_sees_what_it_looks_for(tmp_path: Path) -> None:
    """Negative control: a belt whose rules look for nothing lets the evil answer through, and the trial says so."""

    async def scenario(belt: Belt) -> list[str]:
        scanner = belt.tools.screens.of(next(iter(belt.snapshot().policies.values())), belt.tools.clock().date())
        scanner.scan = lambda *_words, **_more: []  # type: ignore[method-assign]
        return (await look(belt, 60, SEED))[1]

    assert any("unguarded" in one for one in in_belt(tmp_path, answering(), scenario, **LIMITS))


def held() -> tuple[float, int]:
    """Resident memory of this process, MB, and its open files; the belt, its upstream and its clients are all in it."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.soak
@pytest.mark.skipif(os.environ.get("SAFEBELT_SOAK") != "1", reason="a million inputs: SAFEBELT_SOAK=1")
def test_a_million_mutated_requests(tmp_path: Path) -> None:
    count = int(os.environ.get("SAFEBELT_MUTATIONS", LARGE))
    passed, before = 0, (0.0, 0)
    for begin in range(0, count, EACH):
        home = tmp_path / str(begin)
        found = asyncio.run(_long(home, min(EACH, count - begin), SEED + SMALL + begin))
        shutil.rmtree(home)
        passed += found[0]
        assert not found[1]
        assert found[2] == 0
        assert found[3] <= AT_ONCE
        before = before if begin else held()
        print(f"{begin + EACH:,} inputs, {passed:,} answered 200; {held()[0]:.1f} MB, {held()[1]} open files")
    after = held()
    assert passed > count // 20
    assert after[0] - before[0] < MORE_MB, f"memory grew from {before[0]:.0f} to {after[0]:.0f} MB"
    assert after[1] <= before[1] + 5, f"{after[1] - before[1]} files were left open"


async def _long(home: Path, count: int, seed: int) -> tuple[int, list[str], int, int]:
    async with Belt(home, answering(), **LIMITS) as belt:
        return await _scenario(count, seed)(belt)
