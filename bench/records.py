"""Grouped commit beside a sync for each record and no sync at all, and how fast everything is verified again.

Run: `python -m bench.records [seconds]`.  All three write the same records in one run; quote the ratios, not the rates.
"""

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from safebelt.engines.clock import real_chance, real_ids, wall_clock
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records import disk
from safebelt.rooms.belt.records.limits import Limits
from safebelt.rooms.belt.records.verify import verify
from safebelt.rooms.belt.records.writer import Writer

ORIGIN = "bench.example/log"
TEXT = "请说明人工智能服务安全评估的流程。" * 18 + "ok " * 150  # about 1.4 KB, as in study of the belt
SEALED: dict[str, tuple[int, str]] = {}


def remember(segment: str, records: int, root: str) -> None:
    SEALED[segment] = (records, root)


def run(folder: Path, *, waiters: int, seconds: float) -> float:
    """Let so many callers each wait for their record before they put the next; return records per second."""
    log = Writer(
        folder,
        sign=lambda text: f"{text}\n— bench none\n",
        log_origin=ORIGIN,
        clock=wall_clock,
        chance=real_chance,
        new_id=real_ids(),
        on_sealed=remember,
        limits=Limits(segment_records=1_000_000, segment_bytes=1 << 40),
    )
    log.start()
    end, count, done = time.perf_counter() + seconds, 0, threading.Event()
    running = waiters

    def next_one(error: Exception | None) -> None:
        nonlocal count, running
        if error:
            raise error
        count += 1
        if time.perf_counter() < end:
            put()
        else:
            running -= 1
            if not running:
                done.set()

    def put() -> None:
        log.put(Record(type="intent", id="rec_x", core={"system_id": "sys_1"}, content={"text": TEXT}), next_one)

    began = time.perf_counter()
    for _ in range(waiters):
        put()
    done.wait()
    took = time.perf_counter() - began
    log.close()
    return count / took


def main(seconds: float) -> None:
    original = disk._sync
    ways: list[tuple[str, int, Callable[[int], None]]] = [
        ("a sync for each record", 1, original),
        ("grouped, 16 waiters", 16, original),
        ("grouped, 64 waiters", 64, original),
        ("grouped, 256 waiters", 256, original),
        ("no sync at all, 256 waiters", 256, lambda handle: None),
    ]
    rates = dict.fromkeys((name for name, _, _ in ways), 0.0)
    with tempfile.TemporaryDirectory(dir=".") as place:
        for round_ in range(3):  # interleaved, so that a busy neighbour hits all alike
            for number, (name, waiters, sync) in enumerate(ways):
                disk._sync = sync
                rate = run(Path(place) / f"{round_}-{number}", waiters=waiters, seconds=seconds)
                rates[name] = max(rates[name], rate)
        disk._sync = original
        base = rates["a sync for each record"]
        for name, rate in rates.items():
            print(f"{name:32} {rate:10.0f} records/s  {rate / base:8.1f} x")

        folder = Path(place) / "0-4"
        size = sum(path.stat().st_size for path in folder.glob("seg-*.log"))
        began = time.perf_counter()
        found = verify(folder, open_note=lambda note: note.partition("\n\n")[0] + "\n", sealed={}, log_origin=ORIGIN)
        took = time.perf_counter() - began
        assert found.records and not found.faults, found.reason.as_text("en")
        print(
            f"verify: {found.records} records, {size / took / 1e6:.0f} MB/s, {took / found.records * 1e6:.1f} µs each"
        )


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
