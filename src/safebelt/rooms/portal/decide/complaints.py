"""Judgments of complaints: what is taken, where it stands after each act, by when an answer is owed.  Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from safebelt.kernel.actors import Actor, Role
from safebelt.kernel.errors import Conflict, Invalid, NotFound, Refused
from safebelt.kernel.text import Text
from safebelt.rooms.portal.model.complaint_rules import ComplaintRules
from safebelt.rooms.portal.model.complaints import (
    STAGES,
    Attached,
    Complain,
    Complaint,
    PassOn,
    Said,
    SaidKind,
    Speaker,
    Stage,
    Suspicion,
)
from safebelt.rooms.registry.model.supervision import Office

_SHORTEST = 2
"""Characters without which nothing is said: two of Chinese can be a word."""
_MANY_LINKS = 4
"""Web addresses that a person in trouble hardly ever writes."""
_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
_AGAIN = Text(zh="请更正后重新提交。", en="Correct it and send it again.")
_LOOK = Text(zh="请在投诉列表中查找。", en="Look it up in the list of complaints.")


# ---- what is taken


def clean(text: str) -> str:
    """Return a text without what no database takes and nobody reads; line breaks stay."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")
    return "".join(char for char in kept if char in "\n\t" or char.isprintable()).strip()


def hold_text(text: str, rules: ComplaintRules, *, field: str = "text") -> str:
    """Return what was written, cleaned.

    Raises:
        Invalid: It says nothing, or is too long.
    """
    said = clean(text)
    if len(said) < _SHORTEST:
        raise _invalid(Text(zh="请写明内容。", en="Say what it is about."), field)
    if len(said) > rules.text_chars:
        raise _invalid(
            Text(
                zh=f"文字超过 {rules.text_chars} 字（现为 {len(said)} 字）。",
                en=f"The text is longer than {rules.text_chars} characters: it has {len(said)}.",
            ),
            field,
        )
    return said


def hold_complaint(cmd: Complain, rules: ComplaintRules) -> Complain:
    """Return a complaint as it is taken.

    Raises:
        Invalid: Nothing is said, it is too long, or it is of a kind that is not taken.
    """
    text, contact = hold_text(cmd.text, rules), clean(cmd.contact)
    if cmd.kind not in rules.kinds:
        raise _invalid(Text(zh="不受理这一类投诉。", en="Complaints of this kind are not taken."), "kind")
    if len(contact) > rules.contact_chars:
        raise _invalid(
            Text(
                zh=f"联系方式超过 {rules.contact_chars} 字。",
                en=f"The contact is longer than {rules.contact_chars} characters.",
            ),
            "contact",
        )
    return replace(cmd, text=text, contact=contact, system_id=clean(cmd.system_id), strike=clean(cmd.strike))


def no_such_system() -> Invalid:
    """Return that the public register has no such system, said the same whether it is hidden or not there."""
    return Invalid(
        what=Text(zh="公开登记册中没有这个系统。", en="The public register has no such system."),
        hint=Text(
            zh="请核对编号；不知道是哪个系统时，请留空并在文字中描述它。",
            en="Check the id. If you do not know which system it is, leave it empty and describe it in your words.",
        ),
        details={"field": "system_id"},
    )


def no_such_strike(strike: str) -> NotFound:
    """Return that there is no such strike."""
    return NotFound(
        what=Text(zh=f"没有违规记录“{strike[:40]}”。", en=f"There is no strike “{strike[:40]}”."),
        hint=Text(zh="请核对编号，或作为普通投诉提交。", en="Check its id, or send this as a complaint without it."),
    )


def suspicion(cmd: Complain, *, is_repeated: bool) -> Suspicion | None:
    """Return why a complaint looks like spam, or None.  It is received all the same, and listed apart."""
    if cmd.website.strip():
        return Suspicion.TRAP
    if len(_LINK.findall(cmd.text)) >= _MANY_LINKS:
        return Suspicion.LINKS
    return Suspicion.REPEATED if is_repeated else None


def content(
    case_id: str, kind: SaidKind, text: str, files: Sequence[Attached], more: Mapping[str, str]
) -> dict[str, Any]:
    """Return what an entry commits to, before canonical encoding: everything that was said, and files by digest."""
    told = [{"name": one.name, "sha256": one.digest, "size": one.size} for one in files]
    return {"complaint": case_id, "what": kind.value, "text": text, "files": told, **more}


# ---- where it goes


