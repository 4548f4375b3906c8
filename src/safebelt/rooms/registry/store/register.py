"""The registry's tables, and the two-way street between rows and words."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, changed_once, metadata
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import (
    NamedPerson,
    Party,
    PartyKind,
    PartyRole,
    PersonRole,
    Status,
    System,
    folded,
    ordered,
)

party = sa.Table(
    "registry_party",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("search", sa.Text, nullable=False),
)

system = sa.Table(
    "registry_system",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name_zh", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("purpose_zh", sa.Text, nullable=False),
    sa.Column("purpose_en", sa.Text, nullable=False),
    sa.Column("provider_id", sa.String(40), sa.ForeignKey("registry_party.id"), nullable=False, index=True),
    sa.Column("deployer_id", sa.String(40), sa.ForeignKey("registry_party.id"), index=True),
    sa.Column("status", sa.String(20), nullable=False, index=True),
    sa.Column("registered_at", UtcDateTime, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("search", sa.Text, nullable=False),
)

person = sa.Table(
    "registry_person",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, index=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("contact", sa.Text, nullable=False),
    sa.Column("since", sa.Date, nullable=False),
    sa.Column("until", sa.Date),
)

# Asked with every check of a certificate, and put together once.
_SYSTEM = sa.select(system).where(system.c.id == sa.bindparam("wanted"))
_PEOPLE_OF = sa.select(person).where(person.c.system_id == sa.bindparam("wanted"))


def add_party(tx: sa.Connection, word: Party) -> None:
    """Insert a party."""
    tx.execute(
        sa.insert(party).values(
            id=word.id,
            name=word.name,
            kind=word.kind.value,
            roles=[role.value for role in word.roles],
            contact=word.contact,
            registered_at=word.registered_at,
            search=folded(f"{word.id}\n{word.name}"),
        )
    )


def add_system(tx: sa.Connection, word: System) -> None:
    """Insert a system."""
    tx.execute(sa.insert(system).values(id=word.id, registered_at=word.registered_at, **columns(word)))


def save_system(tx: sa.Connection, word: System) -> None:
    """Update a system that was read at the version before this one.

    Raises:
        Conflict: Somebody else changed it since.
    """
    fresh = sa.update(system).where(system.c.id == word.id, system.c.version == word.version - 1)
    changed_once(tx.execute(fresh.values(**columns(word))), word.name.zh)


def save_people(tx: sa.Connection, word: System, new: NamedPerson) -> None:
    """Insert the new person and end the terms it ended."""
    for each in word.people:
        if each.until is not None:
            tx.execute(sa.update(person).where(person.c.id == each.id).values(until=each.until))
    values = {"id": new.id, "role": new.role.value, "name": new.name, "contact": new.contact, "since": new.since}
    tx.execute(sa.insert(person).values(system_id=word.id, until=new.until, **values))


def document(tx: sa.Connection, word: System) -> str:
    """Return everything a system is found by: its id, texts, and the names of its parties."""
    parties = sa.select(party.c.name).where(party.c.id.in_((word.provider_id, word.deployer_id))).order_by(party.c.id)
    texts = (word.id, word.name.zh, word.name.en, word.purpose.zh, word.purpose.en)
    return "\n".join((*dict.fromkeys(texts), *tx.execute(parties).scalars()))


def party_by_id(tx: sa.Connection, party_id: str) -> Party | None:
    """Return one party, or None."""
    row = tx.execute(sa.select(party).where(party.c.id == _clean(party_id))).one_or_none()
    return None if row is None else _party(row)


def system_by_id(tx: sa.Connection, system_id: str) -> System | None:
    """Return one system with its people, or None."""
    row = tx.execute(_SYSTEM, {"wanted": _clean(system_id)}).one_or_none()
    if row is None:
        return None
    return _system(row, _by_system(tx.execute(_PEOPLE_OF, {"wanted": row.id})).get(row.id, ()))


def systems_by_id(tx: sa.Connection, system_ids: Sequence[str]) -> tuple[System, ...]:
    """Return those of some systems that there are, with their people, in no order."""
    rows = tx.execute(sa.select(system).where(system.c.id.in_(system_ids))).all()
    people = _people(tx, [row.id for row in rows])
    return tuple(_system(row, people.get(row.id, ())) for row in rows)


def parties(
    tx: sa.Connection, *, search: str, kind: PartyKind | None, page: int, size: int
) -> tuple[tuple[Party, ...], int]:
    """Return one page of matching parties, newest first, and how many match."""
    wanted = _matching(party, search) + ([party.c.kind == kind.value] if kind else [])
    rows, total = _found(tx, party, wanted, page, size)
    return tuple(_party(row) for row in rows), total


def systems(
    tx: sa.Connection, *, search: str, status: Status | None, page: int, size: int
) -> tuple[tuple[System, ...], int]:
    """Return one page of matching systems, newest first, and how many match."""
    wanted = _matching(system, search) + ([system.c.status == status.value] if status else [])
    rows, total = _found(tx, system, wanted, page, size)
    people = _people(tx, [row.id for row in rows])
    return tuple(_system(row, people.get(row.id, ())) for row in rows), total


def _matching(table: sa.Table, search: str) -> list[sa.ColumnElement[bool]]:
    """Every word of the search must be there; `%` and `_` mean themselves."""
    return [table.c.search.contains(word, autoescape=True) for word in folded(_clean(search)).split()]


def _clean(text: str) -> str:
    """Leave out NUL, which PostgreSQL cannot even compare; nothing stored holds one."""
    return text.replace("\0", "")


def _found(
    tx: sa.Connection, table: sa.Table, wanted: list[sa.ColumnElement[bool]], page: int, size: int
) -> tuple[list[sa.Row[Any]], int]:
    total = tx.execute(sa.select(sa.func.count()).select_from(table).where(*wanted)).scalar_one()
    chosen = sa.select(table).where(*wanted).order_by(table.c.id.desc()).limit(size).offset((page - 1) * size)
    return list(tx.execute(chosen)), total


def _people(tx: sa.Connection, system_ids: list[str]) -> dict[str, tuple[NamedPerson, ...]]:
    return _by_system(tx.execute(sa.select(person).where(person.c.system_id.in_(system_ids))))


def _by_system(rows: Iterable[sa.Row[Any]]) -> dict[str, tuple[NamedPerson, ...]]:
    found: dict[str, tuple[NamedPerson, ...]] = {}
    for row in rows:
        word = NamedPerson(
            id=row.id,
            role=PersonRole(row.role),
            name=row.name,
            contact=row.contact,
            since=row.since,
            until=row.until,
        )
        found[row.system_id] = ordered((*found.get(row.system_id, ()), word))
    return found


def columns(word: System) -> dict[str, Any]:
    """Return what a system's row holds besides its id and the moment it was registered."""
    texts = (word.name.zh, word.name.en, word.purpose.zh, word.purpose.en)
    return {
        "name_zh": word.name.zh,
        "name_en": word.name.en,
        "purpose_zh": word.purpose.zh,
        "purpose_en": word.purpose.en,
        "provider_id": word.provider_id,
        "deployer_id": word.deployer_id or None,
        "status": word.status.value,
        "version": word.version,
        "provisional": word.provisional,
        "search": folded("\n".join((word.id, *texts))),
    }


