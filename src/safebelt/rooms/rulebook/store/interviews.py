"""Interviews: private to whoever gives them, kept until erased."""

from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, metadata
from safebelt.rooms.rulebook.model.deeds import Interview
from safebelt.rooms.rulebook.store.descriptions import plain, unplain

interview = sa.Table(
    "rulebook_interview",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.String(64), nullable=False, index=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("instruments", sa.JSON, nullable=False),
    sa.Column("answers", sa.JSON, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("saved_at", UtcDateTime, nullable=False),
)

TABLES = (interview,)


def add(tx: sa.Connection, new: Interview) -> None:
    """Keep a new interview."""
    row = {"id": new.id, "owner": new.owner, "name": new.name, "instruments": list(new.instruments)}
    tx.execute(sa.insert(interview).values(**row, started_at=new.started_at, **_answered(new)))


def save(tx: sa.Connection, word: Interview) -> bool:
    """Keep the answers as they stand; False where the interview was erased meanwhile, and stays so."""
    which = (interview.c.id == word.id) & (interview.c.owner == word.owner)
    return tx.execute(sa.update(interview).where(which).values(**_answered(word))).rowcount == 1


def _answered(word: Interview) -> dict[str, Any]:
    # A list of pairs: JSON objects need not keep the order in which questions were answered.
    return {"answers": [[name, plain(value)] for name, value in word.answers.items()], "saved_at": word.saved_at}


def of(tx: sa.Connection, owner: str) -> list[Interview]:
    """Return somebody's interviews, latest first."""
    wanted = sa.select(interview).where(interview.c.owner == owner).order_by(interview.c.saved_at.desc())
    return [_word(row) for row in tx.execute(wanted)]


def one(tx: sa.Connection, interview_id: str, owner: str) -> Interview | None:
    """Return one of somebody's interviews; another's is as good as not there."""
    if "\x00" in interview_id:  # no id of ours, and PostgreSQL would not even look
        return None
    which = (interview.c.id == interview_id) & (interview.c.owner == owner)
    row = tx.execute(sa.select(interview).where(which)).one_or_none()
    return None if row is None else _word(row)


def erase(tx: sa.Connection, interview_id: str, owner: str) -> bool:
    """Forget an interview; False where there is none."""
    if "\x00" in interview_id:
        return False
    which = (interview.c.id == interview_id) & (interview.c.owner == owner)
    return tx.execute(sa.delete(interview).where(which)).rowcount == 1


def _word(row: sa.Row[Any]) -> Interview:
    return Interview(
        id=row.id,
        owner=row.owner,
        name=row.name,
        instruments=tuple(row.instruments),
        answers={name: unplain(value) for name, value in row.answers},
        started_at=row.started_at,
        saved_at=row.saved_at,
    )
