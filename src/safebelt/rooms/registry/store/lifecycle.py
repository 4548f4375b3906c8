"""Tables of gates, evidence, sign-offs, and the two-way street between rows and words."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import Evidence, Issuer, Passage, SignOff, Vouch
from safebelt.rooms.registry.model.register import Status

SHOWN = 200
"""Pieces of evidence, sign-offs or passages that are listed at once, latest first."""


def _of_system() -> sa.Column[str]:
    return sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False)


evidence = sa.Table(
    "registry_evidence",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    _of_system(),
    sa.Column("kind", sa.String(80), nullable=False),
    sa.Column("statement", sa.Text, nullable=False),
    sa.Column("issuer", sa.String(20), nullable=False),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("registry_person.id")),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("made_on", sa.Date, nullable=False),
    sa.Column("expires_on", sa.Date, nullable=False),
    sa.Column("facts_version", sa.Integer, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("withdrawn_at", UtcDateTime),
    sa.Index("ix_registry_evidence_held", "system_id", "expires_on"),
    sa.Index("ix_registry_evidence_expires_on", "expires_on"),
)

vouch = sa.Table(
    "registry_vouch",
    metadata,
    sa.Column("evidence_id", sa.String(40), sa.ForeignKey("registry_evidence.id"), primary_key=True),
    sa.Column("by", sa.String(80), primary_key=True),
    sa.Column("issuer", sa.String(20), primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("statement", sa.Text, nullable=False),
)

sign_off = sa.Table(
    "registry_sign_off",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    _of_system(),
    sa.Column("to", sa.String(20), nullable=False),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("registry_person.id"), nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("facts_version", sa.Integer, nullable=False),
    sa.Column("statement", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("used_at", UtcDateTime),
    sa.Index("ix_registry_sign_off_system_id", "system_id"),
)

passage = sa.Table(
    "registry_passage",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    _of_system(),
    sa.Column("before", sa.String(20), nullable=False),
    sa.Column("after", sa.String(20), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("reason_zh", sa.Text, nullable=False),
    sa.Column("reason_en", sa.Text, nullable=False),
    sa.Column("facts_version", sa.Integer, nullable=False),
    sa.Column("asks", sa.JSON, nullable=False),
    sa.Column("provisional", sa.Boolean, nullable=False),
    sa.Index("ix_registry_passage_system_id", "system_id"),
)

TABLES: tuple[sa.Table, ...] = (evidence, vouch, sign_off, passage)


def add_evidence(tx: sa.Connection, word: Evidence) -> None:
    """Insert a piece of evidence."""
    tx.execute(
        sa.insert(evidence).values(
            id=word.id,
            system_id=word.system_id,
            kind=word.kind,
            statement=word.statement,
            issuer=word.issuer.value,
            person_id=word.person_id or None,
            by=word.by,
            made_on=word.made_on,
            expires_on=word.expires_on,
            facts_version=word.facts_version,
            digest=word.digest,
            note=word.note,
            withdrawn_at=word.withdrawn_at,
        )
    )


def add_vouch(tx: sa.Connection, evidence_id: str, word: Vouch) -> None:
    """Insert that somebody stands for a piece of evidence."""
    values = {"by": word.by, "issuer": word.issuer.value, "at": word.at, "statement": word.statement}
    tx.execute(sa.insert(vouch).values(evidence_id=evidence_id, **values))


def withdraw(tx: sa.Connection, evidence_id: str, at: datetime) -> None:
    """Let a piece of evidence count no more."""
    tx.execute(sa.update(evidence).where(evidence.c.id == evidence_id).values(withdrawn_at=at))


def evidence_by_id(tx: sa.Connection, evidence_id: str) -> Evidence | None:
    """Return one piece of evidence, or None."""
    found = _read(tx, sa.select(evidence).where(evidence.c.id == evidence_id.replace("\0", "")))
    return found[0] if found else None


def of_system(tx: sa.Connection, system_id: str) -> tuple[Evidence, ...]:
    """Return a system's evidence, latest first, expired and withdrawn pieces among it, at most 200."""
    wanted = sa.select(evidence).where(evidence.c.system_id == system_id)
    return _read(tx, wanted.order_by(evidence.c.id.desc()).limit(SHOWN))


def attests_file(tx: sa.Connection, system_id: str, digest: str) -> bool:
    """Whether a system's own side attests something by a file, as its digest says."""
    own = (evidence.c.system_id == system_id) & (evidence.c.issuer == Issuer.SELF.value)
    found = sa.select(evidence.c.id).where(own, evidence.c.digest == digest).limit(1)
    return bool(digest) and tx.execute(found).first() is not None


def held(tx: sa.Connection, system_id: str, on: date) -> dict[str, tuple[Evidence, ...]]:
    """Return the evidence of a system that counts on a day, by kind: neither withdrawn nor expired, latest first."""
    return held_of(tx, (system_id,), on).get(system_id, {})


