"""Judgments about what the public sees: what a record says, what must not be in it, and who may be shown at all."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.register import NAME_LIMIT, TEXT_LIMIT
from safebelt.rooms.registry.model.publication import (
    Answering,
    EndPublication,
    Graded,
    KeptBack,
    NotPublished,
    Obstacle,
    Publication,
    PublicationDecided,
    PublicationEnded,
    Publish,
    Visibility,
)
from safebelt.rooms.registry.model.register import Party, PartyKind, System, folded

FORM = "safebelt-public-record/1"
"""What a published record calls its own form."""
OBSTACLES_SHOWN = 20
"""Different obstacles a deed about many names: more are those of single systems, which its list of refusals names."""
SHORTEST_NAME = 2
"""Characters of a person's name below which looking for it in a text would find everything."""

_OPEN_TO_ALL = frozenset({Visibility.PUBLIC, Visibility.EMBARGOED})
_LATIN = re.compile(r"[a-z0-9]")


def answering(party: Party | None) -> Answering | None:
    """Return who answers as the public sees it: organisations by name, people without."""
    if party is None:
        return None
    return Answering(kind=party.kind, name="" if party.kind is PartyKind.PERSON else party.name)


def compose(
    system: System,
    provider: Party | None,
    deployer: Party | None,
    grades: Graded,
    cmd: Publish,
    *,
    origin: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Write the public record of a system: every field of it, and where each comes from.

    Args:
        system: The system.
        provider: Who provides it.
        deployer: Who uses it.
        grades: What is published of the judgment.
        cmd: The decision.
        origin: The register it was taken over from, JSON-ready; None where it was registered here.
    """
    not_for = _both_or_none(cmd.not_for_zh, cmd.not_for_en)
    return {
        "form": FORM,
        "id": system.id,
        "name": _both(system.name),
        "purpose": _both(system.purpose),
        "not_for": not_for,
        "provider": _answering(answering(provider)),
        "deployer": _answering(answering(deployer)),
        "contact": cmd.contact.strip(),
        "stage": {"at_publication": system.status.value, "provisional": system.provisional},
        "registered_on": system.registered_at.date().isoformat(),
        "origin": dict(origin) if origin else None,
        "grades": {
            "evaluated": grades.on is not None,
            "on": grades.on.isoformat() if grades.on else None,
            "facts_version": grades.facts_version,
            "facts_sha256": grades.facts_sha256,
            "regimes": [dict(one) for one in grades.regimes],
            "cites": {cite: dict(one) for cite, one in grades.cites.items()},
        },
        "sources": {
            "name": "register",
            "purpose": "register",
            "provider": "register",
            "deployer": "register",
            "registered_on": "register",
            "stage": "register",
            "origin": "import",
            "not_for": "publication",
            "contact": "publication",
            "grades": "rulebook",
        },
    }


def slips(system: System, parties: Iterable[Party], cmd: Publish) -> tuple[tuple[str, Text], ...]:
    """Name what would put a person before the public: each field, and what is wrong with it.

    Names and contacts of people named for the system, and of parties that are people, are looked for in every free
    text of the record and in what the ledger would say of the decision.
    """
    people = [(person.name, person.contact) for person in system.people]
    people += [(party.name, "") for party in parties if party.kind is PartyKind.PERSON]
    people += [("", party.contact) for party in parties]
    texts = {
        "name": f"{system.name.zh}\n{system.name.en}",
        "purpose": f"{system.purpose.zh}\n{system.purpose.en}",
        "contact": cmd.contact,
        "not_for_zh": cmd.not_for_zh,
        "not_for_en": cmd.not_for_en,
        "reason": cmd.reason,
        "cleared": cmd.cleared,
    }
    return tuple(
        (field, _MENTIONS_A_PERSON)
        for field, text in texts.items()
        if any(_mentions(text, told) for pair in people for told in pair)
    )


def publish(
    current: Publication | None,
    system_id: str,
    cmd: Publish,
    *,
    kept: KeptBack,
    digest: str,
    is_basis_known: bool,
    at: datetime,
) -> tuple[Publication, PublicationDecided]:
    """Decide what the public sees of a system.

    Args:
        current: The decision in force.
        system_id: Which system.
        cmd: What is decided.
        kept: Whether the law keeps it back.
        digest: SHA-256 of the record as it is now.
        is_basis_known: Whether the rulebook has the basis that is named.
        at: Now.

    Raises:
        Invalid: A reason, date or basis is missing or cannot be, or a text is too long.
        Conflict: The law keeps it back, it changed since it was previewed, or nothing would change.
    """
    _hold_texts(cmd)
    _hold_form(cmd, is_basis_known, at.date())
    if cmd.visibility in _OPEN_TO_ALL:
        _hold_not_kept_back(cmd, kept)
        _hold_as_previewed(cmd, digest)
    shown_digest = digest if cmd.visibility in _OPEN_TO_ALL else ""
    until = cmd.until if cmd.visibility is Visibility.EMBARGOED else None
    first = until if until else at.date() if cmd.visibility is Visibility.PUBLIC else None
    new = Publication(
        system_id=system_id,
        visibility=cmd.visibility,
        version=1 if current is None else current.version + 1,
        at=at,
        since=_since(current, first, at.date()),
        until=until,
        ended_at=_ended_at(current, cmd.visibility, at),
        basis=cmd.basis.strip() if cmd.visibility in (Visibility.EMBARGOED, Visibility.RESTRICTED) else "",
        contact=cmd.contact.strip() if cmd.visibility in _OPEN_TO_ALL else "",
        digest=shown_digest,
        entry_id="",
    )
    _hold_change(current, new)
    event = PublicationDecided(
        subject=system_id,
        version=new.version,
        visibility=new.visibility.value,
        until=until.isoformat() if until else "",
        basis=new.basis,
        digest=new.digest,
        reason=cmd.reason.strip(),
        cleared=cmd.cleared.strip(),
    )
    return new, event


def end(
    current: Publication | None, system_id: str, cmd: EndPublication, *, at: datetime
) -> tuple[Publication, PublicationEnded]:
    """Take a system out of the public register.

    Raises:
        Invalid: No reason is given, or it is too long.
        Conflict: It is not, and will not be, public.
    """
    reason = _filled(cmd.reason)
    if current is None or current.visibility not in _OPEN_TO_ALL:
        raise Conflict(
            what=Text(zh="该系统本来就没有公开。", en="The system is not in the public register."),
            hint=Text(zh="无需撤下。", en="There is nothing to take out."),
        )
    new = replace(
        current,
        visibility=Visibility.INTERNAL,
        version=current.version + 1,
        at=at,
        since=current.since if current.is_shown(at.date()) or current.ended_at else None,
        until=None,
        ended_at=at if current.is_shown(at.date()) else current.ended_at,
        basis="",
        contact="",
        digest="",
        entry_id="",
    )
    return new, PublicationEnded(subject=system_id, version=new.version, reason=reason)


def obstacles(refused: Sequence[NotPublished]) -> tuple[Obstacle, ...]:
    """Return what stood in the way of systems, each thing once, the most frequent first; at most 20."""
    found: dict[tuple[str, Text, Text], list[str]] = {}
    for one in refused:
        found.setdefault((one.field, one.why, one.hint), []).append(one.system_id)
    ordered = sorted(found.items(), key=lambda each: -len(each[1]))[:OBSTACLES_SHOWN]
    return tuple(
        Obstacle(field=field, why=why, hint=hint, systems=len(ids), first=ids[0]) for (field, why, hint), ids in ordered
    )


def as_the_law_says(cmd: Publish, kept: KeptBack) -> Publish:
    """Return the decision with what the law keeps back restricted by that law, as a deed about many takes it."""
    if cmd.visibility in _OPEN_TO_ALL and kept.holds is Truth.TRUE:
        return replace(cmd, visibility=Visibility.RESTRICTED, basis=kept.norms[0], until=None, digest="")
    return cmd


def public_search(record: Mapping[str, Any]) -> str:
    """Return everything a public record is found by, folded: nothing that is not in it."""
    names = [record[field] for field in ("name", "purpose", "not_for") if record[field]]
    texts = [record["id"], *(one[lang] for one in names for lang in ("zh", "en"))]
    texts += [record[party]["name"] for party in ("provider", "deployer") if record[party]]
    return folded("\n".join(dict.fromkeys(texts)))


def is_behind(record: Mapping[str, Any], system: System, facts_version: int) -> bool:
    """Whether the register changed since a record was published: name, purpose or facts."""
    then = (record["name"], record["purpose"], record["grades"]["facts_version"])
    return then != (_both(system.name), _both(system.purpose), facts_version)


def _hold_texts(cmd: Publish) -> None:
    _filled(cmd.reason)
    limits = {"contact": NAME_LIMIT, "basis": NAME_LIMIT}
    for field in ("contact", "basis", "not_for_zh", "not_for_en", "cleared"):
        _hold_length(getattr(cmd, field), field, limits.get(field, TEXT_LIMIT))


def _hold_form(cmd: Publish, is_basis_known: bool, today: date) -> None:
    if cmd.visibility is Visibility.EMBARGOED and (cmd.until is None or cmd.until <= today):
        raise _invalid(
            "until",
            Text(zh="请填写将来的公开日期。", en="Enter the day, later than today, from which it is public."),
        )
    needs_basis = cmd.visibility in (Visibility.EMBARGOED, Visibility.RESTRICTED)
    if needs_basis and not (cmd.basis.strip() and is_basis_known):
        raise _invalid(
            "basis",
            Text(
                zh="请填写规则库中的规则或条款编号，作为不公开的依据。",
                en="Name the norm or provision of the rulebook it is kept back by.",
            ),
        )


def _hold_not_kept_back(cmd: Publish, kept: KeptBack) -> None:
    if kept.holds is Truth.TRUE:
        raise Conflict(
            what=Text(
                zh=f"法律要求该条目不公开：{'、'.join(kept.norms)}。",
                en=f"The law keeps this entry out of the public part: {', '.join(kept.norms)}.",
            ),
            hint=Text(
                zh="请选择“依法不公开，只计数”，并以该规则为依据。",
                en="Choose “kept back by law, counted only”, with that norm as its basis.",
            ),
            details={"field": "visibility", "norms": " ".join(kept.norms)},
        )
    if kept.holds is Truth.UNKNOWN and not cmd.cleared.strip():
        raise Invalid(
            what=Text(
                zh="规则库尚不能判断法律是否要求不公开。",
                en="The rulebook cannot tell whether a law keeps this back.",
            ),
            hint=Text(
                zh="请补全事实，或填写“为何可以公开”（cleared），例如“来源登记册本身已公开”。",
                en="Complete the facts, or say why it may be public (cleared), for example “Public at its source”.",
            ),
            details={"field": "cleared"},
        )


def _hold_as_previewed(cmd: Publish, digest: str) -> None:
    if cmd.digest and cmd.digest != digest:
        raise Conflict(
            what=Text(zh="预览之后内容已有变化。", en="The record changed since it was previewed."),
            hint=Text(zh="请重新预览后再决定。", en="Preview it again, then decide."),
            details={"field": "digest"},
        )


def _hold_change(current: Publication | None, new: Publication) -> None:
    if current is None:
        return
    alike = ("visibility", "until", "basis", "contact", "digest")
    if all(getattr(current, name) == getattr(new, name) for name in alike):
        raise Conflict(
            what=Text(zh="与现行的公开内容完全相同。", en="The public sees exactly this already."),
            hint=Text(zh="无需再次发布。", en="There is nothing to publish."),
            details={"unchanged": "true"},
        )


def _since(current: Publication | None, first: date | None, today: date) -> date | None:
    """The first public day: once public, it stays what it was."""
    was_public = current is not None and current.since is not None and current.since <= today
    return current.since if current is not None and was_public else first


def _ended_at(current: Publication | None, visibility: Visibility, at: datetime) -> datetime | None:
    if visibility is Visibility.PUBLIC or current is None:
        return None
    return at if current.is_shown(at.date()) else current.ended_at


_MENTIONS_A_PERSON = Text(
    zh="提到了某位个人的姓名或联系方式；公开登记册只写机构。",
    en="mentions a person's name or contact; the public register names organisations only.",
)


def _mentions(text: str, told: str) -> bool:
    """Whether a text tells a name or contact: Latin ones as whole words, Chinese ones anywhere."""
    wanted, where = folded(told.strip()), folded(text)
    if len(wanted) < SHORTEST_NAME:
        return False
    before = r"(?<![a-z0-9])" if _LATIN.match(wanted[0]) else ""
    after = r"(?![a-z0-9])" if _LATIN.match(wanted[-1]) else ""
    return re.search(before + re.escape(wanted) + after, where) is not None


def _filled(reason: str) -> str:
    text = reason.strip()
    if not text:
        raise _invalid("reason", Text(zh="请填写理由。", en="Enter the reason."))
    _hold_length(text, "reason", TEXT_LIMIT)
    return text


def _hold_length(text: str, field: str, limit: int) -> None:
    if len(text) > limit or any(char < " " and char not in "\n\r\t" for char in text) or not _is_text(text):
        raise _invalid(
            field,
            Text(
                zh=f"不能超过 {limit} 个字符，也不能有控制字符。",
                en=f"Use at most {limit} characters, no control ones.",
            ),
        )


def _is_text(text: str) -> bool:
    """Whether a text can be written down: half a surrogate cannot."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _invalid(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what,
        hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
        details={"field": field},
    )


def _both(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _both_or_none(zh: str, en: str) -> dict[str, str] | None:
    chinese, english = zh.strip(), en.strip()
    return {"zh": chinese or english, "en": english or chinese} if chinese or english else None


def _answering(who: Answering | None) -> dict[str, str] | None:
    return None if who is None else {"kind": who.kind.value, "name": who.name}
