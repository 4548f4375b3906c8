"""What the belt costs beside nginx: CPU per exchange and per streamed piece, added latency, stops, memory.

Interleaved rounds of one run; the proxy on one core, upstream and load generator on another.  What neighbours disturb
least is CPU time of the proxy's whole process tree per exchange; quote ratios.  The upstream answers at
once, so everything above *direct* is the proxy's own.

    python -m bench.belt [--rounds 3] [--seconds 2] [--exchanges 50000] [--peers]

nginx is Debian's package (`apt-get install nginx-light`).  `--peers` installs LiteLLM's proxy into an environment of
its own, which is thrown away afterwards.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import _beltside, _litellm, _stopping
from bench._wire import (
    OTHER_CORE,
    PROXY_CORE,
    Load,
    compiled,
    cpu_seconds,
    free_port,
    machine,
    process,
    request_bytes,
    resident_mb,
    wait_for,
)

CLIENTS, STREAMS, PIECES, PACE_MS = 32, 32, 50, 5
RESULTS = Path(__file__).with_name("results")


@dataclass
class Target:
    """Something to ask, and the process whose CPU counts.

    `clients` and `streams` at once; fewer for what answers no more within the load generator's patience.
    """

    name: str
    port: int
    pid: int
    whole: Path
    stream: Path
    clients: int = CLIENTS
    streams: int = STREAMS
    cpu_us: list[float] = field(default_factory=list)
    cpu_alone_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    chunk_us: list[float] = field(default_factory=list)


def answers(folder: Path) -> tuple[Path, Path]:
    """Write what the upstream says: a whole answer, and the pieces of a streamed one."""
    said = _beltside.text(800)
    base = {"id": "chatcmpl-bench", "created": 1790000000, "model": "bench"}
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 120, "completion_tokens": 180, "total_tokens": 300}
    body = json.dumps({**base, "object": "chat.completion", "choices": [choice], "usage": usage}, ensure_ascii=False)
    whole, stream = folder / "whole.http", folder / "stream.http"
    length = len(body.encode())
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    whole.write_text(head + body, newline="")
    pieces = [event({**base, **_delta({"content": f" token{at:02d} 服务"})}) for at in range(PIECES - 2)]
    pieces += [event({**base, **_delta({}, "stop")}), chunk("data: [DONE]\n\n") + "0\r\n\r\n"]
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    stream.write_text(head + "".join(f"{piece}\0" for piece in pieces), newline="")
    return whole, stream


def _delta(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {"object": "chat.completion.chunk", "choices": [choice]}


def event(data: dict[str, Any]) -> str:
    return chunk(f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n")


def chunk(said: str) -> str:
    return f"{len(said.encode()):x}\r\n{said}\r\n"


def target(folder: Path, name: str, port: int, pid: int, *, key: str = "", model: str = "bench") -> Target:
    """Write the requests for one target."""
    asked = {"model": model, "messages": [{"role": "user", "content": _beltside.text(1000)}], "temperature": 0.7}
    paced = {**asked, "messages": [{"role": "user", "content": "paced: " + _beltside.text(900)}], "stream": True}
    stem = f"{port}-{pid}"
    whole, stream = folder / f"{stem}.request", folder / f"{stem}.stream"
    for path, body in ((whole, asked), (stream, paced)):
        path.write_bytes(request_bytes(port, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), key))
    return Target(name, port, pid, whole, stream)


def nginx(folder: Path, upstream: int, stack: ExitStack) -> Target | None:
    """Start nginx as a plain reverse proxy with kept connections; None where it is not installed."""
    program = shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else "")
    if not program:
        return None
    port, conf = free_port(), folder / "nginx.conf"
    temps = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;\n"
        "events { worker_connections 4096; }\n"
        f"http {{ access_log off; keepalive_requests 1000000000; client_body_buffer_size 256k; {temps}\n"
        f"upstream model {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}\n"
        f"server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ proxy_pass http://model;\n"
        'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; } } }\n'
    )
    pid = stack.enter_context(process([program, "-c", str(conf), "-p", str(folder)], core=PROXY_CORE))
    wait_for(port)
    return target(folder, "nginx, no guards", port, pid)


def measure(one: Target, load: Load, seconds: float) -> None:
    """One round of one target."""

    def cpu_per(count: Callable[[dict[str, float]], float], *words: Any) -> tuple[float, dict[str, float]]:
        before = cpu_seconds(one.pid)
        said = load(one.port, *words)
        return (cpu_seconds(one.pid) - before) / count(said) * 1e6, said

    cpu, _ = cpu_per(lambda said: said["n"], one.whole, one.clients, seconds)
    one.cpu_us.append(cpu)
    cpu, said = cpu_per(lambda said: said["n"], one.whole, 1, seconds / 2)
    one.cpu_alone_us.append(cpu)
    one.p50_ms.append(said["p50_ms"])
    if one.streams:
        cpu, _ = cpu_per(lambda said: said["n"] * PIECES, one.stream, one.streams, seconds)
        one.chunk_us.append(cpu)


def as_data(targets: list[Target]) -> list[dict[str, Any]]:
    """Medians over the rounds, and ratios to nginx."""
    rows = []
    for one in targets:
        row: dict[str, Any] = {"name": one.name}
        for name in ("cpu_us", "cpu_alone_us", "p50_ms", "chunk_us"):
            found = getattr(one, name)
            row[name] = round(statistics.median(found), 3) if found else None
        rows.append(row)
    base = rows[0]
    for row in rows:
        row["added_p50_ms"] = round(row["p50_ms"] - base["p50_ms"], 3)
    peer = next((row for row in rows if row["name"].startswith("nginx")), None)
    for row in rows:
        for name in ("cpu_us", "added_p50_ms", "chunk_us"):
            row[f"{name}_ratio"] = round(row[name] / peer[name], 2) if peer and peer[name] > 0 and row[name] else None
    return rows


def beside_peers(rows: list[dict[str, Any]]) -> list[str]:
    """Say how many times the belt's CPU a peer with the same interface takes, of one exchange."""
    belt = next(row for row in rows if row["name"] == "belt, prompt")
    peers = [row for row in rows if row["name"].startswith("LiteLLM")]
    return [
        f"{row['name']}: {row['cpu_us'] / belt['cpu_us']:,.0f} times the CPU of the belt in prompt, which guards, "
        "labels and records." for row in peers
    ]  # fmt: skip


