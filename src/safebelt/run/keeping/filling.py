"""Puts the parts of a backup where they belong: rows into a database, in one transaction, and files into a folder."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from safebelt.engines.archive import Part, Reader, damaged
from safebelt.engines.archive_rows import count, load, restart_sequences
from safebelt.engines.migrations import migrate, revisions
from safebelt.engines.sql import Sql, metadata
from safebelt.kernel.text import Text
from safebelt.run.keeping import refusals
from safebelt.run.keeping.backup import FORMAT, HEAD, ROWS
from safebelt.run.keeping.folders import HOME
from safebelt.run.keeping.telling import Progress, Say

_MARKED = "engine_restoring"
_MARK = sa.Table(_MARKED, sa.MetaData(), sa.Column("made_at", sa.String(40)))
"""In a database elsewhere while a restore is under way; no part of the house's shape."""
_REVISION = "engine_revision"
_HEAD_BYTES, _PART_BYTES, _CHUNK_BYTES = 1024 * 1024, 256 * 1024 * 1024, 1024 * 1024
"""A head has a few kilobytes.  A part with rows has some megabytes, more only where one row is very long."""


class _Said(msgspec.Struct):
    """What a backup says of itself at its beginning; the rest of it is for people."""

    format: str
    version: str
    made_at: str
    revision: str
    origin: str
    witness: str
    settings: dict[str, str]


class _Checkpoint(msgspec.Struct):
    size: int
    root: str
    note: str


class _Manifest(_Said):
    """What it says of the whole."""

    tables: dict[str, int]
    files: int
    checkpoint: _Checkpoint | None


class Filling:
    """A house being filled from a backup.

    Args:
        reader: The backup.
        sql: An empty database.
        home: An empty folder.
        progress: Counts and tells.

    Attributes:
        head: What the backup says of itself at its beginning.
    """

    def __init__(self, reader: Reader, sql: Sql, home: Path, progress: Progress) -> None:
        self._reader, self._sql, self._home, self._progress = reader, sql, home, progress
        self.head: Mapping[str, Any] = {}
        self._rows = Counter[str]()
        self._files = 0

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the backup says of the whole."""
        return self._reader.manifest

    def fill(self, *, is_marked: bool) -> None:
        """Put everything in its place; the database takes all of it or nothing.

        Args:
            is_marked: Whether the database bears a mark until `unmark`.

        Raises:
            Invalid: The backup is damaged or of another form.
            Conflict: It is of a newer Safebelt, or the database does not take its rows.
        """
        parts = self._reader.parts()
        self.head = _head(next(parts, None))
        migrate(self._sql, to=self.head["revision"])
        with self._sql.begin() as tx:
            if is_marked:
                _MARK.create(tx)
                tx.execute(sa.insert(_MARK).values(made_at=str(self.head["made_at"])[:40]))
            known = frozenset(sa.inspect(tx).get_table_names()) - {_REVISION, _MARK.name}
            for part in parts:
                self._take(tx, part, known)
            self._hold_complete(tx, known)
            restart_sequences(tx, known)

    def _take(self, tx: sa.Connection, part: Part, known: frozenset[str]) -> None:
        if part.name.startswith(ROWS):
            if part.size > _PART_BYTES:
                raise damaged(f"{part.name!r} is too long", f"“{part.name}”过长")
            table, rows = load(tx, part.file.read(part.size), known)
            self._rows[table] += rows
            self._progress(table, rows=rows)
        elif part.name.startswith(HOME):
            _write(self._home / part.name.removeprefix(HOME), part)
            self._files += 1
            self._progress(part.name, files=1)
        else:
            raise damaged(f"{part.name!r} is unknown", f"“{part.name}”来历不明")

    def _hold_complete(self, tx: sa.Connection, known: frozenset[str]) -> None:
        """Hold every table against the manifest, as the database counts it."""
        try:
            told = msgspec.convert(dict(self.manifest), _Manifest)
        except msgspec.ValidationError as error:
            raise damaged(f"its manifest says {error}", f"清单有误：{error}") from error
        if strangers := sorted(told.tables.keys() - known):
            raise damaged(f"there is no table {strangers[0]!r}", f"没有表“{strangers[0]}”")
        for table, rows in sorted(told.tables.items()):
            if (found := count(tx, table)) != rows or self._rows[table] != rows:
                raise damaged(f"{table} has {found} rows, not {rows}", f"表 {table} 有 {found} 行，而非 {rows} 行")
        if told.files != self._files:
            raise damaged(f"there are {self._files} files, not {told.files}", f"文件数不符：{self._files}")


def _head(part: Part | None) -> Mapping[str, Any]:
    """Read what a backup says of itself.

    Raises:
        Invalid: It is none.
        Conflict: It is of a newer Safebelt.
    """
    if part is None or part.name != HEAD:
        raise refusals.no_backup()
    try:
        data = part.file.read(_HEAD_BYTES)
        said = msgspec.json.decode(data, type=_Said)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise refusals.no_backup() from error
    if said.format != FORMAT or said.revision not in revisions():
        raise refusals.newer(said.version, said.revision)
    return dict(msgspec.json.decode(data))


def _write(place: Path, part: Part) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while chunk := part.file.read(_CHUNK_BYTES):
            file.write(chunk)
        os.fchmod(handle, part.mode)
    os.utime(place, (part.mtime, part.mtime))


# ---- the database's place


def hold_free(sql: Sql, *, is_replace: bool, say: Say) -> None:
    """Make a database ready to be filled: without rows, and of no shape yet.

    Raises:
        Conflict: It holds a house, or one of a newer Safebelt.
    """
    with sql.begin() as tx:
        there = frozenset(sa.inspect(tx).get_table_names())
        if _MARK.name in there:
            say(
                Text(
                    zh="数据库中有一次中途终止的恢复；现重新开始。",
                    en="The database holds a restore that ended half-way; this one begins anew.",
                )
            )
        elif not is_replace and any(_has_rows(tx, name) for name in there & metadata.tables.keys()):
            raise refusals.full(sql.engine.url.render_as_string(hide_password=True))
        if _REVISION in there:
            stands = tx.execute(sa.select(sa.table(_REVISION, sa.column("version_num")))).scalar()
            if stands is not None and stands not in revisions():
                raise refusals.newer("?", str(stands))
    clear(sql)


def clear(sql: Sql) -> None:
    """Take every table of a house out of a database; others' tables stay."""
    with sql.begin() as tx:
        ours = frozenset(sa.inspect(tx).get_table_names()) & {*metadata.tables, _REVISION, _MARK.name}
        found = sa.MetaData()
        found.reflect(tx, only=sorted(ours))
        found.drop_all(tx)


def unmark(sql: Sql) -> None:
    """Take the mark away: the house is in its place."""
    with sql.begin() as tx:
        _MARK.drop(tx)


def _has_rows(tx: sa.Connection, table: str) -> bool:
    return tx.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)).scalar() is not None
