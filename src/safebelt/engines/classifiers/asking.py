"""Asking a classifier without spending the event loop's time: one process, one question at a time, a limit on each.

Whoever asks waits no longer than they say, and learns then only that there is no answer: what follows from that is
policy.  A question that somebody gave up is not put any more; one under way is finished, so that nobody who leaves
early takes the classifier from others.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec
import structlog

from safebelt.engines.classifiers import MAX_FRAME_BYTES

MAX_CHARS = 64 * 1024
"""Of all texts of one question: so many take up to a second.  More would keep others waiting, and gets no answer."""
MAX_WAITING = 64
"""Questions that wait at once; one more gets no answer."""
HARD_SECONDS = 10.0
"""A process that takes longer over a question is stuck, and is ended; another is started."""
START_SECONDS = 20.0
"""Loading takes a third of a second; a busy machine gets much more."""
REST_SECONDS = 5.0
"""After a start that failed (the package is missing) the next is tried so much later."""
_WORKER = "safebelt.engines.classifiers.worker"

_log = structlog.get_logger("safebelt.belt")


@dataclass(slots=True)
class _Question:
    data: bytes
    count: int
    is_given_up: bool = False


class Asker:
    """Asks the classifier's process, which is started at the first question or by `warm`.

    Args:
        command: What is started; the classifier's process where nothing else is named.
    """

    def __init__(self, command: Sequence[str] = ()) -> None:
        self._command = tuple(command) or (sys.executable, "-m", _WORKER)
        self._turn = asyncio.Lock()
        self._process: Process | None = None
        self._starting: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[list[float] | None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._rests_until = 0.0

    async def warm(self) -> None:
        """Start the process, so that the first question need not wait for it."""
        await asyncio.shield(self._start())

    async def __call__(self, texts: Sequence[str], within_seconds: float) -> list[float] | None:
        """Return a score for each text; None where there is no answer in time."""
        if sum(map(len, texts)) > MAX_CHARS or len(self._asking) >= MAX_WAITING:
            return None
        question = _Question(msgspec.msgpack.encode(list(texts)), len(texts))
        task = asyncio.get_running_loop().create_task(self._asked(question))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        try:
            async with asyncio.timeout(within_seconds):
                return await asyncio.shield(task)
        except TimeoutError:
            return None
        finally:
            question.is_given_up = True

    async def _asked(self, question: _Question) -> list[float] | None:
        async with self._turn:
            if question.is_given_up:
                return None
            await self._start()
            process = self._process
            if process is None:
                return None
            try:
                async with asyncio.timeout(HARD_SECONDS):
                    _send(process, question.data)
                    scores = msgspec.msgpack.decode(await _received(process), type=list[float])
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError, msgspec.DecodeError) as error:
                self._end(type(error).__name__)
                return None
            return scores if len(scores) == question.count else None

    def _start(self) -> "asyncio.Task[None]":
        if self._starting is None or self._starting.done():
            self._starting = asyncio.get_running_loop().create_task(self._started())
        return self._starting

    async def _started(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._process is not None or now < self._rests_until:
            return
        process = None
        try:
            async with asyncio.timeout(START_SECONDS):
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=_environment()
                )
                await _received(process)  # it says that it is ready
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError):
            self._rests_until = now + REST_SECONDS
            _log.error("belt.classifier_not_started", hint="safebelt belt classifier show says why")
            if process is not None:
                self._bury(process)
        else:
            self._process = process

    def _end(self, why: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            _log.warning("belt.classifier_ended", why=why)
            self._bury(process)

    def _bury(self, process: Process) -> None:
        task = asyncio.get_running_loop().create_task(_ended(process))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End the process, and whatever is asked of it."""
        for task in (*self._asking, *([self._starting] if self._starting else ())):
            task.cancel()
        process, self._process = self._process, None
        if process is not None:
            self._bury(process)
        await asyncio.gather(*self._asking, *self._ending, return_exceptions=True)


async def _ended(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()


def _environment() -> dict[str, str]:
    """Return what the process needs to find its packages, and none of the house's secrets."""
    return {"PYTHONPATH": ":".join(path for path in sys.path if path), "PYTHONHASHSEED": "0"}


def _send(process: Process, body: bytes) -> None:
    if process.stdin is None:
        raise EOFError
    process.stdin.write(len(body).to_bytes(4, "big") + body)


async def _received(process: Process) -> bytes:
    if process.stdout is None:
        raise EOFError
    size = int.from_bytes(await process.stdout.readexactly(4), "big")
    return await process.stdout.readexactly(min(size, MAX_FRAME_BYTES))
