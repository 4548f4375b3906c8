"""Keeps a handful of child processes alive, ends them together, and kills one that its watch gives up on."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

POLL_SECONDS = 0.05
_TERM_SECONDS = 15.0
"""How long a child may take to end by itself: the belt drains, the ledger publishes."""
_BACK_OFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_STEADY_SECONDS = 60.0
"""A child that lived this long starts again without delay next time."""
_LOG_BYTES = 32 * 1024 * 1024
"""A log larger than this is set aside as `<name>.log.1`, so that a child that complains for ever fills no disk."""
_LOG_LOOK_SECONDS = 5.0
_LAST_LINE_BYTES = 2000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """One process to keep.

    Attributes:
        name: For the log file and messages.
        argv: Arguments behind the Python interpreter.
        env: Added to the environment.
        watch: Called every 50 ms with the process id; returns why the child must be killed now, or nothing.
        on_killed: Called after such a kill, before the restart.
    """

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    watch: Callable[[int], str] | None = None
    on_killed: Callable[[int], None] | None = None


class _Child:
    def __init__(self, spec: ChildSpec, log: Path, say: Callable[[str], None]) -> None:
        self.spec, self._log, self._say = spec, log, say
        self._fails = 0
        self._started = self._start_at = self._log_due_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, **self.spec.env, "SAFEBELT_PARENT": str(os.getpid())}
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own interpreter and our own modules
                [sys.executable, *self.spec.argv], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._started = time.monotonic()

    def look(self) -> None:
        """Start again what ended; kill what its watch gives up on."""
        self._keep_log_small()
        if self.process is None:
            if time.monotonic() >= self._start_at:
                self.start()
            return
        if self.process.poll() is not None:
            self._ended(f"ended with {self.process.returncode}: {self._last_line()}")
        elif self.spec.watch and (why := self.spec.watch(self.process.pid)):
            self.process.kill()
            self.process.wait()
            self._say(f"{self.spec.name}: killed: {why}")
            self._tell_killed(self.process.pid)
            self.start()

    def _tell_killed(self, pid: int) -> None:
        """A full disk must not take the supervisor down with it: what is not noted now is still there to be obeyed."""
        try:
            if self.spec.on_killed:
                self.spec.on_killed(pid)
        except OSError as error:
            self._say(f"{self.spec.name}: {error}")

    def _keep_log_small(self) -> None:
        """Set a large log aside.  The child goes on writing to the same file, which is emptied under it."""
        if time.monotonic() < self._log_due_at:
            return
        self._log_due_at = time.monotonic() + _LOG_LOOK_SECONDS
        try:
            if self._log.stat().st_size > _LOG_BYTES:
                shutil.copyfile(self._log, self._log.with_name(f"{self._log.name}.1"))
                os.truncate(self._log, 0)
        except OSError:
            return  # no log yet, or no room for two: the next look tries again

    def _last_line(self) -> str:
        """Return the last line of the child's log, which says why it ended."""
        with self._log.open("rb") as log:
            log.seek(max(0, self._log.stat().st_size - _LAST_LINE_BYTES))
            lines = log.read().decode("utf-8", "replace").splitlines()
        return lines[-1].strip() if lines else f"see {self._log}"

    def _ended(self, how: str) -> None:
        if time.monotonic() - self._started > _STEADY_SECONDS:
            self._fails = 0
        delay = _BACK_OFF_SECONDS[min(self._fails, len(_BACK_OFF_SECONDS) - 1)]
        self._fails += 1
        self._say(f"{self.spec.name}: {how}; starting again in {delay} s")
        self.process, self._start_at = None, time.monotonic() + delay


class Supervisor:
    """A parent for children.

    Args:
        children: What to keep, in order of start.
        logs: Folder of `<name>.log`.
        say: Told of restarts and kills.
    """

    def __init__(self, children: Sequence[ChildSpec], *, logs: Path, say: Callable[[str], None]) -> None:
        self._children = [_Child(spec, logs / f"{spec.name}.log", say) for spec in children]
        self._is_ending = False

    def start(self) -> None:
        """Start all children and take SIGTERM and SIGINT as the order to end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        for child in self._children:
            child.start()

    def pid(self, name: str) -> int:
        """Return the process id of a running child, or 0."""
        found = next(child for child in self._children if child.spec.name == name)
        return found.process.pid if found.process else 0

    @property
    def is_ending(self) -> bool:
        """Whether an end was ordered."""
        return self._is_ending

    def run_until(self, is_done: Callable[[], bool]) -> None:
        """Keep the children until `is_done` or an end is ordered."""
        while not self._is_ending and not is_done():
            for child in self._children:
                child.look()
            time.sleep(POLL_SECONDS)

    def end(self) -> None:
        """End all children, last started first: politely, then by force."""
        self._is_ending = True
        alive = [child.process for child in reversed(self._children) if child.process]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + _TERM_SECONDS
        for process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._is_ending = True


class OnlyOne:
    """Says that a process is running, and which: a file with its id, locked for as long as it lives.

    The lock ends with the process however that ends; an id alone may by then belong to somebody else.
    """

    def __init__(self, path: Path) -> None:
        """Take the file.

        Raises:
            BlockingIOError: A living process holds it.
        """
        self._file = path.open("a+b")
        try:
            _lock(self._file)
        except OSError as error:
            self._file.close()
            raise BlockingIOError(error.errno, "held by another process", str(path)) from error
        self._file.truncate(0)
        self._file.write(b"%d" % os.getpid())
        self._file.flush()

    def release(self) -> None:
        """Give the file back, empty."""
        self._file.truncate(0)
        self._file.close()


def holder_of(path: Path) -> int:
    """Return the id of the living process that holds such a file, or 0."""
    try:
        with path.open("r+b") as file:
            try:
                _lock(file)
            except OSError:
                return int(path.read_bytes() or b"0")
    except (OSError, ValueError):
        return 0
    return 0


def _lock(file: BinaryIO) -> None:
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415  only there on Windows

        file.seek(1 << 30)  # beyond what is read: a locked byte cannot be read there
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl  # noqa: PLC0415  only there on POSIX

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def die_with_parent() -> None:
    """End this process when its supervisor dies, even by `kill -9` (Linux: prctl(2), PR_SET_PDEATHSIG)."""
    parent = os.environ.get("SAFEBELT_PARENT", "")
    if sys.platform == "linux" and parent:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != int(parent):
            os.kill(os.getpid(), signal.SIGTERM)
