"""Several workers write one folder: each its own chain, heads and seals; all of it is verified, found and recovered."""

from pathlib import Path

import pytest
from tests.rooms.belt.records.support import Ledger, check, intent, open_note, outcome, put_one, writer

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, Unavailable
from safebelt.rooms.belt.model import Exchange
from safebelt.rooms.belt.records.disk import all_segments, log_of, logs, segment_name, segment_number
from safebelt.rooms.belt.records.draft import Place
from safebelt.rooms.belt.records.erase import erase
from safebelt.rooms.belt.records.following import START
from safebelt.rooms.belt.records.index import Indexer
from safebelt.rooms.belt.records.proof import check as check_proof
from safebelt.rooms.belt.records.reader import Reader

LOGS = ("", "w2", "w3")


def _write(folder: Path, ledger: Ledger) -> None:
    """Three workers at once, three exchanges each."""
    found = [writer(folder, ledger, log=log) for log in LOGS]
    for each in found:
        each.start()
    for n in range(9):
        assert put_one(found[n % 3], intent(n)) is None
        assert put_one(found[n % 3], outcome(n)) is None
    for each in found:
        each.close()


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Ledger]:
    ledger = Ledger()
    _write(tmp_path, ledger)
    return tmp_path, ledger


def test_each_worker_has_its_own_log_and_all_are_verified_as_one(written: tuple[Path, Ledger]) -> None:
    folder, ledger = written

    verdict = check(folder, ledger)

    assert logs(folder) == list(LOGS)
    assert all_segments(folder) == ["seg-00000001", "w2-seg-00000001", "w3-seg-00000001"] == sorted(ledger.sealed)
    assert (verdict.segments, verdict.records, verdict.faults, verdict.holds) == (3, 18, 0, Truth.TRUE)


def test_a_log_that_disappears_whole_is_missed_because_the_ledger_knows_it(written: tuple[Path, Ledger]) -> None:
    folder, ledger = written
    for path in folder.glob("w2-*"):
        path.unlink()

    verdict = check(folder, ledger)

    assert [(each.kind, each.segment) for each in verdict.findings] == [("segment_missing", "w2-seg-00000001")]


def test_one_workers_segment_put_in_anothers_place_is_found_out(written: tuple[Path, Ledger]) -> None:
    folder, ledger = written
    (folder / "w3-seg-00000001.log").write_bytes((folder / "w2-seg-00000001.log").read_bytes())
    (folder / "w3-heads.log").write_bytes((folder / "w2-heads.log").read_bytes())

    kinds = {each.kind for each in check(folder, ledger).findings}

    assert {"head_unreadable", "sealed_differs"} <= kinds


def test_records_of_all_workers_are_found_proven_erased_and_indexed(written: tuple[Path, Ledger]) -> None:
    folder, ledger = written
    reader, rows = Reader(folder), dict[str, Exchange]()

    def take(found: list[Exchange], _end: Place) -> None:
        rows.update({row.id: row for row in found})

    for log in logs(folder):
        Indexer(folder, take, cursor=START, log=log).step()  # type: ignore[arg-type]

    assert len(rows) == 9 and {log_of(row.segment) for row in rows.values()} == set(LOGS)
    segment, offset = reader.find("rec_4")[-1]
    assert segment == "w2-seg-00000001"
    proven = check_proof(reader.prove(segment, offset), open_note=open_note, log_origin="example.org/log")
    assert b'"rec_4"' in proven
    assert erase(folder, "rec_4") == 2 and check(folder, ledger).holds is Truth.TRUE


def test_two_writers_of_one_log_are_refused_and_of_two_logs_are_not(tmp_path: Path) -> None:
    first, second, other = writer(tmp_path, log="w2"), writer(tmp_path, log="w2"), writer(tmp_path, log="w3")
    first.start()
    try:
        with pytest.raises(Unavailable):
            second.start()
        other.start()
        other.close()
    finally:
        first.close()


def test_a_torn_log_of_one_worker_is_recovered_and_the_others_are_left_alone(written: tuple[Path, Ledger]) -> None:
    folder, ledger = written
    left = (folder / "seg-00000001.log").read_bytes()
    log = writer(folder, ledger, log="w2")
    log.start()
    assert put_one(log, intent(20)) is None
    with (folder / "w2-seg-00000002.log").open("ab") as file:  # as if it were killed while it wrote
        file.write(b'{"at":"2026')
    log._lock.close()  # type: ignore[union-attr]  its process is gone

    again = writer(folder, ledger, log="w2")
    again.start()
    again.close()

    finds = {line.core.type for _, line in Reader(folder).lines("w2-seg-00000003") if line}
    assert finds == {"note", "outcome"} and (folder / "seg-00000001.log").read_bytes() == left


@pytest.mark.parametrize(
    "name", ["w-seg-00000001", "w0-seg-00000001", "../seg-00000001", "w2-seg-1", "W2-seg-00000001"]
)
def test_what_is_no_segments_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        segment_number(name)


def test_a_segments_name_says_its_log_and_its_number() -> None:
    for log in LOGS:
        assert (log_of(segment_name(7, log)), segment_number(segment_name(7, log))) == (log, 7)
