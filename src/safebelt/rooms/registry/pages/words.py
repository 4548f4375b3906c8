"""Wording several of the registry's pages share, and how acts are told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model import (
    PARTY_KINDS,
    PARTY_ROLES,
    PERSON_ROLES,
    STANDINGS,
    STATUSES,
    Act,
    EvidenceOnFile,
    Party,
    PersonRole,
    Status,
    System,
)
from safebelt.rooms.registry.model.lifecycle import ISSUERS, Evidence, Issuer, SystemMoved

__all__ = ["PARTY_KINDS", "PARTY_ROLES", "PERSON_ROLES", "STANDINGS", "STATUSES", "PersonRole", "Status"]

HOME = Text(zh="AI 系统卷宗", en="Dossiers of AI systems")
SYSTEMS = Text(zh="AI 系统登记", en="Register of AI systems")
PARTIES = Text(zh="主体名录", en="Parties")
NEW_PARTY = Text(zh="登记主体", en="Register a party")
NEW_SYSTEM = Text(zh="登记 AI 系统", en="Register an AI system")
NEW_PERSON = Text(zh="指定人员", en="Name a person")
FACTS = Text(zh="系统事实", en="Facts about the system")
CHANGE = Text(zh="变更登记", en="Change the registration")

DONE: Mapping[str, Text] = {
    "party": Text(zh="主体已登记，并已记入存证账本。", en="The party is registered, and the ledger remembers it."),
    "system": Text(
        zh="系统已登记，并已记入存证账本。接下来请指定负责人。",
        en="The system is registered, and the ledger remembers it. Next, name who is accountable for it.",
    ),
    "person": Text(zh="人员已指定，并已记入存证账本。", en="The person is named, and the ledger remembers it."),
    "facts": Text(
        zh="事实已记录并重新判断，已记入存证账本。",
        en="The facts are on record and judged, and the ledger remembers it.",
    ),
    "change": Text(zh="变更已保存，并已记入存证账本。", en="The change is saved, and the ledger remembers it."),
}
"""What a page says after a deed; the address carries the key only, so nobody can put words in our mouth."""

PARTY_FIELDS: Mapping[str, Text] = {
    "name": Text(zh="名称", en="Name"),
    "kind": Text(zh="类型", en="Kind"),
    "roles": Text(zh="角色", en="Roles"),
    "contact": Text(zh="联系方式", en="Contact"),
}
SYSTEM_FIELDS: Mapping[str, Text] = {
    "name_zh": Text(zh="中文名称", en="Name in Chinese"),
    "name_en": Text(zh="英文名称", en="Name in English"),
    "purpose_zh": Text(zh="中文用途", en="Purpose in Chinese"),
    "purpose_en": Text(zh="英文用途", en="Purpose in English"),
    "provider_id": Text(zh="提供者", en="Provider"),
    "deployer_id": Text(zh="部署者", en="Deployer"),
    "status": Text(zh="状态", en="Status"),
    "reason": Text(zh="变更理由", en="Reason for the change"),
    "version": Text(zh="版本", en="Version"),
}
PERSON_FIELDS: Mapping[str, Text] = {
    "role": Text(zh="职责", en="Role"),
    "name": Text(zh="姓名", en="Name"),
    "contact": Text(zh="联系方式", en="Contact"),
    "since": Text(zh="起始日期", en="Since"),
    "replaces": Text(zh="接替", en="Takes over from"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One line of the timeline, in the reader's language."""

    at: datetime
    title: str
    by: str
    text: str
    entry_id: str


Naming = Callable[[str], Text]
"""Kind of evidence to what people call it."""


def told(
    acts: Sequence[Act], titles: Mapping[str, Text], lang: Lang, evidence: Naming = lambda kind: Text(zh=kind, en=kind)
) -> list[Told]:
    """Tell acts to a reader; a kind nobody has named is shown by its technical name."""
    return [
        Told(
            at=act.at,
            title=titles[act.kind].in_(lang) if act.kind in titles else act.kind,
            by=act.actor,
            text=_about(act, lang, evidence),
            entry_id=act.entry_id,
        )
        for act in acts
    ]


