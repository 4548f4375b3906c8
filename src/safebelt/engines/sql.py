"""SQL on SQLite (WAL) and PostgreSQL.  Every difference between the two lives in this one file.

What is asked of SQLite past SQLAlchemy is asked by `sqlite_watch`.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.sqlite_watch import Watcher
from safebelt.kernel.errors import Conflict, Unavailable
from safebelt.kernel.text import Text

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""All tables of all rooms.  A table's name starts with its room's."""

_JSON = msgspec.json.Encoder()
_VALUES = 8_000
"""Values of one statement that inserts many rows; SQLite takes 32,766, and gains nothing beyond these."""
_BUSY_MS = 10_000
"""How long a SQLite writer waits for another; beyond it the caller is told, not left hanging."""


class UtcDateTime(sa.TypeDecorator[datetime]):
    """A timestamp that is UTC-aware on both databases (SQLite forgets time zones)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a timestamp must say its time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give UTC back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Sql:
    """A database and its transactions.

    Args:
        url: `sqlite://` (memory), `sqlite:////path/file.db`, or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        memory = url in {"sqlite://", "sqlite:///:memory:"}
        options: dict[str, Any] = (
            {"poolclass": sa.StaticPool, "connect_args": {"check_same_thread": False}}
            if memory
            else {"pool_pre_ping": True}
        )
        self.engine = sa.create_engine(url, **options)
        if self.is_sqlite:
            sa.event.listen(self.engine, "connect", _sqlite_pragmas)
            sa.event.listen(self.engine, "begin", _sqlite_begin)
        self._watcher = Watcher(self.engine, _BUSY_MS, is_alone=memory)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded form."""
        return self.engine.dialect.name == "sqlite"

    @property
    def is_in_memory(self) -> bool:
        """Whether there is one connection for everybody, so that nobody reads while another writes."""
        return isinstance(self.engine.pool, sa.StaticPool)

    @contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """Open a writing transaction: commits on success, rolls back on any error.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that a read followed by a
        write can never fail half-way with *database is locked*.

        Raises:
            Unavailable: The database does not answer or stays locked.
        """
        try:
            with self.engine.begin() as tx:
                yield tx
        except sa.exc.DatabaseError as error:
            _hold_usable(error)
            raise

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a reading transaction, which on SQLite does not wait for writers.

        Raises:
            Unavailable: The database does not answer.
        """
        try:
            with self.engine.connect().execution_options(safebelt_read=True) as connection, connection.begin():
                yield connection
        except sa.exc.DatabaseError as error:
            _hold_usable(error)
            raise

    def state(self) -> str:
        """Return a word for what the database holds now.  Two equal words: in between nobody has changed anything.

        It costs little, so what was worked out of many tables may be kept for as long as the word stays the same.  It
        means something to this process alone.

        Raises:
            Unavailable: The database does not answer.
        """
        with _said_unusable():
            if not self.is_sqlite:  # who sees the same transactions as finished sees the same rows
                with self.read() as tx:
                    return str(tx.scalar(sa.text("select pg_current_snapshot()::text")))
            return self._watcher.state()

    def row(self, asked: sa.Select[Any], **values: Any) -> tuple[Any, ...] | None:
        """Return the first row of an answer as of now; None where there is none.

        On SQLite it goes past SQLAlchemy, which takes ten times as long as the database does.

        Args:
            asked: A statement that lives as long as the process, for it is written out once; without `in_`.
            values: Its parameters, as the driver takes them.

        Raises:
            Unavailable: The database does not answer.
        """
        with _said_unusable():
            if self.is_sqlite and not self.is_in_memory:
                return self._watcher.row(asked, values)
            with self.read() as tx:
                found = tx.execute(asked, values).first()
            return None if found is None else tuple(found)

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """Open a reading transaction that sees one moment, however long it takes, while others write on.

        The moment is now: when this returns, it has been chosen.
        """
        options: dict[str, Any] = {"safebelt_read": True}
        if not self.is_sqlite:  # a SQLite reader sees one moment anyway; PostgreSQL's own default sees each commit
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            connection.exec_driver_sql("select count(*) from sqlite_master" if self.is_sqlite else "select 1")
            yield connection

    @contextmanager
    def drafting(self) -> Iterator[tuple[sa.Connection, "Drafts"]]:
        """Open a reading transaction in which `insert_rows` inserts nothing, and keeps the rows for `put`."""
        drafts = Drafts()
        options = {"safebelt_read": True, "safebelt_drafts": drafts}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection, drafts

    def exclusive(self, tx: sa.Connection, name: str) -> None:
        """Let one transaction at a time pass for `name`, across processes, until it ends.

        SQLite needs nothing more: `begin` already holds the only write lock.
        """
        if not self.is_sqlite:
            tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(name))))

    def close(self) -> None:
        """Let go of every connection."""
        self._watcher.close()
        self.engine.dispose()


