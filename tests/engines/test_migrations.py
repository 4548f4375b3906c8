"""One history brings both databases to the shape the code declares."""

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from safebelt.app import every_table
from safebelt.engines.jobs import Jobs
from safebelt.engines.migrations import VERSIONS, differences, draft, migrate
from safebelt.engines.sql import Sql
from safebelt.kernel.errors import Conflict


@pytest.fixture
def empty(database_url: str):
    database = Sql(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def drafted(tmp_path_factory) -> Path:
    """A history of one revision, drafted from today's tables."""
    versions = tmp_path_factory.mktemp("versions")
    every_table()
    draft("0001", "first", versions=versions)
    return versions


def test_a_drafted_first_revision_makes_exactly_the_declared_tables(empty, drafted) -> None:
    assert migrate(empty, versions=drafted) == "0001"

    assert differences(empty) == []
    assert set(sa.inspect(empty.engine).get_table_names()) == {*every_table().tables, "engine_revision"}


def test_the_published_history_makes_exactly_the_declared_tables(empty) -> None:
    if not list(VERSIONS.glob("*.py")):
        pytest.skip("no revision is published yet")

    assert migrate(empty) != ""

    assert differences(empty) == []


def test_conditional_indexes_come_through_the_history_on_both_databases(empty, drafted, clock, new_id) -> None:
    migrate(empty, versions=drafted)
    queue = Jobs(empty, clock=clock, new_id=new_id)

    with empty.begin() as tx:
        ids = [queue.enqueue(tx, "test.do", {}, key="k") for _ in range(2)]

    assert [job_id is None for job_id in ids] == [False, True]


def test_migrating_again_changes_nothing(empty, drafted) -> None:
    migrate(empty, versions=drafted)

    assert migrate(empty, versions=drafted) == "0001"


def test_the_newest_revision_is_the_last_by_the_name_of_its_file(empty) -> None:
    # So a database that has come to it is known as up to date by one query, without reading the history.
    assert migrate(empty) == max(path.stem.partition("_")[0] for path in VERSIONS.glob("*.py"))


def test_a_database_up_to_date_is_opened_beside_a_writer_and_without_reading_the_history(empty, drafted) -> None:
    migrate(empty, versions=drafted)
    opened: list[str] = []
    database = Sql(empty.engine.url.render_as_string(hide_password=False))
    thread = threading.Thread(target=lambda: opened.append(migrate(database, versions=drafted)), daemon=True)

    with empty.begin() as writer:
        empty.exclusive(writer, "engine migrations")
        thread.start()
        thread.join(20)

    assert opened == ["0001"]
    database.close()


def test_a_table_the_history_forgot_is_noticed(empty, drafted) -> None:
    migrate(empty, versions=drafted)
    with empty.begin() as tx:
        tx.execute(sa.text("drop table engine_cursor"))
        tx.execute(sa.text("alter table engine_job drop column last_error"))

    assert {change[0] for change in differences(empty)} == {"add_table", "add_column"}


def test_a_later_revision_is_drafted_from_what_changed_and_applied_to_a_database_in_use(
    empty, drafted, tmp_path
) -> None:
    for file in drafted.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    migrate(empty, versions=tmp_path)
    extra = sa.Table("engine_trial", every_table(), sa.Column("id", sa.String(4), primary_key=True))
    try:
        draft("0002", "trial", versions=tmp_path)
        assert migrate(empty, versions=tmp_path) == "0002"
        assert differences(empty) == []
    finally:
        every_table().remove(extra)


def test_a_draft_without_changes_is_refused(drafted) -> None:
    with pytest.raises(Conflict, match="Nothing"):
        draft("0002", "nothing", versions=drafted)


def test_processes_that_start_together_migrate_once(empty, drafted) -> None:
    came: list[str] = []

    def start() -> None:
        database = Sql(empty.engine.url.render_as_string(hide_password=False))
        came.append(migrate(database, versions=drafted))
        database.close()

    threads = [threading.Thread(target=start) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]

    assert came == ["0001"] * 4
    assert differences(empty) == []


def test_a_revision_that_fails_half_way_leaves_the_database_as_it_was(empty, tmp_path) -> None:
    (tmp_path / "0001_bad.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('engine_half', sa.Column('id', sa.Integer))\n    raise RuntimeError('power cut')\n"
    )

    with pytest.raises(RuntimeError, match="power cut"):
        migrate(empty, versions=tmp_path)

    assert sa.inspect(empty.engine).get_table_names() == []


def test_a_database_from_the_future_is_refused_with_what_to_do(empty, drafted, tmp_path) -> None:
    migrate(empty, versions=drafted)
    with empty.begin() as tx:
        tx.execute(sa.text("update engine_revision set version_num = '9999'"))

    with pytest.raises(Conflict, match="newer version"):
        migrate(empty, versions=drafted)


def test_rows_that_lose_their_foreign_key_stay_as_they_are(empty) -> None:
    tables, at = every_table().tables, datetime(2026, 11, 22, tzinfo=UTC)
    party, system, label = (tables[f"registry_{name}"] for name in ("party", "system", "label"))
    made = {"registered_at": at, "search": ""}
    texts = {"name_zh": "名", "name_en": "N", "purpose_zh": "用", "purpose_en": "P"}
    rest = {"status": "idea", "version": 1, "provisional": False}
    said = [("source", "csv", "sys_1"), ("class:eu/ai-act", "high", "sys_1")]
    migrate(empty, to="0005")
    with empty.begin() as tx:
        tx.execute(sa.insert(party).values(id="pty_1", name="A", kind="organisation", roles=[], contact="", **made))
        tx.execute(sa.insert(system).values(id="sys_1", provider_id="pty_1", **texts, **rest, **made))
        tx.execute(sa.insert(label), [dict(zip(("facet", "value", "system_id"), one, strict=True)) for one in said])

    migrate(empty)

    with empty.read() as tx:
        assert sorted(map(tuple, tx.execute(sa.select(label)))) == sorted(said)
        assert not sa.inspect(tx).get_foreign_keys("registry_label")
        assert sa.inspect(tx).get_foreign_keys("registry_search_entry")
    assert differences(empty) == []