def _about(act: Act, lang: Lang, evidence: Naming) -> str:
    """What an act's public fields say, as far as they are for people: role, changes, reason."""
    parts = []
    role = act.data.get("role")
    if role in set(PersonRole):
        parts.append(PERSON_ROLES[PersonRole(role)].in_(lang))
    if kind := act.data.get("evidence_kind"):
        parts.append(evidence(str(kind)).in_(lang))
    changes = act.data.get("changes")
    if isinstance(changes, Mapping):
        parts += [_change(str(name), pair, lang) for name, pair in changes.items()]
    if act.kind == SystemMoved.kind:
        parts.append(f"{_stage(act.data['before'], lang)} → {_stage(act.data['after'], lang)}")
    reason = act.data.get("reason") or act.data.get(f"reason_{lang}")
    if reason:
        parts.append(Text(zh=f"理由：{reason}", en=f"Reason: {reason}").in_(lang))
    return Text(zh="；", en="; ").in_(lang).join(parts)


def _change(name: str, pair: Sequence[str], lang: Lang) -> str:
    label = SYSTEM_FIELDS[name].in_(lang) if name in SYSTEM_FIELDS else name
    before, after = (_stage(each, lang) if name == "status" else each for each in pair)
    return f"{label}{Text(zh='：', en=': ').in_(lang)}{before or '—'} → {after or '—'}"


def _stage(status: str, lang: Lang) -> str:
    """The title of a stage; a word that earlier releases used, as it was written."""
    return STATUSES[Status(status)].in_(lang) if status in set(Status) else status


def as_typed(system: System) -> dict[str, str]:
    """Return a system as the fields of its form."""
    return {
        "name_zh": system.name.zh,
        "name_en": system.name.en,
        "purpose_zh": system.purpose.zh,
        "purpose_en": system.purpose.en,
        "provider_id": system.provider_id,
        "deployer_id": system.deployer_id,
        "version": str(system.version),
    }


def stage_of(system: System) -> Text:
    """Return a system's stage in words; service on claims alone is called provisional."""
    return system.stage


def kinds_of(found: EvidenceOnFile) -> list[str]:
    """Return the kinds of evidence a dossier speaks of: those asked for, then others that are held."""
    return list(dict.fromkeys((*found.asked, *(one.kind for one in found.pieces))))


def held_as(found: EvidenceOnFile, kind: str) -> Text:
    """Say how a kind of evidence is held; never that anything is met by it."""
    pieces = [one for one in found.pieces if one.kind == kind]
    if not pieces:
        return Text(zh="没有", en="not held")
    until = max(one.expires_on for one in pieces).isoformat()
    if all(one.is_claimed for one in pieces):
        return Text(zh=f"自我声明，至 {until}", en=f"claimed, until {until}")
    issuers = [ISSUERS[one] for one in Issuer if one is not Issuer.SELF and one in _standing_for(pieces)]
    zh, en = "、".join(one.zh for one in issuers), ", ".join(one.en for one in issuers)
    return Text(zh=f"{zh}已确认，至 {until}", en=f"vouched for by {en}, until {until}")


def _standing_for(pieces: Sequence[Evidence]) -> set[Issuer]:
    return {one.issuer for one in pieces} | {vouch.issuer for one in pieces for vouch in one.vouched}


def options(titles: Mapping[StrEnum, Text], lang: Lang) -> list[tuple[str, str]]:
    """Return an enumeration as the choices of a form."""
    return [(each.value, title.in_(lang)) for each, title in titles.items()]


def party_options(parties: Sequence[Party], empty: str) -> list[tuple[str, str]]:
    """Return parties as the choices of a form, after the empty choice."""
    return [("", empty), *((party.id, party.name) for party in parties)]


def people_options(system: System, lang: Lang) -> list[tuple[str, str]]:
    """Return who could be taken over from, as choices."""
    nobody = ("", Text(zh="无（新增）", en="nobody (in addition)").in_(lang))
    current = (person for person in system.people if person.until is None)
    return [nobody, *((p.id, f"{p.name} · {PERSON_ROLES[p.role].in_(lang)}") for p in current)]
