"""Memory of the certificates: tables, and the two-way street between rows and words."""

from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import Sql, UtcDateTime, among, metadata
from safebelt.rooms.certificates.model import Certificate, Filter, Found, Page, Part, Role, Standing, Why
from safebelt.rooms.registry.model.lifecycle import Issuer

PAGE = 50
"""Certificates on a page."""

founding = sa.Table(
    "certificates_founding",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),  # always 1: a house has one authority
    sa.Column("organization", sa.String(200), nullable=False),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("issuer", sa.String(20), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

part = sa.Table(
    "certificates_part",
    metadata,
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
)

certificate = sa.Table(
    "certificates_certificate",
    metadata,
    sa.Column("serial", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False),
    sa.Column("version_id", sa.String(40), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("key_id", sa.String(64), nullable=False),
    sa.Column("issuer", sa.String(20), nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Column("not_before", UtcDateTime, nullable=False),
    sa.Column("not_after", UtcDateTime, nullable=False),
    sa.Column("standing", sa.String(20), nullable=False),
    sa.Column("why", sa.String(40), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("issued_at", UtcDateTime, nullable=False),
    sa.Column("changed_at", UtcDateTime, nullable=False),
    sa.Column("entry_id", sa.String(40), nullable=False),
    sa.Column("last_entry_id", sa.String(40), nullable=False),
    sa.Index("ix_certificates_certificate_system_id", "system_id"),
    sa.Index("ix_certificates_certificate_key_id", "key_id"),
    sa.Index("ix_certificates_certificate_standing", "standing", "changed_at"),
    sa.Index("ix_certificates_certificate_issued_at", "issued_at", "serial"),
    sa.Index("ix_certificates_certificate_not_after", "not_after"),
    sa.Index("ix_certificates_certificate_last_entry_id", "last_entry_id"),
)

root_list = sa.Table(
    "certificates_root_list",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

identity = sa.Table(
    "certificates_identity",
    metadata,
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), primary_key=True),
    sa.Column("serial", sa.String(40), sa.ForeignKey("certificates_certificate.serial"), nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
)

TABLES: tuple[sa.Table, ...] = (founding, part, certificate, root_list, identity)

# Asked with every check, and put together once: that takes longer than their answers.
_PARTS = sa.select(part.c.role, part.c.der, part.c.since).order_by(part.c.since, part.c.fingerprint)
_LAST_ROOT_LIST = sa.select(root_list.c.number, root_list.c.der).order_by(root_list.c.number.desc()).limit(1)
_BY_SERIAL = sa.select(certificate).where(certificate.c.serial == sa.bindparam("wanted"))
_BY_SERIAL_LOCKED = _BY_SERIAL.with_for_update()


def found(tx: sa.Connection, word: Found, at: datetime) -> None:
    """Insert the authority; raises IntegrityError where there is one."""
    values = {"organization": word.organization, "country": word.country, "issuer": word.issuer.value}
    tx.execute(sa.insert(founding).values(id=1, at=at, **values))


def founded(tx: sa.Connection) -> Found | None:
    """Return how the authority was founded, or None."""
    row = tx.execute(sa.select(founding)).first()
    if row is None:
        return None
    return Found(organization=row.organization, country=row.country, issuer=Issuer(row.issuer))


def add_part(tx: sa.Connection, word: Part, fingerprint: str) -> None:
    """Insert a certificate of the authority itself."""
    values = {"role": word.role.value, "der": word.der, "since": word.since}
    tx.execute(sa.insert(part).values(fingerprint=fingerprint, **values))


def parts(tx: sa.Connection) -> tuple[Part, ...]:
    """Return every certificate the authority ever had, oldest first."""
    return tuple(Part(role=Role(row.role), der=row.der, since=row.since) for row in tx.execute(_PARTS))


def add_root_list(tx: sa.Connection, number: int, der: bytes, at: datetime) -> None:
    """Insert the root's newest revocation list."""
    tx.execute(sa.insert(root_list).values(number=number, der=der, at=at))


def newest_root_list(sql: Sql) -> bytes | None:
    """Return the root's newest revocation list, in a reading of its own."""
    found = sql.row(_LAST_ROOT_LIST)
    return None if found is None else found[1]


def last_root_list(tx: sa.Connection) -> tuple[int, bytes] | None:
    """Return the number and bytes of the root's newest revocation list."""
    row = tx.execute(_LAST_ROOT_LIST).first()
    return None if row is None else (row.number, row.der)


def add(tx: sa.Connection, word: Certificate, *, key_id: str) -> None:
    """Insert a certificate.

    Args:
        tx: The transaction.
        word: The certificate.
        key_id: SHA-256 of its public key, hexadecimal.
    """
    tx.execute(sa.insert(certificate).values(key_id=key_id, **_values(word)))


def put(tx: sa.Connection, word: Certificate) -> None:
    """Update how a certificate stands."""
    values = {name: value for name, value in _values(word).items() if name != "serial"}
    tx.execute(sa.update(certificate).where(certificate.c.serial == word.serial).values(**values))


def by_serial(tx: sa.Connection, serial: str, *, lock: bool = False) -> Certificate | None:
    """Return a certificate by its serial number; with `lock`, held against others until the transaction ends."""
    asked = _BY_SERIAL_LOCKED if lock else _BY_SERIAL
    row = tx.execute(asked, {"wanted": serial.replace("\0", "")}).first()
    return None if row is None else _word(row)


def now_by_serial(sql: Sql, serial: str) -> Certificate | None:
    """Return a certificate by its serial number, in a reading of its own."""
    found = sql.row(_BY_SERIAL, wanted=serial.replace("\0", ""))
    return None if found is None else _word(SimpleNamespace(**dict(zip(certificate.c.keys(), found, strict=True))))


def holders(tx: sa.Connection, key_id: str) -> tuple[str, ...]:
    """Return the systems that ever had a certificate on a key."""
    wanted = sa.select(certificate.c.system_id).where(certificate.c.key_id == key_id).distinct()
    return tuple(tx.scalars(wanted))


def of_key(tx: sa.Connection, key_id: str, system_id: str) -> Certificate | None:
    """Return the latest certificate of a system on a key."""
    c = certificate.c
    wanted = sa.select(certificate).where(c.key_id == key_id, c.system_id == system_id)
    row = tx.execute(wanted.order_by(c.issued_at.desc(), c.serial.desc()).limit(1)).first()
    return None if row is None else _word(row)


def latest(tx: sa.Connection, system_ids: Sequence[str]) -> dict[str, str]:
    """Return, for each of some systems, the number of the certificate that ends last; revoked ones are left out."""
    c = certificate.c
    wanted = sa.select(c.system_id, c.serial).where(
        among(tx, c.system_id, system_ids), c.standing != Standing.REVOKED.value
    )
    return {row.system_id: row.serial for row in tx.execute(wanted.order_by(c.not_after, c.serial))}


def has_lost(tx: sa.Connection, key_id: str) -> bool:
    """Whether a certificate on this key was revoked because the key is no longer secret."""
    lost = (certificate.c.key_id == key_id) & (certificate.c.why == Why.KEY_COMPROMISE.value)
    return tx.execute(sa.select(certificate.c.serial).where(lost).limit(1)).first() is not None


def not_good(tx: sa.Connection, now: datetime) -> tuple[tuple[str, Standing, Why | None, datetime], ...]:
    """Return serial number, standing, why and since when, of everything a revocation list names now."""
    c = certificate.c
    wanted = sa.select(c.serial, c.standing, c.why, c.changed_at).where(
        c.standing != Standing.GOOD.value, c.not_after >= now
    )
    rows = tx.execute(wanted.order_by(c.serial))
    return tuple(
        (row.serial, Standing(row.standing), Why(row.why) if row.why else None, row.changed_at) for row in rows
    )


def last_change(tx: sa.Connection) -> str:
    """Return the id of the entry of the latest change: ids grow, so a list made under the same id still holds."""
    return tx.scalar(sa.select(sa.func.max(certificate.c.last_entry_id))) or ""


def systems_counting(tx: sa.Connection, now: datetime, *, among_ids: Sequence[str] | None = None) -> tuple[str, ...]:
    """Return the systems with a certificate that counts now; with `among_ids`, those of them."""
    wanted = sa.select(certificate.c.system_id).where(
        certificate.c.standing == Standing.GOOD.value, certificate.c.not_after >= now
    )
    if among_ids is not None:
        wanted = wanted.where(among(tx, certificate.c.system_id, among_ids))
    return tuple(tx.scalars(wanted.distinct()))


def of_systems(tx: sa.Connection, system_ids: Sequence[str], now: datetime) -> tuple[Certificate, ...]:
    """Return the certificates of systems that count now."""
    wanted = sa.select(certificate).where(
        among(tx, certificate.c.system_id, system_ids),
        certificate.c.standing == Standing.GOOD.value,
        certificate.c.not_after >= now,
    )
    return tuple(map(_word, tx.execute(wanted.order_by(certificate.c.serial))))


def page(tx: sa.Connection, wanted: Filter) -> Page:
    """Return a page of certificates, latest first."""
    holds = _where(wanted)
    total = tx.scalar(sa.select(sa.func.count()).select_from(certificate).where(*holds)) or 0
    if wanted.before:
        c = certificate.c
        last = sa.select(c.issued_at).where(c.serial == wanted.before.replace("\0", "")).scalar_subquery()
        holds = (*holds, (c.issued_at < last) | ((c.issued_at == last) & (c.serial < wanted.before.replace("\0", ""))))
    rows = tx.execute(
        sa.select(certificate)
        .where(*holds)
        .order_by(certificate.c.issued_at.desc(), certificate.c.serial.desc())
        .limit(PAGE + 1)
    ).all()
    items = tuple(map(_word, rows[:PAGE]))
    return Page(items=items, total=total, before=items[-1].serial if len(rows) > PAGE else "")


def _where(wanted: Filter) -> tuple[sa.ColumnElement[bool], ...]:
    c = certificate.c
    holds = list[sa.ColumnElement[bool]]()
    if wanted.system_id:
        holds.append(c.system_id == wanted.system_id.replace("\0", ""))
    if wanted.standing is not None:
        holds.append(c.standing == wanted.standing.value)
    if words := wanted.words.replace("\0", "").strip().lower():
        in_one = (sa.func.lower(one).contains(words, autoescape=True) for one in (c.serial, c.fingerprint, c.subject))
        holds.append(sa.or_(*in_one))
    return tuple(holds)


def _values(word: Certificate) -> dict[str, Any]:
    return {
        "serial": word.serial,
        "system_id": word.system_id,
        "version_id": word.version_id,
        "subject": word.subject,
        "der": word.der,
        "fingerprint": word.fingerprint,
        "issuer": word.issuer.value,
        "provisional": word.provisional,
        "not_before": word.not_before,
        "not_after": word.not_after,
        "standing": word.standing.value,
        "why": word.why.value if word.why else "",
        "reason": word.reason,
        "issued_at": word.issued_at,
        "changed_at": word.changed_at,
        "entry_id": word.entry_id,
        "last_entry_id": word.last_entry_id,
    }


def _word(row: Any) -> Certificate:
    return Certificate(
        serial=row.serial,
        system_id=row.system_id,
        version_id=row.version_id,
        subject=row.subject,
        der=row.der,
        fingerprint=row.fingerprint,
        issuer=Issuer(row.issuer),
        provisional=row.provisional,
        not_before=row.not_before,
        not_after=row.not_after,
        standing=Standing(row.standing),
        why=Why(row.why) if row.why else None,
        reason=row.reason,
        issued_at=row.issued_at,
        changed_at=row.changed_at,
        entry_id=row.entry_id,
        last_entry_id=row.last_entry_id,
    )
