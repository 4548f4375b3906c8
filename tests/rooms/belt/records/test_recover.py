"""After a crash: nothing acknowledged is missing, nothing torn stays, nothing is lost silently."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.rooms.belt.records.support import Ledger, check, intent, outcome, put_one, writer

from safebelt.kernel.conditions import Truth
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records.reader import Reader

ROOT = Path(__file__).parents[4]


def records_of(folder: Path) -> list[Record]:
    reader = Reader(folder)
    return [line.record() for name in reader.segments() for _, line in reader.lines(name) if line]


def ledger_of(folder: Path) -> Ledger:
    lines = (line.split() for line in (folder / "ledger.txt").read_text().splitlines())
    return Ledger({name: (int(count), root) for name, count, root in lines})


def crashed(folder: Path, *records: Record, torn: bytes = b"", head_every_record: bool = False) -> None:
    """Leave a folder as a process that was killed would: no seal, no last head."""
    log = writer(folder)
    log.start()
    for record in records:
        assert put_one(log, record) is None
    name, end = log.durable() or ("", 0)
    data = (folder / f"{name}.log").read_bytes()[:end]
    log.close()
    (folder / f"{name}.log").write_bytes(data + torn)
    if not head_every_record:
        (folder / "heads.log").unlink()


def restart(folder: Path, ledger: Ledger | None = None) -> Ledger:
    ledger = ledger if ledger is not None else Ledger()
    log = writer(folder, ledger)
    log.start()
    log.close()
    return ledger


def kill_and_check(folder: Path, trials: int, seed: int) -> None:
    chance, acked = random.Random(seed), list[tuple[str, str]]()
    for trial in range(trials):
        victim = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("victim.py")),
                str(folder),
                str(trial),
                str(ROOT),
                str(ROOT / "src"),
            ],
            stdout=subprocess.PIPE,
        )
        assert victim.stdout is not None
        first = victim.stdout.readline()
        time.sleep(chance.choice([0.0, chance.random() * 0.1, chance.random() * 1.4]))
        victim.kill()
        rest = victim.stdout.read()
        victim.wait()
        victim.stdout.close()
        said = (first + rest).decode().splitlines()
        assert said, "the victim died before it wrote anything"
        acked += [(kind, name) for kind, name in (line.split() for line in said)]

    ledger = ledger_of(folder) if (folder / "ledger.txt").exists() else Ledger()
    before = check(folder, ledger)
    assert before.faults == 0, before.reason.as_text("en")
    restart(folder, ledger)
    after = check(folder, ledger)
    assert after.holds is Truth.TRUE, after.reason.as_text("en")
    assert after.unsealed == 0
    there = records_of(folder)
    assert len(there) == after.records
    outcomes = [r for r in there if r.type == "outcome"]
    ends = {r.id: r.core["finish"] for r in outcomes}
    assert len(ends) == len(outcomes), "an exchange ended twice"
    assert {r.id for r in there if r.type == "intent"} == ends.keys(), "an exchange never ended"
    assert {("intent", r.id) for r in there if r.type == "intent"} >= {a for a in acked if a[0] == "intent"}
    assert all(ends[name] == "complete" for kind, name in acked if kind == "outcome")
    assert list(ends.values()).count("lost") <= 8 * trials


def test_no_acknowledged_record_is_missing_after_kill_9_at_random_moments(tmp_path: Path) -> None:
    kill_and_check(tmp_path, trials=8, seed=20261121)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(7, 27))
def test_no_acknowledged_record_is_missing_after_kill_9_two_thousand_times_in_all(tmp_path: Path, seed: int) -> None:
    kill_and_check(tmp_path, trials=100, seed=seed)


@pytest.mark.parametrize("torn", [b'{"at":"2026-11-21T', b"\x00" * 5000, b"x\n{}\t\nmore\n", "半个汉字".encode()[:-1]])
def test_a_torn_tail_is_cut_kept_and_noted(tmp_path: Path, torn: bytes) -> None:
    crashed(tmp_path, intent(1), outcome(1), torn=torn)

    ledger = restart(tmp_path)

    assert (tmp_path / "seg-00000001.log.torn").read_bytes() == torn
    there = records_of(tmp_path)
    assert [(r.type, r.core.get("what")) for r in there] == [("intent", None), ("outcome", None), ("note", "torn_tail")]
    assert there[2].core["bytes"] == len(torn)
    assert there[2].core["kept_records"] == 2
    assert check(tmp_path, ledger).holds is Truth.TRUE
    assert set(ledger.sealed) == {"seg-00000001", "seg-00000002"}


def test_exchanges_without_an_outcome_get_one_that_says_lost(tmp_path: Path) -> None:
    crashed(tmp_path, intent(1), intent(2), outcome(1), intent(3))

    ledger = restart(tmp_path)
    again = restart(tmp_path, ledger)

    ends = [(r.id, r.core["finish"]) for r in records_of(tmp_path) if r.type == "outcome"]
    assert ends == [("rec_1", "complete"), ("rec_2", "lost"), ("rec_3", "lost")]
    assert check(tmp_path, again).holds is Truth.TRUE
    lost = Reader(tmp_path).find("rec_2")[1]
    assert Reader(tmp_path).exchange(*lost).intent is not None


def test_an_exchange_over_many_segments_is_not_forgotten(tmp_path: Path) -> None:
    from safebelt.rooms.belt.records.limits import Limits

    ledger = Ledger()
    log = writer(tmp_path, ledger, limits=Limits(segment_records=3))
    log.start()
    put_one(log, intent(999))
    for n in range(10):
        put_one(log, intent(n))
        put_one(log, outcome(n))
    log.close()

    restart(tmp_path, ledger)

    ends = {r.id: r.core["finish"] for r in records_of(tmp_path) if r.type == "outcome"}
    assert ends["rec_999"] == "lost"
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_damage_to_signed_records_is_no_torn_tail_and_is_left_for_verification_to_name(tmp_path: Path) -> None:
    crashed(tmp_path, intent(1), outcome(1), intent(2), head_every_record=True)
    path = tmp_path / "seg-00000001.log"
    damaged = path.read_bytes().replace(b'"status":200', b'"status":500')
    path.write_bytes(damaged)

    ledger = restart(tmp_path)

    assert path.read_bytes() == damaged
    assert "seg-00000001" not in ledger.sealed
    assert [r.core["what"] for r in records_of(tmp_path) if r.type == "note"] == ["carried", "damaged"]
    found = check(tmp_path, ledger)
    assert found.holds is Truth.FALSE
    assert any(f.segment == "seg-00000001" and f.line <= 2 <= f.last_line for f in found.findings)


def test_a_rewritten_signed_history_is_not_sealed_as_if_it_were_sound(tmp_path: Path) -> None:
    import shutil

    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    crashed(mine, intent(1, "true"), head_every_record=True)
    crashed(theirs, intent(1, "false"), head_every_record=True)
    shutil.copy(theirs / "seg-00000001.log", mine / "seg-00000001.log")

    assert "seg-00000001" not in restart(mine).sealed


def test_a_torn_head_is_cut_and_kept(tmp_path: Path) -> None:
    ledger = Ledger()
    log = writer(tmp_path, ledger)
    log.start()
    put_one(log, intent(1))
    put_one(log, outcome(1))
    log.close()
    with (tmp_path / "heads.log").open("ab") as file:
        file.write(b'{"n":2,"no')
    assert check(tmp_path, ledger).faults == 0

    restart(tmp_path, ledger)

    assert (tmp_path / "heads.log.torn").read_bytes() == b'{"n":2,"no'
    assert check(tmp_path, ledger).holds is Truth.TRUE


def test_a_segment_that_was_only_begun_leaves_no_gap(tmp_path: Path) -> None:
    ledger = Ledger()
    for torn in (b"", b'{"at":'):
        log = writer(tmp_path, ledger)
        log.start()
        put_one(log, intent(1))
        put_one(log, outcome(1))
        log.close()
        number = len(Reader(tmp_path).segments()) + 1
        (tmp_path / f"seg-{number:08d}.log").write_bytes(torn)

        restart(tmp_path, ledger)

        assert check(tmp_path, ledger).holds is Truth.TRUE
