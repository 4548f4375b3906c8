"""Command line: `safebelt registry files|comments|tasks`."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from cyclopts import App

from safebelt.kernel.actors import OWNER
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.notes import Assign, Attachment, Comment, Say, Task
from safebelt.rooms.registry.service import Registry
from safebelt.web.terminal import Answer

_CHUNK_BYTES = 1 << 16


def add(app: App, registry: Registry) -> None:
    """Add files, comments and tasks to the group `registry`."""
    app.command(_files(registry))
    app.command(_comments(registry))
    app.command(_tasks(registry))


def _files(registry: Registry) -> App:
    app = App(name="files", help="Attached files. 附件。")

    @app.command
    def attach(subject_id: str, file: Path) -> Answer:
        """Attach FILE to a system, part, party, piece of evidence or job."""
        attached = registry.attach(subject_id, file.name, _read(file), by=OWNER)
        says = Text(
            zh=f"已附上 {attached.id}（{attached.digest}）。", en=f"Attached {attached.id} ({attached.digest})."
        )
        return Answer(data=_data(attached), says=says)

    @app.command(name="list")
    def list_(subject_id: str, *, page: int = 1, size: int = 20) -> Answer:
        """List attached files, newest first."""
        found = registry.attachments(subject_id, page=page, size=size)
        none = Text(zh="还没有附件。", en="No file is attached yet.")
        return Answer(data=_data(found), says=_lines([_file_line(each) for each in found.items], none))

    @app.command
    def save(attachment_id: str, to: Path) -> Answer:
        """Save an attached file as TO, which must not exist yet."""
        attached, content = registry.download(attachment_id)
        _write(to, content)
        says = Text(zh=f"已保存到 {to}（{len(content)} 字节）。", en=f"Saved to {to} ({len(content)} bytes).")
        return Answer(data=_data(attached), says=says)

    @app.command
    def withdraw(attachment_id: str, *, reason: str) -> Answer:
        """Withdraw a file; its bytes are erased unless something else rests on them."""
        done = registry.withdraw_attachment(attachment_id, reason, by=OWNER)
        erased = Text(zh="已撤回，内容已删除。", en="Withdrawn; its bytes are erased.")
        kept = Text(
            zh=f"已撤回；{done.held_by} 仍引用相同内容，内容保留。",
            en=f"Withdrawn; its bytes stay, for {done.held_by} rests on the same.",
        )
        return Answer(data=_data(done), says=erased if done.is_erased else kept)

    return app


def _comments(registry: Registry) -> App:
    app = App(name="comments", help="Comments. 评论。")

    @app.command
    def add(subject_id: str, text: str) -> Answer:
        """Comment on a system, part, party, piece of evidence or job."""
        said = registry.comment(Say(subject_id=subject_id, text=text), by=OWNER)
        return Answer(data=_data(said), says=Text(zh=f"已评论 {said.id}。", en=f"Commented, {said.id}."))

    @app.command(name="list")
    def list_(subject_id: str, *, page: int = 1, size: int = 20) -> Answer:
        """List comments, newest first."""
        found = registry.comments(subject_id, page=page, size=size)
        none = Text(zh="还没有评论。", en="There is no comment yet.")
        return Answer(data=_data(found), says=_lines([_comment_line(each) for each in found.items], none))

    @app.command
    def delete(comment_id: str) -> Answer:
        """Delete a comment; its place stays."""
        gone = registry.delete_comment(comment_id, by=OWNER)
        return Answer(data=_data(gone), says=Text(zh=f"已删除评论 {gone.id}。", en=f"Deleted the comment {gone.id}."))

    return app


def _tasks(registry: Registry) -> App:
    app = App(name="tasks", help="Who is to do what, by when. 任务。")

    @app.command
    def add(subject_id: str, title: str, *, assignee: str = "", person: str = "", due: date | None = None) -> Answer:
        """Give somebody something to do."""
        command = Assign(subject_id=subject_id, title=title, assignee=assignee, person=person, due=due)
        task = registry.assign_task(command, by=OWNER)
        return Answer(data=_data(task), says=Text(zh=f"已分派任务 {task.id}。", en=f"Assigned the task {task.id}."))

    @app.command(name="list")
    def list_(
        subject_id: str = "",
        *,
        mine: bool = False,
        only_open: bool = False,
        overdue: bool = False,
        page: int = 1,
        size: int = 20,
    ) -> Answer:
        """List tasks: open ones by their last day, then those done."""
        found = registry.tasks(
            subject_id=subject_id,
            assignee=OWNER.id if mine else "",
            is_open=only_open,
            is_overdue=overdue,
            page=page,
            size=size,
        )
        today = registry.today()
        none = Text(zh="没有符合的任务。", en="No task matches.")
        return Answer(data=_data(found), says=_lines([_task_line(each, today) for each in found.items], none))

    @app.command
    def done(task_id: str) -> Answer:
        """Mark a task done; `reopen` takes it back."""
        task = registry.finish_task(task_id, by=OWNER)
        return Answer(data=_data(task), says=Text(zh=f"任务 {task.id} 已完成。", en=f"The task {task.id} is done."))

    @app.command
    def reopen(task_id: str) -> Answer:
        """Take back that a task is done."""
        task = registry.reopen_task(task_id, by=OWNER)
        return Answer(
            data=_data(task), says=Text(zh=f"任务 {task.id} 已重新打开。", en=f"Task {task.id} is open again.")
        )

    return app


def _read(file: Path) -> Iterator[bytes]:
    try:
        with file.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                yield chunk
    except FileNotFoundError:
        raise NotFound(
            what=Text(zh=f"没有文件“{file}”。", en=f"There is no file {str(file)!r}."),
            hint=Text(zh="请核对路径。", en="Check the path."),
        ) from None
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法读取“{file}”：{error.strerror}。", en=f"Cannot read {str(file)!r}: {error.strerror}."),
            hint=Text(zh="请给出一个可读的文件。", en="Name a file that can be read."),
        ) from error


def _write(to: Path, content: bytes) -> None:
    try:
        with to.open("xb") as opened:
            opened.write(content)
    except FileExistsError:
        raise Conflict(
            what=Text(zh=f"“{to}”已存在。", en=f"{str(to)!r} exists already."),
            hint=Text(zh="请换一个文件名。", en="Choose another name."),
        ) from None
    except OSError as error:
        raise Invalid(
            what=Text(zh=f"无法写入“{to}”：{error.strerror}。", en=f"Cannot write {str(to)!r}: {error.strerror}."),
            hint=Text(zh="请给出一个可写的位置。", en="Name a place that can be written to."),
        ) from error


def _data(word: Any) -> Any:
    return msgspec.to_builtins(word)


def _lines(lines: list[Text], none: Text) -> Text:
    return Text(zh="\n".join(each.zh for each in lines), en="\n".join(each.en for each in lines)) if lines else none


def _file_line(each: Attachment) -> Text:
    if each.withdrawn_at is not None:
        return Text(zh=f"{each.id}  （已撤回）{each.digest}", en=f"{each.id}  (withdrawn) {each.digest}")
    told = f"{each.id}  {each.name}  {each.media_type}  {each.size}"
    return Text(zh=f"{told} 字节", en=f"{told} bytes")


def _comment_line(each: Comment) -> Text:
    if each.deleted_at is not None:
        return Text(zh=f"{each.id}  （已删除）", en=f"{each.id}  (deleted)")
    told = f"{each.id}  {each.by}  {each.at:%Y-%m-%d %H:%M}  {each.text}"
    return Text(zh=told, en=told)


def _task_line(task: Task, today: date) -> Text:
    if task.done_at is not None:
        state = Text(zh="已完成", en="done")
    elif task.is_overdue(today):
        state = Text(zh="已逾期", en="overdue")
    else:
        state = Text(zh="待办", en="open")
    due = task.due.isoformat() if task.due else "—"
    who = task.person or task.assignee or "—"
    return Text(
        zh=f"{task.id}  [{state.zh}] {due}  {task.title}（{who}）",
        en=f"{task.id}  [{state.en}] {due}  {task.title} ({who})",
    )
