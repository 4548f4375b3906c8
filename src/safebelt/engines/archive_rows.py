"""Rows as lines of JSON that either database takes back exactly, whichever they came from.

A part holds rows of one table: a line that names the table and its columns with the kind of each, then an array a row.
What JSON has no word for is text: bytes in base64, times and dates in ISO 8601, numbers with a fraction as Python
writes them.  JSON columns travel as the text they are stored as: neither the order of keys nor the spelling of a number
changes.  A part says what it holds by itself, so that it can be put into a database of an older shape.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.archive import damaged
from safebelt.engines.sql import UtcDateTime, insert_rows
from safebelt.kernel.errors import Conflict
from safebelt.kernel.text import Text

PART_BYTES = 4 * 1024 * 1024
"""About how long a part becomes: what is held in memory at once, and what a compressor likes."""
_AT_ONCE = 2000  # rows that a database hands over together
_KINDS: dict[str, sa.types.TypeEngine[Any]] = {
    "json": sa.Text(),
    "bytes": sa.LargeBinary(),
    "time": UtcDateTime(),
    "date": sa.Date(),
    "bool": sa.Boolean(),
    "float": sa.Float(),
    "int": sa.BigInteger(),
    "text": sa.Text(),
}
"""What a column holds, and as which type it goes back to a driver."""
_READS: dict[str, Callable[[Any], Any]] = {
    "bytes": b64decode,
    "time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "float": float,
}
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[Any]).decode


class _Head(msgspec.Struct, frozen=True):
    """The first line of a part."""

    table: str
    columns: list[tuple[str, str]]


def dump(tx: sa.Connection, table: sa.Table, *, part_bytes: int = PART_BYTES) -> Iterator[tuple[bytes, int]]:
    """Yield the rows of a table as parts, ordered by their key, each with the number of its rows.

    Args:
        tx: A transaction that sees one moment.
        table: Which.
        part_bytes: About how long a part becomes.
    """
    kinds = [_kind(column.type) for column in table.columns]
    floats = [place for place, kind in enumerate(kinds) if kind == "float"]
    named = [(str(column.name), kind) for column, kind in zip(table.columns, kinds, strict=True)]
    head = _encode(_Head(str(table.name), named))
    columns = [
        sa.cast(column, sa.Text).label(column.name) if kind == "json" else column
        for column, kind in zip(table.columns, kinds, strict=True)
    ]
    query = sa.select(*columns).order_by(*table.primary_key.columns)
    lines, length = [head], len(head)
    for row in tx.execute(query, execution_options={"yield_per": _AT_ONCE}):
        line = _encode(_spelled(row, floats) if floats else tuple(row))
        lines.append(line)
        length += len(line) + 1
        if length >= part_bytes:
            yield b"\n".join(lines) + b"\n", len(lines) - 1
            lines, length = [head], len(head)
    if len(lines) > 1:
        yield b"\n".join(lines) + b"\n", len(lines) - 1


def load(tx: sa.Connection, part: bytes, known: Collection[str]) -> tuple[str, int]:
    """Put the rows of a part into their table, and return its name and how many there were.

    Args:
        tx: The caller's transaction.
        part: What `dump` gave.
        known: Tables that rows may be put into.

    Raises:
        Invalid: It is no such part, or its rows do not fit one another or those before.
        Conflict: The database does not take the rows.
    """
    first, *lines = part.removesuffix(b"\n").split(b"\n")
    try:
        head = msgspec.json.decode(first, type=_Head)
        readers = [_reader(tx.dialect, kind) for _, kind in head.columns]
        rows = [_row(_decode(line), readers) for line in lines]
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError) as error:
        raise damaged(f"rows that cannot be read ({error})", f"有无法读取的数据行（{error}）") from error
    if head.table not in known:
        raise damaged(f"there is no table {head.table[:80]!r}", f"没有表“{head.table[:80]}”")
    try:
        insert_rows(tx, sa.Table(head.table, sa.MetaData()), [name for name, _ in head.columns], rows)
    except sa.exc.IntegrityError as error:  # of rows that stood in a database once
        name, said = head.table, str(error.orig)[:300]
        raise damaged(f"rows of {name} that do not fit ({said})", f"表 {name} 的数据行互不相符（{said}）") from error
    except sa.exc.DBAPIError as error:
        raise _refused(head.table, error) from error
    return head.table, len(rows)


def count(tx: sa.Connection, table: str) -> int:
    """Return how many rows a table has."""
    quoted = tx.dialect.identifier_preparer.quote(table)
    return int(tx.exec_driver_sql(f"select count(*) from {quoted}").scalar_one())  # noqa: S608  quoted


def restart_sequences(tx: sa.Connection, tables: Collection[str]) -> None:
    """Let the numbers that a database gives by itself go on after the highest that was put in.

    SQLite takes the highest anyway; on PostgreSQL a sequence knows nothing of rows that brought their numbers.
    """
    if tx.dialect.name == "sqlite":
        return
    inspector, quoted = sa.inspect(tx), tx.dialect.identifier_preparer.quote
    for table in tables:
        for column in inspector.get_columns(table):
            name = tx.execute(sa.func.pg_get_serial_sequence(quoted(table), column["name"])).scalar()
            if name is not None:
                highest = sa.func.max(sa.column(column["name"], sa.BigInteger))
                if (last := tx.execute(sa.select(highest).select_from(sa.table(table))).scalar()) is not None:
                    tx.execute(sa.select(sa.func.setval(name, last)))


def _kind(type_: sa.types.TypeEngine[Any]) -> str:
    """Return the kind of a column's type.

    Raises:
        TypeError: A type that no rule is written for: a backup must not guess.
    """
    of: tuple[tuple[type[sa.types.TypeEngine[Any]], str], ...] = (
        (sa.JSON, "json"),
        (sa.LargeBinary, "bytes"),
        (UtcDateTime, "time"),
        (sa.Date, "date"),
        (sa.Boolean, "bool"),
        (sa.Float, "float"),
        (sa.Integer, "int"),
        (sa.String, "text"),
    )
    for class_, kind in of:
        if isinstance(type_, class_):
            return kind
    raise TypeError(f"no way to keep a column of type {type_!r}")


def _spelled(row: Sequence[Any], floats: Sequence[int]) -> list[Any]:
    """Write numbers with a fraction as text, which has words for infinity too.

    A negative zero is written as zero: SQLite keeps no sign of it, and one house must come to the same bytes in either.
    """
    values = list(row)
    for place in floats:
        values[place] = None if values[place] is None else repr(float(values[place]) + 0.0)
    return values


def _reader(dialect: sa.Dialect, kind: str) -> Callable[[Any], Any] | None:
    """Return what turns a value of a line into one for the driver; None where it is one already."""
    read, bind = _READS.get(kind), _KINDS[kind].dialect_impl(dialect).bind_processor(dialect)
    if bind is None or read is None:
        return bind or read
    return lambda value: bind(read(value))


def _row(values: list[Any], readers: Sequence[Callable[[Any], Any] | None]) -> list[Any]:
    if len(values) != len(readers):
        raise ValueError("a row of another width")
    return [
        value if value is None or reader is None else reader(value)
        for value, reader in zip(values, readers, strict=True)
    ]


def _refused(table: str, error: sa.exc.DBAPIError) -> Conflict:
    said = str(error.orig or error).splitlines()[0][:300]
    return Conflict(
        what=Text(
            zh=f"数据库不接受表 {table} 的数据行：{said}",
            en=f"The database does not take the rows of {table}: {said}",
        ),
        hint=Text(
            zh="什么都没有写入。请检查磁盘空间和数据库服务；也可恢复到另一种数据库。",
            en="Nothing was written. Check disk space and the server, or restore into the other kind of database.",
        ),
    )
