"""Judgments of the registry: what may be entered, what may change, and what a dossier comes to."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model import (
    EVIDENCE_AWAITED,
    PERSON_ROLES,
    Awaited,
    ChangeSystem,
    EvidenceOnFile,
    NamedPerson,
    NamePerson,
    Party,
    PartyKind,
    PartyRegistered,
    PartyRole,
    PersonNamed,
    PersonRole,
    RegisterParty,
    RegisterSystem,
    Standing,
    Status,
    System,
    SystemChanged,
    SystemRegistered,
    ordered,
)
from safebelt.rooms.registry.model.lifecycle import Evidence
from safebelt.rooms.registry.model.road import AskKind, Gate

NAME_LIMIT = 200
"""Characters of a name: longer than any registered company name, short enough for a table."""
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but line ends and tabs, and halves of surrogates (Unicode categories Cc and Cs)."""
TEXT_LIMIT = 2000
"""Characters of a purpose or a reason."""


def register_party(cmd: RegisterParty, *, new_id: str, at: datetime) -> tuple[Party, PartyRegistered]:
    """Admit a party.

    Raises:
        Invalid: It has no name, or a text is too long.
    """
    name = _line(cmd.name, "name", Text(zh="名称", en="name"), is_required=True)
    contact = _line(cmd.contact, "contact", Text(zh="联系方式", en="contact"))
    roles = tuple(role for role in PartyRole if role in cmd.roles)
    party = Party(id=new_id, name=name, kind=cmd.kind, roles=roles, contact=contact, registered_at=at)
    is_person = cmd.kind is PartyKind.PERSON
    personal = {"name": name if is_person else "", "contact": contact}
    event = PartyRegistered(
        subject=new_id,
        personal={key: value for key, value in personal.items() if value},
        party_kind=cmd.kind.value,
        roles=tuple(role.value for role in roles),
        name="" if is_person else name,
    )
    return party, event


def register_system(cmd: RegisterSystem, *, new_id: str, at: datetime) -> tuple[System, SystemRegistered]:
    """Admit a system.

    Raises:
        Invalid: It has no name or no purpose, or a text is too long.
    """
    name = _both(cmd.name_zh, cmd.name_en, "name", Text(zh="系统名称", en="name of the system"), NAME_LIMIT)
    purpose = _both(cmd.purpose_zh, cmd.purpose_en, "purpose", Text(zh="用途", en="purpose"), TEXT_LIMIT)
    system = System(
        id=new_id,
        name=name,
        purpose=purpose,
        provider_id=cmd.provider_id,
        deployer_id=cmd.deployer_id,
        status=Status.IDEA,
        people=(),
        registered_at=at,
    )
    event = SystemRegistered(
        subject=new_id,
        name_zh=name.zh,
        name_en=name.en,
        purpose_zh=purpose.zh,
        purpose_en=purpose.en,
        provider_id=cmd.provider_id,
        deployer_id=cmd.deployer_id,
        status=system.status.value,
        version=system.version,
    )
    return system, event


def name_person(
    system: System, cmd: NamePerson, *, new_id: str, today: date
) -> tuple[System, NamedPerson, PersonNamed]:
    """Name a person; exactly one is accountable at a time.

    Returns:
        The system with the terms as they stand now, the new person, and the event.

    Raises:
        Invalid: There is no name, or it is too long, or `replaces` names nobody in that role.
        Conflict: The same person already stands for it, or the system is retired.
    """
    _not_retired(system)
    name = _line(cmd.name, "name", Text(zh="姓名", en="name"), is_required=True)
    contact = _line(cmd.contact, "contact", Text(zh="联系方式", en="contact"))
    current = system.current(cmd.role)
    ending = _ending(cmd, current)
    if any(person.name == name and person.contact == contact and person.id not in ending for person in current):
        raise Conflict(
            what=Text(
                zh=f"{name} 已是该系统的{PERSON_ROLES[cmd.role].zh}。",
                en=f"{name} already is {PERSON_ROLES[cmd.role].en} of this system.",
            ),
            hint=Text(zh="无需再次指定。", en="There is nothing left to do."),
            details={"field": "name"},
        )
    since = cmd.since or today
    person = NamedPerson(id=new_id, role=cmd.role, name=name, contact=contact, since=since)
    ended = tuple(replace(each, until=since) if each.id in ending else each for each in system.people)
    personal = {key: value for key, value in {"name": name, "contact": contact}.items() if value}
    changed = replace(system, people=ordered((*ended, person)), version=system.version + 1)
    event = PersonNamed(
        subject=system.id,
        personal=personal,
        person_id=new_id,
        role=cmd.role.value,
        since=since.isoformat(),
        ended=tuple(sorted(ending)),
        version=changed.version,
    )
    return changed, person, event