def as_markdown(found: dict[str, Any]) -> str:
    """Return the page."""
    said = [
        "# The belt beside nginx",
        "",
        f"{found['measured_at']}, {found['machine']}; load before: {found['load']}.",
        f"Medians of {found['rounds']} interleaved rounds of {found['seconds']} s; the proxy on one core, upstream "
        "and load generator on another.",
        f"Request 1 KB, answer 0.8 KB, {CLIENTS} connections; streams: {STREAMS} at once, {PIECES} pieces each, one "
        f"per {PACE_MS} ms. The belt looks for 10,000 words, personal data and injection phrases both ways, "
        "labels, and keeps durable chained records.",
        "",
        "| target | CPU µs/exchange | × nginx | CPU µs at c=1 | p50 ms at c=1 | added p50 ms | × nginx | "
        "SSE CPU µs/piece | × nginx |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found["targets"]:
        ratios = [("–" if row[f"{name}_ratio"] is None else f"{row[f'{name}_ratio']:.2f}") for name in _RATIOS]
        said.append(
            f"| {row['name']} | {row['cpu_us']:.1f} | {ratios[0]} | {row['cpu_alone_us']:.1f} | {row['p50_ms']:.3f} | "
            f"{row['added_p50_ms']:.3f} | {ratios[1]} | {_shown(row['chunk_us'])} | {ratios[2]} |"
        )
    said += ["", *found["notes"], ""]
    memory = found["memory"]
    strict = next(row["added_p50_ms"] for row in found["targets"] if row["name"] == "belt, strict")
    said += [
        "| measure | figure |",
        "|---|---:|",
        f"| resident memory of the belt, before traffic, MB | {memory['before_mb']:.0f} |",
        f"| … after {memory['warm']:,} exchanges, MB | {memory['warm_mb']:.0f} |",
        f"| … after {memory['after']:,} exchanges, MB | {memory['after_mb']:.0f} |",
        *(f"| {name} | {value} |" for name, value in found["stops"].items()),
        f"| one sync of the device that holds the records, ms | {found['sync_ms']:.3f} |",
        f"| what *strict* adds beyond two of them, ms | {strict - 2 * found['sync_ms']:.2f} |",
        "",
        "Repeat with `python -m bench.belt`. Where two syncs of the device take longer than the model, *strict* shows "
        "the device: see `python -m bench.records`. How Python was built counts: `make bench VENV=.venv-debian "
        "PYTHON=/usr/bin/python3.11` measures with Debian's, which is optimised; one that is not costs a fifth more.",
        "",
    ]
    return "\n".join(said)


def _shown(figure: float | None) -> str:
    return "–" if figure is None else f"{figure:.1f}"


_RATIOS = ("cpu_us", "added_p50_ms", "chunk_us")


def sync_ms(folder: Path, times: int = 40) -> float:
    """Median time of one sync of the device that holds the records, after a write of two records' size."""
    path, took = folder / "sync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(b"x" * 3_200)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def remembered(one: Target, load: Load, exchanges: int) -> dict[str, float]:
    """Resident memory before, after some and after all exchanges."""
    before, warm = resident_mb(one.pid), max(1, exchanges // 10)
    load(one.port, one.whole, CLIENTS, 3600.0, warm)
    warm_mb = resident_mb(one.pid)
    load(one.port, one.whole, CLIENTS, 3600.0, exchanges - warm)
    found = {"before_mb": before, "warm_mb": warm_mb, "after_mb": resident_mb(one.pid)}
    return {**found, "warm": warm, "after": exchanges}


def main() -> None:
    """Measure, print, and keep the results."""
    words = argparse.ArgumentParser(prog="python -m bench.belt", description=__doc__)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--seconds", type=float, default=2.0)
    words.add_argument("--exchanges", type=int, default=50_000, help="for the row about memory")
    words.add_argument("--peers", action="store_true", help="also LiteLLM, with and without its content filter")
    asked = words.parse_args([] if sys.argv[0].endswith("__main__.py") else None)
    load_before = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    notes: list[str] = []
    syncs: list[float] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safebelt-bench-")))
        load, up = Load(folder), free_port()
        files = answers(folder)
        program = compiled("upstream", folder)
        command = [str(program), str(up), str(files[0]), str(files[1]), str(PACE_MS)]
        up_pid = stack.enter_context(process(command, core=OTHER_CORE))
        wait_for(up)
        targets = [target(folder, "the upstream alone", up, up_pid)]
        if peer := nginx(folder, up, stack):
            targets.append(peer)
        else:
            notes.append("nginx is not installed: no peer was measured, so this run supports no claim about speed.")
        for mode in ("prompt", "strict"):
            place = folder / mode
            place.mkdir()
            house = _beltside.prepared(place, up)
            pid, port = stack.enter_context(_beltside.running(house, mode, place / "belt.log"))
            targets.append(target(folder, f"belt, {mode}", port, pid, key=house.key))
        if asked.peers:
            notes += _litellm.added(folder, up, stack, targets, target)
        for one in targets:  # so that nobody's first exchanges count
            load(one.port, one.whole, min(4, one.clients), 0.5)
        for _ in range(asked.rounds):
            syncs.append(sync_ms(folder))
            for one in targets:
                measure(one, load, asked.seconds)
        belt = next(one for one in targets if one.name == "belt, prompt")
        memory = remembered(belt, load, asked.exchanges)
        last = next(one for one in targets if one.port == port)  # the belt of that house, whatever peers came after it
        stops = _stopping.measured(house, port, last.stream)
    rows = as_data(targets)
    found = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": load_before,
        "rounds": asked.rounds,
        "seconds": asked.seconds,
        "targets": rows,
        "memory": memory,
        "stops": stops,
        "sync_ms": round(statistics.median(syncs), 3),
        "notes": notes + beside_peers(rows),
    }
    said = as_markdown(found)
    sys.stdout.write(said)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "belt.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "belt.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
