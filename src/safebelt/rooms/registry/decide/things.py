"""Judgments of things: what may be entered of each kind, and how a system may stand to them."""

from dataclasses import replace
from datetime import date, datetime

from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import (
    TEXT_LIMIT,
    address,
    both,
    digest,
    invalid,
    line,
)
from safebelt.rooms.registry.decide.particulars import particulars
from safebelt.rooms.registry.model import Status, System
from safebelt.rooms.registry.model.things import (
    FITTING,
    RELATIONS,
    THING_KINDS,
    ChangeThing,
    Link,
    LinkThing,
    RegisterThing,
    Relation,
    Thing,
    ThingKind,
    Value,
)
from safebelt.rooms.registry.model.things_events import ThingChanged, ThingLinked, ThingRegistered, ThingUnlinked
from safebelt.rooms.registry.model.things_fields import NEEDS_OWNER

NAME = Text(zh="名称", en="Name")
ABOUT = Text(zh="说明", en="Description")
LICENCE = Text(zh="许可", en="Licence")
ORIGIN = Text(zh="来源网址", en="Origin")
REASON = Text(zh="理由", en="Reason")


def register_thing(cmd: RegisterThing, *, new_id: str, at: datetime) -> tuple[Thing, ThingRegistered]:
    """Admit a thing.

    Raises:
        Invalid: It has no name, nobody answers for it though its kind demands it, or a particular is missing or wrong.
    """
    thing = Thing(
        id=new_id,
        kind=cmd.kind,
        name=both(cmd.name_zh, cmd.name_en, "name", NAME, is_required=True),
        about=both(cmd.about_zh, cmd.about_en, "about", ABOUT, limit=TEXT_LIMIT),
        owner_id=_owner(cmd.kind, cmd.owner_id),
        licence=line(cmd.licence, "licence", LICENCE),
        origin_url=address(cmd.origin_url, "origin_url", ORIGIN),
        sha256=digest(cmd.sha256, "sha256"),
        details=particulars(cmd.kind, cmd.details),
        registered_at=at,
    )
    event = ThingRegistered(
        subject=new_id,
        thing_kind=thing.kind.value,
        name_zh=thing.name.zh,
        name_en=thing.name.en,
        owner_id=thing.owner_id,
        licence=thing.licence,
        origin_url=thing.origin_url,
        sha256=thing.sha256,
        details=thing.details,
    )
    return thing, event


def change_thing(thing: Thing, cmd: ChangeThing) -> tuple[Thing, ThingChanged]:
    """Change what the register says of a thing.

    Raises:
        Conflict: It was changed since `cmd.revision`, or nothing would change.
        Invalid: A text or particular is missing or wrong.
    """
    if cmd.revision != thing.revision:
        raise Conflict(
            what=Text(
                zh=f"该部件已是第 {thing.revision} 次修订，您修改的是第 {cmd.revision} 次。",
                en=f"The part is at revision {thing.revision}; the change was made on revision {cmd.revision}.",
            ),
            hint=Text(zh="请重新载入，核对后再改。", en="Load it again, look at what changed, and repeat the change."),
            details={"revision": str(thing.revision)},
        )
    why = line(cmd.reason, "reason", REASON, limit=TEXT_LIMIT, is_required=True)
    name, about = _both_kept(cmd, thing)
    changed = replace(
        thing,
        name=name,
        about=about,
        owner_id=thing.owner_id if cmd.owner_id is None else _owner(thing.kind, cmd.owner_id),
        licence=thing.licence if cmd.licence is None else line(cmd.licence, "licence", LICENCE),
        origin_url=thing.origin_url if cmd.origin_url is None else address(cmd.origin_url, "origin_url", ORIGIN),
        sha256=thing.sha256 if cmd.sha256 is None else digest(cmd.sha256, "sha256"),
        details=particulars(thing.kind, {**thing.details, **cmd.details}),
        revision=thing.revision + 1,
    )
    before, after = flat(thing), flat(changed)
    names = sorted(before.keys() | after.keys())
    changes = {n: (before.get(n, ""), after.get(n, "")) for n in names if before.get(n, "") != after.get(n, "")}
    if not changes:
        raise Conflict(
            what=Text(zh="没有任何改动。", en="Nothing would change."),
            hint=Text(zh="请先修改内容再保存。", en="Change something before saving."),
        )
    return changed, ThingChanged(subject=thing.id, changes=changes, reason=why, revision=changed.revision)


def _both_kept(cmd: ChangeThing, thing: Thing) -> tuple[Text, Text]:
    def kept(new: str | None, old: str) -> str:
        return old if new is None else new

    name = both(kept(cmd.name_zh, thing.name.zh), kept(cmd.name_en, thing.name.en), "name", NAME, is_required=True)
    about_zh, about_en = kept(cmd.about_zh, thing.about.zh), kept(cmd.about_en, thing.about.en)
    return name, both(about_zh, about_en, "about", ABOUT, limit=TEXT_LIMIT)


def flat(thing: Thing) -> dict[str, str]:
    """Return what the register says of a thing, field by field, as text."""
    own = {
        "name_zh": thing.name.zh,
        "name_en": thing.name.en,
        "about_zh": thing.about.zh,
        "about_en": thing.about.en,
        "owner_id": thing.owner_id,
        "licence": thing.licence,
        "origin_url": thing.origin_url,
        "sha256": thing.sha256,
    }
    return own | {f"details.{name}": as_text(value) for name, value in thing.details.items()}


