"""Group commit, and what happens when the disk says no."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.rooms.belt.records.support import Acks, Ledger, check, intent, outcome, put_one, sign, writer

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Problem, Unavailable
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records import disk
from safebelt.rooms.belt.records.acks import on_loop
from safebelt.rooms.belt.records.health import Health
from safebelt.rooms.belt.records.limits import Limits
from safebelt.rooms.belt.records.reader import Reader


def all_ids(folder: Path) -> list[str]:
    reader = Reader(folder)
    return [line.core.id for name in reader.segments() for _, line in reader.lines(name) if line]


def eventually(holds: object, seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_many_threads_share_syncs_and_every_record_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = []

    def slow_sync(handle: int) -> None:
        syncs.append(handle)
        time.sleep(0.005)
        os.fsync(handle)

    monkeypatch.setattr(disk, "_sync", slow_sync)
    ledger, acks = Ledger(), Acks()
    log = writer(tmp_path, ledger)
    log.start()

    def work(thread: int) -> None:
        for n in range(40):
            mine = Acks()
            log.put(intent(thread * 1000 + n), mine.of("x"))
            assert mine.wait(1)[0][1] is None
            acks.of(f"rec_{thread * 1000 + n}")(None)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()

    assert sorted(all_ids(tmp_path)) == sorted(name for name, _ in acks.done)
    assert len(syncs) < 640 / 4  # sixteen waiters share a sync; a sync each would be 640
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_nothing_is_acknowledged_before_its_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(disk, "_sync", lambda handle: gate.wait(10))
    log, acks = writer(tmp_path), Acks()
    log.start()

    log.put(intent(1), acks.of("rec_1"))
    eventually(lambda: (tmp_path / "seg-00000001.log").exists() and all_ids(tmp_path) == ["rec_1"])
    time.sleep(0.05)

    assert acks.done == []  # written, not yet synced
    gate.set()
    assert acks.wait(1) == [("rec_1", None)]
    log.close()


def test_one_wake_up_of_the_event_loop_serves_a_group(tmp_path: Path) -> None:
    wakes = 0

    async def main() -> None:
        loop = asyncio.get_running_loop()
        deliver, done = on_loop(loop), asyncio.Event()
        seen: list[Exception | None] = []

        def counting(acks: object) -> None:
            nonlocal wakes
            wakes += 1
            deliver(acks)  # type: ignore[arg-type]

        def ack(error: Exception | None) -> None:
            seen.append(error)
            if len(seen) == 200:
                done.set()

        log = writer(tmp_path, deliver=counting)
        log.start()
        for n in range(200):
            log.put(intent(n), ack)
        await asyncio.wait_for(done.wait(), 10)
        await asyncio.to_thread(log.close)
        assert seen == [None] * 200

    asyncio.run(main())

    assert wakes < 100


def test_a_broken_callback_stops_nobody_elses(tmp_path: Path) -> None:
    log, acks = writer(tmp_path), Acks()
    log.start()

    log.put(intent(1), lambda error: 1 / 0)
    log.put(intent(2), acks.of("rec_2"))

    assert acks.wait(1) == [("rec_2", None)]
    log.close()


def test_a_full_queue_and_a_stuck_disk_refuse_visibly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, now = threading.Event(), [0.0]
    monkeypatch.setattr(disk, "_sync", lambda handle: gate.wait(10))
    log, acks = writer(tmp_path, limits=Limits(queue_records=3), ticks=lambda: now[0]), Acks()
    log.start()
    log.put(intent(0), acks.of("rec_0"))
    eventually(lambda: log.state().queued == 0)

    for n in range(1, 4):
        log.put(intent(n), acks.of(f"rec_{n}"))
    with pytest.raises(Unavailable, match="lags behind"):
        log.put(intent(4), acks.of("rec_4"))
    assert log.state().health is Health.LAGGING

    gate.set()
    acks.wait(4)
    gate.clear()
    log.put(intent(5), acks.of("rec_5"))
    eventually(lambda: log.state().queued == 0)
    now[0] += 2.5  # seconds in which the disk did not answer
    with pytest.raises(Unavailable):
        log.put(intent(6), acks.of("rec_6"))
    gate.set()
    acks.wait(5)
    eventually(lambda: log.state().health is Health.OK)
    log.close()
    assert all_ids(tmp_path) == ["rec_0", "rec_1", "rec_2", "rec_3", "rec_5"]


def test_a_failed_sync_fails_its_callers_and_the_writer_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_bad, ledger = threading.Event(), Ledger()

    def sync(handle: int) -> None:
        if is_bad.is_set():
            raise OSError(5, "Input/output error")
        os.fsync(handle)

    monkeypatch.setattr(disk, "_sync", sync)
    log = writer(tmp_path, ledger, limits=Limits(probe_seconds=0.02))
    log.start()
    assert put_one(log, intent(1)) is None

    is_bad.set()
    error = put_one(log, intent(2))
    assert isinstance(error, Unavailable)
    assert error.details == {"errno": "EIO"}
    eventually(lambda: log.state().health is Health.FAILED)
    with pytest.raises(Unavailable) as refused:
        log.put(intent(3), lambda error: None)
    assert refused.value.hint.zh
    assert refused.value.hint.en

    is_bad.clear()
    eventually(lambda: log.state().health is Health.OK)
    assert put_one(log, outcome(1)) is None
    log.close()

    reader = Reader(tmp_path)
    records = [line.record() for _, line in reader.lines("seg-00000001") if line]
    assert [(r.type, r.core.get("what")) for r in records] == [("intent", None), ("note", "outage"), ("outcome", None)]
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_without_heads_nothing_is_accepted(tmp_path: Path) -> None:
    def refuse(text: str) -> str:
        raise Unavailable(what=sign_lost.what, hint=sign_lost.hint)

    from safebelt.kernel.text import Text

    sign_lost = Unavailable(
        what=Text(zh="密钥丢失。", en="The key is gone."), hint=Text(zh="请恢复。", en="Restore it.")
    )
    log = writer(tmp_path, sign=refuse, limits=Limits(segment_records=1, probe_seconds=0.02))
    log.start()

    assert put_one(log, intent(1)) is None  # durable all the same

    eventually(lambda: log.state().health is Health.FAILED)
    with pytest.raises(Unavailable, match="key is gone"):
        log.put(intent(2), lambda error: None)
    log.close()


def test_a_seal_that_the_ledger_refuses_is_told_again(tmp_path: Path) -> None:
    ledger, tries = Ledger(), []

    def stubborn(segment: str, records: int, root: str) -> None:
        tries.append(segment)
        if len(tries) < 3:
            raise RuntimeError("database is locked")
        ledger(segment, records, root)

    log = writer(tmp_path, ledger, on_sealed=stubborn, limits=Limits(segment_records=2, probe_seconds=0.01))
    log.start()
    put_one(log, intent(1))
    put_one(log, outcome(1))
    eventually(lambda: "seg-00000001" in ledger.sealed)
    log.close()

    assert tries == ["seg-00000001"] * 3


def test_a_segment_is_sealed_by_age_and_a_head_comes_without_more_records(tmp_path: Path) -> None:
    ledger = Ledger()
    log = writer(tmp_path, ledger, limits=Limits(segment_seconds=1.3))
    log.start()
    put_one(log, intent(1))

    eventually(lambda: log.state().heads == 1)
    assert ledger.sealed == {}
    eventually(lambda: "seg-00000001" in ledger.sealed)

    log.close()
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_what_is_no_record_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    deep: dict[str, object] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    log = writer(tmp_path)
    log.start()

    for bad in (
        Record(type="gossip", id="rec_1", core={}),
        Record(type="note", id="rec_1", core={1: 2}),  # type: ignore[dict-item]
        Record(type="note", id="rec_1", core={"x": object()}),
        Record(type="note", id="\ud800", core={}),
        Record(type="note", id="", core={}),
        Record(type="note", id="x" * 81, core={}),
        Record(type="note", id="rec_1", core={}, content=deep),
    ):
        with pytest.raises(Invalid):
            log.put(bad, lambda error: None)

    assert put_one(log, intent(1)) is None
    log.close()
    while deep:  # taken apart by hand: freeing it at once would be as deep a recursion
        deep = deep.pop("a")  # type: ignore[assignment]


def test_half_an_emoji_is_kept_in_content_and_replaced_in_facts(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.start()
    half, pair = "x\ud83d", "\ud83d\ude00"
    put_one(log, Record(type="intent", id="rec_1", core={"model": half + pair}, content={"text": half + "y"}))
    log.close()

    record = Reader(tmp_path).read("seg-00000001", 0)

    assert record.content == {"text": half + "y"}
    assert record.core["model"] == "x\ufffd😀"
    assert check(tmp_path).holds is Truth.TRUE


def test_two_writers_cannot_share_a_folder_and_a_closed_one_refuses(tmp_path: Path) -> None:
    first, second = writer(tmp_path), writer(tmp_path)
    first.start()

    with pytest.raises(Unavailable, match="Another process"):
        second.start()
    first.close()
    with pytest.raises(Problem, match="closed"):
        first.put(intent(1), lambda error: None)
    second.start()
    second.close()


FULL_DISK = """
import json, resource, sys, threading, time
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from safebelt.kernel.errors import Unavailable
from safebelt.rooms.belt.records.limits import Limits
from tests.rooms.belt.records.support import Ledger, intent, put_one, writer