def competent(offices: Sequence[Office], places: Sequence[str]) -> Office | None:
    """Return the authority's desk for a system: of its first place that has one; the one set up first among several.

    Args:
        offices: The desks in this register, with the jurisdiction each states.
        places: Jurisdictions the facts on record name for the system, what it is offered in first.
    """
    ranked = [(places.index(one.competence.jurisdiction), one.declared_at, one.party_id, one) for one in offices
              if one.competence.jurisdiction in places]  # fmt: skip
    return min(ranked, key=lambda each: each[:3])[3] if ranked else None


def places(values: Mapping[str, Any], facts: Sequence[str]) -> tuple[str, ...]:
    """Return the jurisdictions that facts name, in the order of the facts, each once."""
    named = (values.get(fact) for fact in facts)
    each = (place for value in named for place in ([value] if isinstance(value, str) else value or ()))
    return tuple(dict.fromkeys(str(place) for place in each))


def due(day: date, rules: ComplaintRules) -> date:
    """Return the last day of an answer to what was said on a day."""
    return day + timedelta(days=rules.answer_days)


def waiting(complaint: Complaint) -> Stage:
    """Return the stage in which a complaint waits for an answer."""
    if complaint.is_passed_on:
        return Stage.PASSED_ON
    return Stage.WITH_PARTY if complaint.party_id else Stage.RECEIVED


# ---- acts


def hold_open(complaint: Complaint) -> None:
    """Hold that something can still be said.

    Raises:
        Conflict: It is ended, or its texts were erased.
    """
    if complaint.is_open and complaint.erased_at is None:
        return
    stage = STAGES[complaint.stage]
    raise Conflict(
        what=Text(zh=f"这件投诉已结束（{stage.zh}）。", en=f"This complaint is over ({stage.en})."),
        hint=Text(zh="如有新的情况，请另行投诉。", en="If something new happened, send a new complaint."),
    )


def added(complaint: Complaint, at: datetime, rules: ComplaintRules, *, additions: int) -> Complaint:
    """Return a complaint to which its complainant added something: an answer is owed anew where one was given.

    Raises:
        Conflict: It is over, or was added to too often.
    """
    hold_open(complaint)
    if additions >= rules.additions:
        raise Conflict(
            what=Text(
                zh=f"一件投诉最多补充 {rules.additions} 次。",
                en=f"A complaint can be added to {rules.additions} times at most.",
            ),
            hint=Text(zh="请等待答复。", en="Wait for the answer."),
        )
    if complaint.stage is not Stage.ANSWERED:
        return _next(complaint)
    return _next(complaint, stage=waiting(complaint), due_on=due(at.date(), rules), overdue_on=None)


def answered(complaint: Complaint, at: datetime) -> Complaint:
    """Return a complaint that was answered.

    Raises:
        Conflict: It is over.
    """
    hold_open(complaint)
    return _next(complaint, stage=Stage.ANSWERED, answered_at=at, due_on=None)


def passed_on(complaint: Complaint, cmd: PassOn, party_id: str, at: datetime, rules: ComplaintRules) -> Complaint:
    """Return a complaint that was passed on; an answer is owed anew.

    Raises:
        Conflict: It is over, or is there already.
        Invalid: Nobody is named to whom.
    """
    hold_open(complaint)
    if not cmd.system_id and not cmd.office_id:
        raise _invalid(
            Text(zh="请指明系统或主管部门。", en="Name the system it is about, or an authority."), "office_id"
        )
    to = (cmd.system_id or complaint.system_id, cmd.office_id or complaint.office_id)
    if to == (complaint.system_id, complaint.office_id):
        raise Conflict(
            what=Text(zh="投诉已在那里。", en="The complaint is there already."),
            hint=Text(zh="请选择另一个系统或主管部门。", en="Choose another system or authority."),
        )
    is_on = complaint.is_passed_on or (bool(cmd.office_id) and cmd.office_id != complaint.office_id)
    moved = replace(
        complaint, system_id=to[0], office_id=to[1], party_id=party_id or complaint.party_id, is_passed_on=is_on
    )
    return _next(moved, stage=waiting(moved), due_on=due(at.date(), rules), overdue_on=None)


