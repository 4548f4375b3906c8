"""What the command line says of cases, line by line."""

from safebelt.kernel.text import Lang, Text
from safebelt.rooms.registry.model.supervision import (
    OUTCOMES,
    SIDES,
    STAGES,
    STEP_KINDS,
    WAITS,
    Case,
    CaseFile,
    CasePage,
    Side,
    Step,
)


def cases_said(found: CasePage, lang: Lang) -> str:
    """Return a page of cases, a line each."""
    lines = [_case(one, lang) for one in found.items]
    return "\n".join(lines) or Text(zh="没有符合的案件。", en="No case matches.").in_(lang)


def case_said(found: CaseFile, lang: Lang) -> str:
    """Return a case: where it stands, its steps, and what can be done next."""
    names = [STEP_KINDS[one.kind].in_(lang) for one in found.options if one.reason.holds.value == "true"]
    none = Text(zh="（尚无送达的步骤）", en="(nothing served yet)").in_(lang)
    can = Text(zh="下一步可以：", en="What can be done next: ").in_(lang)
    drafts = [f"  ✎ {STEP_KINDS[one.kind].in_(lang)} {one.id}" for one in found.drafts]
    steps = [_step(one, found, lang) for one in found.steps] or [none]
    then = can + Text(zh="、", en=", ").in_(lang).join(names) if names else ""
    return "\n".join(line for line in (_case(found.case, lang), *steps, *drafts, then) if line)


def _case(one: Case, lang: Lang) -> str:
    due = Text(zh=f" · 期限 {one.due_on}", en=f" · due {one.due_on}").in_(lang) if one.due_on else ""
    return f"{one.id}  {STAGES[one.stage].in_(lang)} · {WAITS[one.waits_on].in_(lang)}{due}  {one.about}"


def _step(one: Step, found: CaseFile, lang: Lang) -> str:
    who = found.names.get(one.office_id, "") if one.side is Side.AUTHORITY else SIDES[Side.OPERATOR].in_(lang)
    day = one.served.on.isoformat() if one.served else ""
    outcome = f" ({OUTCOMES[one.outcome].in_(lang)})" if one.outcome else ""
    basis = ", ".join((*one.basis, *((one.other_basis,) if one.other_basis else ())))
    ground = f" [{basis}]" if basis else ""
    return f"  {one.number}. {day} {who}: {STEP_KINDS[one.kind].in_(lang)}{outcome} {one.id}{ground}"