def systems_of(tx: sa.Connection, party_id: str, limit: int) -> tuple[str, ...]:
    """Return ids of the systems a party provides or deploys, newest first."""
    mine = (system.c.provider_id == _clean(party_id)) | (system.c.deployer_id == _clean(party_id))
    wanted = sa.select(system.c.id).where(mine).order_by(system.c.registered_at.desc(), system.c.id.desc())
    return tuple(tx.execute(wanted.limit(limit)).scalars())


def _party(row: sa.Row[Any]) -> Party:
    return Party(
        id=row.id,
        name=row.name,
        kind=PartyKind(row.kind),
        roles=tuple(PartyRole(role) for role in row.roles),
        contact=row.contact,
        registered_at=row.registered_at,
    )


def _system(row: sa.Row[Any], people: tuple[NamedPerson, ...]) -> System:
    return System(
        id=row.id,
        name=Text(zh=row.name_zh, en=row.name_en),
        purpose=Text(zh=row.purpose_zh, en=row.purpose_en),
        provider_id=row.provider_id,
        deployer_id=row.deployer_id or "",
        status=Status(row.status),
        people=people,
        registered_at=row.registered_at,
        version=row.version,
        provisional=row.provisional,
    )


TABLES: tuple[sa.Table, ...] = (party, system, person)
