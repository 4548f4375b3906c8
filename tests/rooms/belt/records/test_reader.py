"""Reading, proving, searching and forgetting."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.belt.records.support import ORIGIN, Ledger, check, intent, open_note, outcome, put_one, write, writer

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Invalid, NotFound, Problem, Unavailable
from safebelt.rooms.belt.model import Action, Exchange, Record
from safebelt.rooms.belt.records import head, line, proof
from safebelt.rooms.belt.records.draft import Place
from safebelt.rooms.belt.records.erase import erase
from safebelt.rooms.belt.records.following import START
from safebelt.rooms.belt.records.index import Indexer, fold
from safebelt.rooms.belt.records.reader import Reader


class Rows:
    """A table with a cursor, as SQL keeps them."""

    def __init__(self) -> None:
        self.by_id: dict[str, Exchange] = {}
        self.cursor: Place = START
        self.fails = 0

    def __call__(self, rows: Sequence[Exchange], cursor: Place) -> None:
        if self.fails:
            self.fails -= 1
            raise RuntimeError("the database is away")
        self.by_id |= {row.id: row for row in rows}
        self.cursor = cursor


def test_every_record_is_proven_offline_and_a_changed_byte_fails(tmp_path: Path) -> None:
    write(tmp_path, 6, segment_records=5)
    reader = Reader(tmp_path)

    for segment in reader.segments():
        for offset, read in reader.lines(segment):
            text = reader.prove(segment, offset)

            assert read is not None
            assert proof.check(text, open_note=open_note, log_origin=ORIGIN) == read.core_bytes
            with pytest.raises(Problem):
                proof.check(text, open_note=open_note, log_origin="other.example/log")

    raw = text.encode()
    for at in range(len(raw)):
        changed = (raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]).decode(errors="replace")
        with pytest.raises(Problem):
            proof.check(changed, open_note=open_note, log_origin=ORIGIN)


def test_what_is_not_signed_yet_or_was_changed_is_not_proven(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.start()
    put_one(log, intent(1))
    with pytest.raises(Unavailable, match="No signed head"):
        Reader(tmp_path).prove("seg-00000001", 0)
    put_one(log, outcome(1))
    log.close()
    path = tmp_path / "seg-00000001.log"
    path.write_bytes(path.read_bytes().replace(b'"status":200', b'"status":500'))

    with pytest.raises(Unavailable, match="does not match its signed head"):
        Reader(tmp_path).prove("seg-00000001", 0)


def test_places_that_hold_no_record_and_changed_content_are_said_so(tmp_path: Path) -> None:
    write(tmp_path, 2)
    reader, path = Reader(tmp_path), tmp_path / "seg-00000001.log"

    for segment, offset in (("seg-00000001", 3), ("seg-00000001", 10**9), ("seg-00000001", -1), ("seg-00000009", 0)):
        with pytest.raises(NotFound):
            reader.read(segment, offset)
    for name in ("../../etc/passwd", "seg-1", "heads", ""):
        with pytest.raises(Invalid):
            reader.read(name, 0)
    path.write_bytes(path.read_bytes().replace(b"hello", b"hullo"))
    with pytest.raises(Unavailable, match="does not match its digest"):
        reader.read("seg-00000001", 0)


def test_erased_content_is_gone_and_every_proof_still_holds(tmp_path: Path) -> None:
    ledger = Ledger()
    write(tmp_path, 3, ledger=ledger)
    (tmp_path / "seg-00000001.log.torn").write_bytes(b'{"id":"rec_1","x":1}\t{"data":"secret-to')
    places = Reader(tmp_path).find("rec_1")
    before = Reader(tmp_path).prove(*places[0])

    assert erase(tmp_path, "rec_1") == 3
    assert erase(tmp_path, "rec_1") == 0

    assert b"secret" not in (tmp_path / "seg-00000001.log.torn").read_bytes()
    assert [Reader(tmp_path).read(*place).content for place in places] == [None, None]
    assert Reader(tmp_path).read(*Reader(tmp_path).find("rec_2")[0]).content is not None
    found = check(tmp_path, ledger)
    assert found.holds is Truth.TRUE
    assert found.erased == 2
    assert Reader(tmp_path).prove(*places[0]) == before


def test_an_id_that_only_appears_in_a_text_is_not_found(tmp_path: Path) -> None:
    log = writer(tmp_path)
    log.start()
    put_one(log, Record(type="note", id="rec_1", core={"x": 1}, content={"id": "rec_2", "t": '"id":"rec_3"'}))
    put_one(log, Record(type="note", id="rec_10", core={"x": 1}))
    log.close()

    assert [len(Reader(tmp_path).find(name)) for name in ("rec_1", "rec_2", "rec_3", "rec_10")] == [1, 0, 0, 1]


def test_a_row_is_folded_from_both_halves() -> None:
    first = Record(
        type="intent",
        id="rec_1",
        core={
            "at": "2026-11-21T12:00:00+00:00",
            "system_id": "sys_1",
            "is_stream": True,
            "done": "mask",
            "rules": ["a"],
        },
    )
    last = Record(
        type="outcome",
        id="rec_1",
        core={
            "status": 200,
            "finish": "complete",
            "done": "flag",
            "would": "refuse",
            "rules": ["b", "a"],
            "total_ms": 7,
        },
    )

    row = fold(first, last, ("seg-00000001", 5))

    assert (row.done, row.would, row.rules) == (Action.MASK, Action.REFUSE, ("a", "b"))
    assert (row.at, row.status, row.finish, row.total_ms) == (
        datetime(2026, 11, 21, 12, tzinfo=UTC),
        200,
        "complete",
        7,
    )
    assert fold(first, None, ("s", 0)).status == 0


JUNK = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers())
NAMES = st.sampled_from([f for f in Exchange.__dataclass_fields__ if f not in ("id", "segment", "offset")])


@given(st.dictionaries(NAMES, JUNK), st.dictionaries(NAMES, JUNK))
def test_facts_of_the_wrong_kind_never_stop_the_index(first: dict[str, object], last: dict[str, object]) -> None:
    row = fold(Record(type="intent", id="r", core=first), Record(type="outcome", id="r", core=last), ("s", 0))

    assert row.id == "r"


def test_the_rebuilt_index_equals_the_one_that_followed(tmp_path: Path) -> None:
    from safebelt.rooms.belt.records.limits import Limits

    live, rebuilt = Rows(), Rows()
    log = writer(tmp_path, limits=Limits(segment_records=7))
    log.start()
    follower = Indexer(tmp_path, live, until=log.durable)
    for n in range(40):
        put_one(log, intent(n))
        if n % 3 == 0:
            follower.step()
        if n % 11 == 0:  # a crash of the index between batch and cursor
            live.fails = 1
            put_one(log, intent(n + 1000))
            with pytest.raises(RuntimeError):
                follower.step()
            follower = Indexer(tmp_path, live, until=log.durable, cursor=live.cursor)
        if n % 5:
            put_one(log, outcome(n))
    log.close()
    follower.step()

    Indexer(tmp_path, rebuilt).step()

    assert rebuilt.by_id == live.by_id
    assert len(rebuilt.by_id) == 44
    assert rebuilt.cursor == live.cursor
    assert Indexer(tmp_path, rebuilt, cursor=rebuilt.cursor).step() == 0
    for row in rebuilt.by_id.values():
        assert Reader(tmp_path).exchange(row.segment, row.offset).intent is not None


def test_the_index_sees_nothing_that_is_not_durable(tmp_path: Path) -> None:
    write(tmp_path, 2)
    rows = Rows()

    Indexer(tmp_path, rows, until=lambda: ("seg-00000001", 0)).step()
    assert rows.by_id == {}
    with (tmp_path / "seg-00000001.log").open("ab") as file:
        file.write(b'{"half":')
    Indexer(tmp_path, rows).step()
    assert len(rows.by_id) == 2
    assert rows.cursor == ("seg-00000001", (tmp_path / "seg-00000001.log").stat().st_size - 8)


@settings(max_examples=300)
@given(st.binary(max_size=300), st.sampled_from([b"", b'{"at":"', b"\t", b'{"n":1,"note":"a\\n1\\n', b"[" * 20_000]))
def test_parsers_survive_any_bytes(raw: bytes, before: bytes) -> None:
    for parse in (line.parse, head.parse):
        for data in (raw, before + raw, before + raw + b"\n", b"{}\t" + raw + b"\n"):
            parse(data)
    with pytest.raises(Problem):
        proof.check(raw.decode("latin-1"), open_note=open_note, log_origin=ORIGIN)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_folders_of_garbage_are_verified_indexed_and_recovered_without_a_crash(first: bytes, heads: bytes) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "seg-00000001.log").write_bytes(first)
        (folder / "heads.log").write_bytes(heads)

        assert check(folder).holds is not Truth.TRUE
        Indexer(folder, Rows()).step()
        Reader(folder).find("rec_1")
        erase(folder, "rec_1")
        log = writer(folder)
        log.start()
        assert put_one(log, intent(1)) is None
        log.close()
        check(folder)
