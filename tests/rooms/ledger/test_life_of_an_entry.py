"""Append, sequence, integrate, publish: in order, once, across crashes, threads and late commits."""

import threading

import pytest
import sqlalchemy as sa
from tests.rooms.ledger.conftest import Desk, Noted

from safebelt.engines.signing import KeyStore, open_note
from safebelt.kernel import merkle
from safebelt.kernel.actors import OWNER
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Problem, Unavailable
from safebelt.rooms.ledger import decide, store
from safebelt.rooms.ledger.service import Ledger
from safebelt.rooms.ledger.tiles import unpack


class Crash(Exception):
    """The process ends here."""


def intact(desk: Desk) -> bool:
    verification = desk.ledger.verify()
    assert verification.faults == ()
    return verification.holds is Truth.TRUE


def test_an_entry_is_placed_and_committed_to_by_a_signed_checkpoint(desk: Desk) -> None:
    first, second = desk.note("a", "b")

    checkpoint = desk.ledger.advance()

    assert checkpoint is not None
    assert (checkpoint.size, desk.ledger.count()) == (2, 2)
    assert [desk.ledger.entry(each).index for each in (first, second)] == [0, 1]
    text = open_note(checkpoint.note, desk.ledger.verifier_keys()).text
    leaves = [merkle.leaf_hash(desk.ledger.entry(each).body) for each in (first, second)]
    assert text == decide.checkpoint_text("example.org/log", 2, merkle.root(leaves))
    assert desk.ledger.checkpoint() == checkpoint
    assert (desk.folder / "checkpoint").read_text() == checkpoint.note


def test_a_deed_rolled_back_is_not_remembered(desk: Desk) -> None:
    with pytest.raises(Crash), desk.sql.begin() as tx:
        desk.ledger.append(tx, Noted(subject="s"), by=OWNER)
        raise Crash

    assert desk.ledger.advance() is None
    assert desk.ledger.count() == 0


def test_advancing_with_nothing_new_signs_nothing(desk: Desk) -> None:
    assert desk.ledger.advance() is None
    desk.note("a")

    first, second = desk.ledger.advance(), desk.ledger.advance()

    assert first == second
    with desk.sql.read() as tx:
        assert len(store.notes(tx)) == 1


def test_tiles_are_those_of_the_specification(desk: Desk) -> None:
    desk.note(*map(str, range(255)))
    desk.ledger.advance()
    assert (desk.folder / "tile/0/000.p/255").stat().st_size == 255 * 32
    desk.note("x", "y")
    desk.ledger.advance()

    files = {str(path.relative_to(desk.folder)) for path in desk.folder.rglob("*") if path.is_file()}
    assert files == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/1",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/1",
    }
    level0 = (desk.folder / "tile/0/000").read_bytes()
    bodies = unpack((desk.folder / "tile/entries/000").read_bytes())
    assert b"".join(merkle.leaf_hash(body) for body in bodies) == level0
    assert (desk.folder / "tile/1/000.p/1").read_bytes() == merkle.root(level0[i : i + 32] for i in range(0, 8192, 32))
    assert intact(desk)


@pytest.mark.parametrize("step", ["_sequence", "_integrate", "_sign", "_show"])
@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.parametrize("before", [0, 254])
def test_a_crash_before_or_after_any_step_is_healed_by_advancing_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str, is_after: bool, before: int
) -> None:
    if before:
        desk.note(*map(str, range(before)))
        desk.ledger.advance()
    desk.note("a", "b", "c")
    whole = getattr(Ledger, step)

    def cut_short(*args: object) -> None:
        if is_after:
            whole(*args)
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, step, cut_short)
        with pytest.raises(Crash):
            desk.ledger.advance()
    desk.note("d")

    checkpoint = desk.ledger.advance()

    assert checkpoint is not None
    assert checkpoint.size == before + 4
    assert intact(desk)


def test_entries_are_placed_once_and_without_gaps_while_threads_append_and_advance(desk: Desk) -> None:
    problems: list[Exception] = []

    def run(work: object) -> None:
        try:
            for number in range(8):
                work(number)  # type: ignore[operator]
        except Exception as error:  # noqa: BLE001  a thread hands on what it met
            problems.append(error)

    work = [lambda n, w=w: desk.note(f"{w}-{n}", "x") for w in range(3)] + [lambda _: desk.ledger.advance()] * 3
    threads = [threading.Thread(target=run, args=(each,)) for each in work]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    desk.ledger.advance()

    assert problems == []
    assert sorted(entry.index for entry in desk.ledger.entries(limit=200)) == list(range(48))  # type: ignore[type-var]
    assert intact(desk)


