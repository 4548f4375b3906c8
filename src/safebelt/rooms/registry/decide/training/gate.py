"""What must hold before a person may grant a job: unknown blocks as false does; unverified law never blocks."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from safebelt.kernel.conditions import Truth, conjunction, disjunction
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.register import STATUSES, PersonRole, Status, System
from safebelt.rooms.registry.model.training import Check, Gate, JobKind, JobRules
from safebelt.rooms.rulebook.model import Finding, Judgment, Modality, Verdict
from safebelt.rooms.rulebook.model import Status as LawStatus

_MISSING_SHOWN = 6
"""Facts named where a duty cannot be judged yet; the rulebook's page has them all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A kind of evidence that a job waits for, if the law asks for it.

    Attributes:
        kind: An id of `law/evidence.yaml`.
        title: What people call it.
        owed: Whether a verified norm in force asks for it; unknown while facts are missing.
        norms: The norms that do, or may.
        missing: Facts that would settle it.
        held: Ids of the evidence that is there today.
        informs: Norms that ask for it and are not verified: they never block.
    """

    kind: str
    title: Text
    owed: Truth
    norms: tuple[str, ...]
    missing: tuple[str, ...]
    held: tuple[str, ...]
    informs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """The planned compute beside the facts on record.

    Attributes:
        planned: This job's, with that of the other jobs granted since the facts were put on record.
        on_record: What the facts say; None where they say nothing.
        changes: Verified norms that would be judged otherwise if the plan were a fact; looked at only without one.
    """

    planned: float
    on_record: float | None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything the checks look at.

    Attributes:
        facts_version: The description that counts; 0 where there is none.
        barred_by: Red lines that bar the system now.
        order: The order of the stop control for it; empty while it may run.
        demands, compute: None where there are no facts to judge by.
        strangers: Datasets of the plan that nobody registered.
        version_fault: Why a promotion's version cannot become current; empty where it can.
    """

    kind: JobKind
    system: System
    facts_version: int
    barred_by: tuple[str, ...]
    order: str
    demands: tuple[Demand, ...] | None
    compute: Compute | None
    strangers: tuple[str, ...] = ()
    version_fault: Text | None = None


def demands(
    judgment: Judgment,
    kinds: Collection[str],
    held: Mapping[str, tuple[str, ...]],
    titles: Mapping[str, Text],
) -> tuple[Demand, ...]:
    """Return, for each kind of evidence a job waits for, whether the law asks for it and whether it is there.

    Args:
        judgment: What the facts on record come to.
        kinds: The kinds.
        held: Kind to ids of evidence that counts today.
        titles: Kind to its name.
    """
    return tuple(_demand(judgment, kind, held.get(kind, ()), titles.get(kind, _named(kind))) for kind in sorted(kinds))


def changed(before: Judgment, after: Judgment) -> tuple[str, ...]:
    """Return the verified norms that two judgments of the same day see differently."""
    return tuple(
        name
        for name, one in after.findings.items()
        if one.norm.status is LawStatus.VERIFIED and one.verdict is not before.findings[name].verdict
    )


def check(case: Case, rules: JobRules) -> Gate:
    """Judge whether a job may be granted.

    Returns:
        The gate: one reason for each check that `rules` ask of this kind of job.
    """
    asked = [(one, _CHECKS[one.id](case, rules)) for one in rules.asked_of(case.kind)]
    parts = tuple(_reason(one, found) for one, found in asked)
    return Gate(
        reason=Reason(
            says=Text(zh="开始之前要问的都成立", en="Everything that is asked beforehand holds"),
            holds=conjunction(tuple(part.holds for part in parts)),
            because=parts,
        ),
        gaps=tuple(
            _gap(one, part) for (one, _), part in zip(asked, parts, strict=True) if part.holds is not Truth.TRUE
        ),
        notes=tuple(_note(one) for one in case.demands or () if one.informs and one.owed is not Truth.TRUE),
    )


_Found = tuple[Truth, tuple[Reason, ...], tuple[str, ...]]
"""How a check stands, the details, and what it rests on."""


def _facts(case: Case, _rules: JobRules) -> _Found:
    return Truth.of(case.facts_version > 0), (), ()


def _red_lines(case: Case, _rules: JobRules) -> _Found:
    return Truth.of(not case.barred_by if case.facts_version else None), (), case.barred_by


def _stage(case: Case, rules: JobRules) -> _Found:
    stage = STATUSES[case.system.status]
    detail = _leaf(Text(zh=f"目前处于“{stage.zh}”", en=f"It is now at “{stage.en}”"), Truth.TRUE)
    return Truth.of(case.system.status not in rules.closed), (detail,), ()


def _control(case: Case, _rules: JobRules) -> _Found:
    detail = _leaf(
        Text(zh=f"现行命令：{case.order or 'run'}", en=f"The order in force: {case.order or 'run'}"), Truth.TRUE
    )
    return Truth.of(not case.order), (detail,), ()


def _accountable(case: Case, _rules: JobRules) -> _Found:
    return _people(case.system, PersonRole.ACCOUNTABLE)


def _overseer(case: Case, _rules: JobRules) -> _Found:
    return _people(case.system, PersonRole.OVERSEER)


def _people(system: System, role: PersonRole) -> _Found:
    people = system.current(role)
    return Truth.of(bool(people)), (), tuple(person.id for person in people)


def _evidence(case: Case, _rules: JobRules) -> _Found:
    if case.demands is None:
        return Truth.UNKNOWN, (), ()
    details = tuple(_held(one) for one in case.demands if one.owed is not Truth.FALSE)
    return conjunction(tuple(one.holds for one in details)), details, ()


