"""The table of identifiers of parties, and the row of a party that changes."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.registry.model import Party, folded
from safebelt.rooms.registry.model.identity import Identifier, Scheme, Verified
from safebelt.rooms.registry.store.register import party, system

_AT_ONCE = 500
"""Systems asked about in one query: databases bound the number of parameters."""

identifier = sa.Table(
    "registry_identifier",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("party_id", sa.String(40), sa.ForeignKey("registry_party.id"), nullable=False, index=True),
    sa.Column("scheme", sa.String(20), nullable=False),
    sa.Column("named", sa.String(100), nullable=False),
    sa.Column("value", sa.String(100), nullable=False),
    sa.Column("verified", sa.String(20), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.UniqueConstraint("scheme", "named", "value"),
)


def add(tx: sa.Connection, word: Identifier) -> None:
    """Insert an identifier."""
    tx.execute(
        sa.insert(identifier).values(
            id=word.id,
            party_id=word.party_id,
            scheme=word.scheme.value,
            named=word.named,
            value=word.value,
            verified=word.verified.value,
            source=word.source,
            at=word.at,
            by=word.by,
        )
    )


def remove(tx: sa.Connection, identifier_id: str) -> None:
    """Delete an identifier; that there was one, the ledger remembers."""
    tx.execute(sa.delete(identifier).where(identifier.c.id == identifier_id))


def of(tx: sa.Connection, party_id: str) -> tuple[Identifier, ...]:
    """Return a party's identifiers, in the order they were entered."""
    wanted = sa.select(identifier).where(identifier.c.party_id == party_id.replace("\0", "")).order_by(identifier.c.id)
    return tuple(_identifier(row) for row in tx.execute(wanted))


def holder(tx: sa.Connection, scheme: Scheme, named: str, value: str) -> Identifier | None:
    """Return the identifier that is in the register already, or None."""
    same = (identifier.c.scheme == scheme.value, identifier.c.named == named, identifier.c.value == value)
    row = tx.execute(sa.select(identifier).where(*same)).one_or_none()
    return None if row is None else _identifier(row)


def save_party(tx: sa.Connection, word: Party) -> None:
    """Update a party; the caller holds it against others."""
    tx.execute(
        sa.update(party)
        .where(party.c.id == word.id)
        .values(
            name=word.name,
            kind=word.kind.value,
            roles=[role.value for role in word.roles],
            contact=word.contact,
            search=folded(f"{word.id}\n{word.name}"),
        )
    )


def systems_with(tx: sa.Connection, party_id: str, after: str, limit: int) -> tuple[str, ...]:
    """Return ids of systems a party provides or deploys, by id, those after `after`."""
    mine = (system.c.provider_id == party_id) | (system.c.deployer_id == party_id)
    wanted = sa.select(system.c.id).where(mine, system.c.id > after).order_by(system.c.id).limit(limit)
    return tuple(tx.execute(wanted).scalars())


def _identifier(row: sa.Row[Any]) -> Identifier:
    return Identifier(
        id=row.id,
        party_id=row.party_id,
        scheme=Scheme(row.scheme),
        named=row.named,
        value=row.value,
        verified=Verified(row.verified),
        source=row.source,
        at=row.at,
        by=row.by,
    )


def of_providers(tx: sa.Connection, scheme: Scheme, system_ids: Sequence[str]) -> dict[str, str]:
    """Return the identifier of a scheme that the provider of each system bears, by system; the earliest of several."""
    found = dict[str, str]()
    for at in range(0, len(system_ids), _AT_ONCE):
        wanted = (
            sa.select(system.c.id, identifier.c.value)
            .join(identifier, identifier.c.party_id == system.c.provider_id)
            .where(identifier.c.scheme == scheme.value, system.c.id.in_(system_ids[at : at + _AT_ONCE]))
            .order_by(identifier.c.at, identifier.c.id)
        )
        for row in tx.execute(wanted):
            found.setdefault(row.id, row.value)
    return found


TABLES: tuple[sa.Table, ...] = (identifier,)
