"""A part of an import is written while the next are worked out, and comes to what it would come to by itself."""

import multiprocessing
import threading
from random import Random

import pytest
import sqlalchemy as sa
from tests.rooms.registry.test_imports import MAPPING, table

from safebelt.kernel.actors import OWNER
from safebelt.rooms.registry.decide.imports import proof_holds
from safebelt.rooms.registry.model.imports import Outcome, State, Wish
from safebelt.rooms.registry.model.search import Question
from safebelt.rooms.registry.service import carrying
from safebelt.rooms.registry.service.carrying import Carrying
from safebelt.rooms.registry.store import merging, search, shelves

HEAD = "id,name,purpose,provider,status,system.is_ai,market.jurisdictions,users\n"
WISH = Wish(mapping=MAPPING)
PATIENCE = 20.0  # seconds for what takes none; a test that waits so long fails
RECORDS, CHUNK = 61, 5


def row(at: int, name: str = "", provider: str = "") -> str:
    return f"{at},{name or f'System {at}'},Purpose {at},{provider or f'Makers{at // 4}'},live,yes,eu;cn,{at * 1000}"


def rows() -> list[str]:
    """Records of which some repeat one of a part before, or one beside them, by reference or by name."""
    chance, found = Random(20261122), list[str]()
    for at in range(RECORDS):
        match at % 7 if at > CHUNK else 0:
            case 3:
                found.append(chance.choice(found))
            case 5:
                earlier = chance.randrange(at)
                found.append(row(1000 + at, f"SYSTEM {earlier}", f"Makers{earlier // 4}"))
            case _:
                found.append(row(at))
    return found


@pytest.fixture
def abreast(monkeypatch):
    """Parts of a few records, the first of them written only once all that may wait for it have been worked out."""
    drafted, worked_out, ran_ahead = [], threading.Event(), []
    draft, write = Carrying._drafted, Carrying._write

    def counting(self, batch, *rest):
        found = draft(self, batch, *rest)
        drafted.append(batch.done)
        if len(drafted) >= carrying._AHEAD:
            worked_out.set()
        return found

    def late(self, part, *rest):
        assert worked_out.wait(PATIENCE)
        ran_ahead.append(len(drafted))
        write(self, part, *rest)

    monkeypatch.setattr(carrying, "CHUNK", CHUNK)
    monkeypatch.setattr(carrying, "ABREAST_FROM", 2 * CHUNK)
    monkeypatch.setattr(Carrying, "_drafted", counting)
    monkeypatch.setattr(Carrying, "_write", late)
    return ran_ahead


def test_records_that_repeat_one_of_a_part_not_written_yet_are_found_out(registry, abreast):
    file = table(HEAD + "\n".join(rows()))
    foreseen = registry.preview_import([file], WISH)

    batch = registry.import_files([file], WISH, by=OWNER)

    items = registry.import_items(batch.id, size=100).items
    said = [Outcome.NEW if one.outcome is Outcome.ENTERED else one.outcome for one in items]
    assert abreast[0] >= carrying._AHEAD
    assert said[: len(foreseen.first)] == [one.outcome for one in foreseen.first]
    assert {one: said.count(one) for one in set(said)} == {Outcome(key): n for key, n in foreseen.counts.items() if n}
    assert {Outcome.NEW, Outcome.SAME, Outcome.LIKELY} <= set(said)
    assert registry.systems().total == said.count(Outcome.NEW)
    by_ref = {one.ref: one.system_id for one in items if one.outcome is Outcome.ENTERED}
    assert all(one.system_id in ("", by_ref[one.ref]) for one in items if one.outcome is Outcome.SAME)
    assert any(one.system_id for one in items if one.outcome is Outcome.SAME)