def as_text(value: Value) -> str:
    """Return a particular's value as one text; several stand one a line."""
    return "\n".join(value) if isinstance(value, tuple) else str(value)


def _owner(kind: ThingKind, owner_id: str) -> str:
    owner = owner_id.strip()
    if kind in NEEDS_OWNER and not owner:
        raise invalid(
            "owner_id",
            Text(
                zh=f"{THING_KINDS[kind].zh}必须写明由哪个主体负责。",
                en=f"{THING_KINDS[kind].en.capitalize()}: say which party answers for it.",
            ),
            Text(
                zh="请选择已登记的主体；没有时先登记主体。",
                en="Choose a registered party; register it first if needed.",
            ),
        )
    return owner


# --- links and keys ---------------------------------------------------------------------------------------------------


def hold_own_key(thing: Thing, other: Thing | None) -> None:
    """Hold that an agent shares its public key with no other: what two could have signed, neither answers for.

    Raises:
        Conflict: It does; the other is named.
    """
    if other is not None and other.id != thing.id:
        raise Conflict(
            what=Text(
                zh=f"该公钥指纹已属于智能体“{other.name.zh}”（{other.id}）。",
                en=f"This key belongs to the agent “{other.name.en}” ({other.id}).",
            ),
            hint=Text(zh="请为每个智能体使用各自的密钥。", en="Give each agent a key of its own."),
            details={"field": "key_fingerprint", "thing_id": other.id},
        )


def link(
    system: System, thing: Thing, cmd: LinkThing, *, held: tuple[Link, ...], new_id: str, today: date
) -> tuple[Link, ThingLinked]:
    """Say how a system stands to a thing.

    Args:
        system: The system.
        thing: The thing.
        cmd: How, and since when.
        held: Links between these two, ended ones too.
        new_id: Id of the link.
        today: The day it is entered.

    Raises:
        Invalid: The relation does not lead to this kind of thing, or the day has not come.
        Conflict: It is on record already, or the system is retired.
    """
    if system.status is Status.RETIRED:
        raise Conflict(
            what=Text(zh="该系统已退役，登记内容不再变更。", en="The system is retired; its record no longer changes."),
            hint=Text(zh="如重新启用，请作为新系统登记。", en="If it is used again, register it as a new system."),
        )
    if thing.kind not in FITTING[cmd.relation]:
        raise _unfitting(cmd.relation, thing.kind)
    since = cmd.since or today
    if since > today:
        raise invalid("since", Text(zh="起始日还没有到。", en="That day has not come yet."))
    if any(one.relation is cmd.relation and one.until is None for one in held):
        raise Conflict(
            what=Text(
                zh=f"已登记：{RELATIONS[cmd.relation].zh}“{thing.name.zh}”。",
                en=f"On record already: {RELATIONS[cmd.relation].en} “{thing.name.en}”.",
            ),
            hint=Text(zh="无需重复登记。", en="There is nothing left to do."),
            details={"field": "thing_id"},
        )
    new = Link(id=new_id, system_id=system.id, thing_id=thing.id, relation=cmd.relation, since=since)
    event = ThingLinked(
        subject=system.id,
        link_id=new_id,
        thing_id=thing.id,
        thing_kind=thing.kind.value,
        relation=cmd.relation.value,
        since=since.isoformat(),
    )
    return new, event


def _unfitting(relation: Relation, kind: ThingKind) -> Invalid:
    fitting = [RELATIONS[each] for each in Relation if kind in FITTING[each]]
    return invalid(
        "relation",
        Text(
            zh=f"“{RELATIONS[relation].zh}”不适用于{THING_KINDS[kind].zh}。",
            en=f"“{RELATIONS[relation].en}” does not lead to this kind of part ({THING_KINDS[kind].en}).",
        ),
        Text(
            zh=f"可以选择：{'、'.join(each.zh for each in fitting)}。",
            en=f"Choose one of: {', '.join(each.en for each in fitting)}.",
        ),
    )


def unlink(link: Link, *, until: date | None, reason: str, today: date) -> tuple[Link, ThingUnlinked]:
    """End a link; it stays in the history.

    Raises:
        Invalid: No reason is given, or the day lies before its beginning or has not come.
        Conflict: It ended already.
    """
    if link.until is not None:
        raise Conflict(
            what=Text(
                zh=f"该关联已于 {link.until.isoformat()} 结束。", en=f"This ended on {link.until.isoformat()} already."
            ),
            hint=Text(zh="无需再次解除。", en="There is nothing left to do."),
        )
    why = line(reason, "reason", REASON, limit=TEXT_LIMIT, is_required=True)
    last = until or today
    if not link.since <= last <= today:
        raise invalid(
            "until", Text(zh="结束日须在起始日与今天之间。", en="It ends between the day it began and today.")
        )
    ended = replace(link, until=last)
    event = ThingUnlinked(
        subject=link.system_id,
        link_id=link.id,
        thing_id=link.thing_id,
        relation=link.relation.value,
        until=last.isoformat(),
        reason=why,
    )
    return ended, event
