"""How fast a fleet of belt processes stops: from the order written to every worker refusing new work.

Eight workers share a port.  A client holds a connection to each of them and asks whole exchanges through all eight at
once, one after the other; streams run besides.  An order is written.  When a worker was shut lies between two moments
that a client sees: when the last request was sent that was let in, and when the first was sent that was refused.  The
second includes how long the client waits for the answer before it, and for a core beside eight processes.  200 orders
make 1,600 times.  *Idle* begins to ask with the order, so that the workers sleep until then; *busy* keeps all eight at
work all the while, which takes every core of a small machine.  As many bare processes wait for the same file to change
and do nothing but note when they run: what the machine allows.

    python -m bench.fleet [--workers 8] [--orders 200]
"""

import argparse
import contextlib
import json
import os
import random
import selectors
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench import _beltside
from bench._wire import OTHER_CORE, compiled, cpu_seconds, free_port, machine, process, wait_for
from bench.belt import PACE_MS, answers, target
from safebelt.rooms.belt.control.orders import OrderBox
from safebelt.rooms.belt.model import Command, Order

STREAMS = 16
RESULTS = Path(__file__).with_name("results")
_PATIENCE_SECONDS = 10.0
_SETTLE_SECONDS = 0.08
"""Between an order and the next: the proofs of eight workers go to disk meanwhile, as between a person's orders."""
_QUIET_SECONDS = 5.0
_PACE_SECONDS = 0.001
"""In the idle run each worker is asked again after this: asking faster would be load.  It is part of what is shown."""


@dataclass
class Times:
    """Milliseconds from an order to what came of it."""

    let_in: list[float] = field(default_factory=list)
    shut: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    streams: list[float] = field(default_factory=list)
    giving: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)


