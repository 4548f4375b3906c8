"""Tables of those who watch: logs we witness, witnesses we ask, and what they cosigned."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.model import Watched, Witness

watched = sa.Table(
    "ledger_watched",
    metadata,
    sa.Column("origin", sa.String(80), primary_key=True),
    sa.Column("keys", sa.Text, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("root", sa.LargeBinary(32)),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime),
)

witness = sa.Table(
    "ledger_witness",
    metadata,
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("key_id", sa.String(8), primary_key=True),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("url", sa.String(500), nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
    sa.Column("until", UtcDateTime),
    sa.Column("trouble", sa.JSON(none_as_null=True)),
)

cosignature = sa.Table(
    "ledger_cosignature",
    metadata,
    sa.Column("size", sa.BigInteger, sa.ForeignKey("ledger_checkpoint.size"), primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("key_id", sa.String(8), primary_key=True),
    sa.Column("line", sa.Text, nullable=False),
)

_BEST_OF = 64  # rows: some cosigned checkpoints after an entry, newest first; one of them carries its proof
_LINES_OF = (
    sa.select(cosignature.c.line)
    .where(cosignature.c.size == sa.bindparam("wanted"))
    .order_by(cosignature.c.name, cosignature.c.key_id)
)
_MOST_COSIGNED = (
    sa.select(cosignature.c.size, sa.func.count().label("witnesses"))
    .where(cosignature.c.size > sa.bindparam("above"))
    .group_by(cosignature.c.size)
    .order_by(cosignature.c.size.desc())
    .limit(_BEST_OF)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A witness's key, as a row names it: its name, its id in hex, and the verifier key itself."""

    name: str
    key_id: str
    key: str


# ---- logs that we witness


def get_watched(tx: sa.Connection, origin: str) -> Watched | None:
    """Return a log that we witness, or did."""
    found = tx.execute(sa.select(watched).where(watched.c.origin == origin)).one_or_none()
    return None if found is None else _watched(found)


def all_watched(tx: sa.Connection) -> list[Watched]:
    """Return the logs that we witness, by name."""
    query = sa.select(watched).where(watched.c.until.is_(None)).order_by(watched.c.origin)
    return [_watched(row) for row in tx.execute(query)]


def watch(tx: sa.Connection, origin: str, keys: Sequence[str], at: datetime) -> None:
    """Begin to witness a log, or accept other keys of it.  What was cosigned before is not touched."""
    joined = "\n".join(keys)
    changed = sa.update(watched).where(watched.c.origin == origin).values(keys=joined, since=at, until=None)
    if tx.execute(changed).rowcount == 0:
        tx.execute(sa.insert(watched).values(origin=origin, keys=joined, since=at, size=0, note=""))


def unwatch(tx: sa.Connection, origin: str, at: datetime) -> bool:
    """Cease to witness a log; the row stays, so that no second tree of a size can ever be cosigned."""
    where = (watched.c.origin == origin) & watched.c.until.is_(None)
    return tx.execute(sa.update(watched).where(where).values(until=at)).rowcount == 1


def keep_cosigned(tx: sa.Connection, log: Watched, old: int) -> bool:
    """Keep what is cosigned now, if what was cosigned last still has the size `old`; say whether it had."""
    where = (watched.c.origin == log.origin) & (watched.c.size == old)
    new = {"size": log.size, "root": log.root, "note": log.note, "at": log.at}
    return tx.execute(sa.update(watched).where(where).values(**new)).rowcount == 1


# ---- witnesses that we ask


def ask(tx: sa.Connection, key: Key, url: str, at: datetime) -> None:
    """Begin to ask a witness, whose answers one key more can sign."""
    row = {"name": key.name, "key_id": key.key_id, "key": key.key, "url": url, "since": at, "until": None}
    upsert(tx, witness, {**row, "trouble": None}, ["name", "key_id"])


def drop(tx: sa.Connection, url: str, at: datetime) -> bool:
    """Cease to ask a witness; its keys stay, for what it has cosigned."""
    where = (witness.c.url == url) & witness.c.until.is_(None)
    return tx.execute(sa.update(witness).where(where).values(until=at)).rowcount > 0


def set_trouble(tx: sa.Connection, url: str, trouble: Text | None) -> None:
    """Remember why a witness did not cosign the last time, or that it did."""
    value = None if trouble is None else {"zh": trouble.zh, "en": trouble.en}
    tx.execute(sa.update(witness).where(witness.c.url == url, witness.c.until.is_(None)).values(trouble=value))


def witnesses(tx: sa.Connection) -> list[Witness]:
    """Return the witnesses that we ask, oldest first."""
    last = (
        sa.select(cosignature.c.name, cosignature.c.key_id, sa.func.max(cosignature.c.size).label("size"))
        .group_by(cosignature.c.name, cosignature.c.key_id)
        .subquery()
    )
    joined = witness.outerjoin(last, (last.c.name == witness.c.name) & (last.c.key_id == witness.c.key_id))
    query = sa.select(witness, last.c.size).select_from(joined).where(witness.c.until.is_(None))
    found = dict[str, list[Any]]()
    for row in tx.execute(query.order_by(witness.c.since, witness.c.url, witness.c.name, witness.c.key_id)):
        found.setdefault(row.url, []).append(row)
    return [_witness(url, rows) for url, rows in found.items()]


# ---- what they cosigned


def add_cosignature(tx: sa.Connection, size: int, key: Key, line: str) -> None:
    """Store a cosignature of a checkpoint; a later one of the same witness takes its place."""
    row = {"size": size, "name": key.name, "key_id": key.key_id, "line": line}
    upsert(tx, cosignature, row, ["size", "name", "key_id"])


def lines_of(tx: sa.Connection, size: int) -> list[str]:
    """Return the cosignatures of a checkpoint, always in the same order."""
    return list(tx.execute(_LINES_OF, {"wanted": size}).scalars())


def best_size(tx: sa.Connection, above: int) -> int | None:
    """Return the size of the checkpoint most widely cosigned among those that cover an index; None where none is."""
    rows = tx.execute(_MOST_COSIGNED, {"above": above}).all()
    return max(rows, key=lambda row: (row.witnesses, row.size)).size if rows else None


def cosignatures(tx: sa.Connection) -> Iterator[tuple[int, str | None, str]]:
    """Yield size, verifier key (None where it is not kept) and line of every cosignature."""
    joined = cosignature.outerjoin(
        witness, (witness.c.name == cosignature.c.name) & (witness.c.key_id == cosignature.c.key_id)
    )
    query = sa.select(cosignature.c.size, witness.c.key, cosignature.c.line).select_from(joined)
    for row in tx.execute(query.order_by(cosignature.c.size, cosignature.c.name, cosignature.c.key_id)):
        yield row.size, row.key, row.line


def _watched(row: Any) -> Watched:
    return Watched(
        origin=row.origin,
        keys=tuple(row._mapping["keys"].split("\n")),
        since=row.since,
        until=row.until,
        size=row.size,
        root=None if row.root is None else bytes(row.root),
        note=row.note,
        at=row.at,
    )


def _witness(url: str, rows: Sequence[Any]) -> Witness:
    trouble = next((row.trouble for row in rows if row.trouble), None)
    return Witness(
        url=url,
        keys=tuple(row.key for row in rows),
        since=rows[0].since,
        size=max(row.size or 0 for row in rows),
        trouble=None if trouble is None else Text(zh=trouble["zh"], en=trouble["en"]),
    )
