"""Judgments of who answers for which duty, and of the rights that people and parties have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, NotFound
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.entering import TEXT_LIMIT, line
from safebelt.rooms.registry.model.register import PERSON_ROLES, NamedPerson, PersonRole, System
from safebelt.rooms.registry.model.responsibility import (
    BEARER,
    Assign,
    Assignment,
    DutyHeld,
    EndAssignment,
    HandOver,
    Holder,
    Origin,
    Part,
    ResponsibilityAssigned,
    ResponsibilityEnded,
    ResponsibilityHandedOver,
    ResponsibilityMap,
    Right,
)
from safebelt.rooms.rulebook.model import BEARERS, Bearer, Finding, Judgment, Modality, Status, Verdict

ROLE_OF: Mapping[Part, PersonRole] = {
    Part.ACCOUNTABLE: PersonRole.ACCOUNTABLE,
    Part.ACTING: PersonRole.OPERATOR,
    Part.TOLD: PersonRole.OVERSEER,
}
"""Who stands for a duty by default: whoever is named for the system in this role."""

_OURS = frozenset({Bearer.PROVIDER, Bearer.DEPLOYER, Bearer.ANYONE, Bearer.ORGANISATION})
"""Bearers whose duties the people named for a system answer for, whatever its description says."""


# ---- the map


def responsibility_map(
    system: System, judgment: Judgment, terms: Sequence[Assignment], *, roles: Iterable[str], version: int
) -> ResponsibilityMap:
    """Return who stands for each duty of a system.

    Args:
        system: The system and everybody named for it.
        judgment: What applies, on the day asked about.
        terms: Assignments ever put on record.
        roles: The roles that the description says this side plays.
        version: The facts it was judged by.
    """
    ours = _OURS | {Bearer(one) for one in roles if one in set(Bearer)}
    duties = [_held(system, one, terms, ours, judgment.on) for one in judgment.findings.values() if _is_duty(one)]
    return ResponsibilityMap(
        system_id=system.id,
        on=judgment.on,
        facts_version=version,
        duties=tuple(sorted(duties, key=_order)),
    )


def _is_duty(finding: Finding) -> bool:
    return finding.verdict is Verdict.APPLIES and finding.norm.modality in (Modality.MUST, Modality.MUST_NOT)


def _order(duty: DutyHeld) -> tuple[bool, bool, bool, date, str]:
    return duty.gap is None, not duty.is_ours, not duty.binds, duty.due or date.max, duty.norm


def _held(system: System, finding: Finding, terms: Sequence[Assignment], ours: frozenset[Bearer], on: date) -> DutyHeld:
    norm, due = finding.norm, finding.due
    found = {part: holders(system, norm.id, norm.bearer, part, terms, on=on) for part in Part}
    given = {part: tuple(one for one in held if one.origin is not Origin.ROLE) for part, held in found.items()}
    is_ours = norm.bearer in ours or any(given.values())
    shown = found if is_ours else {part: () for part in Part}
    return DutyHeld(
        norm=norm.id,
        instrument=norm.instrument,
        title=norm.title,
        bearer=norm.bearer.value,
        cites=norm.cites,
        binds=finding.is_established,
        effective=finding.effective,
        due_text=due.text if due else None,
        due=due.on if due else None,
        holders=shown,
        is_ours=is_ours,
        gap=None if not is_ours or shown[Part.ACCOUNTABLE] else _gap(system, norm.id, norm.bearer, terms, on),
    )


def holders(
    system: System, norm: str, bearer: Bearer, part: Part, terms: Sequence[Assignment], *, on: date
) -> tuple[Holder, ...]:
    """Return who has a part in a duty: whoever was assigned to it, else to its bearer, else by role.

    Someone whose own term at the system has ended holds nothing, whatever was assigned to them.
    """
    people = {one.id: one for one in system.people if _stands(one, on)}
    for scope, origin in ((norm, Origin.DUTY), (BEARER + bearer.value, Origin.BEARER)):
        assigned = [one for one in terms if one.scope == scope and one.part is part and one.holds_on(on)]
        found = tuple(
            Holder(person_id=one.person_id, since=one.since, origin=origin)
            for one in assigned
            if one.person_id in people
        )
        if assigned:
            return found
    role = ROLE_OF[part]
    return tuple(
        Holder(person_id=one.id, since=one.since, origin=Origin.ROLE) for one in people.values() if one.role is role
    )


def _stands(person: NamedPerson, on: date) -> bool:
    return person.since <= on and (person.until is None or on < person.until)


def _gap(system: System, norm: str, bearer: Bearer, terms: Sequence[Assignment], on: date) -> Reason:
    scopes = (norm, BEARER + bearer.value)
    left = [one for one in terms if one.scope in scopes and one.part is Part.ACCOUNTABLE and one.holds_on(on)]
    if left:
        says = Text(
            zh="被指定的人已不再为该系统任职，无人负责",
            en="Whoever was assigned no longer stands for the system: nobody is accountable",
        )
        return Reason(says=says, holds=Truth.FALSE, cites=tuple(one.person_id for one in left))
    name = PERSON_ROLES[PersonRole.ACCOUNTABLE]
    says = Text(
        zh=f"没有人负责：系统没有{name.zh}，这项义务也没有另行指定",
        en=f"Nobody is accountable: the system has no {name.en}, and the duty was assigned to nobody",
    )
    return Reason(says=says, holds=Truth.FALSE, cites=(norm,))


# ---- assigning


def assign(
    system: System, terms: Sequence[Assignment], norms: Iterable[str], cmd: Assign, *, new_id: str, today: date
) -> tuple[Assignment, ResponsibilityAssigned]:
    """Let a named person stand for a duty, or for every duty of a bearer.

    Raises:
        NotFound: There is no such duty or bearer, or nobody of that id is named for the system.
        Invalid: There is no reason, or it is too long.
        Conflict: The person has it already; or somebody else is accountable, which takes a hand-over.
    """
    scope = _scope(cmd.scope, norms)
    since = cmd.since or today
    person = _person(system, cmd.person_id, since, "person_id")
    running = [one for one in terms if one.scope == scope and one.part is cmd.part and _overlaps(one, since)]
    if any(one.person_id == person.id for one in running):
        raise _has_it("person_id")
    if running and cmd.part is Part.ACCOUNTABLE:
        raise Conflict(
            what=Text(zh="这项义务已有人负责。", en="Somebody is accountable for this already."),
            hint=Text(zh="请办理交接，写明由谁交给谁。", en="Hand it over: say from whom to whom."),
            details={"field": "person_id"},
        )
    made = Assignment(id=new_id, system_id=system.id, scope=scope, part=cmd.part, person_id=person.id, since=since)
    event = ResponsibilityAssigned(
        subject=system.id,
        personal={"name": person.name},
        assignment_id=new_id,
        scope=scope,
        part=cmd.part.value,
        person_id=person.id,
        since=since.isoformat(),
        reason=_reason(cmd.reason),
    )
    return made, event


def hand_over(
    system: System, terms: Sequence[Assignment], norms: Iterable[str], cmd: HandOver, *, new_id: str, today: date
) -> tuple[Assignment | None, Assignment, ResponsibilityHandedOver]:
    """Hand a duty over: one term ends, the next begins, on the same day.

    Returns:
        The term that ends, None where it was held by role alone; the new term; the event.

    Raises:
        NotFound: There is no such duty or bearer, or nobody of those ids is named for the system.
        Invalid: There is no reason, both are the same person, or the day lies before the term began.
        Conflict: Whoever is to hand it over does not have it, or the other has it already.
    """
    scope, on = _scope(cmd.scope, norms), cmd.on or today
    if cmd.from_person == cmd.to_person:
        raise _invalid("to_person", Text(zh="交接双方是同一个人。", en="Both are the same person."))
    giver = next((one for one in system.people if one.id == cmd.from_person), None)
    if giver is None:
        raise _nobody(cmd.from_person, "from_person")
    taker = _person(system, cmd.to_person, on, "to_person")
    running = [one for one in terms if one.scope == scope and one.part is cmd.part and _overlaps(one, on)]
    if any(one.person_id == taker.id for one in running):
        raise _has_it("to_person")
    ended = next((one for one in running if one.person_id == giver.id), None)
    if ended is None and (running or giver.role is not ROLE_OF[cmd.part] or not _stands(giver, on)):
        raise Conflict(
            what=Text(zh=f"{giver.id} 目前没有这项责任。", en=f"{giver.id} does not have this now."),
            hint=Text(zh="请在责任图中查看由谁承担。", en="See in the responsibility map who has it."),
            details={"field": "from_person"},
        )
    if ended is not None and on < ended.since:
        raise _invalid("on", Text(zh="交接日早于其任期开始之日。", en="The day lies before the term began."))
    made = Assignment(id=new_id, system_id=system.id, scope=scope, part=cmd.part, person_id=taker.id, since=on)
    event = ResponsibilityHandedOver(
        subject=system.id,
        personal={"from": giver.name, "to": taker.name},
        assignment_id=new_id,
        ended=ended.id if ended else "",
        scope=scope,
        part=cmd.part.value,
        from_person=giver.id,
        to_person=taker.id,
        since=on.isoformat(),
        reason=_reason(cmd.reason),
    )
    return (replace(ended, until=on) if ended else None), made, event


def end_assignment(
    system: System, terms: Sequence[Assignment], cmd: EndAssignment, *, today: date
) -> tuple[Assignment, ResponsibilityEnded]:
    """End an assignment without a successor.

    Raises:
        NotFound: There is none of that id.
        Invalid: There is no reason, or it is too long.
        Conflict: It has ended already.
    """
    found = next((one for one in terms if one.id == cmd.assignment_id), None)
    if found is None:
        raise NotFound(
            what=Text(zh=f"没有指定记录 {cmd.assignment_id}。", en=f"There is no assignment {cmd.assignment_id}."),
            hint=Text(zh="请在责任图中查看。", en="Look it up in the responsibility map."),
            details={"field": "assignment_id"},
        )
    if found.until is not None:
        raise Conflict(
            what=Text(zh="该指定已经终止。", en="The assignment has ended already."),
            hint=Text(zh="无需再次操作。", en="There is nothing left to do."),
        )
    until = max(today, found.since)
    person = next(one for one in system.people if one.id == found.person_id)
    event = ResponsibilityEnded(
        subject=system.id,
        personal={"name": person.name},
        assignment_id=found.id,
        scope=found.scope,
        part=found.part.value,
        person_id=found.person_id,
        until=until.isoformat(),
        reason=_reason(cmd.reason),
    )
    return replace(found, until=until), event


def _overlaps(term: Assignment, since: date) -> bool:
    """Whether a term runs on or after a day."""
    return term.until is None or term.until > since


def _scope(scope: str, norms: Iterable[str]) -> str:
    bearer = scope.removeprefix(BEARER)
    is_there = bearer in {one.value for one in Bearer} if scope.startswith(BEARER) else scope in set(norms)
    if not is_there:
        raise NotFound(
            what=Text(zh=f"没有义务或主体类别“{scope}”。", en=f"There is no duty or bearer “{scope}”."),
            hint=Text(
                zh="写规则编号，或 bearer: 加主体类别，例如 bearer:provider。",
                en="Give a norm's id, or bearer: and a bearer, for example bearer:provider.",
            ),
            details={"field": "scope"},
        )
    return scope


def _person(system: System, person_id: str, on: date, field: str) -> NamedPerson:
    found = next((one for one in system.people if one.id == person_id and (one.until is None or on < one.until)), None)
    if found is None:
        raise _nobody(person_id, field)
    return found


def _nobody(person_id: str, field: str) -> NotFound:
    return NotFound(
        what=Text(zh=f"{person_id} 不是该系统的在任记名人员。", en=f"{person_id} is not named for this system."),
        hint=Text(zh="请先为系统指定此人。", en="Name that person for the system first."),
        details={"field": field},
    )


def _has_it(field: str) -> Conflict:
    return Conflict(
        what=Text(zh="此人已承担这项责任。", en="That person has it already."),
        hint=Text(zh="无需再次指定。", en="There is nothing left to do."),
        details={"field": field},
    )


def _reason(typed: str) -> str:
    return line(typed, "reason", Text(zh="理由", en="reason"), limit=TEXT_LIMIT, is_required=True)


def _invalid(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what,
        hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
        details={"field": field},
    )


# ---- rights


def rights(judgment: Judgment) -> tuple[Right, ...]:
    """Return what people and parties may do or claim because of a system, by bearer; verified law in force first."""
    found = [
        Right(
            norm=one.norm.id,
            instrument=one.norm.instrument,
            title=one.norm.title,
            says=one.norm.says,
            bearer=one.norm.bearer.value,
            cites=one.norm.cites,
            binds=one.is_established,
            is_verified=one.status is Status.VERIFIED,
            from_=one.effective,
            until=one.in_force.until,
            due_text=one.due.text if one.due else None,
            evidence=one.norm.evidence,
            why=one.why,
        )
        for one in judgment.findings.values()
        if one.verdict is Verdict.APPLIES and one.norm.modality is Modality.MAY
    ]
    people = [one.value for one in BEARERS]
    first = (Bearer.AFFECTED_PERSON.value, Bearer.USER.value, Bearer.ANYONE.value)
    return tuple(
        sorted(found, key=lambda one: (one.bearer not in first, people.index(one.bearer), not one.binds, one.norm))
    )


def scopes_of(judgment: Judgment) -> tuple[str, ...]:
    """Return the ids of the duties that can be assigned."""
    return tuple(one.norm.id for one in judgment.findings.values() if _is_duty(one))
