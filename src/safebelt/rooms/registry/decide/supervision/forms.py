"""What an office, a case and a step must say before they are kept; state plays no part here."""

import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import Party, PartyKind, System
from safebelt.rooms.registry.model.supervision import (
    OPERATOR_KINDS,
    STEP_KINDS,
    AnswerCase,
    Attachment,
    Case,
    Competence,
    Deadline,
    Moment,
    Office,
    OfficeDeclared,
    OpenCase,
    Outcome,
    SetUpOffice,
    Step,
    StepKind,
    WriteStep,
)

TEXT_LIMIT, LINE_LIMIT, ITEMS_LIMIT = 20_000, 300, 50
"""Characters of a text and of a line, and how many items, bases or days off one step carries."""
ID_LIMIT = 60
"""Characters of an id."""
DAYS_LIMIT = 3660
"""Longest deadline, days: ten years; beyond it a number is a slip of the pen."""

OUTCOMES_OF: Mapping[StepKind, frozenset[Outcome]] = {
    StepKind.DECISION: frozenset(
        {Outcome.NO_MEASURE, Outcome.WARNING, Outcome.RECTIFY, Outcome.SUSPEND, Outcome.WITHDRAW}
    ),
    StepKind.APPEAL_DECISION: frozenset({Outcome.UPHELD, Outcome.ANNULLED, Outcome.REMITTED}),
    StepKind.EXTENSION: frozenset({Outcome.GRANTED, Outcome.REFUSED}),
    StepKind.VERIFICATION: frozenset({Outcome.DONE, Outcome.NOT_DONE}),
}
"""What each kind of step can come to; the other kinds come to nothing."""

_ITEMS = frozenset({StepKind.DOCUMENTS, StepKind.ORDER})
_DUE = frozenset({StepKind.QUESTION, StepKind.DOCUMENTS, StepKind.ORDER})
_DUE_WITH = frozenset({Outcome.RECTIFY, Outcome.GRANTED, Outcome.NOT_DONE})
_DAY = frozenset({StepKind.INSPECTION_NOTICE, StepKind.INSPECTION})


def hold_office(
    cmd: SetUpOffice, party: Party | None, jurisdictions: Collection[str], *, at: datetime, by: str
) -> tuple[Office, OfficeDeclared]:
    """Set up an authority's desk.

    Args:
        cmd: What is asked.
        party: The party it is of.
        jurisdictions: Those the rulebook knows.
        at: When.
        by: Who will work at it.

    Raises:
        Invalid: The party is no authority, or the rulebook knows no such jurisdiction.
    """
    if party is None or party.kind is not PartyKind.AUTHORITY:
        raise _invalid(
            "party_id",
            Text(zh="请选择一个类型为“主管部门”的登记主体。", en="Choose a registered party of kind authority."),
        )
    if cmd.jurisdiction not in jurisdictions:
        known = "、".join(sorted(jurisdictions))
        raise _invalid(
            "jurisdiction",
            Text(
                zh=f"规则库中没有法域“{cmd.jurisdiction}”，可选：{known}。",
                en=f"The rulebook knows no jurisdiction “{cmd.jurisdiction}”; it knows {known.replace('、', ', ')}.",
            ),
        )
    competence = Competence(jurisdiction=cmd.jurisdiction, instruments=tuple(dict.fromkeys(cmd.instruments)))
    office = Office(party_id=party.id, name=party.name, competence=competence, zone=cmd.zone, declared_at=at)
    event = OfficeDeclared(
        subject=party.id,
        jurisdiction=competence.jurisdiction,
        instruments=competence.instruments,
        zone=cmd.zone,
        officer=by,
    )
    return office, event


def new_case(cmd: OpenCase, system: System, office: Office, *, new_id: str, at: datetime, by: str) -> Case:
    """Prepare a case.

    Raises:
        Invalid: Nothing says what it is about, it has no basis, or the party does not answer for the system.
    """
    party = cmd.party_id.strip() or system.provider_id
    if party not in {system.provider_id, system.deployer_id}:
        raise _invalid(
            "party_id",
            Text(
                zh="当事人须是该系统的提供者或部署者。",
                en="A case is addressed to the system's provider or its deployer.",
            ),
        )
    return Case(
        id=new_id,
        system_id=system.id,
        party_id=party,
        office_id=office.party_id,
        competence=office.competence,
        zone=office.zone,
        kind=cmd.kind,
        confidentiality=cmd.confidentiality,
        about=_text(cmd.about, "about", Text(zh="案由", en="what the case is about"), LINE_LIMIT),
        basis=_basis(cmd.basis, cmd.other_basis),
        other_basis=_clean(cmd.other_basis, "other_basis", LINE_LIMIT),
        prepared_at=at,
        opened_by=by,
    )


