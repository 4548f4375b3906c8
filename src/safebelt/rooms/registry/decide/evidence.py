"""Judgments about evidence and sign-offs: who may say what of a system, in which capacity, and until when."""

from dataclasses import replace
from datetime import date, datetime
from typing import Any

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import digest, invalid, line
from safebelt.rooms.registry.model.lifecycle import (
    Attest,
    Evidence,
    EvidenceAttested,
    EvidenceVouched,
    EvidenceWithdrawn,
    GateSigned,
    Issuer,
    ProvisionReviewed,
    SignGate,
    SignOff,
    Vouch,
    VouchFor,
    Withdraw,
)
from safebelt.rooms.registry.model.register import PERSON_ROLES, PersonRole, Status, System
from safebelt.rooms.registry.model.road import AskKind, Gate, Road

TEXT_LIMIT = 2000
_STATEMENT = Text(zh="陈述", en="statement")
_OUTSIDE = {
    Role.ASSOCIATION: Issuer.ASSOCIATION,
    Role.ASSESSOR: Issuer.ASSESSOR,
    Role.AUTHORITY: Issuer.AUTHORITY,
}


def issuer_of(by: Actor) -> Issuer:
    """Return in which capacity somebody states something: from outside only if that is their one capacity here."""
    outside = _capacities(by)
    is_inside = bool(by.roles & {Role.OWNER, Role.OPERATOR})
    return outside[0] if len(outside) == 1 and not is_inside else Issuer.SELF


def hold_outside(by: Actor) -> None:
    """Hold that somebody speaks from outside, in one capacity.

    Raises:
        Refused: They do not.
    """
    if issuer_of(by) is Issuer.SELF:
        raise _no_capacity()


def attest(
    system: System,
    cmd: Attest,
    *,
    road: Road,
    known: frozenset[str],
    facts_version: int,
    today: date,
    new_id: str,
    by: Actor,
) -> Evidence:
    """Admit a statement that a kind of evidence is there; it is not signed yet.

    Args:
        system: About which.
        cmd: What is stated.
        road: How long a statement may count.
        known: Ids of the evidence the rulebook knows.
        facts_version: The facts on record now; 0 where there are none.
        today: The day.
        new_id: Its id.
        by: Who states it.

    Raises:
        Invalid: The kind is not known, nobody named attests, there is no statement, or a day or digest is wrong.
        Conflict: The system is retired.
    """
    hold_living(system)
    if cmd.kind not in known:
        raise invalid("kind", Text(zh=f"没有证据种类“{cmd.kind}”。", en=f"There is no evidence kind {cmd.kind!r}."))
    issuer = issuer_of(by)
    return Evidence(
        id=new_id,
        system_id=system.id,
        kind=cmd.kind,
        statement=line(cmd.statement, "statement", _STATEMENT, limit=TEXT_LIMIT, is_required=True),
        issuer=issuer,
        person_id=_attester(system, cmd.person_id) if issuer is Issuer.SELF else "",
        by=by.id,
        made_on=today,
        expires_on=_until(cmd.expires_on, today, road.at_most_days),
        facts_version=facts_version,
        digest=digest(cmd.digest, "digest"),
        note="",
    )


def claim(evidence: Evidence) -> dict[str, Any]:
    """Return what is signed, JSON-ready: everything said, and nothing about who is behind the ids."""
    return {
        "safebelt": "evidence/1",
        "id": evidence.id,
        "system": evidence.system_id,
        "kind": evidence.kind,
        "statement": evidence.statement,
        "issuer": evidence.issuer.value,
        "person": evidence.person_id,
        "by": evidence.by,
        "made_on": evidence.made_on.isoformat(),
        "expires_on": evidence.expires_on.isoformat(),
        "facts_version": evidence.facts_version,
        "digest": evidence.digest,
    }


def attested(evidence: Evidence, note_sha256: str) -> EvidenceAttested:
    """Return the event of a signed statement."""
    return EvidenceAttested(
        subject=evidence.system_id,
        evidence_id=evidence.id,
        evidence_kind=evidence.kind,
        issuer=evidence.issuer.value,
        person_id=evidence.person_id,
        made_on=evidence.made_on.isoformat(),
        expires_on=evidence.expires_on.isoformat(),
        facts_version=evidence.facts_version,
        digest=evidence.digest,
        note_sha256=note_sha256,
    )


