"""Taking a step: it is numbered, its days begin to run, the case moves on, and the ledger is told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Conflict, Invalid, Refused
from safebelt.kernel.events import Event
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.supervision.dates import last_day
from safebelt.rooms.registry.decide.supervision.positions import next_due, position, targets, waits_on
from safebelt.rooms.registry.decide.supervision.rules import Asking, may, when, who
from safebelt.rooms.registry.model.supervision import (
    STEP_KINDS,
    Case,
    CaseOpened,
    Channel,
    Confidentiality,
    DecisionPublished,
    Moment,
    Office,
    Position,
    Receipt,
    ReceiptNoted,
    Service,
    Stage,
    Step,
    StepKind,
    StepServed,
)

SUMMARY_LIMIT = 2000
"""Characters of what the public reads of a decision."""


def hold(case: Case, pos: Position, step: Step, moment: Moment) -> Reason:
    """Hold that a step can be taken by whoever asks, now.

    Raises:
        Refused: It is not theirs to take.
        Conflict: The case does not stand where it can be taken.
    """
    ask = Asking(case=case, pos=pos, kind=step.kind, moment=moment, outcome=step.outcome)
    title = STEP_KINDS[step.kind]
    mine, now = who(ask), when(ask)
    if mine.holds is not Truth.TRUE:
        said = _failing(mine)
        raise Refused(
            what=Text(
                zh=f"您不能作出“{title.zh}”，因为这一条不成立：{said.zh}。",
                en=f"You cannot take the step “{title.en}”, because this does not hold: {said.en}.",
            ),
            hint=Text(zh="请由有权的一方或另一人作出。", en="Leave it to the side or the person whose step it is."),
        )
    if now.holds is not Truth.TRUE:
        said = _failing(now)
        raise Conflict(
            what=Text(
                zh=f"现在不能作出“{title.zh}”，因为这一条不成立：{said.zh}。",
                en=f"The step “{title.en}” cannot be taken now, because this does not hold: {said.en}.",
            ),
            hint=Text(
                zh="请查看案件页面上的可行步骤及其理由。", en="See the case's page for what can be done, and why."
            ),
        )
    return may(case, pos, step.kind, moment, step.outcome)


def _failing(reason: Reason) -> Text:
    return next(part.says for part in reason.because if part.holds is not Truth.TRUE)


def serve(
    case: Case,
    steps: Sequence[Step],
    draft: Step,
    *,
    moment: Moment,
    at: datetime,
    channel: Channel,
    taker: Office | None,
) -> tuple[Case, Step, tuple[Event, ...]]:
    """Serve an authority's draft.

    Args:
        case: The case.
        steps: Its served steps, in their order.
        draft: What is served.
        moment: Who serves it, on which day.
        at: When.
        channel: How.
        taker: The office that takes the case, where the step accepts a referral.

    Raises:
        Refused, Conflict: As `hold` says, or it replies to nothing, or its date is past.
    """
    pos = position(steps)
    aimed = _aimed(draft, pos, steps)
    hold(case, pos, aimed, moment)
    _hold_fresh(aimed, moment.today)
    served = _numbered(aimed, steps, Service(at=at, on=moment.today, channel=channel, by=moment.by))
    served = _with_days(served, received_on=None)
    moved = _moved(case, (*steps, served), at)
    if served.kind is StepKind.ACCEPTANCE and taker is not None:
        moved = replace(moved, office_id=taker.party_id, competence=taker.competence, zone=taker.zone)
    opening = (_opened(moved),) if case.opened_at is None else ()
    return moved, served, (*opening, _served(moved, served))


def file_step(
    case: Case, steps: Sequence[Step], draft: Step, *, moment: Moment, at: datetime
) -> tuple[Case, Step, tuple[Event, ...]]:
    """File a step of the operator; it reaches the authority in this very house.

    Raises:
        Refused, Conflict: As `hold` says, or it replies to nothing.
    """
    pos = position(steps)
    aimed = _aimed(draft, pos, steps)
    hold(case, pos, aimed, moment)
    filed = _numbered(aimed, steps, Service(at=at, on=moment.today, channel=Channel.HERE, by=moment.by))
    moved = _moved(case, (*steps, filed), at)
    return moved, filed, (_served(moved, filed),)


def note_receipt(
    case: Case,
    steps: Sequence[Step],
    step: Step,
    *,
    moment: Moment,
    at: datetime,
    on: date | None = None,
    note: str = "",
) -> tuple[Case, Step, ReceiptNoted]:
    """Note that a step was received: acknowledged by the other side, or proven by the one that served it.

    Args:
        case: The case.
        steps: Its served steps.
        step: Which was received.
        moment: Who says so.
        at: When they say so.
        on: The day it was received; today where left out.
        note: The proof; needed where the side that served it says so.

    Raises:
        Invalid: The day is before service or still to come, or there is no proof.
        Conflict: Its receipt is noted already, or it was not served.
    """
    day = on or moment.today
    _hold_receipt(step, day, moment, note)
    received = replace(step, receipt=Receipt(at=at, on=day, by=moment.by, side=moment.side, note=note.strip()))
    received = _with_days(received, received_on=day)
    moved = _moved(case, tuple(received if one.id == step.id else one for one in steps), at)
    personal = {"note": note.strip()} if note.strip() else {}
    event = ReceiptNoted(
        subject=_subject(case),
        case=case.id,
        step=step.id,
        on=day.isoformat(),
        on_word_of=moment.side.value,
        due_on=_iso(received.due_on),
        appeal_until=_iso(received.appeal_until),
        personal=personal,
    )
    return moved, received, event


def publish(case: Case, step: Step, summary: Text, *, is_public: bool, office: str) -> DecisionPublished:
    """Make a decision public, or take it down.

    Raises:
        Refused: Another authority took it.
        Conflict: It is no decision that was served, or the case is for its parties only.
        Invalid: There is nothing to read in one of the languages.
    """
    if step.office_id != office:
        raise Refused(
            what=Text(zh="只有作出决定的主管部门可以公开它。", en="Only the authority that decided can publish it."),
            hint=Text(zh="请由该主管部门操作。", en="Leave it to that authority."),
        )
    is_decision = step.kind is StepKind.DECISION and step.served is not None
    if not is_decision or case.confidentiality is Confidentiality.PARTIES:
        raise Conflict(
            what=Text(
                zh="只能公开已送达的决定，且案件不能是“仅限当事双方”。",
                en="Only a decision that was served can be published, and not of a case for its parties only.",
            ),
            hint=Text(zh="请核对案件的保密级别。", en="Check how confidential the case is."),
        )
    if is_public and not (_is_line(summary.zh) and _is_line(summary.en)):
        raise Invalid(
            what=Text(
                zh=f"请用中文和英文各写一段公开摘要，不超过 {SUMMARY_LIMIT} 个字符。",
                en=f"Write what the public reads, in Chinese and in English, {SUMMARY_LIMIT} characters at most each.",
            ),
            hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
            details={"field": "summary_zh"},
        )
    return DecisionPublished(
        subject=_subject(case),
        case=case.id,
        step=step.id,
        is_public=is_public,
        summary_zh=summary.zh if is_public else "",
        summary_en=summary.en if is_public else "",
    )


def _is_line(text: str) -> bool:
    return 0 < len(text.strip()) <= SUMMARY_LIMIT


def _aimed(draft: Step, pos: Position, steps: Sequence[Step]) -> Step:
    """Fill in what a step replies to, and hold that it can."""
    fit = targets(pos, draft.kind, steps)
    if not fit:
        return draft if not draft.re else replace(draft, re="")
    if draft.re:
        if any(one.id == draft.re for one in fit):
            return draft
        raise Conflict(
            what=Text(zh="这一步不能回应所选的步骤。", en="This step cannot reply to the step that was chosen."),
            hint=Text(zh="请选择一个尚待回应的步骤。", en="Choose a step that waits for a reply."),
            details={"field": "re"},
        )
    is_clear = len(fit) == 1 or (draft.kind is StepKind.ANSWER and len(pos.asked) <= 1)
    if not is_clear:
        raise Conflict(
            what=Text(
                zh="有多个步骤可以回应，请写明是哪一个。", en="There is more than one step to reply to; say which."
            ),
            hint=Text(zh="请选择要回应的步骤。", en="Choose the step it replies to."),
            details={"field": "re"},
        )
    return replace(draft, re=fit[0].id)


def _hold_fresh(step: Step, today: date) -> None:
    """A draft may lie; what it fixes by date must still be to come when it is served."""
    is_past = step.deadline.on is not None and step.deadline.on < today
    if is_past or (step.kind is StepKind.HEARING and step.held_on is not None and step.held_on < today):
        raise Conflict(
            what=Text(zh="草稿所写的日期已经过去。", en="The date in the draft has passed meanwhile."),
            hint=Text(zh="请改写草稿后再送达。", en="Write the draft anew, then serve it."),
        )


def _numbered(step: Step, steps: Sequence[Step], service: Service) -> Step:
    return replace(step, number=len(steps) + 1, served=service)


def _with_days(step: Step, *, received_on: date | None) -> Step:
    if step.served is None:
        return step
    on = step.served.on
    return replace(
        step,
        due_on=last_day(step.deadline, served_on=on, received_on=received_on),
        appeal_until=last_day(step.appeal, served_on=on, received_on=received_on),
    )


def _moved(case: Case, steps: Sequence[Step], at: datetime) -> Case:
    pos = position(steps)
    referred = pos.referral.to_office if pos.referral else ""
    is_appealed = pos.stage is Stage.APPEALED and pos.decision is not None
    return replace(
        case,
        opened_at=case.opened_at or at,
        stage=pos.stage,
        waits_on=waits_on(pos),
        due_on=next_due(pos),
        referred_to=referred,
        appeal_to=pos.decision.appeal_to if is_appealed and pos.decision else "",
        version=case.version + 1,
    )


def _hold_receipt(step: Step, day: date, moment: Moment, note: str) -> None:
    if step.served is None or step.receipt is not None:
        raise Conflict(
            what=Text(zh="该步骤尚未送达，或已签收。", en="The step was not served, or its receipt is noted already."),
            hint=Text(zh="无需再次签收。", en="There is nothing to note."),
        )
    if not step.served.on <= day <= moment.today:
        raise Invalid(
            what=Text(
                zh="签收日期须在送达之日与今天之间。", en="A step is received between the day of service and today."
            ),
            hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."),
            details={"field": "on"},
        )
    if moment.side is step.side and not note.strip():
        raise Invalid(
            what=Text(zh="请写明送达证明，例如回执编号。", en="State the proof of delivery, such as a receipt number."),
            hint=Text(zh="签收从不推定。", en="Receipt is never assumed."),
            details={"field": "note"},
        )


def _subject(case: Case) -> str:
    """What the ledger files it under: the system, unless the case is for its parties only."""
    return case.system_id if case.confidentiality is Confidentiality.PUBLIC else case.id


def _named(case: Case) -> tuple[str, str]:
    return (case.system_id, case.party_id) if case.confidentiality is Confidentiality.PUBLIC else ("", "")


def _opened(case: Case) -> CaseOpened:
    system, party = _named(case)
    return CaseOpened(
        subject=_subject(case),
        case=case.id,
        system=system,
        party=party,
        authority=case.office_id,
        case_kind=case.kind.value,
        confidentiality=case.confidentiality.value,
        jurisdiction=case.competence.jurisdiction,
        instruments=case.competence.instruments,
        basis=case.basis,
        personal=_kept({"about": case.about, "other_basis": case.other_basis, **_hidden(case)}),
    )


def _served(case: Case, step: Step) -> StepServed:
    says = {
        "text": step.text,
        "items": "\n".join(step.items),
        "contest": step.contest,
        "other_basis": step.other_basis,
        "files": "\n".join(one.name for one in step.files),
    }
    return StepServed(
        subject=_subject(case),
        case=case.id,
        system=_named(case)[0],
        step=step.id,
        number=step.number,
        step_kind=step.kind.value,
        side=step.side.value,
        authority=step.office_id,
        basis=step.basis,
        has_other_basis=bool(step.other_basis),
        re=step.re,
        outcome=step.outcome.value if step.outcome else "",
        served_on=step.served.on.isoformat() if step.served else "",
        channel=step.served.channel.value if step.served else "",
        due_on=_iso(step.due_on),
        appeal_until=_iso(step.appeal_until),
        digests=tuple(one.digest for one in step.files),
        stage=case.stage.value,
        to_authority=step.to_office,
        personal=_kept({**says, **_hidden(case)}),
    )


def _hidden(case: Case) -> dict[str, str]:
    """What a case for its parties only keeps out of the proven leaf."""
    if case.confidentiality is Confidentiality.PUBLIC:
        return {}
    return {"system": case.system_id, "party": case.party_id}


def _kept(words: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in words.items() if value}


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""
