"""Looking into foreign files by way of another process, which is killed when it takes too long."""

import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import IO

import msgspec

from safebelt.kernel.errors import TooMany
from safebelt.kernel.text import Text
from safebelt.rooms.labelling.model.inspection import Glimpse, Inspection
from safebelt.rooms.labelling.service.digests import digest_of

MEMORY_BYTES = 3 << 30
"""Address space: the C2PA engine maps some hundred megabytes, and a file of a gigabyte is mapped whole."""
SECONDS = 20.0
"""Longest look into one file; a gigabyte is hashed in two to four."""
OUT_OF_MEMORY = 77
"""Exit code of a process that ran out of its memory."""
_LENGTH_BYTES = 4
_MAX_ANSWER = 32 << 20
_GLIMPSE, _ANSWER = msgspec.msgpack.Decoder(Glimpse), msgspec.msgpack.Decoder(Inspection)
_ENCODER = msgspec.msgpack.Encoder()
_LOST = (OSError, EOFError, msgspec.DecodeError)
"""What shows that the process is gone, late, or no longer to be believed."""

Meanwhile = Callable[[Glimpse], None]
"""What whoever waits does with the first that was found, while the look goes on."""


class Ask(msgspec.Struct):
    """A question: look into this file, and for a watermark in it."""

    path: str
    name: str
    is_scanned: bool = True


class Start(msgspec.Struct):
    """What a process is told first: the roots to trust, PEM, the watermarks' keys, the newest first, and the font."""

    home: str
    listed: str
    keys: tuple[bytes, ...] = ()
    font: str = ""


class Looker:
    """Looks into files, one at a time, in another process.

    Args:
        home: Roots of this house, PEM.
        listed: Roots of the C2PA trust list, PEM.
        keys: Keys of this house's watermarks, the newest first.
        font: File of the font that this house draws its notices with; None where none are looked for.
        seconds: Longest look into one file.
        memory_bytes: Largest address space of the process.
    """

    def __init__(
        self,
        home: str,
        listed: str,
        *,
        keys: tuple[bytes, ...] = (),
        font: Path | None = None,
        seconds: float = SECONDS,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._start = Start(home=home, listed=listed, keys=keys, font=str(font.resolve()) if font else "")
        self._seconds, self._memory = seconds, memory_bytes
        self._own = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def look(
        self, path: Path, name: str, *, is_scanned: bool = True, meanwhile: Meanwhile = lambda _: None
    ) -> Inspection:
        """Look into a file.

        Args:
            path: Where it is.
            name: What it is called.
            is_scanned: Whether a watermark is looked for, which takes a hundred times as long as everything else.
            meanwhile: Is called with the digest, which is worked out here, and with the labels, unless the look ends
                before; it raises nothing.  The labels come from a process that may be in a stranger's hands, as the
                answer does: who uses them holds that the answer says the same.

        Returns:
            What was found; `stopped` says where the look came to no end.

        Raises:
            TooMany: Others ask too, and it is not this one's turn in time.
        """
        if not self._own.acquire(timeout=self._seconds):
            raise _busy()
        try:
            return self._answer(Ask(path=str(path), name=name, is_scanned=is_scanned), meanwhile)
        finally:
            self._own.release()

    def _answer(self, asked: Ask, meanwhile: Meanwhile) -> Inspection:
        process, deadline = self._running(), monotonic() + self._seconds
        try:
            send(process.stdin, asked)
            sha256, identity = digest_of(Path(asked.path), lambda: _hold_before(deadline))
            self._use(Glimpse(sha256=sha256), meanwhile)
            self._use(_GLIMPSE.decode(_received_before(process.stdout, deadline)), meanwhile)
            seen = _ANSWER.decode(_received_before(process.stdout, deadline))
        except _LOST as error:
            code, was_slow = self._end(), isinstance(error, TimeoutError)
            return Inspection(stopped="time" if was_slow else "memory" if code == OUT_OF_MEMORY else "crash")
        is_one = seen.identity == identity != ()  # both read the same file, and nobody wrote to it meanwhile
        return replace(seen, sha256=sha256) if is_one else Inspection(stopped="changed")

    def _use(self, glimpse: Glimpse, meanwhile: Meanwhile) -> None:
        try:
            meanwhile(glimpse)
        except Exception as error:
            self._end()  # its answer would be taken for that to the next question
            raise RuntimeError("what was to be done while a look went on has failed") from error

    def close(self) -> None:
        """End the process."""
        with self._own:
            self._end()

    def _end(self) -> int:
        """End the process, if there is one, and return its exit code."""
        if self._process is None:
            return 0
        self._process.kill()
        code = self._process.wait()
        _close(self._process)
        self._process = None
        return code

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            if self._process is not None:
                _close(self._process)
            command = [sys.executable, "-P", "-m", "safebelt.rooms.labelling.service.worker", str(self._memory)]
            self._process = subprocess.Popen(  # noqa: S603  our own interpreter and our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
            )
            send(self._process.stdin, self._start)
        return self._process


def _hold_before(deadline: float) -> None:
    if monotonic() > deadline:
        raise TimeoutError


def _received_before(pipe: IO[bytes] | None, deadline: float) -> bytes:
    """Return the bytes of the next message, if all of it comes in time.

    Raises:
        TimeoutError: It does not.
        EOFError: There is none, or one too long.
    """
    assert pipe is not None  # noqa: S101  it is one
    size = int.from_bytes(_read_before(pipe.fileno(), _LENGTH_BYTES, deadline))
    if size > _MAX_ANSWER:
        raise EOFError
    return _read_before(pipe.fileno(), size, deadline)


def _read_before(pipe: int, count: int, deadline: float) -> bytes:
    poll, taken = select.poll(), bytearray()
    poll.register(pipe, select.POLLIN | select.POLLHUP)
    while len(taken) < count:
        if not poll.poll(max(0.0, 1000 * (deadline - monotonic()))):
            raise TimeoutError
        some = os.read(pipe, count - len(taken))
        if not some:
            raise EOFError
        taken += some
    return bytes(taken)


def _busy() -> TooMany:
    return TooMany(
        what=Text(zh="正在检验的文件过多。", en="Too many files are being checked."),
        hint=Text(zh="请稍后再试。", en="Try again in a moment."),
    )


def _environment() -> dict[str, str]:
    """Return what a process is told of its surroundings: where the modules are, and no secret of this one's."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(one for one in sys.path if one),
        "OPENBLAS_NUM_THREADS": "1",  # its threads would wait for each other over matrices this small
    }


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def send(pipe: IO[bytes] | None, what: object) -> None:
    """Write a message with its length before it."""
    body = _ENCODER.encode(what)
    assert pipe is not None  # noqa: S101  both are pipes
    pipe.write(len(body).to_bytes(_LENGTH_BYTES) + body)
    pipe.flush()


def received(pipe: IO[bytes] | None) -> bytes:
    """Return the bytes of the next message; raises EOFError where there is none, or one too long."""
    assert pipe is not None  # noqa: S101  as above
    head = pipe.read(_LENGTH_BYTES)
    if len(head) < _LENGTH_BYTES:
        raise EOFError
    size = int.from_bytes(head)
    if size > _MAX_ANSWER:
        raise EOFError
    body = pipe.read(size)
    if len(body) < size:
        raise EOFError
    return body
