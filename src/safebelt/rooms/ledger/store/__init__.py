"""The log's tables, and the way between rows and words.  Those of witnesses, both ways: `peers`."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.ledger.model import Checkpoint, Row

entry = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("index", sa.BigInteger, unique=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("actor", sa.String(80), nullable=False, index=True),
    sa.Column("kind", sa.String(120), nullable=False, index=True),
    sa.Column("subject", sa.String(80), nullable=False, index=True),
    sa.Column("words", sa.Text, nullable=False, server_default=""),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("leaf", sa.LargeBinary(32), nullable=False),
)

personal = sa.Table(
    "ledger_personal",
    metadata,
    sa.Column("entry_id", sa.String(40), sa.ForeignKey("ledger_entry.id"), primary_key=True),
    sa.Column("salt", sa.LargeBinary(16)),
    sa.Column("data", sa.JSON(none_as_null=True)),
    sa.Column("erased_at", UtcDateTime),
)

checkpoint = sa.Table(
    "ledger_checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
)

_CHUNK = 1024  # rows of one read: a few MB at the longest entries
_PLACE = entry.c.index.label("place")  # a Row is a tuple: its `index` is a method
_ROWS = sa.select(
    *(_PLACE if column is entry.c.index else column for column in entry.c),
    personal.c.entry_id.label("has_personal"),
    personal.c.salt,
    personal.c.data,
    personal.c.erased_at,
).select_from(entry.outerjoin(personal, personal.c.entry_id == entry.c.id))

_VALUES = sa.select(
    *(entry.c[name] for name in ("id", "index", "at", "actor", "kind", "subject", "words", "body", "leaf")),
    personal.c.entry_id.is_not(None),
    personal.c.salt,
    personal.c.data,
    personal.c.erased_at,
).select_from(entry.outerjoin(personal, personal.c.entry_id == entry.c.id))

# Statements of every append and every advance are put together once: doing so costs more than running them.
_NEW_ENTRY, _NEW_PERSONAL = sa.insert(entry), sa.insert(personal)
_WAITING = (
    sa.select(entry.c.id, sa.func.row_number().over(order_by=(entry.c.at, entry.c.id)).label("place"))
    .where(entry.c.index.is_(None))
    .subquery()
)
_PLACE_WAITING = (
    sa.update(entry)
    .where(entry.c.id == _WAITING.c.id)
    .values(index=sa.bindparam("start", type_=sa.BigInteger) - 1 + _WAITING.c.place)
)
_BODIES = sa.select(_PLACE, entry.c.body).order_by(entry.c.index)
_COUNT_WAITING = sa.select(sa.func.count()).select_from(entry).where(entry.c.index.is_(None))
_LAST_PLACE = sa.select(sa.func.max(entry.c.index))
_NEWEST = sa.select(checkpoint.c.size, checkpoint.c.note).order_by(checkpoint.c.size.desc()).limit(1)
_ABOUT = _ROWS.where(entry.c.subject == sa.bindparam("about")).limit(sa.bindparam("most"))
_ABOUT_WAITING = _ABOUT.where(entry.c.index.is_(None)).order_by(entry.c.at.desc(), entry.c.id.desc())
_ABOUT_PLACED = _ABOUT.where(entry.c.index.is_not(None)).order_by(entry.c.index.desc())
_BY_ID = _ROWS.where(entry.c.id == sa.bindparam("wanted"))
_OF_SIZE = sa.select(checkpoint.c.size, checkpoint.c.note).where(checkpoint.c.size == sa.bindparam("wanted"))


def insert(tx: sa.Connection, row: Mapping[str, Any], salt: bytes | None, data: Mapping[str, str]) -> None:
    """Store a new entry, and its personal data apart from it."""
    tx.execute(_NEW_ENTRY, dict(row))
    if salt is not None:
        tx.execute(_NEW_PERSONAL, {"entry_id": row["id"], "salt": salt, "data": dict(data)})


def erase(tx: sa.Connection, entry_id: str, at: datetime) -> bool:
    """Erase an entry's personal data and its salt; say whether there was any."""
    where = (personal.c.entry_id == entry_id) & personal.c.erased_at.is_(None)
    return tx.execute(sa.update(personal).where(where).values(salt=None, data=None, erased_at=at)).rowcount == 1


def sequence(tx: sa.Connection, start: int) -> int:
    """Give every waiting entry its place, oldest first from `start`; return how many there were.

    The caller holds the ledger's exclusive section, so that no two processes give the same place.
    """
    return tx.execute(_PLACE_WAITING, {"start": start}).rowcount


def size(tx: sa.Connection) -> int:
    """Return how many entries have a place, as the highest place says."""
    highest: int | None = tx.execute(_LAST_PLACE).scalar_one()
    return 0 if highest is None else highest + 1


def waiting(tx: sa.Connection) -> int:
    """Return how many entries have no place yet."""
    return tx.execute(_COUNT_WAITING).scalar_one()


