"""Changing contents on their way by another process, which is ended when it takes too long."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model import Mark

MEMORY_BYTES = 3 << 30
"""Address space: a picture of 60 million pixels in a few copies, or an encoder of films, which maps one to two GB."""
SECONDS = 240.0
"""Longest work on one answer: clients of such services wait ten minutes; films of a minute take less than this."""
_WHY = {
    "time": Text(
        zh="在规定时间内未能完成，因此没有加入。", en="It could not be put in within the time there is for it."
    ),
    "memory": Text(zh="所需内存过多，因此没有加入。", en="It would have taken too much memory to put it in."),
    "crash": Text(zh="加标识的进程异常结束，因此没有加入。", en="The process that puts it in ended unexpectedly."),
}
OUT_OF_MEMORY = 77
"""Exit code of a process that ran out of its memory."""
MAX_MADE_BYTES = 256 << 20
"""Longest file that is written: four times the longest answer that passes a belt."""


class Canvas(msgspec.Struct, frozen=True, kw_only=True):
    """A content that is to be changed.

    Attributes:
        path: Where it lies; what is made of it goes beside it.
        kind: Its format.
        marks: Notice, watermark, or both.
        lang: Language of a notice.
        ident: What a watermark carries.
    """

    path: str
    kind: str
    marks: frozenset[Mark]
    lang: str
    ident: int


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """All that one process does: the contents of one answer.

    Attributes:
        canvases: The contents.
        font: File of the notice's font.
        key: Of the watermark; empty for none.
    """

    canvases: list[Canvas]
    font: str
    key: bytes = b""


class Painted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one content.

    Attributes:
        is_changed: Whether there is another file beside it, with the marks.
        put: Each mark and where it stands.
        left: Each mark that was left out, with why.
        broken: What is wrong with the content; empty where nothing is.
    """

    is_changed: bool = False
    put: dict[Mark, str] = {}
    left: dict[Mark, Text] = {}
    broken: str = ""


def made(path: Path) -> Path:
    """Return where that stands which was made of a file."""
    return path.with_name(f"{path.name}-marked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A content, and what is to be put into it.

    Attributes:
        data: Its bytes.
        kind: Its format.
        marks: Notice, watermark, or both; none where it stays as it is.
        lang: Language of a notice.
        ident: What a watermark carries.
    """

    data: bytes
    kind: Kind
    marks: frozenset[Mark]
    lang: str
    ident: int


class Painting:
    """Puts notices and watermarks into contents.

    Args:
        seconds: Longest work on one answer.
        memory_bytes: Largest address space of the process that does it.
    """

    def __init__(self, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self._seconds, self._memory = seconds, memory_bytes
        self._own, self._running = threading.Lock(), set[subprocess.Popen[bytes]]()
        self._ready: subprocess.Popen[bytes] | None = None

    def of(self, contents: Sequence[Content], font: Path, key: bytes) -> list[tuple[bytes, Painted]]:
        """Return each content as it leaves, and what became of it.

        Args:
            contents: Those of one answer.
            font: File of the notice's font.
            key: Of the watermark; empty for none.

        Raises:
            OSError: There is no room for them on the disk.
        """
        with tempfile.TemporaryDirectory(prefix="safebelt-painting-") as folder:
            paths = [Path(folder) / f"{number}" for number in range(len(contents))]
            canvases = [_laid(one, path) for one, path in zip(contents, paths, strict=True) if one.marks]
            said = iter(self._said(Job(canvases=canvases, font=str(font.resolve()), key=key)) if canvases else ())
            found = [next(said) if one.marks else Painted() for one in contents]
            return [_taken(one, path, each) for one, path, each in zip(contents, paths, found, strict=True)]

    def _said(self, job: Job) -> list[Painted]:
        """Let a process do the job; where it comes to no end, nothing was put anywhere, and why."""
        answer, why = self._answer(msgspec.msgpack.encode(job))
        try:
            found = msgspec.msgpack.decode(answer, type=list[Painted])
        except msgspec.DecodeError:
            found = []
        if len(found) == len(job.canvases):
            return found
        return [Painted(left=dict.fromkeys(one.marks, _WHY[why])) for one in job.canvases]

    def _answer(self, job: bytes) -> tuple[bytes, str]:
        with self._own:
            process, self._ready = self._ready, None
            if process is None or process.poll() is not None:
                process = self._started()
            self._running.add(process)
            self._ready = self._started()
        try:
            answer, _ = process.communicate(job, timeout=self._seconds)
        except subprocess.TimeoutExpired:
            return b"", "time"
        finally:
            _end(process)
            with self._own:
                self._running.discard(process)
        return answer, "memory" if process.returncode == OUT_OF_MEMORY else "crash"

    def _started(self) -> subprocess.Popen[bytes]:
        """Start a process; each does one job, and the next stands ready, since starting takes longer than the work."""
        command = [sys.executable, "-P", "-m", "safebelt.rooms.labelling.service.painter", str(self._memory)]
        return subprocess.Popen(  # noqa: S603  our own interpreter and our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # so that it ends together with what it started
        )

    def close(self) -> None:
        """End what is still at work, and what stands ready; who waits for it is told that it came to no end."""
        with self._own:
            for process in self._running:
                _kill(process)
            if self._ready is not None:
                _end(self._ready)
                self._ready = None


def _laid(content: Content, path: Path) -> Canvas:
    path.write_bytes(content.data)
    return Canvas(path=str(path), kind=content.kind.value, marks=content.marks, lang=content.lang, ident=content.ident)


def _taken(content: Content, path: Path, painted: Painted) -> tuple[bytes, Painted]:
    """Return what was made of a content; itself where nothing was, or something that no such process may write."""
    if not painted.is_changed:
        return content.data, painted
    with made(path).open("rb") as file:
        data = file.read(MAX_MADE_BYTES + 1)
    if len(data) > MAX_MADE_BYTES:
        return content.data, Painted(left=dict.fromkeys(content.marks, _WHY["memory"]))
    return data, painted


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started, and let go of it."""
    _kill(process)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Return what a process is told of its surroundings: where the modules are, and no secret of this one's."""
    return {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(one for one in sys.path if one),
        "OPENBLAS_NUM_THREADS": "1",
    }
