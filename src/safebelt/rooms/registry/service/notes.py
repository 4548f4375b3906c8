"""Deeds of working together: files, comments, tasks."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import IO

import sqlalchemy as sa

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry import store
from safebelt.rooms.registry.decide import notes as decide
from safebelt.rooms.registry.decide.files import SNIFFED_BYTES
from safebelt.rooms.registry.model.notes import (
    Assign,
    Attachment,
    AttachmentPage,
    ChangeTask,
    Comment,
    CommentPage,
    Say,
    Subject,
    Task,
    TaskPage,
    Withdrawn,
)
from safebelt.rooms.registry.service.base import pages_of
from safebelt.rooms.registry.service.registering import Registering

CHUNK_BYTES = 1 << 16
"""How much of an upload is held in memory at a time."""


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what a file holds, piece by piece."""
    while chunk := file.read(CHUNK_BYTES):
        yield chunk


class _Watched:
    """Passes chunks on, and remembers how many bytes there were and how they began."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self.size, self.beginning = chunks, 0, b""

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if len(self.beginning) < SNIFFED_BYTES:
                self.beginning += chunk[:SNIFFED_BYTES]
            self.size += len(chunk)
            yield chunk


class Notes(Registering):
    """Deeds about attached files, comments and tasks."""

    # ---- files

    def attach(
        self, subject_id: str, name: str, chunks: Iterable[bytes], *, stated_type: str = "", by: Actor
    ) -> Attachment:
        """Attach a file to a system, part, party, piece of evidence or job.

        Args:
            subject_id: To what.
            name: What its sender calls it; folders and hidden characters are left out.
            chunks: Its bytes.
            stated_type: What its sender says it is; kept, not believed.
            by: Who does.

        Raises:
            NotFound: There is no such subject.
            Invalid: The file is empty or too large.
            Unavailable: The disk does not take it.
        """
        with self._sql.read() as tx:
            _subject(tx, subject_id)
        watched = _Watched(chunks)
        digest = self._tools.blobs.put(watched)
        try:
            with self._sql.begin() as tx:
                self._sql.exclusive(tx, _blob(digest))
                if not self._tools.blobs.has(digest):  # somebody withdrew the very same bytes in between
                    raise Conflict(
                        what=Text(zh="同一文件刚被撤回。", en="The very same file was withdrawn just now."),
                        hint=Text(zh="请再附一次。", en="Attach it once more."),
                    )
                attachment, event = decide.attach(
                    _subject(tx, subject_id),
                    name=name,
                    digest=digest,
                    size=watched.size,
                    beginning=watched.beginning,
                    stated_type=stated_type,
                    new_id=self._new_id("att"),
                    at=self._clock(),
                    by=by,
                )
                store.notes.add_attachment(tx, attachment)
                self._ledger.append(tx, event, by=by)
        except BaseException:
            self._let_go(digest)
            raise
        return attachment

    def attachments(self, subject_id: str, *, page: int = 1, size: int = 20) -> AttachmentPage:
        """Return a page of the files about something; about a system: everything that belongs to it.

        Raises:
            NotFound: There is no such subject.
        """
        with self._sql.read() as tx:
            _subject(tx, subject_id)
            items, total = store.notes.attachments(tx, subject_id, page=page, size=size)
        return AttachmentPage(items=items, total=total, page=page, pages=pages_of(total, size))

    def attachment(self, attachment_id: str) -> Attachment:
        """Return what is known of one attached file.

        Raises:
            NotFound: There is no such file.
        """
        with self._sql.read() as tx:
            return _attachment(tx, attachment_id)

    def opens_to(self, attachment: Attachment) -> str:
        """Return the action that opens a file: what is attested by it is read with the register, the rest is ours."""
        subject = attachment.subject
        with self._sql.read() as tx:
            is_evidence = store.lifecycle.attests_file(tx, subject.system_id or subject.id, attachment.digest)
        return "registry.read" if is_evidence or subject.id.startswith("evd_") else "registry.collaborate"

    def download(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """Return an attached file with its bytes, proven to be those that were attached.

        Raises:
            NotFound: There is no such file, or it was withdrawn.
            Conflict: The file was changed on the disk.
        """
        attachment = self.attachment(attachment_id)
        if attachment.withdrawn_at is not None:
            raise NotFound(
                what=Text(zh="该文件已撤回，内容不再提供。", en="The file was withdrawn; it is no longer given out."),
                hint=Text(zh="账本仍记得它的摘要。", en="The ledger still remembers its digest."),
            )
        return attachment, self._tools.blobs.get(attachment.digest)

    def withdraw_attachment(self, attachment_id: str, reason: str, *, by: Actor) -> Withdrawn:
        """Withdraw a file; its bytes are erased unless something else rests on the very same bytes.

        Raises:
            NotFound: There is no such file.
            Conflict: It is withdrawn already.
            Invalid: No reason is given.
        """
        with self._sql.begin() as tx:
            found = _attachment(tx, attachment_id)
            if found.withdrawn_at is not None:  # an erasing that a power cut prevented is made up for
                self._erase_unheld(tx, found.digest)
            attachment, event = decide.withdraw(found, reason, at=self._clock())
            store.notes.withdraw_attachment(tx, attachment)
            self._ledger.append(tx, event, by=by)
        held_by = self._let_go(attachment.digest)
        return Withdrawn(attachment=attachment, is_erased=not held_by, held_by=held_by)

    def _let_go(self, digest: str) -> str:
        """Erase a file nothing rests on; return what does.  After the deed, lest a rollback miss the bytes."""
        with self._sql.begin() as tx:
            return self._erase_unheld(tx, digest)

    def _erase_unheld(self, tx: sa.Connection, digest: str) -> str:
        self._sql.exclusive(tx, _blob(digest))
        held_by = store.notes.holder_of(tx, digest)
        if not held_by:
            self._tools.blobs.erase(digest)
        return held_by

    # ---- comments

    def comment(self, cmd: Say, *, by: Actor) -> Comment:
        """Say something about a system, part, party, piece of evidence or job.

        Raises:
            NotFound: There is no such subject.
            Invalid: It is empty or too long.
        """
        with self._sql.begin() as tx:
            said, event = decide.comment(
                _subject(tx, cmd.subject_id), cmd.text, new_id=self._new_id("cmt"), at=self._clock(), by=by
            )
            store.notes.add_comment(tx, said)
            self._ledger.append(tx, event, by=by)
        return said

    def edit_comment(self, comment_id: str, text: str, *, by: Actor) -> Comment:
        """Change what one said oneself.

        Raises:
            NotFound: There is no such comment.
            Refused: Somebody else said it.
            Conflict: It was deleted, or nothing would change.
            Invalid: It is empty or too long.
        """
        with self._sql.begin() as tx:
            said, event = decide.edit_comment(_comment(tx, comment_id), text, at=self._clock(), by=by)
            store.notes.save_comment(tx, said)
            self._ledger.append(tx, event, by=by)
        return said

    def delete_comment(self, comment_id: str, *, by: Actor) -> Comment:
        """Delete what was said; its place stays.

        Raises:
            NotFound: There is no such comment.
            Refused: Somebody else said it, and the actor is no administrator.
            Conflict: It is deleted already.
        """
        with self._sql.begin() as tx:
            said, event = decide.delete_comment(_comment(tx, comment_id), at=self._clock(), by=by)
            store.notes.save_comment(tx, said)
            self._ledger.append(tx, event, by=by)
        return said

    def comment_of(self, comment_id: str) -> Comment:
        """Return one comment.

        Raises:
            NotFound: There is no such comment.
        """
        with self._sql.read() as tx:
            return _comment(tx, comment_id)

    def comments(self, subject_id: str, *, page: int = 1, size: int = 20) -> CommentPage:
        """Return a page of comments about something; about a system: about everything that belongs to it.

        Raises:
            NotFound: There is no such subject.
        """
        with self._sql.read() as tx:
            _subject(tx, subject_id)
            items, total = store.notes.comments(tx, subject_id, page=page, size=size)
        return CommentPage(items=items, total=total, page=page, pages=pages_of(total, size))

    # ---- tasks

    def assign_task(self, cmd: Assign, *, by: Actor) -> Task:
        """Give somebody something to do about a system, part, party, piece of evidence or job.

        Raises:
            NotFound: There is no such subject.
            Invalid: It has no title, or a user and another person are named at once.
        """
        with self._sql.begin() as tx:
            task, event = decide.assign(
                _subject(tx, cmd.subject_id), cmd, new_id=self._new_id("tsk"), at=self._clock(), by=by
            )
            store.notes.add_task(tx, task)
            self._ledger.append(tx, event, by=by)
        return task

    def change_task(self, task_id: str, cmd: ChangeTask, *, by: Actor) -> Task:
        """Change what a task says.

        Raises:
            NotFound: There is no such task.
            Invalid: It has no title, or a user and another person are named at once.
            Conflict: Nothing would change.
        """
        return self._settle(task_id, lambda task: decide.change_task(task, cmd), by)

    def finish_task(self, task_id: str, *, by: Actor) -> Task:
        """Mark a task done; `reopen_task` takes it back.

        Raises:
            NotFound: There is no such task.
            Conflict: It is done already.
        """
        at = self._clock()
        return self._settle(task_id, lambda task: decide.finish(task, at=at, by=by), by)

    def reopen_task(self, task_id: str, *, by: Actor) -> Task:
        """Take back that a task is done.

        Raises:
            NotFound: There is no such task.
            Conflict: It is open.
        """
        return self._settle(task_id, decide.reopen, by)

    def task(self, task_id: str) -> Task:
        """Return one task.

        Raises:
            NotFound: There is no such task.
        """
        with self._sql.read() as tx:
            return _task(tx, task_id)

    def tasks(
        self,
        *,
        subject_id: str = "",
        assignee: str = "",
        is_open: bool = False,
        is_overdue: bool = False,
        page: int = 1,
        size: int = 20,
    ) -> TaskPage:
        """Return a page of tasks: open ones by their last day, then those done.

        Args:
            subject_id: Only about this; of a system, about everything that belongs to it.
            assignee: Only of this user.
            is_open: Only open ones.
            is_overdue: Only open ones whose last day has passed.
            page: Which page, from 1.
            size: Tasks on a page.
        """
        with self._sql.read() as tx:
            items, total = store.notes.tasks(
                tx,
                subject_id=subject_id,
                assignee=assignee,
                is_open=is_open,
                overdue_on=self.today() if is_overdue else None,
                page=page,
                size=size,
            )
        return TaskPage(items=items, total=total, page=page, pages=pages_of(total, size))

    def today(self) -> date:
        """Return the day it is here."""
        return self._clock().date()

    def _settle(self, task_id: str, judge: decide.Judge, by: Actor) -> Task:
        with self._sql.begin() as tx:
            self._one_at_a_time(tx, task_id)
            task, event = judge(_task(tx, task_id))
            store.notes.save_task(tx, task)
            self._ledger.append(tx, event, by=by)
        return task


def _blob(digest: str) -> str:
    return f"registry.blob.{digest}"


def _subject(tx: sa.Connection, subject_id: str) -> Subject:
    subject = store.notes.subject(tx, subject_id)
    if subject is None:
        raise NotFound(
            what=Text(zh=f"没有登记 {subject_id}。", en=f"There is no {subject_id} in the register."),
            hint=Text(
                zh="文件、评论和任务可以针对系统、部件、主体、证据或作业。",
                en="Files, comments and tasks are about a system, part, party, piece of evidence or job.",
            ),
        )
    return subject


def _attachment(tx: sa.Connection, attachment_id: str) -> Attachment:
    found = store.notes.attachment_by_id(tx, attachment_id)
    if found is None:
        raise NotFound(
            what=Text(zh=f"没有附件 {attachment_id}。", en=f"There is no attached file {attachment_id}."),
            hint=Text(zh="请在系统的协作页查找。", en="Look it up among the system's notes."),
        )
    return found


def _comment(tx: sa.Connection, comment_id: str) -> Comment:
    found = store.notes.comment_by_id(tx, comment_id)
    if found is None:
        raise NotFound(
            what=Text(zh=f"没有评论 {comment_id}。", en=f"There is no comment {comment_id}."),
            hint=Text(zh="请在系统的协作页查找。", en="Look it up among the system's notes."),
        )
    return found


def _task(tx: sa.Connection, task_id: str) -> Task:
    found = store.notes.task_by_id(tx, task_id)
    if found is None:
        raise NotFound(
            what=Text(zh=f"没有任务 {task_id}。", en=f"There is no task {task_id}."),
            hint=Text(zh="请在任务列表中查找。", en="Look it up in the list of tasks."),
        )
    return found
