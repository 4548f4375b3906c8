"""Tables of the public register: the decision in force about each system, every one before it, and what is counted.

What lists and search need stands in columns of its own; the record itself is kept as the very bytes whose digest is on
the ledger, compressed.  Nothing here is worked out from the register when it is read: what was published is shown.
"""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.rooms.registry.model.public import PublicAct
from safebelt.rooms.registry.model.publication import Publication, Visibility

publication = sa.Table(
    "registry_publication",
    metadata,
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), primary_key=True),
    sa.Column("visibility", sa.String(12), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("since", sa.Date),
    sa.Column("until", sa.Date),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("basis", sa.String(200), nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Column("name_zh", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("purpose_zh", sa.Text, nullable=False),
    sa.Column("purpose_en", sa.Text, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("search", sa.Text, nullable=False),
    sa.Column("month", sa.String(7), nullable=False),
    sa.Column("is_judged", sa.Boolean, nullable=False),
    sa.Column("is_imported", sa.Boolean, nullable=False),
    sa.Index("ix_registry_publication_visibility", "visibility", "system_id"),
    sa.Index("ix_registry_publication_at", "visibility", "at"),
)

past = sa.Table(
    "registry_publication_past",
    metadata,
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("visibility", sa.String(12), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("until", sa.Date),
    sa.Column("is_end", sa.Boolean, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

mark = sa.Table(
    "registry_publication_mark",
    metadata,
    sa.Column("kind", sa.String(20), primary_key=True),
    sa.Column("value", sa.String(120), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), primary_key=True),
    sa.Index("ix_registry_publication_mark_system_id", "system_id"),
)

TABLES: tuple[sa.Table, ...] = (publication, past, mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of a record lists, search and counts need.

    Attributes:
        record: The record; None where nothing is to be shown.
        body: Its canonical JSON; empty where there is none.
        search: What it is found by, folded.
        marks: What it is counted under.
    """

    record: dict[str, Any] | None
    body: bytes = b""
    search: str = ""
    marks: tuple[tuple[str, str], ...] = ()


def put(tx: sa.Connection, word: Publication, shown: Shown, *, reason: str, is_end: bool) -> None:
    """Make a decision the one in force, and keep it among all that ever were."""
    upsert(tx, publication, {**_decision(word), **_listed(word, shown)}, ["system_id"])
    tx.execute(
        sa.insert(past).values(
            system_id=word.system_id,
            version=word.version,
            visibility=word.visibility.value,
            at=word.at,
            until=word.until,
            is_end=is_end,
            digest=word.digest,
            entry_id=word.entry_id,
            reason=reason,
            body=zlib.compress(shown.body, 6),
        )
    )
    tx.execute(sa.delete(mark).where(mark.c.system_id == word.system_id))
    rows = [{"kind": kind, "value": value[:120], "system_id": word.system_id} for kind, value in shown.marks]
    if rows:
        tx.execute(sa.insert(mark), rows)


def clean(text: str) -> str:
    """Leave out NUL, which PostgreSQL cannot even compare; nothing stored holds one."""
    return text.replace("\0", "")


def current(tx: sa.Connection, system_id: str) -> Publication | None:
    """Return the decision in force about a system."""
    row = tx.execute(sa.select(publication).where(publication.c.system_id == clean(system_id))).one_or_none()
    return None if row is None else _word(row)


def currents(tx: sa.Connection, system_ids: Sequence[str]) -> dict[str, Publication]:
    """Return the decisions in force about some systems."""
    rows = tx.execute(sa.select(publication).where(publication.c.system_id.in_(system_ids)))
    return {row.system_id: _word(row) for row in rows}


def body(tx: sa.Connection, system_id: str, version: int) -> bytes:
    """Return the canonical JSON of one published record; empty where there is none."""
    which = (past.c.system_id == clean(system_id)) & (past.c.version == version)
    kept = tx.execute(sa.select(past.c.body).where(which)).scalar_one_or_none()
    return zlib.decompress(kept) if kept else b""


def record(tx: sa.Connection, system_id: str, version: int) -> dict[str, Any] | None:
    """Return one published record; None where there is none."""
    kept = body(tx, system_id, version)
    return json.loads(kept) if kept else None


def acts(tx: sa.Connection, system_id: str, today: date, limit: int) -> tuple[PublicAct, ...]:
    """Return what the public may know of a system's decisions, latest first: records once shown, and endings."""
    wanted = (
        sa.select(past).where(past.c.system_id == clean(system_id), _was_public(today)).order_by(past.c.version.desc())
    )
    return tuple(
        PublicAct(
            version=row.version,
            is_end=row.is_end,
            on=row.until or row.at.date(),
            at=row.at,
            digest=row.digest,
            entry_id=row.entry_id,
            reason=row.reason,
        )
        for row in tx.execute(wanted.limit(limit))
    )


def history(tx: sa.Connection, system_id: str, limit: int) -> list[sa.Row[Any]]:
    """Return every decision about a system, latest first, without its record: for those who decide."""
    columns = [each for each in past.c if each.name != "body"]
    wanted = sa.select(*columns).where(past.c.system_id == clean(system_id)).order_by(past.c.version.desc())
    return list(tx.execute(wanted.limit(limit)))


def _was_public(today: date) -> sa.ColumnElement[bool]:
    is_due = (past.c.visibility == Visibility.EMBARGOED.value) & (past.c.until <= today)
    return (past.c.visibility == Visibility.PUBLIC.value) | is_due | past.c.is_end


def _decision(word: Publication) -> dict[str, Any]:
    return {
        "system_id": word.system_id,
        "visibility": word.visibility.value,
        "version": word.version,
        "at": word.at,
        "since": word.since,
        "until": word.until,
        "ended_at": word.ended_at,
        "basis": word.basis,
        "contact": word.contact,
        "digest": word.digest,
        "entry_id": word.entry_id,
    }


def _listed(word: Publication, shown: Shown) -> dict[str, Any]:
    """The columns that lists and counts read: all of them empty where nothing is to be shown."""
    told = shown.record
    if told is None:
        empty = dict.fromkeys(("name_zh", "name_en", "purpose_zh", "purpose_en", "provider", "search", "month"), "")
        return {**empty, "is_judged": False, "is_imported": False}
    return {
        "name_zh": told["name"]["zh"],
        "name_en": told["name"]["en"],
        "purpose_zh": told["purpose"]["zh"],
        "purpose_en": told["purpose"]["en"],
        "provider": told["provider"]["name"] if told["provider"] else "",
        "search": shown.search,
        "month": word.since.isoformat()[:7] if word.since else "",
        "is_judged": bool(told["grades"]["evaluated"]),
        "is_imported": told["origin"] is not None,
    }


def _word(row: sa.Row[Any]) -> Publication:
    return Publication(
        system_id=row.system_id,
        visibility=Visibility(row.visibility),
        version=row.version,
        at=row.at,
        since=row.since,
        until=row.until,
        ended_at=row.ended_at,
        basis=row.basis,
        contact=row.contact,
        digest=row.digest,
        entry_id=row.entry_id,
    )
