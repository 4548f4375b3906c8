"""Which systems' keys this house keeps."""

from datetime import datetime

import sqlalchemy as sa

from safebelt.engines.sql import upsert
from safebelt.rooms.certificates.model import Kept
from safebelt.rooms.certificates.model.certificates import names_in
from safebelt.rooms.certificates.store import certificate, identity


def put(tx: sa.Connection, system_id: str, serial: str, since: datetime) -> None:
    """Remember which certificate a system uses now."""
    upsert(tx, identity, {"system_id": system_id, "serial": serial, "since": since}, keys=("system_id",))


def drop(tx: sa.Connection, system_id: str) -> None:
    """Forget that this house keeps a system's key."""
    tx.execute(sa.delete(identity).where(identity.c.system_id == system_id))


def kept(tx: sa.Connection, system_id: str = "") -> tuple[Kept, ...]:
    """Return the systems whose keys are kept, those whose certificate ends first in front; or the one asked for."""
    joined = sa.select(identity, certificate.c.not_after, certificate.c.subject).join(
        certificate, certificate.c.serial == identity.c.serial
    )
    wanted = joined.where(identity.c.system_id == system_id.replace("\0", "")) if system_id else joined
    rows = tx.execute(wanted.order_by(certificate.c.not_after))
    return tuple(
        Kept(
            system_id=row.system_id,
            serial=row.serial,
            names=names_in(row.subject),
            since=row.since,
            not_after=row.not_after,
        )
        for row in rows
    )
