"""Both databases keep the same promises."""

import json
import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from safebelt.engines.sql import Sql, as_json, insert_rows, stored, upsert
from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Problem, Unavailable
from safebelt.rooms.ledger import store

AT = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
ROW = {"id": "ent_1", "at": AT, "actor": OWNER.id, "kind": "a.b.v1", "subject": "s", "body": b"x", "leaf": b"y" * 32}


def test_a_row_round_trips_with_its_time_zone(sql: Sql) -> None:
    with sql.begin() as tx:
        upsert(tx, store.entry, ROW, ["id"])
        upsert(tx, store.entry, {**ROW, "subject": "other"}, ["id"])

    with sql.read() as tx:
        got = tx.execute(sa.select(store.entry)).one()
    assert (got.at, got.subject, got.index) == (AT, "other", None)


def test_rows_inserted_many_at_once_come_back_as_those_inserted_one_by_one_do(sql: Sql) -> None:
    words = "tab\t line\n\r back\\slash \\N \\. 'quotes\" 中文 é \x7f"
    with sql.begin() as tx:
        tx.execute(sa.insert(store.entry), [{**ROW, "subject": words, "words": words, "body": bytes(range(256))}])
        moment = stored(tx, store.entry.c.at, AT)
        row = ("ent_2", moment, OWNER.id, "a.b.v1", words, bytes(range(256)), b"y" * 32, words, None)
        insert_rows(tx, store.entry, ("id", "at", "actor", "kind", "subject", "body", "leaf", "words", "index"), [row])
        insert_rows(tx, store.entry, ("id",), [])

    with sql.read() as tx:
        one, other = (row._mapping for row in tx.execute(sa.select(store.entry).order_by(store.entry.c.id)))
    assert {**one, "id": ""} == {**other, "id": ""}


def test_what_the_table_forbids_is_refused_many_at_once_too_and_leaves_nothing(sql: Sql) -> None:
    row = ("ent_1", "a.b.v1")
    with pytest.raises(sa.exc.IntegrityError), sql.begin() as tx:
        insert_rows(tx, store.entry, ("id", "kind"), [row])

    with sql.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(store.entry)).scalar_one() == 0


def test_json_for_many_rows_reads_back_as_what_it_was() -> None:
    values = [{"a": [1, 2.5, None, True, "中\ud83d"], "b": {}}, (1, "x"), "", 10**30, [{"zh": "文", "en": "t"}]]

    assert [json.loads(as_json(one)) for one in values] == json.loads(json.dumps(values))


def test_an_error_rolls_everything_back(sql: Sql) -> None:
    with pytest.raises(RuntimeError), sql.begin() as tx:
        upsert(tx, store.entry, ROW, ["id"])
        raise RuntimeError

    with sql.read() as tx:
        assert tx.execute(sa.select(sa.func.count()).select_from(store.entry)).scalar_one() == 0


def test_exclusive_sections_do_not_overlap(sql: Sql) -> None:
    inside, overlaps = [0], [0]

    def visit() -> None:
        for _ in range(10):
            with sql.begin() as tx:
                sql.exclusive(tx, "section")
                inside[0] += 1
                overlaps[0] += inside[0] > 1
                tx.execute(sa.select(1))
                inside[0] -= 1

    threads = [threading.Thread(target=visit) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert overlaps == [0]


def test_a_database_that_is_not_there_is_said_so(tmp_path) -> None:
    with pytest.raises(Problem) as error, Sql(f"sqlite:///{tmp_path}/no/such/folder/x.db").begin():
        pass
    assert error.value.code == "unavailable"


def test_the_databases_state_is_another_word_as_soon_as_anybody_has_changed_anything(sql: Sql) -> None:
    other = Sql(sql.url)
    with sql.begin() as tx:
        upsert(tx, store.entry, ROW, ["id"])
    before = sql.state()
    with sql.read() as tx:
        tx.execute(sa.select(store.entry)).all()
    unchanged = sql.state()
    with other.begin() as tx:
        upsert(tx, store.entry, {**ROW, "subject": "other"}, ["id"])
    theirs = sql.state()
    with sql.begin() as tx:
        upsert(tx, store.entry, {**ROW, "subject": "mine"}, ["id"])
    mine = sql.state()
    other.close()

    assert before == unchanged
    assert len({before, theirs, mine}) == 3


ASKED = sa.select(store.entry.c.subject, store.entry.c.at).where(store.entry.c.id == sa.bindparam("wanted"))


def test_a_row_is_what_a_statement_gives_now_whoever_wrote_it(sql: Sql) -> None:
    other = Sql(sql.url)
    assert sql.row(ASKED, wanted=ROW["id"]) is None
    with other.begin() as tx:
        upsert(tx, store.entry, ROW, ["id"])
    before = sql.row(ASKED, wanted=ROW["id"])
    with other.begin() as tx:
        upsert(tx, store.entry, {**ROW, "subject": "theirs"}, ["id"])
    after = sql.row(ASKED, wanted=ROW["id"])
    with sql.read() as tx:
        same = tx.execute(ASKED, {"wanted": ROW["id"]}).one()
    missing = sql.row(ASKED, wanted="nobody")
    other.close()

    assert before == (ROW["subject"], ROW["at"])
    assert after == tuple(same) == ("theirs", ROW["at"])
    assert missing is None


def test_a_row_that_was_asked_for_keeps_nobody_from_seeing_what_was_changed_since(sql: Sql) -> None:
    with sql.begin() as tx:
        upsert(tx, store.entry, ROW, ["id"])
        upsert(tx, store.entry, {**ROW, "id": "ent_2"}, ["id"])
    every = sa.select(store.entry.c.id).order_by(store.entry.c.id)
    sql.row(every)  # more than one row answers
    before = sql.state()
    with sql.begin() as tx:
        upsert(tx, store.entry, {**ROW, "subject": "other"}, ["id"])

    assert sql.state() != before
    assert sql.row(ASKED, wanted=ROW["id"]) == ("other", ROW["at"])


def test_in_memory_a_row_is_asked_of_the_one_connection() -> None:
    sql = Sql("sqlite://")
    with sql.begin() as tx:
        tx.execute(sa.text("create table a (b integer)"))
        tx.execute(sa.text("insert into a values (1)"))

    assert sql.row(sa.select(sa.column("b")).select_from(sa.table("a"))) == (1,)
    sql.close()


def test_in_memory_the_state_changes_with_the_one_connection() -> None:
    sql = Sql("sqlite://")
    with sql.begin() as tx:
        tx.execute(sa.text("create table a (b integer)"))
    before = sql.state()
    unchanged = sql.state()
    with sql.begin() as tx:
        tx.execute(sa.text("insert into a values (1)"))

    assert before == unchanged != sql.state()
    sql.close()


def test_a_database_that_does_not_answer_is_a_problem_for_readers_too(tmp_path) -> None:
    sql = Sql(f"sqlite:///{tmp_path / 'no folder' / 'house.db'}")

    with pytest.raises(Unavailable), sql.read():
        pass
    with pytest.raises(Unavailable):
        sql.state()
    with pytest.raises(Unavailable):
        sql.row(ASKED, wanted="")
    sql.close()
