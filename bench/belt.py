"""What the belt costs: CPU per exchange and added latency, against the upstream alone and, where it is there, nginx.

Interleaved rounds in one run; ratios are the result, absolutes depend on the machine and its neighbours.
The upstream answers at once, so everything above *direct* is the proxy's own.  Run: `python -m bench.belt`.
"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROUNDS, SECONDS, CLIENTS = 3, 1.5, 16
_TICKS = os.sysconf("SC_CLK_TCK")
_TEXT = "The quick brown fox jumps over the lazy dog; 人工智能服务运行稳定。 " * 12
_ANSWER = json.dumps(
    {
        "id": "c",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": _TEXT}, "finish_reason": "stop"}],
    }
).encode()
_BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": _TEXT}]}).encode()
_UPSTREAM = """
import asyncio, sys
from safebelt.rooms.belt.proxy.server import ClientConnection
from safebelt.rooms.belt.proxy.wire import Limits
ANSWER = open(sys.argv[2], "rb").read()
async def handler(request, reply):
    await reply.whole(200, ((b"content-type", b"application/json"),), ANSWER)
async def main():
    loop, open_ = asyncio.get_running_loop(), set()
    server = await loop.create_server(lambda: ClientConnection(handler, Limits(), open_), "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()
import uvloop
uvloop.run(main())
"""


@dataclass
class Target:
    """Something to ask, and the process whose CPU counts."""

    name: str
    port: int
    pid: int
    key: str = ""
    cpu_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu_seconds(pid: int) -> float:
    """CPU of a process and its children, from /proc (proc(5))."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / _TICKS + sum(_cpu_seconds(int(child)) for child in children)


async def _ask(target: Target, clients: int, seconds: float) -> list[float]:
    """Ask again and again on kept connections; return each exchange's duration in seconds."""
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(_BODY)}\r\n"
    auth = f"Authorization: Bearer {target.key}\r\n" if target.key else ""
    request = (head + auth + "\r\n").encode() + _BODY
    deadline, took = time.perf_counter() + seconds, list[float]()

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
        while (began := time.perf_counter()) < deadline:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head[:200]
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return took


def _measure(target: Target) -> None:
    before = _cpu_seconds(target.pid)
    took = asyncio.run(_ask(target, CLIENTS, SECONDS))
    target.cpu_us.append((_cpu_seconds(target.pid) - before) / len(took) * 1e6)
    target.p50_ms.append(statistics.median(asyncio.run(_ask(target, 1, SECONDS / 2))) * 1000)


@contextmanager
def _process(*command: str, env: dict[str, str] | None = None) -> Iterator[int]:
    process = subprocess.Popen(
        command, env={**os.environ, **(env or {})}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def _nginx(stack: ExitStack, folder: Path, upstream: int) -> Target | None:
    program = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "")
    if not program:
        return None
    port = _free_port()
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/e.log; events {{}}\n"
        f"http {{ access_log off; upstream u {{ server 127.0.0.1:{upstream}; keepalive 32; }}\n"
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://u; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; } } }\n'
    )
    pid = stack.enter_context(_process(program, "-c", str(conf), "-p", str(folder)))
    _wait(port)
    return Target("nginx, no guards", port, pid)


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safebelt-bench-")))
        (folder / "answer.json").write_bytes(_ANSWER)
        up, belt = _free_port(), _free_port()
        up_pid = stack.enter_context(_process(sys.executable, "-c", _UPSTREAM, str(up), str(folder / "answer.json")))
        _wait(up)
        home = {
            "SAFEBELT_HOME": str(folder / "home"),
            "SAFEBELT_BELT_PORT": str(belt),
            "SAFEBELT_UPSTREAM": f"http://127.0.0.1:{up}/v1",
        }
        subprocess.run(
            [sys.executable, "-m", "safebelt", "demo"],
            env={**os.environ, **home},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        belt_pid = stack.enter_context(_process(sys.executable, "-m", "safebelt", "serve", "belt", env=home))
        _wait(belt)
        key = (folder / "home" / "keys" / "demo.key").read_text().strip()
        targets = [
            Target("direct upstream", up, up_pid),
            Target("belt, every guard, durable records", belt, belt_pid, key),
        ]
        if nginx := _nginx(stack, folder, up):
            targets.insert(1, nginx)
        for _ in range(ROUNDS):
            for target in targets:
                _measure(target)
    base = targets[0]
    for target in targets:
        cpu, p50 = statistics.median(target.cpu_us), statistics.median(target.p50_ms)
        times = p50 / statistics.median(base.p50_ms)
        sys.stdout.write(
            f"{target.name:38} {cpu:8.0f} µs CPU/exchange   p50 at c=1 {p50:7.2f} ms  ({times:5.1f} × direct)\n"
        )
    if nginx:
        ratio = statistics.median(targets[-1].cpu_us) / statistics.median(nginx.cpu_us)
        sys.stdout.write(f"belt / nginx, CPU per exchange: {ratio:.1f}\n")
    else:
        sys.stdout.write("nginx is not installed: no peer was measured, so this run supports no speed claim.\n")


if __name__ == "__main__":
    main()
