"""A process that looks into foreign files, with little memory, little time and nothing to lose.

Parsers of two dozen formats, one of them in another language, meet bytes that somebody may have made to break them.
They run here: no database, no keys, an address space of bounded size, no new files, no network (where the system lets
a process give it up).  Whoever waits for it kills it when it takes too long, and starts another.
"""

import ctypes
import os
import resource
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from safebelt.rooms.labelling.model.inspection import Inspection

MEMORY_BYTES = 3 << 30
"""Address space: the C2PA engine maps some hundred megabytes, and a file of a gigabyte is mapped whole."""
SECONDS = 20.0
"""Longest look into one file; a gigabyte is hashed in two to four."""
_FILES, _LENGTH_BYTES = 64, 4
_MAX_ANSWER = 32 << 20
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000  # unshare(2): CLONE_NEWNET, CLONE_NEWUSER
_NO_NEW_PRIVILEGES = 38  # prctl(2)


class _Ask(msgspec.Struct):
    path: str
    name: str


class _Start(msgspec.Struct):
    home: str
    listed: str


class Looker:
    """Looks into files, one at a time, in another process.

    Args:
        home: Roots of this house, PEM.
        listed: Roots of the C2PA trust list, PEM.
        seconds: Longest look into one file.
        memory_bytes: Largest address space of the process.
    """

    def __init__(self, home: str, listed: str, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._start = _Start(home=home, listed=listed)
        self._seconds, self._memory = seconds, memory_bytes
        self._own = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def look(self, path: Path, name: str) -> Inspection:
        """Look into a file.

        Args:
            path: Where it is.
            name: What it is called.

        Returns:
            What was found; `stopped` says where the look came to no end.
        """
        with self._own:
            process = self._running()
            timer = threading.Timer(self._seconds, process.kill)
            timer.start()
            try:
                _send(process.stdin, _Ask(path=str(path), name=name))
                return msgspec.msgpack.decode(_received(process.stdout), type=Inspection)
            except (OSError, EOFError, msgspec.DecodeError):
                process.kill()
                code = process.wait()
                self._process = None
                was_slow = not timer.is_alive()
                return Inspection(stopped="time" if was_slow else "memory" if code == _OUT_OF_MEMORY else "crash")
            finally:
                timer.cancel()

    def close(self) -> None:
        """End the process."""
        with self._own:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                _close(self._process)
                self._process = None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            if self._process is not None:
                _close(self._process)
            command = [sys.executable, "-P", "-m", "safebelt.rooms.labelling.service.worker", str(self._memory)]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  our own
            _send(self._process.stdin, self._start)
        return self._process


_OUT_OF_MEMORY = 77


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _send(pipe: IO[bytes] | None, what: object) -> None:
    body = msgspec.msgpack.encode(what)
    assert pipe is not None  # noqa: S101  both are pipes
    pipe.write(len(body).to_bytes(_LENGTH_BYTES) + body)
    pipe.flush()


def _received(pipe: IO[bytes] | None) -> bytes:
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


def main(memory_bytes: int) -> None:
    """Be the process: answer questions from standard input until it ends."""
    from safebelt.rooms.labelling.provenance.manifests import Manifests  # noqa: PLC0415  loaded before it is confined
    from safebelt.rooms.labelling.service.inspecting import inspect  # noqa: PLC0415

    _confine(memory_bytes)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not be taken for an answer
    try:
        start = msgspec.msgpack.decode(_received(questions), type=_Start)
        manifests = Manifests(start.home, start.listed)
        while True:
            asked = msgspec.msgpack.decode(_received(questions), type=_Ask)
            _send(answers, inspect(Path(asked.path), asked.name, manifests))
    except EOFError:
        return
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)


def _confine(memory_bytes: int) -> None:
    """Give up what a look into a file does not need; what a system has no way to give up, is kept."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        if libc.unshare(_NEW_NETWORK):
            libc.unshare(_NEW_USER | _NEW_NETWORK)


if __name__ == "__main__":
    main(int(sys.argv[1]))