def change_system(system: System, cmd: ChangeSystem) -> tuple[System, SystemChanged]:
    """Change what the register says of a system.

    Raises:
        Conflict: It was changed since `cmd.version`, nothing would change, or the system is retired.
        Invalid: A text is missing or too long.
    """
    if cmd.version != system.version:
        raise Conflict(
            what=Text(
                zh=f"该系统已是第 {system.version} 版，您修改的是第 {cmd.version} 版。",
                en=f"The system is at version {system.version}; the change was made on version {cmd.version}.",
            ),
            hint=Text(zh="请重新载入，核对后再改。", en="Load it again, look at what changed, and repeat the change."),
            details={"version": str(system.version)},
        )
    _not_retired(system)
    reason = _line(cmd.reason, "reason", Text(zh="变更理由", en="reason"), limit=TEXT_LIMIT, is_required=True)
    changed = replace(
        system,
        name=_both(
            _kept(cmd.name_zh, system.name.zh),
            _kept(cmd.name_en, system.name.en),
            "name",
            Text(zh="系统名称", en="name of the system"),
            NAME_LIMIT,
        ),
        purpose=_both(
            _kept(cmd.purpose_zh, system.purpose.zh),
            _kept(cmd.purpose_en, system.purpose.en),
            "purpose",
            Text(zh="用途", en="purpose"),
            TEXT_LIMIT,
        ),
        provider_id=_kept(cmd.provider_id, system.provider_id),
        deployer_id=_kept(cmd.deployer_id, system.deployer_id),
        version=system.version + 1,
    )
    before, after = _flat(system), _flat(changed)
    changes = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
    if not changes:
        raise Conflict(
            what=Text(zh="没有任何改动。", en="Nothing would change."),
            hint=Text(zh="请先修改内容再保存。", en="Change something before saving."),
        )
    event = SystemChanged(
        subject=system.id,
        fields=tuple(changes),
        changes=changes,
        reason=reason,
        provider_id=changed.provider_id,
        deployer_id=changed.deployer_id,
        status=changed.status.value,
        version=changed.version,
    )
    return changed, event


def hold_describable(system: System) -> System:
    """Hold that facts about a system can still be put on record.

    Raises:
        Conflict: It is retired.
    """
    _not_retired(system)
    return system


def suspended_by(red_lines: tuple[str, ...]) -> Text:
    """Return why a system that red lines bar is taken out of service."""
    met = ", ".join(red_lines)
    return Text(zh=f"触及红线，停止服务：{met}", en=f"Red line met, taken out of service: {met}")


def has_duties(found: Gate) -> bool | None:
    """Whether a system's duties are determined: unknown without facts, and while a norm that counts waits for one."""
    return None if {one.kind for one in found.missing} & {AskKind.FACTS, AskKind.DUTIES} else True


def has_evidence(found: Gate) -> bool | None:
    """Whether the evidence that duties ask for before service is held; unknown without facts.  Not: a duty is met."""
    if found.facts_version == 0:
        return None
    return not any(one.kind is AskKind.EVIDENCE for one in found.missing)


def on_file(found: Gate, held: Mapping[str, tuple[Evidence, ...]]) -> EvidenceOnFile | Awaited:
    """Return the dossier's part about evidence."""
    pieces = tuple(one for kind in sorted(held) for one in held[kind])
    if found.facts_version == 0 and not pieces:
        return EVIDENCE_AWAITED
    missing = tuple(kind for kind in found.asked if kind not in held)
    return EvidenceOnFile(pieces=pieces, asked=found.asked, missing=missing, claimed=found.claimed)


def persons_by_bearer(system: System) -> dict[str, tuple[str, ...]]:
    """Return who is named for the duties of each bearer: whoever is accountable, for provider and deployer alike."""
    named = tuple(person.name for person in system.current(PersonRole.ACCOUNTABLE))
    return {"provider": named, "deployer": named} if named else {}


