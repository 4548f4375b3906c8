"""Records that nobody waits for: with the system at once, synced soon, and never lost but with the machine."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.rooms.belt.records.support import Acks, Ledger, check, intent, outcome, put_one, writer
from tests.rooms.belt.records.test_writer import all_ids, eventually

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Unavailable
from safebelt.rooms.belt.records import disk
from safebelt.rooms.belt.records.health import Health
from safebelt.rooms.belt.records.limits import Limits
from safebelt.rooms.belt.records.writer import Writer


def begun(folder: Path, **kwargs: object) -> Writer:
    """A writer whose segment is open, so that the next record can be handed over."""
    log = writer(folder, **kwargs)  # type: ignore[arg-type]
    log.start()
    assert put_one(log, intent(0)) is None
    return log


def hand_over(log: Writer) -> None:
    eventually(log.hand_over)


def test_what_is_handed_over_stands_in_the_file_though_the_disk_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, log = threading.Event(), begun(tmp_path)
    monkeypatch.setattr(disk, "_sync", lambda handle: gate.wait(10))
    before = log.durable()

    log.put(intent(1), None)
    hand_over(log)
    log.put(outcome(1), None)
    hand_over(log)

    assert all_ids(tmp_path) == ["rec_0", "rec_1", "rec_1"]
    assert log.durable() == before
    gate.set()
    eventually(lambda: log.durable() != before)
    log.close()
    assert check(tmp_path).holds is Truth.TRUE


def test_what_nobody_hands_over_is_written_and_synced_by_itself(tmp_path: Path) -> None:
    log = begun(tmp_path)
    before = log.durable()

    log.put(intent(1), None)

    eventually(lambda: log.durable() != before)
    assert all_ids(tmp_path) == ["rec_0", "rec_1"]
    log.close()


def test_nothing_is_handed_over_past_records_that_somebody_waits_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, log, acks = threading.Event(), begun(tmp_path), Acks()
    monkeypatch.setattr(disk, "_sync", lambda handle: gate.wait(10))
    log.put(intent(1), acks.of("rec_1"))
    eventually(lambda: log.state().queued == 0)

    log.put(intent(2), None)
    assert not log.hand_over()
    log.when_written(acks.of("all"))

    assert acks.done == []
    gate.set()
    assert acks.wait(2) == [("rec_1", None), ("all", None)]
    assert all_ids(tmp_path) == ["rec_0", "rec_1", "rec_2"]
    log.close()


def test_a_sync_that_fails_loses_nothing_that_was_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_bad, ledger = threading.Event(), Ledger()

    def sync(handle: int) -> None:
        if is_bad.is_set():
            os.ftruncate(handle, 0)  # the worst that a kernel may do with pages it could not write
            raise OSError(5, "Input/output error")
        os.fsync(handle)

    log = begun(tmp_path, ledger=ledger, limits=Limits(probe_seconds=0.02))
    whole = (tmp_path / "seg-00000001.log").read_bytes()
    monkeypatch.setattr(disk, "_sync", sync)
    is_bad.set()
    log.put(intent(1), None)
    hand_over(log)

    eventually(lambda: log.state().health is Health.FAILED)
    with pytest.raises(Unavailable):
        log.hand_over()
    with pytest.raises(Unavailable):
        log.put(intent(2), None)
    with (tmp_path / "seg-00000001.log").open("r+b") as file:
        file.write(whole)  # what was durable is the disk's to keep
    is_bad.clear()
    eventually(lambda: log.state().health is Health.OK)
    assert put_one(log, outcome(1)) is None
    log.close()

    assert [name for name in all_ids(tmp_path) if name.startswith("rec_") and len(name) < 8] == [
        "rec_0",
        "rec_1",
        "rec_1",
    ]
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_a_write_that_fails_is_told_to_whoever_hands_over_and_counts_as_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, real, is_bad = Ledger(), disk._write_at, threading.Event()

    def torn(handle: int, data: memoryview, at: int) -> int:
        if is_bad.is_set():
            real(handle, data[:7], at)
            raise OSError(28, "No space left on device")
        return int(real(handle, data, at))

    log = begun(tmp_path, ledger=ledger, limits=Limits(probe_seconds=0.02))
    monkeypatch.setattr(disk, "_write_at", torn)
    monkeypatch.setattr("safebelt.rooms.belt.records.writer.SYNC_AFTER_SECONDS", 30.0)
    failures = log.failures
    is_bad.set()
    log.put(intent(1), None)

    with pytest.raises(Unavailable):
        log.hand_over()

    assert log.failures > failures
    is_bad.clear()
    eventually(lambda: log.state().health is Health.OK)
    assert put_one(log, intent(3)) is None
    log.close()
    assert "rec_1" not in all_ids(tmp_path)
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_heads_and_seals_hold_while_others_hand_over(tmp_path: Path) -> None:
    from safebelt.engines.clock import wall_clock

    ledger = Ledger()
    log = begun(tmp_path, ledger=ledger, clock=wall_clock, limits=Limits(segment_records=400))
    fast = 0

    for n in range(1, 1500):
        log.put(intent(n), None)
        log.put(outcome(n), None)
        fast += log.hand_over()
        if n % 100 == 0:
            waited = threading.Event()
            log.when_written(lambda _: waited.set())  # noqa: B023
            assert waited.wait(10)
            threading.Event().wait(0.1)
    log.close()

    assert fast > 700
    assert set(all_ids(tmp_path)) >= {f"rec_{n}" for n in range(1, 1500)}
    assert len(ledger.sealed) >= 7
    assert check(tmp_path, ledger).holds is Truth.TRUE


VICTIM = """
import os, sys, threading
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from tests.rooms.belt.records.support import intent, outcome, put_one, writer
from safebelt.rooms.belt.records import disk, limits, writer as writing
disk._sync = lambda handle: None  # nothing is ever durable: what stands there was handed over
log = writer(Path(sys.argv[1]))
log.start()
put_one(log, intent(0))
for n in range(1, 1_000_000):
    log.put(intent(n), None)
    log.put(outcome(n), None)
    if log.hand_over():
        os.write(1, b"%d\\n" % n)
"""


def test_no_kill_loses_what_was_handed_over(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    command = [sys.executable, "-c", VICTIM, str(tmp_path), str(root), str(root / "src")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
        assert victim.stdout is not None
        said = [victim.stdout.readline() for _ in range(500)]
        victim.send_signal(signal.SIGKILL)
        said += victim.stdout.readlines()

    ids = all_ids(tmp_path)
    told = [f"rec_{int(line)}" for line in said if line.endswith(b"\n")]
    assert len(told) >= 500
    assert all(ids.count(name) == 2 for name in told[-50:] + told[:50])
    assert set(told) <= set(ids)