@contextmanager
def _said_unusable() -> Iterator[None]:
    """Say of a database that does not answer what it is, whoever found out."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        raise _unusable(error) from error
    except sqlite3.Error as error:
        raise _unusable(sa.exc.DBAPIError(None, None, error)) from error


def _hold_usable(error: sa.exc.DatabaseError) -> None:
    """Raise `Unavailable` where the database itself does not answer, or is none; what was wrongly asked is not that."""
    if type(error) in (sa.exc.OperationalError, sa.exc.DatabaseError):
        raise _unusable(error) from error


def _unusable(error: sa.exc.DBAPIError) -> Unavailable:
    return Unavailable(
        what=Text(zh=f"数据库无法使用：{error.orig}", en=f"The database cannot be used: {error.orig}."),
        hint=Text(
            zh="请检查磁盘空间和数据库服务，然后重试。", en="Check disk space and the database server, then try again."
        ),
    )


def among(tx: sa.Connection, column: sa.ColumnElement[Any], values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """Say that a column is one of many texts or of many numbers, as one parameter.

    `in_` names each value in the statement, which is written and planned anew each time: for a thousand it costs more
    than the answer.
    """
    if tx.dialect.name == "sqlite":
        given = sa.func.json_each(sa.literal(json.dumps(list(values)), sa.Text)).table_valued("value")
        return column.in_(sa.select(given.c.value))
    return column == sa.any_(sa.literal(list(values), sa.ARRAY(column.type)))


@dataclass(slots=True)
class Drafts:
    """Rows that are to be inserted later, and where."""

    rows: list[tuple[sa.Table, tuple[str, ...], Sequence[Sequence[Any]]]] = field(default_factory=list)


def put(tx: sa.Connection, drafts: Drafts) -> None:
    """Insert rows that were drafted, in the order in which they were."""
    for table, columns, rows in drafts.rows:
        insert_rows(tx, table, columns, rows)


def insert_rows(tx: sa.Connection, table: sa.Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert many rows the quickest way the database has: by COPY on PostgreSQL, by long statements on SQLite.

    Args:
        tx: The caller's transaction; one that is `drafting` keeps the rows instead.
        table: Where.
        columns: Names of columns; those left out take the defaults that the table itself has.
        rows: For each row a value of each column as the driver takes it, which nothing here translates: JSON as its
            text, a moment as `stored` returns it.
    """
    if not rows:
        return
    drafts: Drafts | None = tx.get_execution_options().get("safebelt_drafts")
    if drafts is not None:
        drafts.rows.append((table, tuple(columns), rows))
        return
    driver: Any = tx.dialect.loaded_dbapi
    quoted = tx.dialect.identifier_preparer.quote
    named = f"{quoted(table.name)} ({', '.join(map(quoted, columns))})"
    cursor: Any = tx.connection.cursor()
    try:
        if tx.dialect.name == "sqlite":
            _insert_by_statements(cursor, named, rows)
        else:
            with cursor.copy(f"copy {named} from stdin") as copy:
                for row in rows:
                    copy.write_row(row)
    except driver.Error as error:
        raise sa.exc.DBAPIError.instance(f"insert into {named}", None, error, driver.Error) from error
    finally:
        cursor.close()


def _insert_by_statements(cursor: Any, named: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert hundreds of rows by one statement: the driver lets other threads work while one runs, not between rows."""
    width = len(rows[0])
    one, at_once = f"({', '.join('?' * width)})", max(1, _VALUES // width)
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        statement = f"insert into {named} values {', '.join([one] * len(some))}"  # noqa: S608  names of ours
        cursor.execute(statement, [value for row in some for value in row])


def as_json(value: Any) -> str:
    """Return a value of a JSON column as its text, for `insert_rows`; a frozen dataclass counts as an object."""
    try:
        return _JSON.encode(value).decode()
    except UnicodeEncodeError:  # half a surrogate, which only the other writer has a way to write
        return json.dumps(value)


def stored(tx: sa.Connection, column: sa.Column[Any], value: Any) -> Any:
    """Return a column's value as the driver takes it, for `insert_rows`."""
    process = column.type.dialect_impl(tx.dialect).bind_processor(tx.dialect)
    return value if process is None else process(value)


def skip_locked(statement: sa.Select[Any]) -> sa.Select[Any]:
    """Claim rows that nobody else holds (SQLite ignores it: its writers are one at a time)."""
    return statement.with_for_update(skip_locked=True)


def upsert(tx: sa.Connection, table: sa.Table, values: dict[str, Any], keys: Sequence[str]) -> None:
    """Insert a row, or update it where one with the same `keys` exists, in one statement."""
    dialect = import_module(f"sqlalchemy.dialects.{tx.dialect.name}")  # loaded with the engine; the other one never
    insert: Any = dialect.insert(table).values(**values)
    rest = {name: insert.excluded[name] for name in values if name not in keys}
    if rest:
        tx.execute(insert.on_conflict_do_update(index_elements=list(keys), set_=rest))
    else:
        tx.execute(insert.on_conflict_do_nothing(index_elements=list(keys)))


def changed_once(result: sa.CursorResult[Any], what: str) -> None:
    """Hold that an optimistic update (`where version = …`) met exactly one row.

    Raises:
        Conflict: Somebody else changed the row since it was read.
    """
    if result.rowcount != 1:
        raise Conflict(
            what=Text(zh=f"{what} 在您操作期间已被他人修改。", en=f"{what} was changed by someone else meanwhile."),
            hint=Text(zh="请重新载入后再试。", en="Load it again and repeat the step."),
        )


def _sqlite_pragmas(dbapi: Any, _record: Any) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves, see _sqlite_begin
    for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", f"busy_timeout={_BUSY_MS}"):
        dbapi.execute(f"pragma {pragma}")


def _sqlite_begin(connection: sa.Connection) -> None:
    """Say BEGIN: a reader's past SQLAlchemy, which takes longer about it than most questions take."""
    if connection.get_execution_options().get("safebelt_read", False):
        with suppress(sqlite3.Error):  # then said again below, where what is wrong gets its usual name
            connection.connection.driver_connection.execute("BEGIN")  # type: ignore[union-attr]
            return
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
