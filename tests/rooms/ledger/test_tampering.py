"""Every byte of every file and every column of every row of a small log: whatever is changed is found, and named.

A seeded sample runs always; all of it in the soak.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
import sqlalchemy as sa
from tests.rooms.ledger.conftest import Desk

from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem
from safebelt.rooms.ledger import store
from safebelt.rooms.ledger.model import Verification

SAMPLE = 60  # bytes changed in `make test`, of all files together
STEP = 11  # in the soak every eleventh byte of a bundle is changed, and every byte of everything else
NOT_EVIDENCE = {"settled"}
"""Says up to where files are durable; whoever changes it makes the house write files again, and nothing else."""

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is about files alone: they are the same on either."""


@pytest.fixture
def log(desk: Desk) -> Desk:
    """Some three hundred entries under four checkpoints: full and partial tiles, a rotation, personal data, an erasing."""
    desk.note(*map(str, range(250)))
    desk.note("named", name="张三")
    (erased,) = desk.note("erased", name="李四")
    desk.ledger.advance()
    desk.ledger.rotate_key(reason="yearly", by=OWNER)
    desk.ledger.erase(erased, reason="asked for", by=OWNER)
    desk.note(*map(str, range(10)))
    desk.ledger.advance()
    desk.note(*map(str, range(3)))
    desk.ledger.advance()
    desk.ledger.advance()
    assert desk.ledger.verify().holds is Truth.TRUE
    return desk


@dataclass(frozen=True)
class Byte:
    """A byte of a file."""

    path: Path
    at: int


def stored(desk: Desk) -> dict[Path, bytes]:
    folders = desk.folder, desk.folder.with_name("log-tree")
    found = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in found if path.name not in NOT_EVIDENCE}


def every_byte(desk: Desk) -> Iterator[Byte]:
    for path, data in stored(desk).items():
        yield from (Byte(path, at) for at in range(0, len(data), STEP if "entries" in path.parts else 1))


def sampled(desk: Desk) -> list[Byte]:
    """Some of every file, at least one of each."""
    draw, files = Random(20261122), stored(desk)
    each = [Byte(path, draw.randrange(len(data))) for path, data in files.items()]
    rest = [Byte(path, draw.randrange(len(files[path]))) for path in draw.choices(list(files), k=SAMPLE - len(each))]
    return each + rest


def named(desk: Desk, byte: Byte) -> str:
    """What must be said of a changed byte: the kind of file, and which."""
    kind = byte.path.relative_to(desk.folder.parent).parts
    if kind[0] == "log-tree":
        return f"tree/{byte.path.name}"
    if byte.path.name == "checkpoint":
        return "file checkpoint"
    return f"tile/{kind[2]}/{int(kind[3].partition('.')[0])}"


def test_the_files_alone_are_whole_too(log: Desk) -> None:
    found = log.ledger.verify_files()

    assert (found.holds, found.entries, found.checkpoints) == (Truth.TRUE, 267, 4)


def hold_named(desk: Desk, byte: Byte, mask: int, verify: Callable[[], Verification], *others: str) -> None:
    """Change a byte, and hold that verifying names its file, or one of others; then put it back."""
    with byte.path.open("r+b") as file:
        (right,) = os.pread(file.fileno(), 1, byte.at)
        os.pwrite(file.fileno(), bytes([right ^ mask]), byte.at)
        found = verify()
        os.pwrite(file.fileno(), bytes([right]), byte.at)
    wheres = [fault.where for fault in found.faults]
    assert any(where.startswith((named(desk, byte), *others)) for where in wheres), (byte, mask, wheres)


@ONE_DATABASE
def test_a_changed_byte_of_any_file_is_named(log: Desk) -> None:
    draw = Random(6962)
    for byte in sampled(log):
        hold_named(log, byte, 1 << draw.randrange(8), log.ledger.verify)

    assert log.ledger.verify().holds is Truth.TRUE


@ONE_DATABASE
@pytest.mark.soak
def test_every_changed_byte_of_every_file_is_named(log: Desk) -> None:
    draw = Random(9162)
    for byte in every_byte(log):
        at = byte.path.name.partition(".")[0] if byte.path.parent.name == "entries" else byte.path.parent.name[:3]
        # Without the rows, an entry that does not hash to its leaf is named by the tile that says otherwise.
        others = [f"tile/0/{int(at)}"] if "entries" in byte.path.parts else []
        hold_named(log, byte, draw.randrange(1, 256), log.ledger.verify_files, *others)

    assert log.ledger.verify().holds is Truth.TRUE


@ONE_DATABASE
def test_a_changed_byte_of_the_tree_never_becomes_a_proof(log: Desk) -> None:
    draw = Random(1)
    ids = [entry.id for entry in log.ledger.entries(limit=200)]
    right = {each: log.ledger.prove(each) for each in ids}
    for path, data in stored(log).items():
        if path.parent.name != "log-tree":
            continue
        at = draw.randrange(len(data))
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        for each in draw.sample(ids, 20):
            try:
                assert log.ledger.prove(each) == right[each]
            except Problem as problem:
                assert problem.code == "unavailable"
        path.write_bytes(data)

    assert all(log.ledger.prove(each) == proof for each, proof in right.items())