def write(
    case: Case, cmd: WriteStep, *, new_id: str, at: datetime, moment: Moment, files: tuple[Attachment, ...] = ()
) -> Step:
    """Write a step of an authority as a draft; whether it can be served is judged when it is.

    Raises:
        Invalid: Something it must say is missing or does not fit.
    """
    if cmd.kind in OPERATOR_KINDS:
        raise _invalid(
            "kind",
            Text(zh="这是运营者的步骤，主管部门不得代写。", en="This step is the operator's; no authority writes it."),
        )
    for hold in _HOLDS:
        hold(cmd, moment.today)
    return Step(
        id=new_id,
        case_id=case.id,
        kind=cmd.kind,
        text=_text(cmd.text, "text", Text(zh="内容", en="what it says"), TEXT_LIMIT),
        written_by=moment.by,
        written_at=at,
        office_id=moment.office,
        basis=_basis(cmd.basis, cmd.other_basis),
        other_basis=_clean(cmd.other_basis, "other_basis", LINE_LIMIT),
        items=items_of(cmd.items),
        re=_clean(cmd.re, "re", ID_LIMIT),
        outcome=cmd.outcome,
        deadline=cmd.deadline,
        contest=_text(cmd.contest, "contest", Text(zh="救济途径", en="how it can be contested"), TEXT_LIMIT),
        held_on=cmd.held_on,
        appeal=Deadline(
            days=cmd.appeal_days, unit=cmd.appeal_unit, counts_from=cmd.counts_from, not_counted=cmd.not_counted
        ),
        is_suspensive=cmd.is_suspensive,
        appeal_to=_clean(cmd.appeal_to, "appeal_to", ID_LIMIT),
        to_office=_clean(cmd.to_office, "to_office", ID_LIMIT),
        files=files,
    )


def answer(case: Case, cmd: AnswerCase, *, new_id: str, at: datetime, by: str, files: tuple[Attachment, ...]) -> Step:
    """Write a step of the operator.

    Raises:
        Invalid: It says nothing, or it is a step of the authority.
    """
    if cmd.kind not in OPERATOR_KINDS:
        raise _invalid(
            "kind",
            Text(zh="这是主管部门的步骤，运营者不得代写。", en="This step is the authority's; no operator writes it."),
        )
    return Step(
        id=new_id,
        case_id=case.id,
        kind=cmd.kind,
        text=_text(cmd.text, "text", Text(zh="内容", en="what it says"), TEXT_LIMIT),
        written_by=by,
        written_at=at,
        re=_clean(cmd.re, "re", ID_LIMIT),
        files=files,
    )


def items_of(raw: Collection[str]) -> tuple[str, ...]:
    """Return items without blanks.

    Raises:
        Invalid: There are too many, or one is too long.
    """
    if len(raw) > ITEMS_LIMIT:
        raise _invalid("items", Text(zh=f"最多 {ITEMS_LIMIT} 项。", en=f"There can be {ITEMS_LIMIT} items at most."))
    return tuple(line for each in raw if (line := _clean(each, "items", 2000)))


def _hold_outcome(cmd: WriteStep, _today: date) -> None:
    fit = OUTCOMES_OF.get(cmd.kind, frozenset())
    if bool(fit) == (cmd.outcome is None) or (cmd.outcome is not None and cmd.outcome not in fit):
        title = STEP_KINDS[cmd.kind]
        raise _invalid(
            "outcome",
            Text(
                zh=f"请为“{title.zh}”选择一个合适的结果。" if fit else f"“{title.zh}”没有结果可选。",
                en=f"Choose an outcome that fits a {title.en}." if fit else f"A {title.en} has no outcome.",
            ),
        )


def _hold_items(cmd: WriteStep, _today: date) -> None:
    if (cmd.kind in _ITEMS or cmd.outcome is Outcome.RECTIFY) and not any(each.strip() for each in cmd.items):
        raise _invalid("items", Text(zh="请逐项列出要求。", en="List what is asked for, item by item."))


