"""Wording and small steps that the pages of files, comments and tasks share."""

from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.response import Redirect

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import NotFound
from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import PERSON_ROLES, System
from safebelt.rooms.registry.model.notes import Subject, Task
from safebelt.rooms.registry.service import Registry

AnyRequest = Request[Any, Any, Any]

NOTES = Text(zh="附件、评论与任务", en="Files, comments, tasks")
TASKS = Text(zh="任务", en="Tasks")
FIELDS: Mapping[str, Text] = {
    "title": Text(zh="任务", en="Task"),
    "assignee": Text(zh="由谁完成", en="Who is to do it"),
    "person": Text(zh="其他人的姓名", en="Name of somebody else"),
    "due": Text(zh="最后日期", en="Last day"),
    "text": Text(zh="评论", en="Comment"),
    "file": Text(zh="文件", en="File"),
    "reason": Text(zh="理由", en="Reason"),
}
DONE: Mapping[str, Text] = {
    "file": Text(zh="文件已附上，并已记入存证账本。", en="The file is attached, and the ledger remembers it."),
    "erased": Text(zh="文件已撤回，内容已删除。", en="The file is withdrawn and its content erased."),
    "kept": Text(
        zh="文件已撤回；另有记录引用相同内容，内容暂不删除。",
        en="The file is withdrawn; its content stays, for something else rests on the same bytes.",
    ),
    "comment": Text(zh="评论已发表。", en="The comment is made."),
    "edited": Text(zh="评论已修改。", en="The comment is changed."),
    "deleted": Text(zh="评论已删除，文字不再保留。", en="The comment is deleted; its words are gone."),
    "task": Text(zh="任务已分派，并已记入存证账本。", en="The task is assigned, and the ledger remembers it."),
    "done": Text(zh="任务已完成。", en="The task is done."),
    "reopened": Text(zh="任务已重新打开。", en="The task is open again."),
    "changed": Text(zh="任务已更改。", en="The task is changed."),
}
"""What a page says after a deed."""


def home_of(subject: Subject, lang: Lang) -> str:
    """Return the page where a subject's notes are: those about what belongs to a system are on the system's."""
    if subject.system_id:
        return f"/{lang}/registry/systems/{subject.system_id}/notes"
    return f"/{lang}/registry/notes/{subject.id}"


def to(subject: Subject, lang: Lang, done: str, anchor: str) -> Redirect:
    """Go to where a subject's notes are, after a deed."""
    return Redirect(f"{home_of(subject, lang)}?done={done}#{anchor}", status_code=303)


def undo(request: AnyRequest, registry: Registry) -> Task | None:
    """Return the task that was done just now, while it still is."""
    try:
        task = registry.task(request.query_params.get("undo", ""))
    except NotFound:
        return None
    return task if task.done_at is not None else None


def name(registry: Registry, subject_id: str) -> Text:
    """Return a subject's name, or its id where it has none."""
    if subject_id.startswith("sys_"):
        return registry.system(subject_id).name
    if subject_id.startswith("pty_"):
        name = registry.party(subject_id).name
        return Text(zh=name, en=name)
    if subject_id.partition("_")[0] in {"mdl", "agt", "cmp", "dat", "dep"}:
        return registry.thing(subject_id).name
    return Text(zh=subject_id, en=subject_id)


def subject_home(subject_id: str, lang: Lang) -> str:
    """Return a subject's own page."""
    folder = {"sys": "systems", "pty": "parties"}.get(subject_id.partition("_")[0], "things")
    return f"/{lang}/registry/{folder}/{subject_id}"


def assignees(by: Actor, lang: Lang, now: str = "") -> list[tuple[str, str]]:
    """Return whom a task can be given to, as choices."""
    nobody = ("", Text(zh="未指定，或见下面的姓名", en="nobody, or the name below").in_(lang))
    me = (by.id, Text(zh="我自己", en="myself").in_(lang))
    other = [(now, now)] if now and now != by.id else []
    return [nobody, me, *other]


def people(registry: Registry, system_id: str, lang: Lang) -> list[tuple[str, str]]:
    """Return who stands for something about a system: names the form offers."""
    if not system_id.startswith("sys_"):
        return []
    system: System = registry.system(system_id)
    return [(each.name, PERSON_ROLES[each.role].in_(lang)) for each in system.people if each.until is None]


def typed(data: Mapping[str, Any], field: str) -> str:
    """Return what was typed into a field, or an empty string."""
    value = data.get(field, "")
    return value if isinstance(value, str) else ""