def test_parties_named_in_several_parts_enter_once_and_find_their_systems(registry, abreast):
    batch = registry.import_files([table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER)

    parties = registry.parties(size=100)
    assert batch.counts == {"entered": RECORDS}
    assert sorted(one.name for one in parties.items) == sorted({f"Makers{at // 4}" for at in range(RECORDS)})
    assert len(registry.matching(Question(text="Makers7"), 100)) == 4


def test_each_part_is_one_entry_and_every_system_can_be_proven(registry, ledger, abreast):
    batch = registry.import_files([table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER)

    entries = ledger.entries(subject=batch.id, limit=100)
    items = registry.import_items(batch.id, size=100).items
    assert len(entries) == -(-RECORDS // CHUNK)
    assert {one.entry_id for one in items} == {one.id for one in entries}
    assert all(proof_holds(registry.import_proof(one.system_id)) for one in items)
    assert all(len(registry.descriptions(one.system_id)) == 1 for one in items)
    assert registry.index_missing() == 0


def test_when_another_import_goes_on_meanwhile_what_was_worked_out_is_worked_out_anew(registry, abreast, monkeypatch):
    """The other one brings a record of ours: drafted as new, it must not enter twice."""
    late, brought = Carrying._write, []

    def overtaken(self, part, *rest):
        if not brought:
            brought.append(True)
            brought.append(self.import_files([table(HEAD + row(7), "other.csv")], WISH, by=OWNER))
        late(self, part, *rest)

    monkeypatch.setattr(Carrying, "_write", overtaken)

    batch = registry.import_files([table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER)

    assert brought[1].counts == {"entered": 1}
    assert batch.counts == {"entered": RECORDS - 1, "same": 1}
    assert registry.import_items(batch.id, size=100).items[7].outcome is Outcome.SAME
    assert registry.systems().total == RECORDS
    assert len(registry.parties(size=100).items) == -(-RECORDS // 4)


def test_a_write_that_fails_is_told_and_the_import_goes_on_where_it_stopped(registry, ledger, abreast, monkeypatch):
    late, written = Carrying._write, []

    def failing(self, part, *rest):
        if part.before == 3 * CHUNK:
            raise OSError("the disk is full")
        late(self, part, *rest)
        written.append(part.before)

    monkeypatch.setattr(Carrying, "_write", failing)
    with pytest.raises(OSError, match="the disk is full"):
        registry.import_files([table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER)
    half = registry.import_batches().items[0]
    at_rest = registry.systems().total
    monkeypatch.setattr(Carrying, "_write", late)

    registry.import_waiting()

    assert written == [0, CHUNK, 2 * CHUNK]
    assert (half.state, half.done, at_rest) == (State.RUNNING, 3 * CHUNK, 3 * CHUNK)
    assert registry.import_batch(half.id).counts == {"entered": RECORDS}
    assert registry.systems().total == RECORDS
    assert len(ledger.entries(subject=half.id, limit=100)) == -(-RECORDS // CHUNK)


def test_whoever_is_told_of_the_progress_hears_of_what_is_written_and_may_stop_it(registry, abreast):
    heard = []

    def stop(done: int, total: int) -> None:
        heard.append((done, total, registry.import_batches().items[0].done))
        if done >= 4 * CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        registry.import_files(
            [table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER, progress=stop
        )

    half = registry.import_batches().items[0]
    assert [done for done, _, _ in heard] == [CHUNK, 2 * CHUNK, 3 * CHUNK, 4 * CHUNK]
    assert all(total == RECORDS and done <= kept for done, total, kept in heard)
    assert 4 * CHUNK <= half.done < RECORDS
    assert registry.systems().total == half.done


def test_an_import_that_is_undone_leaves_no_label_behind(registry, sql, abreast):
    """No foreign key holds the labels of a system to it: the deed that takes it out does."""
    kept = registry.import_files([table(HEAD + row(500), "kept.csv")], WISH, by=OWNER)
    batch = registry.import_files([table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER)

    def labelled() -> set[str]:
        with sql.read() as tx:
            return set(tx.execute(sa.select(search.label.c.system_id)).scalars())

    before = labelled()
    registry.undo_import(batch.id, reason="the wrong file", by=OWNER)

    assert len(before) == RECORDS + 1
    assert labelled() == {registry.import_items(kept.id).items[0].system_id}


def test_the_index_is_merged_meanwhile_and_everything_that_entered_is_found(registry, sql, abreast, monkeypatch):
    monkeypatch.setattr(carrying, "MERGE_EVERY", 4 * CHUNK)
    monkeypatch.setattr(merging, "MERGE_FROM", 2)

    registry.import_files([table(HEAD + "\n".join(row(at) for at in range(RECORDS)))], WISH, by=OWNER)
    registry.merge_search(least=1)

    with sql.read() as tx:
        runs = tx.execute(sa.select(search.run.c.size).where(search.run.c.kind == "documents")).scalars().all()
        assert shelves.fresh_count(tx, 500) == 0
    assert len(runs) > 1 or not sql.is_sqlite  # a process beside may come when all is written
    assert sum(runs) == RECORDS
    assert len(registry.matching(Question(text="Makers7"), 100)) == 4


def test_runs_that_have_grown_alike_are_united_and_the_same_is_found(registry, sql):
    for at in range(6):
        registry.import_files(
            [table(HEAD + "\n".join(row(at * 10 + n) for n in range(10)), f"{at}.csv")], WISH, by=OWNER
        )
        registry.merge_search(least=1)

    def runs() -> list[int]:
        with sql.read() as tx:
            return sorted(tx.execute(sa.select(search.run.c.size).where(search.run.c.kind == "documents")).scalars())

    before, found = runs(), sorted(registry.matching(Question(text="Makers7"), 100))
    turns = [registry.unite_search(most=4) for _ in range(5)]

    assert before == [10] * 6
    assert turns[0] == 4
    assert turns[-1] == 0
    assert runs() == [60]
    assert sorted(registry.matching(Question(text="Makers7"), 100)) == found
    assert len(found) == 4


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_a_process_beside_merges_and_where_it_dies_it_is_done_here(registry, sql, monkeypatch):
    monkeypatch.setattr(merging, "MERGE_FROM", 2)
    merged = []
    with merging.beside(sql) as merge:
        for at in range(2):
            file = table(HEAD + "\n".join(row(at * 10 + n) for n in range(10)), f"{at}.csv")
            monkeypatch.setattr(Carrying, "_merge_all", lambda self: None)
            registry.import_files([file], WISH, by=OWNER)
            merged.append(merge())
            for child in multiprocessing.active_children():
                child.kill()
                child.join()

    assert merged == [10, 10]
    assert len(registry.matching(Question(text="Makers2"), 100)) == 4