def _hold_due(cmd: WriteStep, today: date) -> None:
    has_due = bool(cmd.days) or cmd.due is not None
    if (cmd.kind in _DUE or cmd.outcome in _DUE_WITH) and not has_due:
        raise _invalid("days", Text(zh="请写明期限。", en="State by when."))
    if cmd.due is not None and (cmd.days or cmd.due < today):
        raise _invalid(
            "due",
            Text(
                zh="日数和日期请只填一种，日期不能早于今天。",
                en="Give either days or a date, and no date before today.",
            ),
        )
    if not 0 <= cmd.days <= DAYS_LIMIT or not 0 <= cmd.appeal_days <= DAYS_LIMIT:
        field = "days" if not 0 <= cmd.days <= DAYS_LIMIT else "appeal_days"
        raise _invalid(
            field, Text(zh=f"日数须在 0 到 {DAYS_LIMIT} 之间。", en=f"Days must be between 0 and {DAYS_LIMIT}.")
        )
    if len(cmd.not_counted) > ITEMS_LIMIT:
        raise _invalid(
            "not_counted", Text(zh=f"最多 {ITEMS_LIMIT} 天。", en=f"There can be {ITEMS_LIMIT} days off at most.")
        )


def _hold_day(cmd: WriteStep, today: date) -> None:
    if cmd.kind in _DAY and cmd.held_on is None:
        raise _invalid("held_on", Text(zh="请写明检查日期。", en="State the day of the inspection."))
    if cmd.kind is StepKind.INSPECTION and cmd.held_on is not None and cmd.held_on > today:
        raise _invalid(
            "held_on", Text(zh="检查报告写的是已经进行的检查。", en="A report tells of an inspection that took place.")
        )
    if cmd.kind is StepKind.HEARING and cmd.held_on is None and not cmd.days and cmd.due is None:
        raise _invalid(
            "held_on",
            Text(
                zh="请写明听取意见的日期，或书面意见的期限。", en="State the day of the hearing, or by when to write."
            ),
        )
    if cmd.kind is StepKind.HEARING and cmd.held_on is not None and cmd.held_on < today:
        raise _invalid("held_on", Text(zh="听取意见的日期已过。", en="The day of the hearing is past."))


def _hold_appeal(cmd: WriteStep, _today: date) -> None:
    if cmd.kind is StepKind.DECISION:
        return
    if cmd.appeal_days or cmd.is_suspensive or cmd.appeal_to.strip():
        raise _invalid(
            "appeal_days", Text(zh="只有“决定”可以写申诉期限。", en="Only a decision states a time of appeal.")
        )


def _hold_referral(cmd: WriteStep, _today: date) -> None:
    if (cmd.kind is StepKind.REFERRAL) != bool(cmd.to_office.strip()):
        raise _invalid(
            "to_office",
            Text(
                zh="移送须写明接收的主管部门，其他步骤不写。",
                en="A referral names the authority it goes to; no other step does.",
            ),
        )


_HOLDS: tuple[Callable[[WriteStep, date], None], ...] = (
    _hold_outcome,
    _hold_items,
    _hold_due,
    _hold_day,
    _hold_appeal,
    _hold_referral,
)


def _basis(ids: Collection[str], other: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one for each in ids if (one := each.strip())))
    if not found and not other.strip():
        raise _invalid(
            "basis",
            Text(
                zh="请写明法律依据：规则库中的条款编号，或另行写明的依据。",
                en="State the legal basis: an id of the rulebook, or another basis in words.",
            ),
        )
    if len(found) > ITEMS_LIMIT:
        raise _invalid(
            "basis", Text(zh=f"最多 {ITEMS_LIMIT} 条依据。", en=f"There can be {ITEMS_LIMIT} bases at most.")
        )
    return found


def _text(value: str, field: str, label: Text, limit: int) -> str:
    text = _clean(value, field, limit)
    if not text:
        raise _invalid(field, Text(zh=f"请填写{label.zh}。", en=f"State {label.en}."))
    return text


def _clean(value: str, field: str, limit: int) -> str:
    text = value.strip()
    if len(text) > limit:
        raise _invalid(field, Text(zh=f"不能超过 {limit} 个字符。", en=f"It must be {limit} characters or fewer."))
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\r\t" for char in text):
        raise _invalid(field, Text(zh="含有不可见的控制字符。", en="It holds control characters."))
    return text


def _invalid(field: str, what: Text) -> Invalid:
    return Invalid(
        what=what, hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."), details={"field": field}
    )
