"""The tree's own files: the same proofs as from leaves in memory, whole after every crash, and believed by nobody."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rooms.ledger.conftest import Desk

from safebelt.engines.signing import KeyStore
from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Unavailable
from safebelt.rooms.ledger import store
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.ledger.tiles import Heights, Missing, Tiles, Tree, tree

ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""For what is about files alone: they are the same on either."""


def grown(folder: Path, *sizes: int) -> Tree:
    """A tree with a checkpoint at each size, as nobody has settled it yet."""
    made = Tree(Tiles(folder / "log"), folder / "tree")
    for start, end in zip((0, *sizes), sizes, strict=False):
        made.grow(((n, b"entry %d" % n) for n in range(start, end)), {end})
    return made


def leaves(size: int) -> list[bytes]:
    return merkle.leaf_hashes(b"entry %d" % n for n in range(size))


def private(desk: Desk) -> Path:
    return desk.folder.with_name("log-tree")


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def another(desk: Desk) -> Ledger:
    """The same ledger in another process."""
    return Ledger(
        desk.sql,
        clock=desk.ledger._clock,
        new_id=desk.ledger._new_id,
        chance=desk.ledger._chance,
        origin=desk.ledger.origin,
        tiles=desk.folder,
        signer=KeyStore(desk.keys.path, name=desk.keys.name, chance=desk.ledger._chance),
    )


def faults(ledger: Ledger) -> set[str]:
    return {fault.code for fault in ledger.verify().faults}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 300), min_size=1, max_size=5), st.data())
def test_proofs_from_the_files_are_those_from_leaves_in_memory(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], data: st.DataObject
) -> None:
    total = sum(batches)
    heights, hashes, at = Heights(tmp_path_factory.mktemp("tree")), leaves(total), 0
    for batch in batches:
        heights.add(at, hashes[at : at + batch])
        at += batch
    size = data.draw(st.integers(1, total))
    index, old, node = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size)), merkle.node_reader(hashes)

    assert heights.root(size) == merkle.root(hashes[:size])
    assert heights.inclusion(index, size) == merkle.inclusion_path(index, size, node)
    assert heights.consistency(old, size) == merkle.consistency_path(old, size, node)


def test_a_leaf_beyond_the_tree_has_no_proof_and_a_tree_beyond_the_files_is_missing(tmp_path: Path) -> None:
    heights = grown(tmp_path, 5).heights

    with pytest.raises(ValueError, match="no leaf"):
        heights.inclusion(5, 5)
    with pytest.raises(Missing):
        heights.inclusion(0, 6)
    with pytest.raises(Missing):
        heights.add(7, [bytes(32)])  # a hole would read as hashes


@pytest.mark.parametrize("batch", [1, 7, 256, 4096])
def test_files_are_the_same_however_many_entries_come_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    whole = grown(tmp_path / "whole", 100, 256, 270, 700)
    monkeypatch.setattr(tree, "_BATCH", batch)

    other = grown(tmp_path / "other", 100, 256, 270, 700)

    assert files(tmp_path / "other") == files(tmp_path / "whole")
    assert whole.root() == other.root() == merkle.root(leaves(700))
    assert {path.name for path in (tmp_path / "whole/log/tile/0").glob("*.p/*")} == {"188"}


def test_a_partial_tile_stands_for_every_checkpoint_until_it_is_full(tmp_path: Path) -> None:
    tree = grown(tmp_path, 10, 20, 30)
    assert {path.name for path in (tmp_path / "log/tile/entries/000.p").iterdir()} == {"10", "20", "30"}

    tree.grow(((n, b"entry %d" % n) for n in range(30, 256)), {256})

    assert sorted(path.name for path in (tmp_path / "log/tile/entries").iterdir()) == ["000"]


def test_a_crash_leaves_longer_files_which_are_cut_to_what_was_signed(tmp_path: Path) -> None:
    tree = grown(tmp_path, 300)
    before = files(tmp_path / "tree")
    tree.grow(((n, b"never signed %d" % n) for n in range(300, 900)), {900})

    root = tree.stand(300)

    assert root == merkle.root(leaves(300))
    assert {name: data for name, data in files(tmp_path / "tree").items() if data} == before
    tree.grow(((n, b"entry %d" % n) for n in range(300, 310)), {310})
    assert tree.root() == merkle.root(leaves(310))