def vouch(evidence: Evidence, cmd: VouchFor, *, at: datetime, by: Actor) -> tuple[Vouch, EvidenceVouched]:
    """Let somebody other than whoever attested stand for a piece of evidence.

    Raises:
        Refused: It is their own, or they have no such capacity.
        Conflict: It does not count any more, or they stand for it already.
        Invalid: It is not said in which capacity, or on what grounds.
    """
    if by.id == evidence.by:
        raise Refused(
            what=Text(zh="不能为自己提交的证据作证。", en="Nobody vouches for evidence they entered themselves."),
            hint=Text(
                zh="请由评估机构、行业组织或主管部门确认。", en="An assessor, an association or an authority does this."
            ),
        )
    if not evidence.counts_on(at.date()):
        raise Conflict(
            what=Text(zh="该证据已撤回或已过期。", en="This evidence was withdrawn or has expired."),
            hint=Text(zh="请先重新提交声明。", en="It has to be attested again first."),
        )
    issuer = _in_capacity(by, cmd.issuer)
    if any((one.by, one.issuer) == (by.id, issuer) for one in evidence.vouched):
        raise Conflict(
            what=Text(zh="您已确认过这份证据。", en="You stand for this evidence already."),
            hint=Text(zh="无需再次确认。", en="There is nothing left to do."),
        )
    statement = line(cmd.statement, "statement", _STATEMENT, limit=TEXT_LIMIT, is_required=True)
    event = EvidenceVouched(
        subject=evidence.system_id, evidence_id=evidence.id, evidence_kind=evidence.kind, issuer=issuer.value
    )
    return Vouch(issuer=issuer, by=by.id, at=at, statement=statement), event


def withdraw(evidence: Evidence, cmd: Withdraw, *, at: datetime) -> tuple[Evidence, EvidenceWithdrawn]:
    """Take evidence back.

    Raises:
        Conflict: It was taken back before.
        Invalid: There is no reason.
    """
    reason = line(cmd.reason, "reason", Text(zh="理由", en="reason"), limit=TEXT_LIMIT, is_required=True)
    if evidence.withdrawn_at is not None:
        raise Conflict(
            what=Text(zh="该证据已撤回。", en="This evidence was withdrawn before."),
            hint=Text(zh="无需再次操作。", en="There is nothing left to do."),
        )
    event = EvidenceWithdrawn(
        subject=evidence.system_id, evidence_id=evidence.id, evidence_kind=evidence.kind, reason=reason
    )
    return replace(evidence, withdrawn_at=at), event


def sign_gate(
    system: System, cmd: SignGate, *, road: Road, facts_version: int, new_id: str, at: datetime, by: Actor
) -> SignOff:
    """Admit a sign-off of the gate into a stage; it is not signed yet.

    Args:
        system: Of which.
        cmd: Which gate, by whom.
        road: What gates ask.
        facts_version: The facts it is given under.
        new_id: Its id.
        at: Now.
        by: Who enters it.

    Raises:
        Conflict: No facts are on record, or the system is retired.
        Invalid: The gate asks for no signature, or not of this person.
    """
    hold_living(system)
    roles = [ask.role for ask in road.gates.get(cmd.to, ()) if ask.kind is AskKind.SIGN_OFF]
    if not roles:
        raise invalid("to", Text(zh="进入该阶段不需要签署。", en="The gate into this stage asks for no signature."))
    if cmd.person_id not in {person.id for role in roles if role for person in system.current(role)}:
        titles = [PERSON_ROLES[role] for role in roles if role]
        raise invalid(
            "person_id",
            Text(
                zh=f"签署人须是现任{'、'.join(one.zh for one in titles)}。",
                en=f"Only the present {', '.join(one.en for one in titles)} signs here.",
            ),
        )
    if facts_version == 0:
        raise Conflict(
            what=Text(zh="没有记录事实，无从签署。", en="No facts are on record: there is nothing to sign off."),
            hint=Text(zh="请先记录该系统的事实。", en="Put the system's facts on record first."),
        )
    return SignOff(
        id=new_id,
        system_id=system.id,
        to=cmd.to,
        person_id=cmd.person_id,
        by=by.id,
        at=at,
        facts_version=facts_version,
        statement=line(cmd.statement, "statement", _STATEMENT, limit=TEXT_LIMIT),
        note="",
    )


