"""What measurements over sockets share: processes on cores of their own, their CPU time, the load generator.

Upstream and load generator are small C programs (`bench/native`), compiled into the run's own folder, so that what is
measured is the proxy and not its measurer.  The proxy has one core; they have another, where there are two.
"""

import json
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from safebelt.compiled import IN_USE

NATIVE = Path(__file__).with_name("native")
PROXY_CORE, OTHER_CORE = 0, 1


def compiled(name: str, folder: Path) -> Path:
    """Compile one of our C programs; return where it is."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise SystemExit("a C compiler (cc or gcc) is needed for the upstream and the load generator")
    program = folder / name
    subprocess.run([compiler, "-O2", "-o", str(program), str(NATIVE / f"{name}.c")], check=True)
    return program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, seconds: float = 60.0) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def _pin(core: int | None) -> None:
    """Called in the child between fork and exec; this process has one thread."""
    if core is not None and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


@contextmanager
def process(
    command: Sequence[str], *, core: int | None, env: Mapping[str, str] | None = None, log: Path | None = None
) -> Iterator[int]:
    """Run a program on one core, or (None) on all of them, until the block ends; its pid."""
    with (log or Path(os.devnull)).open("wb") as out:
        running = subprocess.Popen(
            command,
            env={**os.environ, **(env or {})},
            stdout=out,
            stderr=out,
            preexec_fn=partial(_pin, core),  # noqa: PLW1509
        )
    try:
        yield running.pid
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except FileNotFoundError:
        return []
    return [pid, *(found for child in children for found in tree(child))]


def cpu_seconds(pid: int) -> float:
    """CPU time of a process's whole tree, in nanosecond steps (schedstat of every thread, proc(5))."""
    total = 0
    for one in tree(pid):
        for task in Path(f"/proc/{one}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue  # a thread that ended meanwhile
    return total / 1e9


def resident_mb(pid: int) -> float:
    """Resident memory of a process's whole tree, MB."""
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in tree(pid))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Load:
    """The load generator, compiled."""

    def __init__(self, folder: Path) -> None:
        self._program = compiled("loadgen", folder)

    def __call__(
        self, port: int, request: Path, clients: int, seconds: float, most: int = 2_000_000
    ) -> dict[str, float]:
        """Ask; return what the load generator counted, failing where an answer was none."""
        done = subprocess.run(
            [str(self._program), str(port), str(request), str(clients), str(seconds), str(most)],
            capture_output=True,
            check=True,
            preexec_fn=partial(_pin, OTHER_CORE),
            timeout=seconds + 120,
        )
        said: dict[str, float] = json.loads(done.stdout)
        if not said["n"] or said["errors"] or said["not_200"] or said["unanswered"]:
            raise SystemExit(f"not every exchange was answered with 200: {said}")
        return said


def request_bytes(port: int, body: bytes, key: str = "", path: str = "/v1/chat/completions") -> bytes:
    """A whole HTTP request, as a usual client sends it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json\r\nUser-Agent: bench/1\r\nContent-Length: {len(body)}\r\n"
    )
    return (head + (f"Authorization: Bearer {key}\r\n" if key else "") + "\r\n").encode() + body


def machine() -> str:
    """Where this was measured."""
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    built = f"{platform.python_build()[1]}, {platform.python_compiler()}"  # an optimised build is a fifth quicker
    system = f"{platform.system()} {platform.release()}"
    ours = "compiled by mypyc" if IN_USE else "run from their sources"  # ADR 0051
    return (
        f"{name}, {os.cpu_count()} cores, {system}, Python {platform.python_version()} (built {built}); "
        f"the belt's hottest modules {ours}"
    )