folder, ledger, acked, refused = Path(sys.argv[1]), Ledger(), [], []
resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, resource.RLIM_INFINITY))  # Python ignores SIGXFSZ
log = writer(folder, ledger, limits=Limits(probe_seconds=0.02))
log.start()
for n in range(200):
    try:
        error = put_one(log, intent(n))
    except Unavailable as problem:
        error = problem
    if error is None:
        acked.append(f"rec_{n}")
    else:
        refused.append(error.details["errno"])
        break
time.sleep(0.2)  # several probes fail meanwhile
failed = log.state()
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
while log.state().health != "ok":
    time.sleep(0.01)
for n in range(200, 220):
    assert put_one(log, intent(n)) is None
    acked.append(f"rec_{n}")
log.close()
print(json.dumps({"acked": acked, "refused": refused, "health": failed.health, "hint": failed.problem.hint.en,
                  "sealed": ledger.sealed}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
def test_a_full_disk_refuses_clearly_loses_nothing_and_recovers_by_itself(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(root), str(root / "src")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.splitlines()[-1])

    assert said["refused"] == ["EFBIG"]
    assert said["health"] == "failed"
    assert "ulimit" in said["hint"]
    ids = [name for name in all_ids(tmp_path) if name in set(said["acked"])]
    assert ids == said["acked"]
    assert len(ids) > 25
    ledger = Ledger({name: (count, root_) for name, (count, root_) in said["sealed"].items()})
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_the_signing_helper_of_these_tests_is_a_real_signature() -> None:
    assert sign("a\n") != sign("b\n")
    assert sign("a\n") != sign("a\n", b"theirs")