def test_settling_says_up_to_where_files_are_durable_and_nothing_before_does(tmp_path: Path) -> None:
    tree, other = grown(tmp_path, 300), Tree(Tiles(tmp_path / "log"), tmp_path / "tree")
    assert tree.unsettled == 300
    assert other.doubtful(300) == 0
    assert tree.doubtful(300) is None

    tree.settle()

    assert (tmp_path / "tree/settled").read_text() == f"{300:020d}\n"
    assert tree.unsettled == 0
    assert other.doubtful(300) is None
    assert Tree(Tiles(tmp_path / "log"), tmp_path / "tree").doubtful(600) == 256


def test_a_log_that_went_back_is_not_called_durable_up_to_where_it_was(tmp_path: Path) -> None:
    tree = grown(tmp_path, 600)
    tree.settle()
    tree.stand(600)
    shutil.rmtree(tmp_path / "log")

    shorter = grown(tmp_path, 300)

    assert Tree(Tiles(tmp_path / "log"), tmp_path / "tree").doubtful(300) == 0
    shorter.settle()
    assert (tmp_path / "tree/settled").read_text() == f"{300:020d}\n"


@pytest.mark.parametrize("count", [30, 300])
def test_settling_file_by_file_and_for_the_whole_filesystem_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr(tree, "_sync_filesystems", lambda *_: False)
    synced = list[Path]()
    monkeypatch.setattr(tree, "_sync", synced.append)

    grown(tmp_path, count).settle()

    written = {path for path in tmp_path.rglob("*") if path.is_file() and path.name != "settled"}
    assert written <= set(synced)
    assert {path.parent for path in written} <= set(synced)


@ONE_DATABASE
@pytest.mark.parametrize("damage", ["shorter", "absent", "gone"])
@pytest.mark.parametrize("level", [0, 3, 8])
def test_whatever_is_missing_of_the_tree_is_written_again_from_the_rows(desk: Desk, damage: str, level: int) -> None:
    ids = desk.note(*map(str, range(300)))
    desk.ledger.advance()
    before, whole = files(private(desk)), desk.ledger.prove(ids[7])
    path = private(desk) / f"{level:02d}"
    if damage == "shorter":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "absent":
        path.unlink()
    else:
        shutil.rmtree(private(desk))

    proof = another(desk).prove(ids[7])
    assert (private(desk) / "settled").read_text() == f"{300:020d}\n"  # the next process begins where this one ended
    desk.note("x")
    desk.ledger.advance()

    assert proof == whole
    assert {name: data[: len(before[name])] for name, data in files(private(desk)).items() if name in before} == before
    assert desk.ledger.verify().holds is Truth.TRUE


def test_a_tree_that_contradicts_the_signed_root_is_left_alone_and_stops_the_signing(desk: Desk) -> None:
    desk.note("a", "b", "c")
    desk.ledger.advance()
    desk.ledger.advance()  # quiet: settles
    path = private(desk) / "00"
    path.write_bytes(bytes(96))
    desk.note("d")

    with pytest.raises(Unavailable, match="do not agree"):
        another(desk).advance()
    assert path.read_bytes() == bytes(96)
    assert faults(desk.ledger) == {"tree"}


@ONE_DATABASE
@pytest.mark.parametrize("level", [0, 3, 8])
def test_no_wrong_proof_leaves_the_house(desk: Desk, level: int) -> None:
    ids = desk.note(*map(str, range(520)))
    desk.ledger.advance()
    desk.note("x")
    desk.ledger.advance()
    path = private(desk) / f"{level:02d}"
    right = path.read_bytes()
    path.write_bytes(bytes(len(right)))

    for ledger in (desk.ledger, another(desk)):
        with pytest.raises(Unavailable, match="do not agree"):
            ledger.prove(ids[300])
        if level == 3:  # of what lies between 520 and 521 leaves
            with pytest.raises(Unavailable, match="do not agree"):
                ledger.consistency(520)
        assert faults(ledger) == {"tree"}
    path.write_bytes(right)  # put right: no process has to be started anew

    assert "index 300" in desk.ledger.prove(ids[300])
    assert desk.ledger.consistency(520)