def ended(complaint: Complaint, at: datetime, *, is_refused: bool, speaker: Speaker) -> Complaint:
    """Return a complaint that was closed, or not taken up.

    Raises:
        Conflict: It is over; or it is to be closed and nobody answered it yet.
    """
    hold_open(complaint)
    if not is_refused and complaint.stage is not Stage.ANSWERED:
        raise Conflict(
            what=Text(zh="尚未答复，不能办结。", en="Nobody has answered it yet, so it cannot be closed."),
            hint=Text(
                zh="请先答复；不予受理的，请选择“不予受理”并写明理由。",
                en="Answer first; or do not take it up, and say why.",
            ),
        )
    if is_refused and speaker is Speaker.OPERATOR and complaint.is_passed_on:
        raise Conflict(
            what=Text(
                zh="投诉已移交主管部门，由其决定是否受理。", en="It was passed on to an authority, which decides."
            ),
            hint=Text(zh="您仍可以答复。", en="You can still answer it."),
        )
    return _next(complaint, stage=Stage.REFUSED if is_refused else Stage.CLOSED, ended_at=at, due_on=None)


def withdrawn(complaint: Complaint, at: datetime) -> Complaint:
    """Return a complaint that its complainant took back.

    Raises:
        Conflict: It is over.
    """
    hold_open(complaint)
    return _next(complaint, stage=Stage.WITHDRAWN, ended_at=at, due_on=None)


def erased(complaint: Complaint, at: datetime, because: Any) -> Complaint:
    """Return a complaint without texts; one that was open is withdrawn by it.

    Raises:
        Conflict: They are erased already.
    """
    if complaint.erased_at is not None:
        raise Conflict(
            what=Text(zh="内容此前已删除。", en="Its texts were erased before."),
            hint=Text(zh="无需再做任何事。", en="There is nothing more to do."),
        )
    gone = replace(complaint, erased_at=at, erased_because=because)
    return _next(gone, stage=Stage.WITHDRAWN, ended_at=at, due_on=None) if complaint.is_open else _next(gone)


def overdue(complaint: Complaint, today: date) -> Complaint:
    """Return a complaint whose last day was noticed to be past."""
    return _next(complaint, overdue_on=today)


def set_apart(complaint: Complaint, *, is_apart: bool) -> Complaint:
    """Return a complaint that was set apart as spam, or put back.

    Raises:
        Conflict: It is there already.
    """
    if complaint.is_apart == is_apart:
        raise Conflict(
            what=Text(zh="投诉已在那里。", en="The complaint is there already."),
            hint=Text(zh="请重新载入页面。", en="Load the page again."),
        )
    return _next(complaint, is_apart=is_apart, apart_because=Suspicion.SOMEBODY if is_apart else None)


def _next(complaint: Complaint, **changes: Any) -> Complaint:
    return replace(complaint, version=complaint.version + 1, **changes)


# ---- who sees what


def speaker_of(by: Actor) -> Speaker:
    """Return for whom somebody acts.  Whoever is an operator is one, whatever other role they hold.

    Raises:
        Refused: For neither of the two parties.
    """
    if Role.OPERATOR in by.roles:
        return Speaker.OPERATOR
    if Role.AUTHORITY in by.roles:
        return Speaker.AUTHORITY
    raise Refused(
        what=Text(
            zh="投诉只对负责该系统的一方和主管部门开放。",
            en="Complaints are for whoever answers for the system, and for the authority.",
        ),
        hint=Text(zh="请以运营者或主管部门身份登录。", en="Sign in as an operator or an authority."),
    )


def hold_seen(complaint: Complaint | None, speaker: Speaker, office_id: str) -> Complaint:
    """Return a complaint that somebody may see: the operator any, an authority those at its desk.

    Raises:
        NotFound: There is none, or it is not theirs; both are said the same.
    """
    is_theirs = speaker is Speaker.OPERATOR or bool(office_id)
    if complaint is None or not is_theirs or (office_id and complaint.office_id != office_id):
        raise no_such_complaint()
    return complaint


def no_such_complaint() -> NotFound:
    """Return that there is no such complaint, said the same whether it is missing or another's."""
    return NotFound(what=Text(zh="没有这件投诉。", en="There is no such complaint that you can see."), hint=_LOOK)


def no_such_code() -> NotFound:
    """Return that no complaint is followed by a code, said the same for every wrong one."""
    return NotFound(
        what=Text(zh="没有与此编号和查询码相符的投诉。", en="No complaint is followed by this number and code."),
        hint=Text(
            zh="请核对回执上的查询码；字母不分大小写，连字符可省略。",
            en="Check the code on your receipt. Capitals and hyphens do not matter.",
        ),
        details={"field": "code"},
    )


def files_of(said: Collection[Said]) -> tuple[Attached, ...]:
    """Return every file of a complaint."""
    return tuple(file for one in said for file in one.files)


def _invalid(what: Text, field: str) -> Invalid:
    return Invalid(what=what, hint=_AGAIN, details={"field": field})