def bodies(tx: sa.Connection, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield places and bytes of entries `[start, end)`, in order."""
    while start < end:
        stop = min(start + _CHUNK, end)
        rows = tx.execute(_BODIES.where(entry.c.index >= start, entry.c.index < stop))
        yield from ((place, body) for place, body in rows)
        start = stop


def stretch(tx: sa.Connection, start: int, end: int) -> list[tuple[Any, ...]]:
    """Return rows with a place in `[start, end)` as the values of a `Row` in its order, by place.

    Plain tuples, because they go to other processes, which costs less than half of what words cost.
    """
    where = _VALUES.where(entry.c.index >= start, entry.c.index < end).order_by(entry.c.index)
    return [tuple(found) for found in tx.execute(where)]


def rows_beyond(tx: sa.Connection, size: int) -> Iterator[Row]:
    """Yield every row with a place from `size` on, in order of place; then those that wait for one."""
    at = size - 1
    while found := tx.execute(_ROWS.where(entry.c.index > at).order_by(entry.c.index).limit(_CHUNK)).all():
        yield from map(_row, found)
        at = found[-1].place
    last = ""
    while found := tx.execute(
        _ROWS.where(entry.c.index.is_(None), entry.c.id > last).order_by(entry.c.id).limit(_CHUNK)
    ).all():
        yield from map(_row, found)
        last = found[-1].id


def get(tx: sa.Connection, entry_id: str) -> Row | None:
    """Return one entry's row, or None."""
    found = tx.execute(_BY_ID, {"wanted": entry_id}).one_or_none()
    return None if found is None else _row(found)


def sequenced(tx: sa.Connection, after: int, limit: int) -> list[tuple[int, str, str, bytes]]:
    """Return index, id, kind and body of placed entries after an index, in order."""
    columns = sa.select(_PLACE, entry.c.id, entry.c.kind, entry.c.body)
    found = tx.execute(columns.where(entry.c.index > after).order_by(entry.c.index).limit(limit))
    return [(row.place, row.id, row.kind, bytes(row.body)) for row in found]


def page(
    tx: sa.Connection,
    filters: Mapping[str, str | None],
    search: str | None,
    *,
    before: int | None,
    after: int | None,
    limit: int,
) -> list[Row]:
    """Return entries newest first: those waiting for a place, then by place downwards."""
    where = [entry.c[name] == value for name, value in filters.items() if value]
    if search:
        columns = (entry.c.words, entry.c.id, entry.c.subject, entry.c.actor, entry.c.kind)
        where.append(sa.or_(*(column.icontains(search.lower(), autoescape=True) for column in columns)))
    query = _ROWS.where(*where)
    if after is not None:
        newer = query.where(entry.c.index > after).order_by(entry.c.index).limit(limit)
        return [_row(row) for row in reversed(tx.execute(newer).all())]
    found = list[Any]()
    if before is None:
        unplaced = query.where(entry.c.index.is_(None)).order_by(entry.c.at.desc(), entry.c.id.desc())
        found.extend(tx.execute(unplaced.limit(limit)))
    placed = query.where(entry.c.index.is_not(None) if before is None else entry.c.index < before)
    found.extend(tx.execute(placed.order_by(entry.c.index.desc()).limit(limit - len(found))))
    return [_row(row) for row in found]


def about(tx: sa.Connection, subject: str, limit: int) -> list[Row]:
    """Return the entries about one subject, newest first: as `page`, by statements that stand ready."""
    found = tx.execute(_ABOUT_WAITING, {"about": subject, "most": limit}).all()
    found = [*found, *tx.execute(_ABOUT_PLACED, {"about": subject, "most": limit - len(found)})]
    return [_row(row) for row in found]


def subjects_among(tx: sa.Connection, subjects: Sequence[str]) -> frozenset[str]:
    """Return which of some subjects an entry is about."""
    found = set[str]()
    for start in range(0, len(subjects), _CHUNK):
        some = subjects[start : start + _CHUNK]
        found.update(tx.execute(sa.select(entry.c.subject).where(entry.c.subject.in_(some)).distinct()).scalars())
    return frozenset(found)


def add_checkpoint(tx: sa.Connection, signed: Checkpoint, at: datetime) -> None:
    """Store a checkpoint."""
    tx.execute(sa.insert(checkpoint).values(size=signed.size, at=at, note=signed.note))


def notes(tx: sa.Connection) -> list[tuple[int, str]]:
    """Return size and note of every checkpoint, oldest first."""
    found = tx.execute(sa.select(checkpoint.c.size, checkpoint.c.note).order_by(checkpoint.c.size))
    return [(row.size, row.note) for row in found]


def checkpoint_note(tx: sa.Connection, size: int | None = None) -> tuple[int, str] | None:
    """Return size and note of the newest checkpoint, or of the one of a given size."""
    found = (tx.execute(_NEWEST) if size is None else tx.execute(_OF_SIZE, {"wanted": size})).one_or_none()
    return None if found is None else (found.size, found.note)


def bodies_of(tx: sa.Connection, kind: str) -> list[bytes]:
    """Return the bytes of every entry of a kind, in order of time."""
    found = tx.execute(sa.select(entry.c.body).where(entry.c.kind == kind).order_by(entry.c.at, entry.c.id))
    return [bytes(row.body) for row in found]


def _row(found: Any) -> Row:
    return Row(
        id=found.id,
        index=found.place,
        at=found.at,
        actor=found.actor,
        kind=found.kind,
        subject=found.subject,
        words=found.words,
        body=bytes(found.body),
        leaf=bytes(found.leaf),
        has_personal=found.has_personal is not None,
        salt=None if found.salt is None else bytes(found.salt),
        personal=found.data,
        erased_at=found.erased_at,
    )
