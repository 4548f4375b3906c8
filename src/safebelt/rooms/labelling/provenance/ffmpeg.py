"""The external programs ffmpeg and ffprobe, where the system has them: started with little leave, and always ended.

They read foreign films in another process, from files only, in a format that is said and not guessed, with bounded
memory and time.  Nothing of them is part of this house: where they are not installed, what needs them is left out.
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind

MISSING = Text(
    zh="需要外部程序 ffmpeg，而本系统没有安装；请安装后再试，或在内容旁边显示提示。",
    en="This needs the external program ffmpeg, which is not installed here: install it, or show a notice beside it.",
)
DEMUXERS = {
    Kind.MP4: "mov",
    Kind.MOV: "mov",
    Kind.M4A: "mov",
    Kind.MKV: "matroska",
    Kind.WEBM: "matroska",
}
"""How ffmpeg calls the formats that it is asked to read: said, so that no file is taken for a playlist."""
MUXERS = {Kind.MP4: "mp4", Kind.MOV: "mov", Kind.M4A: "ipod", Kind.MKV: "matroska", Kind.WEBM: "webm"}
"""And to write."""
_MEMORY_BYTES = 4 << 30
"""Address space of one: encoders of films of 4096 × 2304 map 1 to 2 GB."""
_PROBE_SECONDS, _MOST_ANSWER = 15.0, 1 << 20
_QUIET = ("-hide_banner", "-nostdin", "-v", "error")


def is_here() -> bool:
    """Return whether both programs are installed."""
    return shutil.which("ffmpeg") is not None and shutil.which("ffprobe") is not None


def source(path: Path, kind: Kind) -> list[str]:
    """Return the arguments that read a file, of this format, and nothing that it points to."""
    return ["-protocol_whitelist", "file,pipe", "-f", DEMUXERS[kind], "-i", f"file:{path.resolve()}"]


def described(path: Path, kind: Kind) -> dict[str, Any]:
    """Return what ffprobe says of a file.

    Raises:
        Unwritable: There is no ffprobe here.
        Broken: It cannot read the file.
    """
    wanted = ["-of", "json", "-show_format", "-show_streams", *source(path, kind)]
    with running("ffprobe", wanted, seconds=_PROBE_SECONDS) as process:
        assert process.stdout is not None  # noqa: S101  a pipe
        said = process.stdout.read(_MOST_ANSWER)
    try:
        found = json.loads(said)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("streams"), list):
        raise Broken("a file that ffprobe cannot read")
    return found


@contextmanager
def running(
    program: str, arguments: Sequence[str], *, seconds: float, sent: IO[bytes] | int | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Give a process of one of the programs; it is ended when the block ends, and when its time is over.

    Args:
        program: `ffmpeg` or `ffprobe`.
        arguments: Its arguments.
        seconds: Longest it runs.
        sent: What its standard input is; None for nothing.

    Raises:
        Unwritable: It is not here, or cannot be started.
    """
    found = shutil.which(program)
    if found is None:
        raise Unwritable(MISSING)
    quiet = _QUIET if program == "ffmpeg" else ("-hide_banner", "-v", "error")
    try:
        process = subprocess.Popen(  # noqa: S603  a program of the system's, its arguments are ours
            [found, *quiet, *arguments],
            stdin=subprocess.DEVNULL if sent is None else sent,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath},
        )
    except OSError:
        raise Unwritable(MISSING) from None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        _bound(process.pid, seconds)
        yield process
    finally:
        timer.cancel()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def finished(process: subprocess.Popen[bytes]) -> bool:
    """Wait until a process that is being read or written to ends, and return whether it did well."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    return process.wait() == 0


def _bound(pid: int, seconds: float) -> None:
    """Bound what a process may take, where the system can do so from outside; elsewhere its time alone is bounded.

    Time counts twice: should this process be killed first, the other does not outlive it for long.
    """
    try:
        import resource  # noqa: PLC0415  not on every system

        limits = {
            resource.RLIMIT_AS: _MEMORY_BYTES,
            resource.RLIMIT_CPU: int(seconds * (os.cpu_count() or 1)) + 1,
            resource.RLIMIT_CORE: 0,
        }
        for limit, value in limits.items():
            hard = resource.prlimit(pid, limit)[1]
            least = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.prlimit(pid, limit, (least, least))
    except (ImportError, AttributeError, OSError, ValueError):
        return


@contextmanager
def scratch(beside: Path) -> Iterator[Path]:
    """Give a path for a file that is gone when the block ends, on the disk where another will stand."""
    with tempfile.TemporaryDirectory(prefix=".safebelt-", dir=beside.parent) as folder:
        yield Path(folder) / "made"