def held_of(tx: sa.Connection, system_ids: Sequence[str], on: date) -> dict[str, dict[str, tuple[Evidence, ...]]]:
    """Return the same for several systems at once, by system."""
    valid = sa.select(evidence).where(
        evidence.c.system_id.in_(system_ids),
        evidence.c.withdrawn_at.is_(None),
        evidence.c.made_on <= on,
        evidence.c.expires_on >= on,
    )
    found: dict[str, dict[str, tuple[Evidence, ...]]] = {}
    for one in _read(tx, valid.order_by(evidence.c.id.desc())):
        kinds = found.setdefault(one.system_id, {})
        kinds[one.kind] = (*kinds.get(one.kind, ()), one)
    return found


def ending(tx: sa.Connection, since: date, until: date, limit: int, system_id: str = "") -> tuple[Evidence, ...]:
    """Return evidence whose last day lies between two days, both included, soonest first; of all systems or of one."""
    within = [evidence.c.expires_on >= since, evidence.c.expires_on <= until, evidence.c.withdrawn_at.is_(None)]
    if system_id:
        within.append(evidence.c.system_id == system_id)
    return _read(tx, sa.select(evidence).where(*within).order_by(evidence.c.expires_on, evidence.c.id).limit(limit))


def add_sign_off(tx: sa.Connection, word: SignOff) -> None:
    """Insert a sign-off."""
    tx.execute(
        sa.insert(sign_off).values(
            id=word.id,
            system_id=word.system_id,
            to=word.to.value,
            person_id=word.person_id,
            by=word.by,
            at=word.at,
            facts_version=word.facts_version,
            statement=word.statement,
            note=word.note,
            used_at=word.used_at,
        )
    )


def sign_offs(tx: sa.Connection, system_id: str) -> tuple[SignOff, ...]:
    """Return a system's sign-offs, latest first, at most 200."""
    wanted = sa.select(sign_off).where(sign_off.c.system_id == system_id).order_by(sign_off.c.id.desc()).limit(SHOWN)
    return tuple(
        SignOff(
            id=row.id,
            system_id=row.system_id,
            to=Status(row.to),
            person_id=row.person_id,
            by=row.by,
            at=row.at,
            facts_version=row.facts_version,
            statement=row.statement,
            note=row.note,
            used_at=row.used_at,
        )
        for row in tx.execute(wanted)
    )


def use_sign_offs(tx: sa.Connection, ids: Sequence[str], at: datetime) -> None:
    """Mark sign-offs as used by a passage."""
    tx.execute(sa.update(sign_off).where(sign_off.c.id.in_(ids)).values(used_at=at))


def add_passage(tx: sa.Connection, word: Passage) -> None:
    """Insert a passage."""
    tx.execute(
        sa.insert(passage).values(
            id=word.id,
            system_id=word.system_id,
            before=word.before.value,
            after=word.after.value,
            at=word.at,
            by=word.by,
            reason_zh=word.reason.zh,
            reason_en=word.reason.en,
            facts_version=word.facts_version,
            asks=dict(word.asks),
            provisional=word.provisional,
        )
    )


def passages(tx: sa.Connection, system_id: str) -> tuple[Passage, ...]:
    """Return a system's passages, latest first, at most 200."""
    wanted = sa.select(passage).where(passage.c.system_id == system_id).order_by(passage.c.id.desc()).limit(SHOWN)
    return tuple(
        Passage(
            id=row.id,
            system_id=row.system_id,
            before=Status(row.before),
            after=Status(row.after),
            at=row.at,
            by=row.by,
            reason=Text(zh=row.reason_zh, en=row.reason_en),
            facts_version=row.facts_version,
            asks=row.asks,
            provisional=row.provisional,
        )
        for row in tx.execute(wanted)
    )


def _read(tx: sa.Connection, wanted: sa.Select[Any]) -> tuple[Evidence, ...]:
    rows = list(tx.execute(wanted))
    vouched: dict[str, tuple[Vouch, ...]] = {}
    if rows:
        for row in tx.execute(
            sa.select(vouch).where(vouch.c.evidence_id.in_([one.id for one in rows])).order_by(vouch.c.at, vouch.c.by)
        ):
            word = Vouch(issuer=Issuer(row.issuer), by=row.by, at=row.at, statement=row.statement)
            vouched[row.evidence_id] = (*vouched.get(row.evidence_id, ()), word)
    return tuple(_evidence(row, vouched.get(row.id, ())) for row in rows)


def _evidence(row: sa.Row[Any], vouched: tuple[Vouch, ...]) -> Evidence:
    return Evidence(
        id=row.id,
        system_id=row.system_id,
        kind=row.kind,
        statement=row.statement,
        issuer=Issuer(row.issuer),
        person_id=row.person_id or "",
        by=row.by,
        made_on=row.made_on,
        expires_on=row.expires_on,
        facts_version=row.facts_version,
        digest=row.digest,
        note=row.note,
        vouched=vouched,
        withdrawn_at=row.withdrawn_at,
    )
