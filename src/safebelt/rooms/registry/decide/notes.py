"""Judgments of working together: what is attached, who may change what was said, and what is to be done."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Refused
from safebelt.kernel.events import Event
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import LINE_LIMIT, TEXT_LIMIT, invalid, line
from safebelt.rooms.registry.decide.files import file_name, media_type, sniff
from safebelt.rooms.registry.model.notes import (
    Assign,
    Attachment,
    ChangeTask,
    Comment,
    CommentDeleted,
    CommentEdited,
    CommentMade,
    FileAttached,
    FileWithdrawn,
    Subject,
    Task,
    TaskAssigned,
    TaskChanged,
    TaskDone,
    TaskReopened,
)

MODERATORS = frozenset({Role.ADMIN, Role.OWNER})
"""Who may delete what others said: unlawful content must go even where its author does not."""


def attach(
    subject: Subject,
    *,
    name: str,
    digest: str,
    size: int,
    beginning: bytes,
    stated_type: str,
    new_id: str,
    at: datetime,
    by: Actor,
) -> tuple[Attachment, FileAttached]:
    """Attach a file.

    Args:
        subject: What it is about.
        name: What its sender calls it.
        digest: SHA-256 of its bytes.
        size: How many there are.
        beginning: The first of them.
        stated_type: What its sender says it is.
        new_id: Id of the attachment.
        at: Now.
        by: Who does.

    Raises:
        Invalid: It is empty.
    """
    if size == 0:
        raise invalid(
            "file",
            Text(zh="文件是空的。", en="The file is empty."),
            Text(zh="请选择一个有内容的文件。", en="Choose a file that holds something."),
        )
    attachment = Attachment(
        id=new_id,
        subject=subject,
        name=file_name(name),
        digest=digest,
        size=size,
        media_type=sniff(beginning),
        stated_type=media_type(stated_type),
        at=at,
        by=by.id,
    )
    event = FileAttached(
        subject=_dossier(subject),
        attachment_id=new_id,
        about=subject.id,
        digest=digest,
        size=size,
        media_type=attachment.media_type,
    )
    return attachment, event


def withdraw(attachment: Attachment, reason: str, *, at: datetime) -> tuple[Attachment, FileWithdrawn]:
    """Withdraw a file: its name is forgotten; its place and digest stay.

    Raises:
        Conflict: It is withdrawn already.
        Invalid: No reason is given.
    """
    if attachment.withdrawn_at is not None:
        raise Conflict(
            what=Text(zh="该文件已经撤回。", en="The file is withdrawn already."),
            hint=Text(zh="无需再次撤回。", en="There is nothing left to do."),
        )
    why = line(reason, "reason", Text(zh="理由", en="Reason"), limit=TEXT_LIMIT, is_required=True)
    event = FileWithdrawn(
        subject=_dossier(attachment.subject),
        attachment_id=attachment.id,
        about=attachment.subject.id,
        digest=attachment.digest,
        reason=why,
    )
    return replace(attachment, name="", withdrawn_at=at), event


# --- comments ----------------------------------------------------------------------------------------------------


def comment(subject: Subject, text: str, *, new_id: str, at: datetime, by: Actor) -> tuple[Comment, CommentMade]:
    """Say something.

    Raises:
        Invalid: It is empty or too long.
    """
    said = Comment(id=new_id, subject=subject, text=_said(text), at=at, by=by.id)
    return said, CommentMade(subject=_dossier(subject), comment_id=new_id, about=subject.id)


def edit_comment(said: Comment, text: str, *, at: datetime, by: Actor) -> tuple[Comment, CommentEdited]:
    """Change what one said oneself.

    Raises:
        Refused: Somebody else said it.
        Conflict: It was deleted, or nothing would change.
        Invalid: It is empty or too long.
    """
    _hold_there(said)
    if said.by != by.id:
        raise Refused(
            what=Text(zh="只有作者本人可以修改评论。", en="Only its author may change a comment."),
            hint=Text(zh="可以另发一条评论。", en="Make a comment of your own."),
        )
    new = _said(text)
    if new == said.text:
        raise Conflict(
            what=Text(zh="没有任何改动。", en="Nothing would change."),
            hint=Text(zh="请先修改内容再保存。", en="Change something before saving."),
        )
    event = CommentEdited(subject=_dossier(said.subject), comment_id=said.id, about=said.subject.id)
    return replace(said, text=new, edited_at=at), event


def delete_comment(said: Comment, *, at: datetime, by: Actor) -> tuple[Comment, CommentDeleted]:
    """Delete what was said; its place stays, its words are gone for good.

    Raises:
        Refused: Somebody else said it, and the actor is no administrator.
        Conflict: It is deleted already.
    """
    _hold_there(said)
    if said.by != by.id and not by.roles & MODERATORS:
        raise Refused(
            what=Text(
                zh="只有作者本人或管理员可以删除评论。", en="Only its author or an administrator may delete a comment."
            ),
            hint=Text(zh="请联系作者或管理员。", en="Ask the author or an administrator."),
        )
    event = CommentDeleted(subject=_dossier(said.subject), comment_id=said.id, about=said.subject.id)
    return replace(said, text="", deleted_at=at), event


def _said(text: str) -> str:
    return line(text, "text", Text(zh="评论", en="Comment"), limit=TEXT_LIMIT, is_required=True)


def _hold_there(said: Comment) -> None:
    if said.deleted_at is not None:
        raise Conflict(
            what=Text(zh="该评论已被删除。", en="The comment was deleted."),
            hint=Text(zh="请重新载入页面。", en="Load the page again."),
        )


# --- tasks -------------------------------------------------------------------------------------------------------


def assign(subject: Subject, cmd: Assign, *, new_id: str, at: datetime, by: Actor) -> tuple[Task, TaskAssigned]:
    """Give somebody something to do.

    Raises:
        Invalid: It has no title, or a user and another person are named at once.
    """
    task = Task(
        id=new_id,
        subject=subject,
        title=_title(cmd.title),
        assignee=_assignee(cmd.assignee),
        person=_person(cmd.person),
        due=cmd.due,
        at=at,
        by=by.id,
    )
    _hold_one_assignee(task)
    event = TaskAssigned(
        subject=_dossier(subject),
        task_id=new_id,
        about=subject.id,
        assignee=task.assignee,
        due=task.due.isoformat() if task.due else "",
    )
    return task, event


def change_task(task: Task, cmd: ChangeTask) -> tuple[Task, TaskChanged]:
    """Change a task.

    Raises:
        Invalid: It has no title, or a user and another person are named at once.
        Conflict: Nothing would change.
    """
    changed = replace(
        task,
        title=task.title if cmd.title is None else _title(cmd.title),
        assignee=task.assignee if cmd.assignee is None else _assignee(cmd.assignee),
        person=task.person if cmd.person is None else _person(cmd.person),
        due=cmd.due if cmd.has_due or cmd.due is not None else task.due,
    )
    _hold_one_assignee(changed)
    names = ("title", "assignee", "person", "due")
    fields = tuple(name for name in names if getattr(task, name) != getattr(changed, name))
    if not fields:
        raise Conflict(
            what=Text(zh="没有任何改动。", en="Nothing would change."),
            hint=Text(zh="请先修改内容再保存。", en="Change something before saving."),
        )
    event = TaskChanged(
        subject=_dossier(task.subject),
        task_id=task.id,
        about=task.subject.id,
        fields=fields,
        assignee=changed.assignee,
        due=changed.due.isoformat() if changed.due else "",
    )
    return changed, event


def finish(task: Task, *, at: datetime, by: Actor) -> tuple[Task, Event]:
    """Mark a task done.

    Raises:
        Conflict: It is done already.
    """
    _hold_state(task, is_done=False, what=Text(zh="该任务已经完成。", en="The task is done already."))
    event = TaskDone(subject=_dossier(task.subject), task_id=task.id, about=task.subject.id)
    return replace(task, done_at=at, done_by=by.id), event


def reopen(task: Task) -> tuple[Task, Event]:
    """Take back that a task is done.

    Raises:
        Conflict: It is open.
    """
    _hold_state(task, is_done=True, what=Text(zh="该任务尚未完成。", en="The task is open."))
    event = TaskReopened(subject=_dossier(task.subject), task_id=task.id, about=task.subject.id)
    return replace(task, done_at=None, done_by=""), event


def _hold_state(task: Task, *, is_done: bool, what: Text) -> None:
    if (task.done_at is not None) is not is_done:
        raise Conflict(what=what, hint=Text(zh="请重新载入页面。", en="Load the page again."))


def _title(given: str) -> str:
    return line(given, "title", Text(zh="任务", en="Task"), limit=LINE_LIMIT, is_required=True)


def _person(given: str) -> str:
    return line(given, "person", Text(zh="姓名", en="Name"))


def _assignee(given: str) -> str:
    found = line(given, "assignee", Text(zh="用户编号", en="Id of a user"), limit=100)
    if found and not re.fullmatch(r"[a-z0-9_-]+", found):
        raise invalid(
            "assignee",
            Text(
                zh="用户编号只含小写字母、数字、下划线和连字符。", en="A user's id has small letters, digits, _ and -."
            ),
            Text(zh="写姓名请用“其他人”。", en="To write a name, use “somebody else”."),
        )
    return found


def _hold_one_assignee(task: Task) -> None:
    if task.assignee and task.person:
        raise invalid(
            "person",
            Text(zh="请只写用户或姓名中的一项。", en="Name a user or another person, not both."),
        )


def _dossier(subject: Subject) -> str:
    """In whose history a note is remembered: the system's, or where it belongs to none, its subject's own."""
    return subject.system_id or subject.id


Judge = Callable[[Task], tuple[Task, Event]]
"""What becomes of a task, and what happened."""