def standing(
    system: System, *, has_duties: bool | None, has_evidence: bool | None, claimed: int = 0
) -> tuple[Standing, Reason]:
    """Judge what a dossier comes to.  `None` means nobody has looked: unknown, never a pass.

    Args:
        system: The system.
        has_duties: Whether its duties are determined.
        has_evidence: Whether the evidence that duties ask for before service is held.
        claimed: How many kinds of it nobody but the system's own people stands for.
    """
    parts = (
        _named(system, PersonRole.ACCOUNTABLE),
        _named(system, PersonRole.OVERSEER),
        Reason(
            says=Text(zh="已确定该系统承担哪些义务", en="It is determined which duties the system bears"),
            holds=Truth.of(has_duties),
        ),
        Reason(says=_evidence_says(claimed if has_evidence else 0), holds=Truth.of(has_evidence)),
    )
    holds = conjunction(tuple(part.holds for part in parts))
    verdict = {Truth.TRUE: Standing.EVALUATED, Truth.FALSE: Standing.INCOMPLETE}.get(holds, Standing.NOT_EVALUATED)
    says = Text(zh="卷宗的各部分均已具备", en="Every part of the dossier is there")
    return verdict, Reason(says=says, holds=holds, because=parts)


def _evidence_says(claimed: int) -> Text:
    """What is said of the evidence: that much of it is only claimed is said in the same breath."""
    kinds = "kind" if claimed == 1 else "kinds"
    return Text(
        zh="义务在投入服务前要求的证据均在案" + (f"；其中 {claimed} 类仅为自我声明" if claimed else ""),
        en="The evidence that duties ask for before service is on record"
        + (f"; {claimed} {kinds} of it only claimed by its own people" if claimed else ""),
    )


def _named(system: System, role: PersonRole) -> Reason:
    people = system.current(role)
    title = PERSON_ROLES[role]
    return Reason(
        says=Text(zh=f"已指定{title.zh}", en=f"The {title.en} is named"),
        holds=Truth.of(bool(people)),
        cites=tuple(person.id for person in people),
    )


def _ending(cmd: NamePerson, current: tuple[NamedPerson, ...]) -> frozenset[str]:
    """Ids of the people whose terms the new one ends."""
    if cmd.role is PersonRole.ACCOUNTABLE:
        return frozenset(person.id for person in current if (person.name, person.contact) != (cmd.name, cmd.contact))
    if cmd.replaces and cmd.replaces not in {person.id for person in current}:
        raise _invalid(
            "replaces",
            Text(zh="要接替的人不在该职责上。", en="The person to be replaced does not stand for this role."),
        )
    return frozenset({cmd.replaces} if cmd.replaces else ())


def _not_retired(system: System) -> None:
    if system.status is Status.RETIRED:
        raise Conflict(
            what=Text(
                zh="该系统已退役，登记内容不再变更。", en="The system is retired; its registration no longer changes."
            ),
            hint=Text(zh="如重新启用，请作为新系统登记。", en="If it is used again, register it as a new system."),
        )


def _flat(system: System) -> dict[str, str]:
    return {
        "name_zh": system.name.zh,
        "name_en": system.name.en,
        "purpose_zh": system.purpose.zh,
        "purpose_en": system.purpose.en,
        "provider_id": system.provider_id,
        "deployer_id": system.deployer_id,
    }


def _kept(new: str | None, old: str) -> str:
    return old if new is None else new.strip()


def _both(zh: str, en: str, field: str, label: Text, limit: int) -> Text:
    """Take a text in two languages; where one is missing the other stands for both."""
    chinese = _line(zh, f"{field}_zh", label, limit=limit)
    english = _line(en, f"{field}_en", label, limit=limit)
    if not (chinese or english):
        raise _invalid(f"{field}_zh", Text(zh=f"请填写{label.zh}。", en=f"Enter the {label.en}."))
    return Text(zh=chinese or english, en=english or chinese)


def _line(value: str, field: str, label: Text, *, limit: int = NAME_LIMIT, is_required: bool = False) -> str:
    text = value.strip()
    if is_required and not text:
        raise _invalid(field, Text(zh=f"请填写{label.zh}。", en=f"Enter the {label.en}."))
    if len(text) > limit:
        raise _invalid(
            field,
            Text(
                zh=f"{label.zh}不能超过 {limit} 个字符。",
                en=f"The {label.en} must be {limit} characters or fewer.",
            ),
        )
    if _INVISIBLE.search(text):
        raise _invalid(
            field, Text(zh=f"{label.zh}含有不可见的控制字符。", en=f"The {label.en} holds control characters.")
        )
    return text


def _invalid(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what,
        hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
        details={"field": field},
    )
