"""Grouped commit beside a sync for each record and no sync at all, and how fast everything is verified again.

All write the same records in one run, interleaved; quote the ratios, not the rates.  Once on this machine's own device,
and once on one whose sync is made to take 4 ms, as that of an ordinary server's disk: some virtual disks acknowledge
early, so that grouping would show nothing.

    python -m bench.records [seconds]
"""

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench._wire import machine
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


Sync = Callable[[int], None]
EACH, SIMULATED_MS, ROUNDS = "a sync for each record", 4.0, 3
WAITERS = (1, 16, 64, 256)
RESULTS = Path(__file__).with_name("results")


def simulated(_handle: int) -> None:
    """Take as long as a device does; like it, without the interpreter."""
    time.sleep(SIMULATED_MS / 1000)


def rates(place: Path, sync: Sync, seconds: float) -> dict[str, float]:
    """Records per second with so many waiters on one device; medians of interleaved rounds."""
    found: dict[str, list[float]] = {}
    disk._sync = sync
    for round_ in range(ROUNDS):
        for waiters in WAITERS:
            name = EACH if waiters == 1 else f"grouped, {waiters} waiters"
            folder = place / f"{waiters}-{round_}"
            found.setdefault(name, []).append(run(folder, waiters=waiters, seconds=seconds))
    return {name: statistics.median(each) for name, each in found.items()}


def syncs_ms(place: Path, sync: Sync) -> float:
    """How long this device's sync of one appended record takes, median, ms."""
    took = []
    with (place / "raw").open("ab", buffering=0) as file:
        for _ in range(100):
            file.write(TEXT.encode())
            began = time.perf_counter()
            sync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


def verified(folder: Path) -> dict[str, float]:
    """How fast a log is read and held against its chain and its seals again."""
    size = sum(path.stat().st_size for path in folder.glob("seg-*.log"))
    began = time.perf_counter()
    found = verify(folder, open_note=lambda note: note.partition("\n\n")[0] + "\n", sealed={}, log_origin=ORIGIN)
    took = time.perf_counter() - began
    assert found.records and not found.faults, found.reason.as_text("en")
    return {"records": found.records, "mb_per_second": size / took / 1e6, "us_each": took / found.records * 1e6}


def as_markdown(found: dict[str, Any]) -> str:
    """Return the page."""
    said = [
        "# Records made durable in groups",
        "",
        f"{found['measured_at']}, {found['machine']}; load before: {found['load']}.",
        f"Medians of {ROUNDS} interleaved rounds of {found['seconds']} s. Each waiter puts its next record when the "
        "one before is durable; records of some 1.4 KB, chained and with a head.",
        "",
        f"| way | this device (a sync takes {found['sync_ms']:.2f} ms), records/s | × | "
        f"a device whose sync takes {SIMULATED_MS:g} ms, records/s | × |",
        "|---|---:|---:|---:|---:|",
    ]
    here, there = found["this device"], found["simulated"]
    for name in here:
        said.append(
            f"| {name} | {here[name]:,.0f} | {here[name] / here[EACH]:.1f} | {there[name]:,.0f} | "
            f"{there[name] / there[EACH]:.1f} |"
        )
    again = found["verified"]
    said += [
        f"| no sync at all, 256 waiters | {found['no sync']:,.0f} | {found['no sync'] / here[EACH]:.1f} | – | – |",
        "",
        f"Verified again: {again['records']:,} records at {again['mb_per_second']:.0f} MB/s, "
        f"{again['us_each']:.1f} µs each.",
        "",
        "Repeat with `python -m bench.records`.",
        "",
    ]
    return "\n".join(said)


def main(seconds: float) -> None:
    """Measure, print, and keep the results."""
    original, load = disk._sync, ", ".join(f"{each:.1f}" for each in os.getloadavg())
    with tempfile.TemporaryDirectory(dir=".") as name:
        place = Path(name)
        folders = [place / each for each in ("here", "there", "none")]
        for folder in folders:
            folder.mkdir()
        found: dict[str, Any] = {
            "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "load": load,
            "seconds": seconds,
            "sync_ms": syncs_ms(place, original),
            "this device": rates(folders[0], original, seconds),
            "simulated": rates(folders[1], simulated, seconds),
        }
        disk._sync = lambda _handle: None
        found["no sync"] = run(folders[2] / "0", waiters=256, seconds=seconds)
        disk._sync = original
        found["verified"] = verified(folders[2] / "0")
    said = as_markdown(found)
    sys.stdout.write(said)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "records.json").write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / "records.md").write_text(said, encoding="utf-8")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