def test_a_transaction_that_commits_late_loses_nothing(desk: Desk) -> None:
    if desk.sql.is_sqlite:
        pytest.skip("SQLite has one writer at a time: commits are in order")
    late = desk.sql.engine.connect()
    transaction = late.begin()
    early_id = desk.ledger.append(late, Noted(subject="early"), by=OWNER)
    (later_id,) = desk.note("later")

    first = desk.ledger.advance()
    transaction.commit()
    late.close()
    second = desk.ledger.advance()

    assert first is not None
    assert second is not None
    assert (first.size, second.size) == (1, 2)
    assert [entry.id for entry in desk.ledger.entries()] == [early_id, later_id]
    assert intact(desk)


def test_a_lost_folder_is_rebuilt_with_every_published_width(desk: Desk) -> None:
    import shutil

    ids = desk.note(*map(str, range(260)))
    desk.ledger.advance()
    desk.note("a", "b")
    desk.ledger.advance()
    before = {path.relative_to(desk.folder): path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()}
    shutil.rmtree(desk.folder)

    desk.ledger.prove(ids[3])
    desk.ledger.advance()

    assert {
        path.relative_to(desk.folder): path.read_bytes() for path in desk.folder.rglob("*") if path.is_file()
    } == before
    assert intact(desk)


def test_a_restored_old_database_cannot_fork_the_log(desk: Desk) -> None:
    desk.note("a", "b")
    desk.ledger.advance()
    desk.note("c")
    desk.ledger.advance()
    with desk.sql.begin() as tx:
        tx.execute(sa.delete(store.entry).where(store.entry.c.index == 2))
        tx.execute(sa.delete(store.checkpoint).where(store.checkpoint.c.size == 3))
    desk.note("another c")

    with pytest.raises(Conflict, match="stopped signing"):
        desk.ledger.advance()
    with desk.sql.read() as tx:
        assert [size for size, _ in store.notes(tx)] == [2]


def test_a_row_taken_from_the_end_stops_the_signing(desk: Desk) -> None:
    desk.note("a", "b")
    desk.ledger.advance()
    with desk.sql.begin() as tx:
        tx.execute(sa.delete(store.entry).where(store.entry.c.index == 1))
    desk.note("c")

    with pytest.raises(Conflict, match="stopped signing"):
        desk.ledger.advance()


def test_a_changed_tile_at_the_edge_stops_the_signing_and_is_not_overwritten(desk: Desk) -> None:
    desk.note("a", "b")
    desk.ledger.advance()
    tile = desk.folder / "tile/0/000.p/2"
    tile.write_bytes(bytes(64))
    desk.note("c")

    with pytest.raises(Unavailable, match="do not agree"):
        desk.ledger.advance()
    assert tile.read_bytes() == bytes(64)


def test_another_key_cannot_carry_the_log_on(desk: Desk) -> None:
    desk.note("a")
    desk.ledger.advance()
    desk.keys.path.unlink()
    desk.note("b")

    with pytest.raises(Problem, match="None of the keys"):
        desk.ledger.advance()


def test_an_entry_that_does_not_fit_the_log_is_refused(desk: Desk) -> None:
    for event in (Noted(subject="s", text="字" * 30_000), Noted(subject="s" * 81)):
        with pytest.raises(Invalid, match="too long"), desk.sql.begin() as tx:
            desk.ledger.append(tx, event, by=OWNER)
    desk.note("字" * 70)

    assert desk.ledger.count() == 1


def test_entries_are_found_and_paged_newest_first(desk: Desk) -> None:
    desk.note(*(f"n{number}" for number in range(7)))
    desk.ledger.advance()
    desk.note("Waiting 安全")

    def texts(**query: object) -> list[str]:
        return [entry.data["text"] for entry in desk.ledger.entries(**query)]  # type: ignore[arg-type]

    assert texts(limit=3) == ["Waiting 安全", "n6", "n5"]
    assert texts(limit=2, before=5) == ["n4", "n3"]
    assert texts(limit=2, after=2) == ["n4", "n3"]
    assert texts(subject="sub_n2") == ["n2"]
    assert texts(search="waiting") == texts(search="安全") == ["Waiting 安全"]
    assert texts(search="%") == texts(kind="no.such.v1") == texts(actor="nobody") == []
    with pytest.raises(NotFound):
        desk.ledger.entry("ent_none")


def test_rotation_is_remembered_signed_by_the_old_key_and_in_force_at_once(desk: Desk) -> None:
    desk.note("a")
    desk.ledger.advance()
    (old,) = desk.ledger.verifier_keys()

    new = desk.ledger.rotate_key(reason="yearly", by=OWNER)

    entry = desk.ledger.entries(limit=1)[0]
    assert (entry.kind, entry.data["old"], entry.data["new"]) == ("ledger.key_rotated.v1", str(old), str(new))
    assert open_note(entry.data["note"], [old]).text == decide.rotation_text(str(old), str(new))
    checkpoint = desk.ledger.checkpoint()
    assert checkpoint is not None
    assert open_note(checkpoint.note, [new]).text
    assert desk.ledger.verifier_keys() == (old, new)
    assert intact(desk)


