"""Rows come back exactly, on either database, whichever they came from."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from safebelt.engines.archive_rows import count, dump, load, restart_sequences
from safebelt.engines.sql import Sql, UtcDateTime
from safebelt.kernel.errors import Conflict, Invalid

shape = sa.MetaData()
thing = sa.Table(
    "trial_thing",
    shape,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text),
    sa.Column("short", sa.String(20)),
    sa.Column("bytes", sa.LargeBinary),
    sa.Column("big", sa.BigInteger),
    sa.Column("real", sa.Double),
    sa.Column("yes", sa.Boolean),
    sa.Column("at", UtcDateTime),
    sa.Column("day", sa.Date),
    sa.Column("json", sa.JSON),
    sa.Column("order", sa.JSON(none_as_null=True)),
)
WORDS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
PLAIN: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | WORDS
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))
ROWS = st.fixed_dictionaries(
    {
        "text": st.none() | WORDS,
        "short": st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20),
        "bytes": st.none() | st.binary(max_size=50),
        "big": st.none() | st.integers(-(2**63), 2**63 - 1),
        "real": st.none() | st.floats(allow_nan=False, width=64),
        "yes": st.none() | st.booleans(),
        "at": st.none() | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001  bounds are naive
        "day": st.none() | st.dates(),
        "json": VALUES,
        "order": st.none() | st.dictionaries(WORDS, PLAIN, max_size=3),
    }
)


@pytest.fixture(scope="module")
def both(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sql, Sql]]:
    maker = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(sa.text("create database archive_rows"))
    maker.dispose()
    url = sa.make_url(postgres_url).set(database="archive_rows").render_as_string(hide_password=False)
    pair = Sql(f"sqlite:///{tmp_path_factory.mktemp('rows') / 'rows.db'}"), Sql(url)
    for sql in pair:
        shape.create_all(sql.engine)
    yield pair
    for sql in pair:
        sql.close()


def emptied(sql: Sql) -> None:
    with sql.begin() as tx:
        tx.execute(sa.delete(thing))


def parts_of(sql: Sql, **options: int) -> list[bytes]:
    with sql.snapshot() as tx:
        return [part for part, _ in dump(tx, thing, **options)]


def put(sql: Sql, parts: list[bytes]) -> int:
    with sql.begin() as tx:
        return sum(load(tx, part, {"trial_thing"})[1] for part in parts)


def test_a_negative_zero_comes_out_of_either_database_the_same(both) -> None:
    kept = []
    for sql in both:
        emptied(sql)
        with sql.begin() as tx:
            tx.execute(sa.insert(thing), [{"id": 0, "real": -0.0}])
        kept.append(parts_of(sql))

    assert kept[0] == kept[1]


@settings(max_examples=25)
@given(rows=st.lists(ROWS, min_size=1, max_size=8), start=st.integers(0, 1))
def test_rows_come_back_exactly_from_either_database_in_either(both, rows, start) -> None:
    first, second = both[start], both[1 - start]
    emptied(first)
    emptied(second)
    with first.begin() as tx:
        tx.execute(sa.insert(thing), [{"id": place, **row} for place, row in enumerate(rows)])
    kept = parts_of(first)

    put(second, kept)

    assert parts_of(second) == kept
    with second.read() as tx:
        found = [dict(row) for row in tx.execute(sa.select(thing).order_by(thing.c.id)).mappings()]
    assert found == [{"id": place, **row} for place, row in enumerate(rows)]


def test_json_keeps_the_very_text_it_was_stored_as(both) -> None:
    spelled = '{"b": 1.0, "a": 1e2,  "a": "\\ud800", "n": 123456789012345678901234567890}'
    for source, target in (both, both[::-1]):
        for sql in both:
            emptied(sql)
        with source.begin() as tx:
            tx.execute(sa.text("insert into trial_thing (id, json) values (1, :it)"), {"it": spelled})

        put(target, parts_of(source))

        with target.read() as tx:
            assert tx.execute(sa.text("select cast(json as text) from trial_thing")).scalar() == spelled


def test_a_json_null_and_no_value_stay_two_things(both) -> None:
    for source, target in (both, both[::-1]):
        for sql in both:
            emptied(sql)
        with source.begin() as tx:
            tx.execute(sa.text("insert into trial_thing (id, json) values (1, 'null'), (2, null)"))

        put(target, parts_of(source))

        with target.read() as tx:
            found = tx.execute(sa.text("select id from trial_thing where json is null")).scalars().all()
        assert found == [2]


def test_parts_stay_short_and_none_is_empty(both) -> None:
    sql, other = both
    emptied(sql)
    emptied(other)
    assert parts_of(sql) == []
    with sql.begin() as tx:
        tx.execute(sa.insert(thing), [{"id": n, "text": "x" * 100} for n in range(5000)])

    parts = parts_of(sql, part_bytes=10_000)

    assert 40 < len(parts) < 120
    assert max(map(len, parts)) < 10_300
    assert put(other, parts) == 5000
    with other.read() as tx:
        assert count(tx, "trial_thing") == 5000


def test_numbers_that_the_database_gives_go_on_after_the_highest(both) -> None:
    for sql in both:
        emptied(sql)
        row = {"table": "trial_thing", "columns": [["id", "int"]]}
        put(sql, [json.dumps(row).encode() + b"\n[41]\n[900]\n"])
        with sql.begin() as tx:
            restart_sequences(tx, ["trial_thing"])
            tx.execute(sa.insert(thing).values(text="next"))
        with sql.read() as tx:
            assert tx.execute(sa.select(thing.c.id).where(thing.c.text == "next")).scalar() == 901


def test_rows_that_do_not_fit_one_another_are_a_damaged_backup_and_no_fault_of_the_database(both) -> None:
    head = json.dumps({"table": "trial_thing", "columns": [["id", "int"], ["short", "text"]]}).encode()
    for sql in both:
        emptied(sql)

        with pytest.raises(Invalid, match="damaged"):
            put(sql, [head + b'\n[1, "one"]\n[1, "again"]\n'])

        with sql.read() as tx:
            assert count(tx, "trial_thing") == 0


def test_what_a_database_does_not_take_is_said_and_nothing_of_it_stays(both) -> None:
    _, postgres = both
    emptied(postgres)
    head = json.dumps({"table": "trial_thing", "columns": [["id", "int"], ["short", "text"]]}).encode()

    with pytest.raises(Conflict, match="trial_thing"):
        put(postgres, [head + b'\n[1, "fits"]\n', head + b'\n[2, "' + b"x" * 21 + b'"]\n'])

    with postgres.read() as tx:
        assert count(tx, "trial_thing") == 0


@pytest.mark.parametrize(
    "part",
    [
        b"",
        b"[]\n",
        b'{"table": "trial_thing"}\n',
        b'{"table": "trial_thing", "columns": [["id", "colour"]]}\n[1]\n',
        b'{"table": "trial_thing", "columns": [["id", "int"]]}\n[1, 2]\n',
        b'{"table": "trial_thing", "columns": [["at", "time"]]}\n["yesterday"]\n',
        b'{"table": "trial_thing", "columns": [["at", "time"]]}\n[7]\n',
        b'{"table": "sqlite_master", "columns": [["name", "text"]]}\n["x"]\n',
    ],
)
def test_what_is_no_part_is_refused(part: bytes, tmp_path: Path) -> None:
    sql = Sql(f"sqlite:///{tmp_path / 'x.db'}")
    shape.create_all(sql.engine)

    with pytest.raises(Invalid):
        put(sql, [part])
    sql.close()


def test_a_column_that_no_rule_is_written_for_is_refused_and_not_guessed(both) -> None:
    strange = sa.Table("trial_strange", sa.MetaData(), sa.Column("id", sa.Interval, primary_key=True))

    with both[0].snapshot() as tx, pytest.raises(TypeError, match="Interval"):
        list(dump(tx, strange))


def test_a_snapshot_sees_one_moment_while_others_write_on(both) -> None:
    for sql in both:
        emptied(sql)
        with sql.snapshot() as tx:
            with sql.begin() as other:
                other.execute(sa.insert(thing).values(id=1, at=datetime.now(UTC) - timedelta(days=1), day=date.today()))  # noqa: DTZ011
            seen = count(tx, "trial_thing")
        with sql.snapshot() as tx:
            assert (seen, count(tx, "trial_thing")) == (0, 1)
