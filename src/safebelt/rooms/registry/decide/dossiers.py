"""Judgments about a dossier that is handed out: what goes in, and whether a package is what it says."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from safebelt.kernel.actors import Actor
from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.errors import Invalid
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.dossiers import (
    DOSSIER_PARTS,
    FORM,
    DossierHandedOver,
    DossierPart,
    HandOver,
    Package,
    PartMade,
)
from safebelt.rooms.rulebook.model import NOT_LEGAL_ADVICE

TEXT_LIMIT = 500
"""Characters of a recipient, a basis, or a reason for leaving a part out."""

Prove = Callable[[str], tuple[Reason, Mapping[str, Any] | None]]
"""A proof's text to why it holds or not, and the entry it proves."""


def chosen(cmd: HandOver) -> frozenset[str]:
    """Return the ids of the parts to hand out.

    Raises:
        Invalid: A part is not known, or recipient, basis or a reason is missing or too long.
    """
    _text(cmd.recipient, "recipient", Text(zh="接收者", en="recipient"))
    _text(cmd.basis, "basis", Text(zh="依据", en="basis"))
    for name, why in cmd.because.items():
        _text(why, f"because.{name}", Text(zh="不交出的理由", en="reason for leaving a part out"))
    unknown = [one for one in (*cmd.parts, *cmd.because) if one not in DOSSIER_PARTS]
    if unknown:
        raise Invalid(
            what=Text(zh=f"卷宗没有这个部分：{unknown[0]}。", en=f"A dossier has no part called {unknown[0]!r}."),
            hint=Text(zh=f"可选：{'、'.join(DOSSIER_PARTS)}。", en=f"Choose among: {', '.join(DOSSIER_PARTS)}."),
            details={"field": "parts"},
        )
    return frozenset(cmd.parts) or frozenset(one.id for one in DOSSIER_PARTS.values() if not one.is_personal)


def needed_for(cmd: HandOver) -> tuple[str, ...]:
    """Return the actions that somebody who hands out these parts must hold besides."""
    named = (DOSSIER_PARTS[one] for one in cmd.parts if one in DOSSIER_PARTS)
    return tuple(dict.fromkeys(part.needs for part in named if part.needs))


def part_made(part: DossierPart, data: Any, content: bytes, *, is_chosen: bool) -> PartMade:
    """Return a part with its digest and how many records it holds."""
    records = len(data) if isinstance(data, (list, tuple, dict)) else int(data is not None)
    digest = sha256(content).hexdigest()
    return PartMade(part=part, content=content, sha256=digest, records=records, is_chosen=is_chosen)


def manifest(
    system_id: str, cmd: HandOver, parts: Iterable[PartMade], proofs: Mapping[str, str], *, by: Actor, at: datetime
) -> dict[str, Any]:
    """Return the manifest: every part by its digest, those left out named like the others.

    Args:
        system_id: Whose dossier.
        cmd: What was asked.
        parts: All parts, chosen or not.
        proofs: Entry id to its proof, where acts are handed out.
        by: Who hands out.
        at: When.
    """
    return {
        "form": FORM,
        "system": system_id,
        "made_at": at.isoformat(),
        "made_by": by.id,
        "recipient": cmd.recipient.strip(),
        "basis": cmd.basis.strip(),
        "parts": [_listed(one, cmd.because.get(one.part.id, "")) for one in parts],
        "proofs": {entry: sha256(text.encode()).hexdigest() for entry, text in proofs.items()},
        "notice": {"zh": NOT_LEGAL_ADVICE.zh, "en": NOT_LEGAL_ADVICE.en},
    }


def handed_over(system_id: str, cmd: HandOver, parts: Iterable[PartMade], digest: str) -> DossierHandedOver:
    """Return the event that a dossier was handed out."""
    made = tuple(parts)
    return DossierHandedOver(
        subject=system_id,
        personal={"recipient": cmd.recipient.strip()},
        manifest_sha256=digest,
        parts=tuple(one.part.id for one in made if one.is_chosen),
        left_out=tuple(one.part.id for one in made if not one.is_chosen),
        basis=cmd.basis.strip(),
    )


def judge(package: Package, prove: Prove) -> Reason:
    """Judge whether a package is what it says, with nothing but the log's public key behind `prove`.

    Three answers are kept apart: what holds, what does not, and what cannot be checked (no acts were handed out).
    """
    parts = (_receipt(package, prove), *_parts(package), _nothing_else(package), *_acts(package, prove))
    return Reason(
        says=Text(zh="该卷宗与其所述一致，且未被改动", en="The dossier is what it says, and unaltered"),
        holds=conjunction(tuple(part.holds for part in parts)),
        because=parts,
    )