def signature(word: SignOff) -> dict[str, Any]:
    """Return what is signed of a sign-off, JSON-ready."""
    return {
        "safebelt": "sign-off/1",
        "id": word.id,
        "system": word.system_id,
        "to": word.to.value,
        "person": word.person_id,
        "by": word.by,
        "at": word.at.isoformat(),
        "facts_version": word.facts_version,
        "statement": word.statement,
    }


def signed_off(word: SignOff, note_sha256: str) -> GateSigned:
    """Return the event of a sign-off."""
    return GateSigned(
        subject=word.system_id,
        sign_off_id=word.id,
        to=word.to.value,
        person_id=word.person_id,
        facts_version=word.facts_version,
        note_sha256=note_sha256,
    )


def review(system: System, found: Gate) -> tuple[System, ProvisionReviewed] | None:
    """Say anew whether a system in service rests on claims alone; None where it is not in service or nothing changes.

    Args:
        system: Which.
        found: The gate into service, judged now.
    """
    if system.status is not Status.IN_SERVICE or found.provisional is system.provisional:
        return None
    changed = replace(system, provisional=found.provisional, version=system.version + 1)
    event = ProvisionReviewed(
        subject=system.id, provisional=found.provisional, claimed=found.claimed, version=changed.version
    )
    return changed, event


def hold_living(system: System) -> None:
    """Hold that a system is not retired.

    Raises:
        Conflict: It is.
    """
    if system.status is Status.RETIRED:
        raise Conflict(
            what=Text(zh="该系统已退役。", en="The system is retired."),
            hint=Text(zh="如重新启用，请作为新系统登记。", en="If it is used again, register it as a new system."),
        )


def _capacities(by: Actor) -> tuple[Issuer, ...]:
    return tuple(issuer for role, issuer in _OUTSIDE.items() if role in by.roles)


def _in_capacity(by: Actor, stated: Issuer | None) -> Issuer:
    """The capacity somebody vouches in: their role's; the owner, who records a paper, has to name it."""
    if Role.OPERATOR in by.roles:
        raise Refused(
            what=Text(zh="运行方不能为自己的系统作证。", en="Whoever operates systems here does not vouch for them."),
            hint=Text(
                zh="请由评估机构、行业组织或主管部门确认。", en="An assessor, an association or an authority does this."
            ),
        )
    may = tuple(_OUTSIDE.values()) if Role.OWNER in by.roles else _capacities(by)
    if stated is None and len(may) == 1:
        return may[0]
    if stated in may and stated is not None:
        return stated
    if may and stated is None:
        raise invalid("issuer", Text(zh="请写明以何种身份确认。", en="Say in which capacity it is vouched for."))
    raise _no_capacity()


def _no_capacity() -> Refused:
    return Refused(
        what=Text(zh="您没有这种身份。", en="You have no such capacity."),
        hint=Text(
            zh="请由评估机构、行业组织或主管部门确认。", en="An assessor, an association or an authority does this."
        ),
    )


def _attester(system: System, person_id: str) -> str:
    if any(person.id == person_id and person.until is None for role in PersonRole for person in system.current(role)):
        return person_id
    raise invalid(
        "person_id",
        Text(zh="作出声明的须是该系统现任的记名人员。", en="Only a person named for the system now can attest."),
    )


def _until(expires_on: date, today: date, at_most: int) -> date:
    days = (expires_on - today).days
    if 0 <= days <= at_most:
        return expires_on
    raise invalid(
        "expires_on",
        Text(
            zh=f"到期日须在今天起 {at_most} 天之内。",
            en=f"The last day must be today or later, and no more than {at_most} days ahead.",
        ),
    )