def _datasets(case: Case, _rules: JobRules) -> _Found:
    details = tuple(
        _leaf(Text(zh=f"未登记：{one}", en=f"Not registered: {one}"), Truth.FALSE) for one in case.strangers
    )
    return Truth.of(not details), details, ()


def _compute(case: Case, rules: JobRules) -> _Found:
    if case.compute is None:
        return Truth.UNKNOWN, (), ()
    found, cites = case.compute, (rules.compute_fact, *case.compute.changes)
    known = "—" if found.on_record is None else f"{found.on_record:.3g}"
    says = Text(
        zh=f"连同事实记录后批准的其他作业，计划 {found.planned:.3g} 次浮点运算；事实记录 {known}",
        en=f"With the other jobs granted since the facts were recorded, {found.planned:.3g} floating-point operations "
        f"are planned; the facts say {known}",
    )
    holds = not found.changes if found.on_record is None else found.planned <= found.on_record
    return Truth.of(holds), (_leaf(says, Truth.TRUE),), cites


def _version(case: Case, _rules: JobRules) -> _Found:
    fault = case.version_fault
    return Truth.of(fault is None), () if fault is None else (_leaf(fault, Truth.FALSE),), ()


_CHECKS: Mapping[str, Callable[[Case, JobRules], _Found]] = {
    "facts": _facts,
    "red_lines": _red_lines,
    "stage": _stage,
    "control": _control,
    "accountable": _accountable,
    "overseer": _overseer,
    "evidence": _evidence,
    "datasets": _datasets,
    "compute": _compute,
    "version": _version,
}
CHECK_IDS = frozenset(_CHECKS)
"""Checks that `registry/training.yaml` can ask for."""


def closed(status: Status, rules: JobRules) -> bool:
    """Whether no job runs for a system of this stage."""
    return status in rules.closed


def _reason(one: Check, found: _Found) -> Reason:
    holds, details, cites = found
    return Reason(says=one.says, holds=holds, cites=cites, because=details)


def _leaf(says: Text, holds: Truth, cites: tuple[str, ...] = ()) -> Reason:
    return Reason(says=says, holds=holds, cites=cites)


def _gap(one: Check, reason: Reason) -> Text:
    """Say exactly what is missing, and what to do."""
    stands = (
        Text(zh="未评估", en="not evaluated")
        if reason.holds is Truth.UNKNOWN
        else Text(zh="不成立", en="does not hold")
    )
    parts = [part.says for part in reason.because if part.holds is not Truth.TRUE]
    cites = ", ".join(reason.cites) if reason.holds is Truth.FALSE else ""
    zh = "；".join(part.zh for part in parts) or cites
    en = "; ".join(part.en for part in parts) or cites
    return Text(
        zh=f"“{one.says.zh}”{stands.zh}{f'（{zh}）' if zh else ''}。{one.mend.zh}",
        en=f"“{one.says.en}” {stands.en}{f' ({en})' if en else ''}. {one.mend.en}",
    )


def _note(one: Demand) -> Text:
    norms = ", ".join(one.informs)
    return Text(
        zh=f"尚未核实的条文也可能要求“{one.title.zh}”（{norms}）；它只供参考，不阻止批准。",
        en=f"Law that is not verified may ask for “{one.title.en}” too ({norms}); it informs and does not block.",
    )


def _named(kind: str) -> Text:
    return Text(zh=kind, en=kind)


def _demand(judgment: Judgment, kind: str, held: tuple[str, ...], title: Text) -> Demand:
    asking = [one for one in judgment.findings.values() if kind in one.norm.evidence and _is_duty(one)]
    sure = [one.norm.id for one in asking if one.is_established]
    open_ = [one for one in asking if _may_be(one)]
    return Demand(
        kind=kind,
        title=title,
        owed=disjunction((*(Truth.TRUE for _ in sure), *(Truth.UNKNOWN for _ in open_), Truth.FALSE)),
        norms=tuple(sure or [one.norm.id for one in open_]),
        missing=tuple(dict.fromkeys(fact for one in open_ for fact in one.missing)),
        held=held,
        informs=tuple(one.norm.id for one in asking if one.verdict is Verdict.APPLIES and not one.is_established),
    )


def _is_duty(one: Finding) -> bool:
    return one.norm.modality in (Modality.MUST, Modality.MUST_NOT) and one.in_force.now is not Truth.FALSE


def _may_be(one: Finding) -> bool:
    """Whether a verified norm may apply, once the missing facts are known."""
    return one.verdict is Verdict.UNKNOWN and one.norm.status is LawStatus.VERIFIED


def _held(one: Demand) -> Reason:
    """Whether evidence that is asked for is there; where it is, an open question of law needs no answer."""
    if one.held:
        return _leaf(Text(zh=f"已有“{one.title.zh}”", en=f"“{one.title.en}” is there"), Truth.TRUE, one.held)
    if one.owed is Truth.TRUE:
        return _leaf(Text(zh=f"缺少“{one.title.zh}”", en=f"“{one.title.en}” is missing"), Truth.FALSE, one.norms)
    facts = _some(one.missing)
    return _leaf(
        Text(
            zh=f"尚不能判断是否须有“{one.title.zh}”，缺少事实：{facts}",
            en=f"Whether “{one.title.en}” is owed cannot be judged without these facts: {facts}",
        ),
        Truth.UNKNOWN,
        one.norms[:_MISSING_SHOWN],
    )


def _some(facts: Iterable[str]) -> str:
    listed = list(facts)
    return ", ".join(listed[:_MISSING_SHOWN]) + (
        f" … +{len(listed) - _MISSING_SHOWN}" if len(listed) > _MISSING_SHOWN else ""
    )