def _receipt(package: Package, prove: Prove) -> Reason:
    says = Text(
        zh="交出卷宗的行为在账本中，且清单的摘要与之相符",
        en="The hand-over is in the log, and the manifest has the digest it names",
    )
    if not package.receipt:
        return Reason(says=says, holds=Truth.FALSE)
    why, body = prove(package.receipt)
    data = body.get("data", {}) if body else {}
    digest = sha256(package.manifest).hexdigest()
    fits = (
        body is not None
        and body.get("kind") == DossierHandedOver.kind
        and body.get("subject") == package.says.get("system")
        and data.get("manifest_sha256") == digest
    )
    return Reason(says=says, holds=Truth.of(fits and why.holds is Truth.TRUE), because=(why,))


def _parts(package: Package) -> tuple[Reason, ...]:
    return tuple(_part(one, package.parts.get(str(one.get("id")))) for one in package.says.get("parts", ()))


def _part(listed: Mapping[str, Any], content: bytes | None) -> Reason:
    title = listed.get("title", {})
    zh, en = str(title.get("zh", listed.get("id"))), str(title.get("en", listed.get("id")))
    if not listed.get("included"):
        why = str(listed.get("why", ""))
        return Reason(
            says=Text(
                zh=f"未交出，已写明：{zh}" + (f"（{why}）" if why else ""),
                en=f"Left out, and named: {en}" + (f" ({why})" if why else ""),
            ),
            holds=Truth.of(content is None),
        )
    holds = content is not None and sha256(content).hexdigest() == listed.get("sha256")
    return Reason(says=Text(zh=f"未被改动：{zh}", en=f"Unaltered: {en}"), holds=Truth.of(holds))


def _nothing_else(package: Package) -> Reason:
    listed = {str(one.get("id")) for one in package.says.get("parts", ())}
    strangers = (*package.strangers, *sorted(set(package.parts) - listed))
    says = Text(zh="没有清单之外的内容", en="It holds nothing that the manifest does not list")
    if not strangers:
        return Reason(says=says, holds=Truth.TRUE)
    extra = Reason(says=Text(zh="、".join(strangers), en=", ".join(strangers)), holds=Truth.FALSE)
    return Reason(says=says, holds=Truth.FALSE, because=(extra,))


def _acts(package: Package, prove: Prove) -> tuple[Reason, ...]:
    content = package.parts.get("acts")
    says = Text(zh="每一行为都在账本中", en="Every act is in the log")
    if content is None:
        return ()  # left out, or missing: said above
    try:
        acts = json.loads(content)["data"]
        by_entry = {str(act["entry"]): act for act in acts}
    except (ValueError, KeyError, TypeError):
        return (Reason(says=says, holds=Truth.FALSE),)
    if not by_entry:
        return (Reason(says=says, holds=Truth.UNKNOWN),)
    return (
        Reason(
            says=says,
            holds=conjunction(tuple(_act(act, package, prove).holds for act in by_entry.values())),
            because=tuple(
                reason
                for reason in (_act(act, package, prove) for act in by_entry.values())
                if reason.holds is not Truth.TRUE
            ),
        ),
    )


def _act(act: Mapping[str, Any], package: Package, prove: Prove) -> Reason:
    entry = str(act["entry"])
    says = Text(
        zh=f"条目 {entry} 在账本中，内容如卷宗所示", en=f"The entry {entry} is in the log as the dossier shows it"
    )
    proof = package.proofs.get(entry)
    if proof is None or sha256(proof.encode()).hexdigest() != package.says.get("proofs", {}).get(entry):
        return Reason(says=says, holds=Truth.FALSE)
    why, body = prove(proof)
    shown = {name: act.get(name) for name in ("kind", "at", "actor", "data")}
    fits = body is not None and body.get("id") == entry and {name: body.get(name) for name in shown} == shown
    return Reason(says=says, holds=Truth.of(fits and why.holds is Truth.TRUE), because=(why,))


def _listed(one: PartMade, why: str) -> dict[str, Any]:
    listed = {
        "id": one.part.id,
        "title": {"zh": one.part.title.zh, "en": one.part.title.en},
        "included": one.is_chosen,
        "records": one.records,
        "personal": one.part.is_personal,
        "sha256": one.sha256,
    }
    return listed if one.is_chosen or not why.strip() else {**listed, "why": why.strip()}


def _text(value: str, field: str, label: Text) -> None:
    if not value.strip() or len(value) > TEXT_LIMIT:
        raise Invalid(
            what=Text(
                zh=f"{label.zh}须为 1 至 {TEXT_LIMIT} 个字符。",
                en=f"The {label.en} must have 1 to {TEXT_LIMIT} characters.",
            ),
            hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
            details={"field": field},
        )