@pytest.mark.parametrize("is_remembered", [False, True])
def test_a_rotation_cut_short_is_finished_only_if_the_log_remembers_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, is_remembered: bool
) -> None:
    desk.note("a")
    desk.ledger.advance()
    (old,) = desk.ledger.verifier_keys()

    def crash(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "advance" if is_remembered else "append", crash)
        with pytest.raises(Crash):
            desk.ledger.rotate_key(reason="yearly", by=OWNER)
    desk.note("b")
    desk.ledger.advance()

    assert len(desk.ledger.verifier_keys()) == 1 + is_remembered
    assert desk.ledger.verifier_keys()[0] == old
    assert not desk.keys.has_pending
    assert intact(desk)


def test_another_process_sees_the_new_key_without_a_restart(desk: Desk) -> None:
    other = Ledger(
        desk.sql,
        clock=desk.ledger._clock,
        new_id=desk.ledger._new_id,
        chance=desk.ledger._chance,
        origin=desk.ledger.origin,
        tiles=desk.folder,
        signer=KeyStore(desk.keys.path, name=desk.keys.name, chance=desk.ledger._chance),
    )
    desk.note("a")
    other.advance()
    new = desk.ledger.rotate_key(reason="yearly", by=OWNER)
    desk.note("b")

    checkpoint = other.advance()

    assert checkpoint is not None
    assert open_note(checkpoint.note, [new]).text
    assert intact(desk)


def test_personal_data_is_kept_apart_and_erased_without_breaking_a_proof(desk: Desk) -> None:
    (entry_id,) = desk.note("a", name="张三")
    proof = desk.ledger.prove(entry_id)
    assert desk.ledger.entry(entry_id).personal == {"name": "张三"}
    assert "张三".encode() not in desk.ledger.entry(entry_id).body

    desk.ledger.erase(entry_id, reason="asked for", by=OWNER)

    entry = desk.ledger.entry(entry_id)
    assert (entry.personal, entry.is_erased) == (None, True)
    assert desk.ledger.entries(limit=1)[0].kind == "ledger.personal_erased.v1"
    assert desk.ledger.entries(limit=1)[0].subject == entry_id
    desk.ledger.advance()
    assert (
        decide.check(
            proof,
            lambda note: (
                open_note(note, desk.ledger.verifier_keys()).text,
                frozenset(map(str, desk.ledger.verifier_keys())),
            ),
        )[0].holds
        is Truth.TRUE
    )
    assert intact(desk)
    assert desk.ledger.verify().erased == 1
    with desk.sql.read() as tx:
        assert tx.execute(sa.select(store.personal.c.salt, store.personal.c.data)).one() == (None, None)


def test_erasing_needs_a_reason_and_something_to_erase(desk: Desk) -> None:
    plain, personal = desk.note("a")[0], desk.note("b", name="x")[0]
    with pytest.raises(Invalid):
        desk.ledger.erase(personal, reason=" ", by=OWNER)
    with pytest.raises(Conflict):
        desk.ledger.erase(plain, reason="r", by=OWNER)
    with pytest.raises(NotFound):
        desk.ledger.erase("ent_none", reason="r", by=OWNER)
    desk.ledger.erase(personal, reason="r", by=OWNER)
    with pytest.raises(Conflict):
        desk.ledger.erase(personal, reason="r", by=OWNER)

    assert desk.ledger.count() == 3


def test_a_relay_reads_placed_entries_in_order_and_nothing_that_waits(desk: Desk) -> None:
    ids = desk.note("a", "b", "c")
    desk.ledger.advance()
    desk.note("waiting")

    found = desk.ledger.sequenced(-1, 10)

    assert [(index, entry_id, kind) for index, entry_id, kind, _ in found] == [
        (n, each, "test.noted.v1") for n, each in enumerate(ids)
    ]
    assert found[1][3] == desk.ledger.entry(ids[1]).body
    assert [index for index, *_ in desk.ledger.sequenced(0, 1)] == [1]
    assert desk.ledger.sequenced(2, 10) == []


def test_damaged_bytes_are_said_so_instead_of_shown(desk: Desk) -> None:
    (entry_id,) = desk.note("a")
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.entry).values(body=b"{"))

    for read in (lambda: desk.ledger.entry(entry_id), desk.ledger.entries):
        with pytest.raises(Unavailable, match="ledger verify"):
            read()


def test_a_damaged_checkpoint_stops_the_signing(desk: Desk) -> None:
    desk.note("a")
    desk.ledger.advance()
    with desk.sql.begin() as tx:
        tx.execute(sa.update(store.checkpoint).values(note="hello"))

    with pytest.raises(Unavailable, match="checkpoint 1"):
        desk.ledger.advance()


def test_of_many_subjects_those_are_told_that_an_entry_is_about_placed_or_waiting(desk: Desk) -> None:
    desk.note("a")
    desk.ledger.advance()
    (waiting,) = desk.note("b")
    about = desk.ledger.entry(waiting).subject

    assert desk.ledger.remembered([*(f"sys_{at}" for at in range(3000)), about]) == {about}
    assert desk.ledger.remembered([]) == frozenset()
