"""Tables of filings and forms."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata, upsert
from safebelt.rooms.registry.model.forms import FilingRecord, FilingState

answer = sa.Table(
    "registry_form_answer",
    metadata,
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), primary_key=True),
    sa.Column("form", sa.String(80), primary_key=True),
    sa.Column("field", sa.String(80), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)

filing = sa.Table(
    "registry_filing",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id"), nullable=False, index=True),
    sa.Column("form", sa.String(80), nullable=False),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("missing", sa.JSON, nullable=False),
    sa.Column("by", sa.String(80), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("number", sa.Text, nullable=False),
    sa.Column("received_on", sa.Date),
    sa.Column("evidence_id", sa.String(40), nullable=False),
)

TABLES: tuple[sa.Table, ...] = (answer, filing)


def put_answers(
    tx: sa.Connection, system_id: str, form: str, answers: dict[str, str], *, by: str, at: datetime
) -> None:
    """Keep what somebody wrote into a form; an empty answer takes it back."""
    for field, value in answers.items():
        key = {"system_id": system_id, "form": form, "field": field}
        if value:
            upsert(tx, answer, {**key, "value": value, "by": by, "at": at}, list(key))
        else:
            tx.execute(sa.delete(answer).where(*(answer.c[name] == one for name, one in key.items())))


def answers(tx: sa.Connection, system_id: str, form: str) -> dict[str, str]:
    """Return field to what was written."""
    where = (answer.c.system_id == system_id) & (answer.c.form == form)
    return {row.field: row.value for row in tx.execute(sa.select(answer).where(where))}


def add(tx: sa.Connection, word: FilingRecord) -> None:
    """Insert a filing."""
    tx.execute(
        sa.insert(filing).values(
            id=word.id,
            system_id=word.system_id,
            form=word.form,
            digest=word.digest,
            body=word.body,
            state=word.state.value,
            missing=list(word.missing),
            by=word.by,
            at=word.at,
            number=word.number,
            received_on=word.received_on,
            evidence_id=word.evidence_id,
        )
    )


def save(tx: sa.Connection, word: FilingRecord) -> None:
    """Update where a filing stands."""
    changed: dict[str, Any] = {"state": word.state.value, "number": word.number, "received_on": word.received_on}
    tx.execute(sa.update(filing).where(filing.c.id == word.id).values(evidence_id=word.evidence_id, **changed))


def by_id(tx: sa.Connection, filing_id: str) -> FilingRecord | None:
    """Return one filing, or None."""
    row = tx.execute(sa.select(filing).where(filing.c.id == filing_id.replace("\0", ""))).one_or_none()
    return None if row is None else _filing(row)


def of_system(tx: sa.Connection, system_id: str, limit: int) -> tuple[FilingRecord, ...]:
    """Return a system's filings, newest first."""
    wanted = sa.select(filing).where(filing.c.system_id == system_id).order_by(filing.c.id.desc()).limit(limit)
    return tuple(_filing(row) for row in tx.execute(wanted))


def _filing(row: sa.Row[Any]) -> FilingRecord:
    return FilingRecord(
        id=row.id,
        system_id=row.system_id,
        form=row.form,
        digest=row.digest,
        body=row.body,
        state=FilingState(row.state),
        missing=tuple(row.missing),
        by=row.by,
        at=row.at,
        number=row.number,
        received_on=row.received_on,
        evidence_id=row.evidence_id,
    )