def figures(took: list[float]) -> dict[str, float]:
    """Median, 99th percentile and worst."""
    took = sorted(took)
    p99 = took[min(len(took) - 1, int(len(took) * 0.99))]
    return {"n": len(took), "p50": round(took[len(took) // 2], 2), "p99": round(p99, 2), "worst": round(took[-1], 2)}


class Probe:
    """One kept connection to one worker, and what it was told last."""

    def __init__(self, port: int, request: bytes, pid: int, one: socket.socket) -> None:
        self._port, self._request, self.pid, self.socket = port, request, pid, one
        self._got, self.status, self.is_lost = b"", 0, False

    def ask(self) -> None:
        """Ask one exchange."""
        self.asked_at = time.perf_counter()
        self._got, self.status = b"", 0
        with contextlib.suppress(OSError):  # the order ended it just now: reading says so
            self.socket.sendall(self._request)

    def hear(self) -> bool:
        """Read; whether an answer is whole.  A connection that the order ended counts as refused."""
        said = b""
        with contextlib.suppress(OSError):
            said = self.socket.recv(65536)
        if not said:
            self.status, self.is_lost = 503, True
            return True
        self._got += said
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            return False
        self.status = int(head[9:12])
        return True

    def mend(self) -> None:
        """Connect to the same worker again, where the order ended the connection."""
        if self.is_lost:
            self.is_lost = False
            self.socket.close()
            while True:
                pid, self.socket = connected(self._port)
                if pid == self.pid:
                    return
                self.socket.close()


def connected(port: int) -> tuple[int, socket.socket]:
    """Return a new connection, and to which worker it is; the kernel deals them out by chance."""
    one = socket.create_connection(("127.0.0.1", port))
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    return int(json.loads(one.recv(65536).partition(b"\r\n\r\n")[2])["pid"]), one


def probes(port: int, request: bytes, workers: int) -> list[Probe]:
    """Return a probe of each worker."""
    seen: dict[int, socket.socket] = {}
    deadline = time.monotonic() + 180
    while len(seen) < workers:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {len(seen)} of {workers} workers answer")
        pid, one = connected(port)
        if seen.setdefault(pid, one) is not one:
            one.close()
            time.sleep(0.01)
    return [Probe(port, request, pid, one) for pid, one in seen.items()]


class Trial:
    """One order, from before it is written until all have obeyed."""

    def __init__(
        self, fleet: list[Probe], streams: list[socket.socket], order: Callable[[], float], status: int
    ) -> None:
        self._fleet, self._streams, self._give, self._status = fleet, streams, order, status
        self.began, self._is_busy, self._running = 0.0, False, len(streams)
        self._asked = deque[tuple[float, Probe]]()
        self.obeyed: dict[int, float] = {}
        self.let_in: dict[int, float] = {probe.pid: 0.0 for probe in fleet}
        self.shut: dict[int, float] = {}
        self.ended: list[float] = []

    def run(self, wait: float, *, is_busy: bool) -> None:
        """Write the order after some time, and watch; the asking begins with it, or at once."""
        due, self._is_busy = time.perf_counter() + wait, is_busy
        with selectors.DefaultSelector() as ready:
            for stream in self._streams:
                ready.register(stream, selectors.EVENT_READ, None)
            for probe in self._fleet:
                ready.register(probe.socket, selectors.EVENT_READ, probe)
                if is_busy:
                    probe.ask()
            while not self._is_over(due):
                for key, _ in ready.select(self._due(due)):
                    self._see(ready, key)
                if not self.began and time.perf_counter() >= due:
                    self._order(is_busy=is_busy)
        for probe in self._fleet:
            probe.mend()

    def _order(self, *, is_busy: bool) -> None:
        self.began = time.perf_counter()
        self.began = self._give() or self.began
        if not is_busy:
            for probe in self._fleet:
                probe.ask()

    def _is_over(self, due: float) -> bool:
        if time.perf_counter() > due + _PATIENCE_SECONDS:
            raise SystemExit(f"{len(self.obeyed)} workers obeyed, and {self._running} streams run")
        return len(self.obeyed) == len(self._fleet) and not self._running

    def _see(self, ready: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        probe: Probe | None = key.data
        if probe is None:
            self._see_stream(ready, key.fileobj)
        elif probe.hear():
            if self.began and probe.status == self._status:
                self.obeyed[probe.pid] = (time.perf_counter() - self.began) * 1000
                self.shut[probe.pid] = max(0.0, (probe.asked_at - self.began) * 1000)
                ready.unregister(probe.socket)
            elif probe.is_lost:
                raise SystemExit(f"worker {probe.pid} hung up, and was not ordered to")
            else:
                self._ask_again(probe)

    def _ask_again(self, probe: Probe) -> None:
        if self.began and probe.status == 200:
            self.let_in[probe.pid] = max(0.0, (probe.asked_at - self.began) * 1000)
        if self._is_busy or not self.began:
            probe.ask()
        else:
            self._asked.append((time.perf_counter() + _PACE_SECONDS, probe))

    def _due(self, due: float) -> float:
        """Ask whom it is time to ask; return for how long nothing is due."""
        now = time.perf_counter()
        while self._asked and self._asked[0][0] <= now:
            self._asked.popleft()[1].ask()
        if self._asked:
            return max(0.0, self._asked[0][0] - now)
        return _PATIENCE_SECONDS if self.began else max(0.0, due - now)

    def _see_stream(self, ready: selectors.BaseSelector, one: Any) -> None:
        said = b""
        with contextlib.suppress(OSError):
            said = one.recv(65536)
        is_over = said.endswith(b"0\r\n\r\n")  # by itself: where the machine is slow, before the order
        if not said and self.began:
            self.ended.append((time.perf_counter() - self.began) * 1000)
        if is_over or not said:
            self._running -= 1
            ready.unregister(one)
            one.close()


def streams(port: int, request: bytes) -> list[socket.socket]:
    """Begin streams; all of them speak on return."""
    found = [socket.create_connection(("127.0.0.1", port)) for _ in range(STREAMS)]
    for one in found:
        one.sendall(request)
    for one in found:
        if not one.recv(65536).startswith(b"HTTP/1.1 200"):
            raise SystemExit("a stream did not begin")
    return found


class Box(OrderBox):
    """A box that notes when an order lies in it: after its bytes are on the disk."""

    said_at = 0.0

    def _say(self, number: int) -> None:
        self.said_at = time.perf_counter()
        super()._say(number)


def measured(box: Box, port: int, stream: bytes, fleet: list[Probe], orders: int, *, how: str) -> Times:
    """Cut and resume, again and again: by the stop file, or by an order as console and shell give it."""
    found, chance, is_by_hand = Times(), random.Random(20261123), how != "given"

    def give(command: Command) -> float:
        began = time.perf_counter()
        if is_by_hand:
            box.stop_file.write_text(f"{command.value}\n")
            return began
        id_, now = f"ord_{uuid.uuid4().hex}", datetime.now(UTC)
        box.give(Order(id=id_, command=command, system_id="", at=now, by="bench", reason="bench"))
        found.giving.append((box.said_at - began) * 1000)
        return box.said_at

    for _ in range(orders):
        cut = Trial(fleet, streams(port, stream), partial(give, Command.CUT), 503)
        cut.run(chance.uniform(0.02, 0.04), is_busy=how != "idle")
        found.let_in += cut.let_in.values()
        found.shut += cut.shut.values()
        found.refused += cut.obeyed.values()
        found.streams += [max(cut.ended)] if cut.ended else []
        time.sleep(_SETTLE_SECONDS)
        resume = Trial(fleet, [], partial(give, Command.RUN), 200)
        resume.run(chance.uniform(0.0, 0.02), is_busy=False)
        found.resumed += resume.obeyed.values()
        time.sleep(_SETTLE_SECONDS)
    return found


_BARE = """
import ctypes, os, sys, time
libc = ctypes.CDLL(None)
notify = libc.inotify_init1(0)
libc.inotify_add_watch(notify, sys.argv[1].encode(), 0x2)
sys.stdout.write("ready\\n"); sys.stdout.flush()
while True:
    os.read(notify, 4096)
    sys.stdout.write(f"{time.perf_counter()}\\n"); sys.stdout.flush()
"""


def bare(folder: Path, workers: int, orders: int) -> list[float]:
    """Return how long bare processes take to run once a file that they wait for has changed, ms."""
    path, took, chance = folder / "bare", list[float](), random.Random(20261123)
    path.touch()
    command = [sys.executable, "-c", _BARE, str(path)]
    there = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]
    try:
        for one in there:
            assert one.stdout is not None
            one.stdout.readline()
        for _ in range(orders):
            time.sleep(chance.uniform(0.02, 0.04))
            began = time.perf_counter()
            with path.open("r+") as file:  # one change, one wake
                file.write("cut\n")
            for one in there:
                assert one.stdout is not None
                took.append((float(one.stdout.readline()) - began) * 1000)
    finally:
        for one in there:
            one.kill()
            one.wait()
    return took


def asleep(pid: int, workers: int) -> float:
    """Share of a core that one worker takes while nobody asks anything, %."""
    before = cpu_seconds(pid)
    time.sleep(_QUIET_SECONDS)
    return (cpu_seconds(pid) - before) / _QUIET_SECONDS / workers * 100


def as_markdown(found: dict[str, Any]) -> str:
    """Return the page."""
    said = [
        "# A fleet of belt processes stops",
        "",
        f"{found['measured_at']}, {found['machine']}; load before: {found['load']}.",
        f"{found['workers']} workers on one port, {found['orders']} orders to cut by the stop file and as many to "
        f"resume, of each kind; {STREAMS} streams run, one piece per {PACE_MS} ms. Milliseconds from before the stop "
        "file is written, or from when the order lies in the box.",
        "",
        "| measure | times | median | p99 | worst |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in found["rows"].items():
        said.append(f"| {name} | {row['n']:,} | {row['p50']:.2f} | {row['p99']:.2f} | {row['worst']:.2f} |")
    said += [
        "",
        f"One worker nobody asks anything takes {found['asleep_percent']:.2f} % of a core.",
        f"*Busy*: all {found['workers']} answer exchanges one after the other meanwhile, on {os.cpu_count()} cores, "
        "which the client and the upstream use too: when it is a process's turn is the machine's part of all but "
        "the first row.",
        "",
        "Repeat with `python -m bench.fleet`.",
        "",
    ]
    return "\n".join(said)


def main() -> None:
    """Measure, print, and keep the results."""
    words = argparse.ArgumentParser(prog="python -m bench.fleet", description=__doc__)
    words.add_argument("--workers", type=int, default=8)
    words.add_argument("--orders", type=int, default=200)
    asked = words.parse_args([] if sys.argv[0].endswith("__main__.py") else None)
    load_before = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safebelt-bench-")))
        up, files = free_port(), answers(folder)
        command = [str(compiled("upstream", folder)), str(up), str(files[0]), str(files[1]), str(PACE_MS)]
        stack.enter_context(process(command, core=OTHER_CORE))
        wait_for(up)
        house = _beltside.plain(folder, up)
        port = int(house.env["SAFEBELT_BELT_PORT"])
        serve = [sys.executable, "-m", "safebelt", "serve", "belt", "--workers", str(asked.workers)]
        pid = stack.enter_context(process(serve, core=None, env=house.env, log=folder / "belt.log"))
        wait_for(port, 180)
        belt = target(folder, "belt", port, pid, key=house.key)
        fleet = probes(port, belt.whole.read_bytes(), asked.workers)
        floor = bare(folder, asked.workers, asked.orders)
        quiet = asleep(pid, asked.workers)
        box, stream = Box(house.home / "belt"), belt.stream.read_bytes()
        measured(box, port, stream, fleet, 5, how="idle")  # so that nobody's first exchanges count
        idle = measured(box, port, stream, fleet, asked.orders, how="idle")
        busy = measured(box, port, stream, fleet, asked.orders, how="busy")
        given = measured(box, port, stream, fleet, asked.orders, how="given")
    rows: dict[str, list[float]] = {}
    for name, found_so in {"idle": idle, "busy": busy, "busy; from when it was given by console": given}.items():
        rows |= {
            f"the last that is sent and let in, by a worker, {name}": found_so.let_in,
            f"the first that is sent and refused, by a worker, {name}": found_so.shut,
            f"a worker's first refusal is in the caller's hands, {name}": found_so.refused,
            f"the last running stream ended, {name}": found_so.streams,
        }
    rows |= {
        "resumed, each worker": idle.resumed,
        "given by console or shell: until the order lies on the disk, busy": given.giving,
        f"{asked.workers} bare processes that wait for the same file": floor,
    }
    found = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "load": load_before,
        "workers": asked.workers,
        "orders": asked.orders,
        "rows": {name: figures(took) for name, took in rows.items()},
        "asleep_percent": round(quiet, 3),
    }
    said = as_markdown(found)
    sys.stdout.write(said)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "fleet.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "fleet.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main()
