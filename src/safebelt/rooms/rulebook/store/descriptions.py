"""Descriptions of registered systems: the one that counts, and every one before it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import Description, FactValue, Source
from safebelt.rooms.rulebook.model.deeds import OnRecord

PAGE = 1000
"""Rows fetched at a time when a whole register is read."""

description = sa.Table(
    "rulebook_description",
    metadata,
    sa.Column("subject", sa.String(40), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

past = sa.Table(
    "rulebook_description_past",
    metadata,
    sa.Column("subject", sa.String(40), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("by", sa.String(64), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

TABLES = (description, past)


def put(tx: sa.Connection, new: OnRecord) -> None:
    """Make a description the one that counts, and keep it among all that ever did."""
    row = _row(new)
    upsert(tx, description, row, ["subject"])
    tx.execute(sa.insert(past).values(**row))


def current(tx: sa.Connection, subject: str) -> OnRecord | None:
    """Return the description of a system that counts."""
    row = tx.execute(sa.select(description).where(description.c.subject == subject)).one_or_none()
    return None if row is None else _word(row)


def version(tx: sa.Connection, subject: str, number: int) -> OnRecord | None:
    """Return one description of a system, by its number."""
    which = (past.c.subject == subject) & (past.c.version == number)
    row = tx.execute(sa.select(past).where(which)).one_or_none()
    return None if row is None else _word(row)


def versions(tx: sa.Connection, subject: str, limit: int) -> list[OnRecord]:
    """Return a system's descriptions, latest first."""
    wanted = sa.select(past).where(past.c.subject == subject).order_by(past.c.version.desc()).limit(limit)
    return [_word(row) for row in tx.execute(wanted)]


def count(tx: sa.Connection) -> int:
    """Return how many systems are described."""
    return int(tx.execute(sa.select(sa.func.count()).select_from(description)).scalar_one())


def every(tx: sa.Connection) -> Iterator[OnRecord]:
    """Yield every description that counts, by system id, a page at a time."""
    after = ""
    while True:
        wanted = sa.select(description).where(description.c.subject > after).order_by(description.c.subject)
        rows = tx.execute(wanted.limit(PAGE)).all()
        yield from (_word(row) for row in rows)
        if len(rows) < PAGE:
            return
        after = rows[-1].subject


def _row(word: OnRecord) -> dict[str, Any]:
    return {
        "subject": word.subject,
        "version": word.version,
        "body": body(word.description),
        "sha256": word.sha256,
        "by": word.by,
        "at": word.at,
    }


def body(word: Description) -> dict[str, Any]:
    """Return a description as JSON carries it."""
    return {
        "id": word.id,
        "name": _text(word.name),
        "purpose": _text(word.purpose),
        "sources": {
            name: {"title": one.title, "url": one.url, "as_of": _day(one.as_of)} for name, one in word.sources.items()
        },
        "facts": {
            name: {"value": plain(one.value), "source": one.source, "as_of": _day(one.as_of), "note": one.note}
            for name, one in word.facts.items()
        },
    }


def plain(value: Any) -> Any:
    """Return a fact's value as JSON carries it; dates are marked, so that they come back as dates."""
    match value:
        case tuple() | list():
            return list(value)
        case date():
            return {"date": value.isoformat()}
    return value


def unplain(value: Any) -> Any:
    """Return a fact's value as judgments take it: the way back of `plain`."""
    match value:
        case list():
            return tuple(value)
        case {"date": str(text)}:
            return _as_day(text)
    return value


def _word(row: sa.Row[Any]) -> OnRecord:
    body = row.body
    return OnRecord(
        subject=row.subject,
        version=row.version,
        description=Description(
            id=body["id"],
            name=Text(**body["name"]),
            purpose=Text(**body["purpose"]) if body["purpose"] else None,
            sources={
                name: Source(title=one["title"], url=one["url"], as_of=_as_day(one["as_of"]))
                for name, one in body["sources"].items()
            },
            facts={
                name: FactValue(
                    value=unplain(one["value"]), source=one["source"], as_of=_as_day(one["as_of"]), note=one["note"]
                )
                for name, one in body["facts"].items()
            },
        ),
        sha256=row.sha256,
        by=row.by,
        at=row.at,
    )


def _text(text: Text | None) -> dict[str, str] | None:
    return None if text is None else {"zh": text.zh, "en": text.en}


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _as_day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
