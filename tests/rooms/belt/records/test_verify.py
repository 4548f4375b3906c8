"""Any single change to what was signed is found, and named with its place."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.records.support import Ledger, Moving, check, intent, put_one, sign, write, writer

from safebelt.kernel.conditions import Truth
from safebelt.rooms.belt.model import Record
from safebelt.rooms.belt.records.reader import Reader
from safebelt.rooms.belt.records.verify import Verification

SEGMENTS = ("seg-00000001", "seg-00000002", "seg-00000003")


@pytest.fixture(scope="module")
def sealed_log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ledger]:
    """Three sealed segments of 9, 9 and 8 records, each with several heads."""
    folder, ledger = tmp_path_factory.mktemp("log"), Ledger()
    write(folder, 12, ledger=ledger, step_ms=300, segment_records=9)
    assert tuple(Reader(folder).segments()) == SEGMENTS
    return folder, ledger


@contextmanager
def copy_of(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(shutil.copytree(folder, Path(place) / "records"))


def change(path: Path, how: Callable[[bytes], bytes]) -> None:
    path.write_bytes(how(path.read_bytes()))


def change_lines(path: Path, how: Callable[[list[bytes]], list[bytes]]) -> None:
    change(path, lambda data: b"".join(how(data.splitlines(keepends=True))))


def names(found: Verification, segment: str, line: int) -> bool:
    """Whether some fault names this line."""
    return any(
        f.holds is Truth.FALSE and f.segment == segment and f.line <= line <= f.last_line for f in found.findings
    )


def kinds(found: Verification) -> set[str]:
    return {f.kind for f in found.findings if f.holds is Truth.FALSE}


def test_an_untouched_log_holds(sealed_log: tuple[Path, Ledger]) -> None:
    found = check(*sealed_log)

    assert found.holds is Truth.TRUE, found.reason.as_text("en")
    assert found.counts() == {"segments": 3, "records": 26, "heads": 7, "faults": 0} | dict.fromkeys(
        ("erased", "removed", "unsealed"), 0
    )


def test_an_empty_log_is_nothing_to_verify(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        found = check(folder)

        assert found.holds is Truth.UNKNOWN
        assert "nothing to verify" in found.reason.says.en


@settings(max_examples=250, deadline=None)
@given(where=st.integers(0, 10**9), segment=st.sampled_from(SEGMENTS), flip=st.integers(1, 255))
def test_any_flipped_byte_of_a_record_is_named(
    sealed_log: tuple[Path, Ledger], where: int, segment: str, flip: int
) -> None:
    with copy_of(sealed_log[0]) as folder:
        path = folder / f"{segment}.log"
        data = bytearray(path.read_bytes())
        where %= len(data)
        line = data[:where].count(b"\n") + 1
        data[where] ^= flip
        path.write_bytes(data)

        found = check(folder, sealed_log[1])

        assert names(found, segment, line), (line, found.reason.as_text("en"))


@settings(max_examples=80, deadline=None)
@given(where=st.integers(0, 10**9), flip=st.integers(1, 255))
def test_any_flipped_byte_of_a_head_is_found(sealed_log: tuple[Path, Ledger], where: int, flip: int) -> None:
    with copy_of(sealed_log[0]) as folder:
        data = bytearray((folder / "heads.log").read_bytes())
        data[where % len(data)] ^= flip
        (folder / "heads.log").write_bytes(data)

        assert check(folder, sealed_log[1]).holds is Truth.FALSE


@settings(max_examples=60, deadline=None)
@given(segment=st.sampled_from(SEGMENTS), at=st.integers(0, 7), other=st.integers(0, 7), data=st.data())
def test_dropped_swapped_inserted_and_truncated_records_are_found(
    sealed_log: tuple[Path, Ledger], segment: str, at: int, other: int, data: st.DataObject
) -> None:
    def drop(lines: list[bytes]) -> list[bytes]:
        return lines[:at] + lines[at + 1 :]

    def insert(lines: list[bytes]) -> list[bytes]:
        return [*lines[:at], lines[other], *lines[at:]]

    def truncate(lines: list[bytes]) -> list[bytes]:
        return lines[:at]

    def swap(lines: list[bytes]) -> list[bytes]:
        b = other if other != at else (at + 1) % len(lines)
        lines[at], lines[b] = lines[b], lines[at]
        return lines

    how = data.draw(st.sampled_from([drop, insert, truncate, swap]))
    with copy_of(sealed_log[0]) as folder:
        change_lines(folder / f"{segment}.log", how)

        found = check(folder, sealed_log[1])

        assert any(f.segment == segment for f in found.findings if f.holds is Truth.FALSE), how
        expected = {
            drop: {"records_missing", "truncated"},
            insert: {"out_of_place", "records_missing"},
            truncate: {"truncated"},
            swap: {"out_of_place", "records_missing"},
        }[how]
        assert kinds(found) & expected, (how, kinds(found))


@pytest.mark.parametrize("segment", SEGMENTS)
@pytest.mark.parametrize("has_ledger", [True, False])
def test_a_missing_segment_is_named(sealed_log: tuple[Path, Ledger], segment: str, has_ledger: bool) -> None:
    with copy_of(sealed_log[0]) as folder:
        (folder / f"{segment}.log").unlink()

        found = check(folder, sealed_log[1] if has_ledger else None)

        assert [f.segment for f in found.findings if f.kind == "segment_missing"] == [segment]


def test_a_segment_the_ledger_knows_differently_is_named(sealed_log: tuple[Path, Ledger]) -> None:
    folder, ledger = sealed_log
    for wrong in ((9, "00" * 32), (8, ledger.sealed["seg-00000002"][1])):
        found = check(folder, Ledger({**ledger.sealed, "seg-00000002": wrong}))

        assert [(f.kind, f.segment) for f in found.findings] == [("sealed_differs", "seg-00000002")]


@pytest.mark.parametrize("line", range(7))
def test_a_missing_head_is_found_wherever_it_stood(sealed_log: tuple[Path, Ledger], line: int) -> None:
    with copy_of(sealed_log[0]) as folder:
        change_lines(folder / "heads.log", lambda lines: lines[:line] + lines[line + 1 :])

        found = check(folder, sealed_log[1])

        assert kinds(found) & {"heads_missing", "not_signed"}, found.reason.as_text("en")


def test_all_heads_missing_is_no_young_log(sealed_log: tuple[Path, Ledger]) -> None:
    with copy_of(sealed_log[0]) as folder:
        (folder / "heads.log").unlink()

        assert {"heads_missing", "not_signed", "head_overdue"} <= kinds(check(folder))


def test_an_older_head_played_again_is_named(sealed_log: tuple[Path, Ledger]) -> None:
    with copy_of(sealed_log[0]) as folder:
        change_lines(folder / "heads.log", lambda lines: [*lines, lines[0].replace(b'"n":1,', b'"n":8,')])

        assert kinds(check(folder, sealed_log[1])) == {"head_out_of_place"}


def test_heads_of_another_key_or_another_log_do_not_count(tmp_path: Path) -> None:
    for number, other in enumerate(({"sign": lambda text: sign(text, b"theirs")}, {"log_origin": "other.example/log"})):
        folder = tmp_path / str(number)
        log = writer(folder, **other)
        log.start()
        put_one(log, intent(1))
        log.close()

        found = check(folder)

        assert kinds(found) == {"head_forged"}
        assert found.unsealed == found.records == 1


def test_a_history_rewritten_with_a_fitting_chain_is_found_by_its_heads(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder, text in ((mine, "true"), (theirs, "false")):
        log = writer(folder, clock=Moving(300))
        log.start()
        for n in range(6):
            put_one(log, intent(n, text))
        log.close()
    shutil.copy(theirs / "seg-00000001.log", mine / "seg-00000001.log")

    found = check(mine)

    assert kinds(found) == {"root_differs"}


def test_what_no_head_covers_yet_is_unknown_and_no_fault(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.start()
    try:
        put_one(log, intent(1))
        found = check(tmp_path)
    finally:
        log.close()

    assert found.holds is Truth.UNKNOWN
    assert (found.unsealed, found.faults) == (1, 0)


def test_a_torn_tail_behind_the_last_head_is_unknown_and_no_fault(sealed_log: tuple[Path, Ledger]) -> None:
    with copy_of(sealed_log[0]) as folder:
        ledger = Ledger({name: sealed_log[1].sealed[name] for name in SEGMENTS[:2]})
        change(folder / "seg-00000003.log", lambda data: data + b'{"at":"2026-11-21T12:00:0')

        found = check(folder, ledger)

        assert found.holds is Truth.TRUE
        assert [(f.kind, f.line, f.holds) for f in found.findings] == [("torn", 9, Truth.UNKNOWN)]
        assert check(folder, sealed_log[1]).holds is Truth.FALSE  # the ledger says this segment had ended


TEXTS = st.text(st.characters() | st.sampled_from('\ud83d\udc00\t\n\x00"\\\x7f\u2028'), max_size=40)
WHOLE = st.text(max_size=40)
RECORDS = st.lists(
    st.builds(
        Record,
        type=st.sampled_from(["intent", "outcome", "note"]),
        id=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=80),
        core=st.dictionaries(WHOLE, st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WHOLE, max_size=4),
        content=st.none() | st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, max_size=3), max_size=3),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(records=RECORDS, most=st.integers(1, 5))
def test_any_records_come_back_as_they_were_put_and_verify(records: list[Record], most: int) -> None:
    from safebelt.rooms.belt.records.limits import Limits

    with tempfile.TemporaryDirectory() as place:
        folder, ledger, errors = Path(place) / "records", Ledger(), []
        log = writer(folder, ledger, limits=Limits(segment_records=most))
        log.start()
        for record in records:
            log.put(record, errors.append)
        log.close()

        reader = Reader(folder)
        lines = [line for name in reader.segments() for _, line in reader.lines(name) if line]
        back = [line.record() for line in lines if b'"carried"' not in bytes(line.core.facts)]
        frame = ("v", "at", "seq", "intent")

        assert errors == [None] * len(records)
        assert [(r.type, r.id, r.content) for r in back] == [(r.type, r.id, r.content) for r in records]
        for ours, theirs in zip(back, records, strict=True):
            assert {k: v for k, v in ours.core.items() if k not in frame} == {
                k: v for k, v in theirs.core.items() if k not in frame
            }
        found = check(folder, ledger)
        assert found.holds is (Truth.TRUE if records else Truth.UNKNOWN), found.reason.as_text("en")