@ONE_DATABASE
@pytest.mark.parametrize("spoil", ["longer", "shorter", "empty", "gone"])
def test_a_file_of_another_length_is_named(log: Desk, spoil: str) -> None:
    for path, data in stored(log).items():
        if spoil == "longer" and path.parent.name == "log-tree":
            continue  # what lies beyond what was signed is nothing yet
        if spoil == "gone":
            path.unlink()
        else:
            path.write_bytes({"longer": data + b"x", "shorter": data[:-1], "empty": b""}[spoil])
        wheres = [fault.where for fault in log.ledger.verify().faults]
        path.write_bytes(data)
        assert any(where.startswith(named(log, Byte(path, 0))) for where in wheres), (path, wheres)


# --- rows ----------------------------------------------------------------------------------------------------------

MEANINGLESS = {("ledger_checkpoint", "at")}
"""When a checkpoint was stored, for people: no statement of the log rests on it, and nothing signs it."""


def other(value: object, draw: Random) -> object:
    """The smallest change of a value."""
    match value:
        case bytes():
            at = draw.randrange(len(value))
            return value[:at] + bytes([value[at] ^ 1 << draw.randrange(8)]) + value[at + 1 :]
        case str():
            at = draw.randrange(len(value))
            return value[:at] + ("Y" if value[at] == "X" else "X") + value[at + 1 :]
        case datetime():
            return value + timedelta(microseconds=1)
        case int():
            return value + 100_000
        case dict():
            return {**value, "name": "王五"}
    raise AssertionError(value)


def change(desk: Desk, column: "sa.Column[object]", key: object, value: object) -> None:
    """Change a value as who holds the database can: where foreign keys hold nobody up."""
    (primary,) = column.table.primary_key
    engine = sa.create_engine(desk.sql.url, poolclass=sa.NullPool)
    with engine.begin() as tx:
        if not desk.sql.is_sqlite:  # where they are off unless somebody asks for them
            tx.execute(sa.text("set local session_replication_role = replica"))
        tx.execute(sa.update(column.table).where(primary == key).values({column: value}))


def columns(desk: Desk, count: int | None) -> Iterator[tuple["sa.Column[object]", object, object]]:
    """Yield columns with keys and values of their rows: of `count` rows each, or of all."""
    draw = Random(3)
    for table in (store.entry, store.personal, store.checkpoint):
        (primary,) = table.primary_key
        for column in table.columns:
            if (table.name, column.name) in MEANINGLESS:
                continue
            query = sa.select(primary, column).where(column.is_not(None)).order_by(primary)
            if str(column.type) == "JSON":
                query = query.where(store.personal.c.erased_at.is_(None))
            elif column.type.python_type in {str, bytes}:
                query = query.where(sa.func.length(column) > 0)
            with desk.sql.read() as tx:
                found = [(key, value) for key, value in tx.execute(query)]
            for key, value in found if count is None else draw.sample(found, min(count, len(found))):
                yield column, key, value


def hold_row_named(desk: Desk, column: "sa.Column[object]", key: object, value: object, draw: Random) -> None:
    changed = other(value, draw)
    change(desk, column, key, changed)
    found = desk.ledger.verify()
    (primary,) = column.table.primary_key
    change(desk, column, changed if column is primary else key, value)
    assert found.holds is Truth.FALSE, (column, key)
    assert is_named(found, column, key, desk), (column, key, found.faults)


def is_named(found: Verification, column: "sa.Column[object]", key: object, desk: Desk) -> bool:
    """Whether a fault names the row, by the id or the index it has or had."""
    names = {str(key)}
    if column.table is not store.checkpoint:
        with desk.sql.read() as tx:
            index = tx.execute(sa.select(store.entry.c.index).where(store.entry.c.id == key)).scalar_one()
        names |= {f"index {index}", f"(index {index})"}
    return any(name in fault.where for fault in found.faults for name in names) or bool(
        {fault.code for fault in found.faults} & {"column", "personal"} and column.name in {"id", "entry_id"}
    )


def test_a_changed_value_of_any_column_is_named(log: Desk) -> None:
    draw = Random(7)
    for column, key, value in columns(log, 2):
        hold_row_named(log, column, key, value, draw)

    assert log.ledger.verify().holds is Truth.TRUE


@pytest.mark.soak
def test_a_changed_value_of_every_column_of_every_row_is_named(log: Desk) -> None:
    draw = Random(8)
    for column, key, value in columns(log, None):
        hold_row_named(log, column, key, value, draw)

    assert log.ledger.verify().holds is Truth.TRUE


def test_personal_data_erased_in_silence_is_named(log: Desk) -> None:
    with log.sql.begin() as tx:
        at = tx.execute(sa.select(sa.func.max(store.entry.c.at))).scalar_one()
        found = tx.execute(sa.select(store.personal.c.entry_id).where(store.personal.c.erased_at.is_(None))).scalars()
        (silent,) = found
        store.erase(tx, silent, at)

    faults = log.ledger.verify().faults

    assert [(fault.code, silent in fault.where) for fault in faults] == [("personal", True)]
    assert "no entry remembers" in faults[0].says.en
