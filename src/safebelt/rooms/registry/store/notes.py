"""Tables of attached files, comments, tasks."""

from datetime import date
from typing import Any

import sqlalchemy as sa

from safebelt.engines.sql import UtcDateTime, changed_once, metadata
from safebelt.rooms.registry.model.notes import Attachment, Comment, Subject, Task

attachment = sa.Table(
    "registry_attachment",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("subject_id", sa.String(40), nullable=False),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.String(64), nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("media_type", sa.String(100), nullable=False),
    sa.Column("stated_type", sa.String(100), nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("withdrawn_at", UtcDateTime),
    sa.Index("ix_registry_attachment_subject_id_id", "subject_id", "id"),
    sa.Index("ix_registry_attachment_system_id_id", "system_id", "id"),
)

comment = sa.Table(
    "registry_comment",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("subject_id", sa.String(40), nullable=False),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id")),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("edited_at", UtcDateTime),
    sa.Column("deleted_at", UtcDateTime),
    sa.Index("ix_registry_comment_subject_id_id", "subject_id", "id"),
    sa.Index("ix_registry_comment_system_id_id", "system_id", "id"),
)

task = sa.Table(
    "registry_task",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("subject_id", sa.String(40), nullable=False),
    sa.Column("system_id", sa.String(40), sa.ForeignKey("registry_system.id")),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("assignee", sa.String(100), nullable=False),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("due", sa.Date),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("done_at", UtcDateTime),
    sa.Column("done_by", sa.Text, nullable=False),
    sa.Index("ix_registry_task_subject_id_done_at", "subject_id", "done_at"),
    sa.Index("ix_registry_task_system_id_done_at", "system_id", "done_at"),
    sa.Index("ix_registry_task_assignee_done_at", "assignee", "done_at"),
    sa.Index("ix_registry_task_done_at_due", "done_at", "due"),
)

HOMES = {
    "sys": "registry_system",
    "pty": "registry_party",
    "mdl": "registry_thing",
    "agt": "registry_thing",
    "cmp": "registry_thing",
    "dat": "registry_thing",
    "dep": "registry_thing",
    "evd": "registry_evidence",
    "job": "registry_job",
}
"""Beginning of an id to the table of what it names: what a note can be about."""
HOLDERS = (("registry_evidence", "digest"),)
"""Tables and columns, besides attachments, that name a kept file by its digest."""


def subject(tx: sa.Connection, subject_id: str) -> Subject | None:
    """Return what a note is to be about, with the system it belongs to; None where there is no such thing."""
    home = metadata.tables.get(HOMES.get(subject_id.partition("_")[0], ""))
    if home is None:
        return None
    columns = [home.c.id] + ([home.c.system_id] if "system_id" in home.c else [])
    row = tx.execute(sa.select(*columns).where(home.c.id == _clean(subject_id))).one_or_none()
    if row is None:
        return None
    system_id = row.id if home.name == "registry_system" else getattr(row, "system_id", None)
    return Subject(id=row.id, system_id=system_id or "")


# --- files -------------------------------------------------------------------------------------------------------


def add_attachment(tx: sa.Connection, word: Attachment) -> None:
    """Insert an attachment."""
    values = {"name": word.name, "digest": word.digest, "size": word.size, "media_type": word.media_type}
    tx.execute(sa.insert(attachment).values(**_head(word), **values, stated_type=word.stated_type))


def withdraw_attachment(tx: sa.Connection, word: Attachment) -> None:
    """Forget a file's name and mark it withdrawn.

    Raises:
        Conflict: It was withdrawn meanwhile.
    """
    there = sa.update(attachment).where(attachment.c.id == word.id, attachment.c.withdrawn_at.is_(None))
    changed_once(tx.execute(there.values(name="", withdrawn_at=word.withdrawn_at)), word.id)


def holder_of(tx: sa.Connection, digest: str) -> str:
    """Return the id of something that still rests on a kept file, or an empty string."""
    there = sa.select(attachment.c.id).where(attachment.c.digest == digest, attachment.c.withdrawn_at.is_(None))
    asked = [there]
    for name, column in HOLDERS:
        table = metadata.tables.get(name)
        if table is not None and column in table.c:
            asked.append(sa.select(table.c.id).where(table.c[column] == digest))
    found = (tx.execute(each.limit(1)).scalar() for each in asked)
    return next((str(each) for each in found if each), "")


def attachment_by_id(tx: sa.Connection, attachment_id: str) -> Attachment | None:
    """Return one attachment, or None."""
    row = tx.execute(sa.select(attachment).where(attachment.c.id == _clean(attachment_id))).one_or_none()
    return None if row is None else _attachment(row)


def attachments(tx: sa.Connection, subject_id: str, *, page: int, size: int) -> tuple[tuple[Attachment, ...], int]:
    """Return one page of the files about something, or about what belongs to a system, newest first; and how many."""
    rows, total = _page(
        tx, attachment, [_about(attachment, subject_id)], [attachment.c.id.desc()], page=page, size=size
    )
    return tuple(_attachment(row) for row in rows), total


# --- comments ----------------------------------------------------------------------------------------------------


def add_comment(tx: sa.Connection, word: Comment) -> None:
    """Insert a comment."""
    tx.execute(sa.insert(comment).values(**_head(word), text=word.text))


def save_comment(tx: sa.Connection, word: Comment) -> None:
    """Update a comment that was not deleted.

    Raises:
        Conflict: It was deleted meanwhile.
    """
    there = sa.update(comment).where(comment.c.id == word.id, comment.c.deleted_at.is_(None))
    values = {"text": word.text, "edited_at": word.edited_at, "deleted_at": word.deleted_at}
    changed_once(tx.execute(there.values(**values)), word.id)


def comment_by_id(tx: sa.Connection, comment_id: str) -> Comment | None:
    """Return one comment, or None."""
    row = tx.execute(sa.select(comment).where(comment.c.id == _clean(comment_id))).one_or_none()
    return None if row is None else _comment(row)


def comments(tx: sa.Connection, subject_id: str, *, page: int, size: int) -> tuple[tuple[Comment, ...], int]:
    """Return one page of comments about something, or about what belongs to a system, newest first; and how many."""
    rows, total = _page(tx, comment, [_about(comment, subject_id)], [comment.c.id.desc()], page=page, size=size)
    return tuple(_comment(row) for row in rows), total


# --- tasks -------------------------------------------------------------------------------------------------------


def add_task(tx: sa.Connection, word: Task) -> None:
    """Insert a task."""
    tx.execute(sa.insert(task).values(**_head(word), **_task_columns(word)))


def save_task(tx: sa.Connection, word: Task) -> None:
    """Update a task; the caller holds it against others."""
    tx.execute(sa.update(task).where(task.c.id == word.id).values(**_task_columns(word)))


def task_by_id(tx: sa.Connection, task_id: str) -> Task | None:
    """Return one task, or None."""
    row = tx.execute(sa.select(task).where(task.c.id == _clean(task_id))).one_or_none()
    return None if row is None else _task(row)


def tasks(
    tx: sa.Connection,
    *,
    subject_id: str = "",
    assignee: str = "",
    is_open: bool = False,
    overdue_on: date | None = None,
    page: int,
    size: int,
) -> tuple[tuple[Task, ...], int]:
    """Return one page of tasks, open ones first by their last day, and how many there are.

    Args:
        tx: The transaction.
        subject_id: Only about this, or about what belongs to this system.
        assignee: Only of this user.
        is_open: Only open ones.
        overdue_on: Only open ones whose last day lies before this day.
        page: Which page, from 1.
        size: Tasks on a page.
    """
    wanted = [_about(task, subject_id)] if subject_id else []
    wanted += [task.c.assignee == _clean(assignee)] if assignee else []
    wanted += [task.c.done_at.is_(None)] if is_open or overdue_on else []
    wanted += [task.c.due < overdue_on] if overdue_on else []
    order = [
        sa.case((task.c.done_at.is_(None), 0), else_=1),
        sa.case((task.c.due.is_(None), 1), else_=0),
        task.c.due,
        task.c.id.desc(),
    ]
    rows, total = _page(tx, task, wanted, order, page=page, size=size)
    return tuple(_task(row) for row in rows), total


# --- rows and words ----------------------------------------------------------------------------------------------


def _clean(text: str) -> str:
    """Leave out NUL, which PostgreSQL cannot even compare; nothing stored holds one."""
    return text.replace("\0", "")


def _about(table: sa.Table, subject_id: str) -> sa.ColumnElement[bool]:
    wanted = _clean(subject_id)
    return table.c.system_id == wanted if wanted.startswith("sys_") else table.c.subject_id == wanted


def _page(
    tx: sa.Connection,
    table: sa.Table,
    wanted: list[sa.ColumnElement[bool]],
    order: list[Any],
    *,
    page: int,
    size: int,
) -> tuple[list[sa.Row[Any]], int]:
    total = tx.execute(sa.select(sa.func.count()).select_from(table).where(*wanted)).scalar_one()
    chosen = sa.select(table).where(*wanted).order_by(*order).limit(size).offset((page - 1) * size)
    return list(tx.execute(chosen)), total


def _head(word: Attachment | Comment | Task) -> dict[str, Any]:
    about = {"subject_id": word.subject.id, "system_id": word.subject.system_id or None}
    return {"id": word.id, **about, "at": word.at, "by": word.by}


def _task_columns(word: Task) -> dict[str, Any]:
    return {
        "title": word.title,
        "assignee": word.assignee,
        "person": word.person,
        "due": word.due,
        "done_at": word.done_at,
        "done_by": word.done_by,
    }


def _subject(row: sa.Row[Any]) -> Subject:
    return Subject(id=row.subject_id, system_id=row.system_id or "")


def _attachment(row: sa.Row[Any]) -> Attachment:
    return Attachment(
        id=row.id,
        subject=_subject(row),
        name=row.name,
        digest=row.digest,
        size=row.size,
        media_type=row.media_type,
        stated_type=row.stated_type,
        at=row.at,
        by=row.by,
        withdrawn_at=row.withdrawn_at,
    )


def _comment(row: sa.Row[Any]) -> Comment:
    return Comment(
        id=row.id,
        subject=_subject(row),
        text=row.text,
        at=row.at,
        by=row.by,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
    )


def _task(row: sa.Row[Any]) -> Task:
    return Task(
        id=row.id,
        subject=_subject(row),
        title=row.title,
        assignee=row.assignee,
        person=row.person,
        due=row.due,
        at=row.at,
        by=row.by,
        done_at=row.done_at,
        done_by=row.done_by,
    )


TABLES: tuple[sa.Table, ...] = (attachment, comment, task)
