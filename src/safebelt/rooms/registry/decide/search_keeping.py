"""Judgments of saved views, tags and bulk acts: what may be kept, and what may be done to many at once."""

from datetime import datetime

from safebelt.kernel.actors import Actor
from safebelt.kernel.errors import Conflict, Invalid, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.search import (
    BULK_KINDS,
    BulkKind,
    BulkOrder,
    BulkOrdered,
    SavedView,
    SaveView,
    SystemTagged,
    ViewDeleted,
    ViewRestored,
    ViewSaved,
)

NAME_LIMIT = 80
TAG_LIMIT = 40
"""Characters of a tag: a word or two."""
TAGS_LIMIT = 20
"""Tags of one system: more say nothing."""
VIEWS_LIMIT = 100
"""Views one person keeps."""
BULK_LIMIT = 10_000
"""Systems one bulk act may concern."""
VALUE_LIMIT = 200


def save_view(cmd: SaveView, *, kept: int, new_id: str, at: datetime, by: Actor) -> tuple[SavedView, ViewSaved]:
    """Keep a question.

    Raises:
        Invalid: It has no name, or too long a one.
        Conflict: Its owner keeps too many.
    """
    name = _line(cmd.name, "name", Text(zh="名称", en="name"), NAME_LIMIT)
    if kept >= VIEWS_LIMIT:
        raise Conflict(
            what=Text(zh=f"您已保存 {kept} 个视图。", en=f"You keep {kept} views already."),
            hint=Text(zh="请先删除不再使用的视图。", en="Delete one you no longer use first."),
        )
    view = SavedView(id=new_id, owner=by.id, name=name, question=cmd.question, is_shared=cmd.is_shared, made_at=at)
    return view, ViewSaved(subject=new_id, is_shared=cmd.is_shared, personal={"name": name})


def delete_view(view: SavedView, by: Actor) -> ViewDeleted:
    """Let a view's owner delete it.

    Raises:
        Refused: It is somebody else's.
    """
    _hold_owner(view, by)
    return ViewDeleted(subject=view.id)


def restore_view(view: SavedView, by: Actor) -> ViewRestored:
    """Let a view's owner take back its deletion.

    Raises:
        Refused: It is somebody else's.
    """
    _hold_owner(view, by)
    return ViewRestored(subject=view.id)


def _hold_owner(view: SavedView, by: Actor) -> None:
    if view.owner != by.id:
        raise Refused(
            what=Text(zh="这个视图是他人保存的。", en="Somebody else saved this view."),
            hint=Text(zh="请由保存者本人操作，或另存一份。", en="Ask whoever saved it, or save one of your own."),
        )


def change_tags(
    system_id: str, before: tuple[str, ...], *, add: str = "", remove: str = ""
) -> tuple[tuple[str, ...], SystemTagged]:
    """Add a tag, take one away, or both.

    Raises:
        Invalid: A tag is empty, too long, or one too many.
        Conflict: Nothing would change.
    """
    added = _line(add, "value", Text(zh="标签", en="tag"), TAG_LIMIT) if add.strip() or not remove.strip() else ""
    removed = " ".join(remove.split())
    after = tuple(sorted(({*before} - {removed}) | ({added} - {""})))
    if after == tuple(sorted(before)):
        raise Conflict(
            what=Text(zh="标签没有变化。", en="No tag would change."),
            hint=Text(zh="该系统已有此标签，或本来没有要移除的标签。", en="The tag is there already, or was not."),
        )
    if len(after) > TAGS_LIMIT:
        raise Invalid(
            what=Text(zh=f"一个系统最多 {TAGS_LIMIT} 个标签。", en=f"A system has at most {TAGS_LIMIT} tags."),
            hint=Text(zh="请先移除一个标签。", en="Take one away first."),
            details={"field": "value"},
        )
    gone, new = sorted({*before} - {*after}), sorted({*after} - {*before})
    return after, SystemTagged(subject=system_id, added=tuple(new), removed=tuple(gone))


def order_bulk(cmd: BulkOrder, systems: int, *, new_id: str) -> BulkOrdered:
    """Admit a bulk act.

    Raises:
        Invalid: What it needs is missing, it concerns nobody, or too many.
        Conflict: The preview counted others.
    """
    hold_value(cmd)
    if not systems:
        raise Invalid(
            what=Text(zh="没有选中任何系统。", en="No system is chosen."),
            hint=Text(zh="请选择系统，或改用其他查询。", en="Choose systems, or ask for others."),
            details={"field": "systems"},
        )
    if systems > BULK_LIMIT:
        raise Invalid(
            what=Text(
                zh=f"一次批量操作最多涉及 {BULK_LIMIT} 个系统。",
                en=f"One bulk act concerns at most {BULK_LIMIT} systems.",
            ),
            hint=Text(zh="请用筛选条件缩小范围，分几次进行。", en="Narrow it down with filters, and act in turns."),
            details={"field": "systems"},
        )
    if cmd.expected is not None and cmd.expected != systems:
        raise Conflict(
            what=Text(
                zh=f"预览时为 {cmd.expected} 个系统，现在为 {systems} 个。",
                en=f"The preview counted {cmd.expected} systems; now there are {systems}.",
            ),
            hint=Text(zh="请重新预览后再确认。", en="Look at the preview again, then confirm."),
        )
    return BulkOrdered(subject=new_id, act=cmd.kind.value, systems=systems)


def hold_value(cmd: BulkOrder) -> None:
    """Hold that a bulk act says whom, what or why.

    Raises:
        Invalid: It does not.
    """
    labels = {
        BulkKind.NAME_ACCOUNTABLE: Text(zh="负责人姓名", en="name of the accountable person"),
        BulkKind.PUT_TASK: Text(zh="任务", en="task"),
        BulkKind.WITHDRAW: Text(zh="理由", en="reason"),
    }
    limit = TAG_LIMIT if cmd.kind in (BulkKind.ADD_TAG, BulkKind.REMOVE_TAG) else VALUE_LIMIT
    _line(cmd.value, "value", labels.get(cmd.kind, Text(zh="标签", en="tag")), limit)


def title(kind: BulkKind) -> Text:
    """Return what a bulk act is called."""
    return BULK_KINDS[kind]


def _line(text: str, field: str, label: Text, limit: int) -> str:
    line = " ".join(text.replace("\0", "").split())
    if not line:
        raise Invalid(
            what=Text(zh=f"请填写{label.zh}。", en=f"Enter: {label.en}."),
            hint=Text(zh="此项不能为空。", en="It cannot be empty."),
            details={"field": field},
        )
    if len(line) > limit:
        raise Invalid(
            what=Text(
                zh=f"{label.zh}不能超过 {limit} 个字符。", en=f"The {label.en} is longer than {limit} characters."
            ),
            hint=Text(zh="请缩短后再试。", en="Shorten it and try again."),
            details={"field": field},
        )
    return line