@ONE_DATABASE
def test_a_file_cut_short_under_a_running_house_is_written_again_and_ends_nothing(desk: Desk) -> None:
    ids = desk.note(*map(str, range(300)))
    desk.ledger.prove(ids[3])  # maps every file
    for path in private(desk).glob("[0-9][0-9]"):
        path.write_bytes(b"")

    assert "index 299" in desk.ledger.prove(ids[299])
    assert desk.ledger.verify().holds is Truth.TRUE


def test_files_not_yet_settled_are_written_again_by_the_next_process(desk: Desk) -> None:
    desk.note(*map(str, range(600)))
    desk.ledger.advance()
    desk.ledger.advance()  # quiet: settles
    desk.note(*map(str, range(300)))
    desk.ledger.advance()
    before = files(desk.folder)
    path = private(desk) / "00"
    right = path.read_bytes()
    path.write_bytes(right[: 700 * 32] + bytes(200 * 32))  # what a power failure may leave of bytes not yet settled
    (desk.folder / "tile/0/002").write_bytes(b"")
    (desk.folder / "tile/entries/002").unlink()

    another(desk).advance()

    assert path.read_bytes() == right
    assert files(desk.folder) == before
    assert desk.ledger.verify().holds is Truth.TRUE


@ONE_DATABASE
def test_settled_files_are_not_touched_by_the_next_process(desk: Desk) -> None:
    desk.note(*map(str, range(600)))
    desk.ledger.advance()
    desk.ledger.advance()
    tile = desk.folder / "tile/0/001"
    tile.write_bytes(bytes(256 * 32))

    another(desk).advance()

    assert tile.read_bytes() == bytes(256 * 32)
    assert faults(desk.ledger) == {"tile"}


def test_rows_that_were_changed_write_nothing_again(desk: Desk) -> None:
    desk.note(*map(str, range(300)))
    desk.ledger.advance()
    shutil.rmtree(private(desk))
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.entry).where(store.entry.c.index == 5).values(body=b"{}"))

    with pytest.raises(Unavailable, match="do not agree"):
        desk.ledger.prove(desk.ledger.entries(limit=1)[0].id)
    assert not private(desk).exists()


def test_two_processes_grow_one_tree_in_turn(desk: Desk) -> None:
    other = another(desk)
    for number in range(12):
        desk.note(*(f"{number}-{n}" for n in range(30)))
        (desk.ledger, other)[number % 2].advance()

    assert desk.ledger.verify().holds is Truth.TRUE
    assert other.verify().entries == 360


@ONE_DATABASE
def test_the_files_are_held_against_each_other_without_the_rows(desk: Desk) -> None:
    desk.note(*map(str, range(600)))
    desk.ledger.advance()
    told = list[tuple[int, int]]()

    found = desk.ledger.verify_files(lambda done, total: told.append((done, total)))

    assert (found.holds, found.entries, found.checkpoints, told) == (Truth.TRUE, 600, 1, [(600, 600)])
    bundle = desk.folder / "tile/entries/001"
    bundle.write_bytes(bundle.read_bytes().replace(b'"text":"300"', b'"text":"999"'))
    assert {(fault.code, fault.index) for fault in desk.ledger.verify_files().faults} >= {("tile", 300)}
    bundle.unlink()
    assert "bundle" in {fault.code for fault in desk.ledger.verify_files().faults}


def test_several_processes_come_to_what_one_comes_to(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from safebelt.rooms.ledger.tiles import auditing

    desk.note(*map(str, range(600)))
    desk.ledger.advance()
    (desk.folder / "tile/0/001").write_bytes(bytes(256 * 32))
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.entry).where(store.entry.c.index == 5).values(kind="x"))
    alone, files_alone = desk.ledger.verify(), desk.ledger.verify_files()

    monkeypatch.setattr(auditing, "_LONG", 1)
    monkeypatch.setattr(auditing.os, "cpu_count", lambda: 2)

    assert desk.ledger.verify() == alone
    assert desk.ledger.verify_files() == files_alone
    assert alone.faults


@ONE_DATABASE
def test_progress_is_told_while_rows_are_verified(desk: Desk, clock: Callable[[], object]) -> None:
    desk.note("a", "b")
    desk.ledger.advance()
    told = list[tuple[int, int]]()

    desk.ledger.verify(lambda done, total: told.append((done, total)))

    assert told == [(2, 2)]
