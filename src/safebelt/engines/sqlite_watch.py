"""One connection to a SQLite database that never writes: what was changed, and single rows, past SQLAlchemy."""

import threading
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class _Written:
    """A statement as text, the names of its parameters in order, the values of some, and what reads each column."""

    text: str
    names: tuple[str, ...]
    values: dict[str, Any]
    readers: tuple[Any, ...]


class Watcher:
    """Tells whether a SQLite database was changed, and what stands in it, by a connection of its own that never writes.

    `pragma data_version` is another number as soon as another connection, of any process, has committed a change.
    Where there is one connection for everybody (in memory), its own count of changes is told instead.

    Args:
        engine: Of the database.
        busy_ms: How long it waits for a lock.
        is_alone: Whether there is one connection for everybody.
    """

    def __init__(self, engine: sa.Engine, busy_ms: int, *, is_alone: bool) -> None:
        self._engine, self._busy_ms, self._is_alone = engine, busy_ms, is_alone
        self._own = threading.Lock()
        self._connection: Any = None
        self._opened = 0
        self._statements: dict[sa.Select[Any], _Written] = {}

    def state(self) -> str:
        """Return a word for what the database holds now."""
        if self._is_alone:
            with self._engine.connect() as connection:
                return str(connection.connection.driver_connection.total_changes)  # type: ignore[union-attr]
        with self._own:
            version = self._open().execute("pragma data_version").fetchone()[0]
            return f"{self._opened}.{version}"

    def row(self, asked: sa.Select[Any], values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the first row of an answer as of now; None where there is none."""
        written = self._statements.get(asked) or self._write(asked)
        given = {**written.values, **values}
        with self._own:  # all of the answer is fetched: what is left of one would keep its moment, and go on to be told
            rows = self._open().execute(written.text, [given[name] for name in written.names]).fetchall()
        if not rows:
            return None
        return tuple(read(one) if read else one for read, one in zip(written.readers, rows[0], strict=True))

    def _open(self) -> Any:
        if self._connection is None:
            arguments, options = self._engine.dialect.create_connect_args(self._engine.url)
            self._connection = self._engine.dialect.connect(*arguments, **{**options, "check_same_thread": False})
            self._connection.execute(f"pragma busy_timeout={self._busy_ms}")
            self._opened += 1  # numbers of two connections say nothing about each other
        return self._connection

    def _write(self, asked: sa.Select[Any]) -> _Written:
        dialect = self._engine.dialect
        compiled: Any = asked.limit(1).compile(dialect=dialect)
        impls = [column.type.dialect_impl(dialect) for column in asked.selected_columns]
        written = self._statements[asked] = _Written(
            text=str(compiled),
            names=tuple(compiled.positiontup),
            values=compiled.construct_params(_check=False),
            readers=tuple(impl.result_processor(dialect, None) for impl in impls),
        )
        return written

    def close(self) -> None:
        """Let go of the connection; it comes back when it is needed."""
        with self._own:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
