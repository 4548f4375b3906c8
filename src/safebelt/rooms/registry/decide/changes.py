"""Judgments of change control: what a change re-opens and by when, and how that stands on a later day."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from safebelt.kernel.conditions import Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.decide.differing import gained, lost, moved, regraded
from safebelt.rooms.registry.decide.touching import (
    Files,
    Holding,
    Side,
    changed_facts,
    is_fresh,
    stale_kinds,
    touched,
)
from safebelt.rooms.registry.model.changes import (
    CAUSES,
    HOUSE_RULE,
    STILL_OPEN,
    Cause,
    Change,
    ChangeJudged,
    ChangeKind,
    ChangeRules,
    Difference,
    Ledgered,
    Redo,
    RedoRule,
    Reopened,
    Standing,
    Weight,
)
from safebelt.rooms.registry.model.lifecycle import Evidence
from safebelt.rooms.registry.model.register import Status as Stage
from safebelt.rooms.registry.model.road import Road
from safebelt.rooms.rulebook.model import Finding, Judgment, Modality, Status, Verdict

_DUTIES = frozenset({Modality.MUST, Modality.MUST_NOT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every comparison is made with.

    Attributes:
        rules: What belongs to which kind of change, and what it makes stale.
        road: Which gate asks for which kind of evidence, and for whose duties.
        files: The system's evidence.
        on: The day.
        stage: Where the system stands; what only a gate ahead asks is not open *again*.
    """

    rules: ChangeRules
    road: Road
    files: Files
    on: date
    stage: Stage = Stage.IN_SERVICE

    def asked(self, side: Side) -> "Asked":
        """Return the evidence that one side asks for."""
        return asked(self.road, side.judgment)

    def gate(self, kind: str, findings: Sequence[Finding]) -> str:
        """Return the stage behind the gate that asks for a kind; empty where only a day of its own does."""
        stage = self.road.stage_of(kind) if any(self._is_at_gate(one) for one in findings) else None
        return stage.value if stage else ""

    def _is_at_gate(self, finding: Finding) -> bool:
        due = finding.due
        return due is None or due.kind not in self.road.due_later or (due.on is not None and due.on <= self.on)

    def has_fresh(self, kind: str, side: Side) -> bool:
        """Whether evidence of a kind counts on the day and shows the system as one side has it."""
        return any(is_fresh(self.rules, one, side) for one in self.files.valid(kind, self.on))


# ---- what is asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a judgment asks for: kinds of evidence, each with the findings that do.

    Attributes:
        binding: By duties of verified law in force.  Those whose occurrence has not happened ask for nothing yet.
        coming: By duties of verified law that begin later.
        informs: By duties that rest on unverified text.
    """

    binding: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    coming: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    informs: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)


def asked(road: Road, judgment: Judgment) -> Asked:
    """Return the evidence that a judgment asks for, of those whose duties this register answers for."""
    found: dict[Weight, dict[str, tuple[Finding, ...]]] = {weight: {} for weight in Weight}
    for finding in judgment.findings.values():
        norm = finding.norm
        if finding.verdict is not Verdict.APPLIES or norm.modality not in _DUTIES or not norm.evidence:
            continue
        if finding.contingent or norm.bearer not in road.bearers:
            continue
        here = found[weight_of(finding, judgment.on)]
        for kind in norm.evidence:
            here[kind] = (*here.get(kind, ()), finding)
    return Asked(binding=found[Weight.BINDING], coming=found[Weight.COMING], informs=found[Weight.INFORMS])


def weight_of(finding: Finding, on: date) -> Weight:
    """Return how much a finding that applies weighs on a day."""
    if finding.is_established:
        return Weight.BINDING
    if finding.status is Status.VERIFIED and finding.effective > on:
        return Weight.COMING
    return Weight.INFORMS


# ---- comparing


def compare(setting: Setting, before: Side, after: Side) -> Difference:
    """Compare what held before a change with what holds after it.

    Args:
        setting: Rules, gates, evidence, the day.
        before: Facts and what they came to.
        after: Likewise, as it is now.
    """
    changes = changed_facts(before.facts, after.facts)
    kinds = touched(setting.rules, changes)
    was, now = setting.asked(before), setting.asked(after)
    redos = (*_again(setting, (was, now), before, after), *_ahead(setting, (was, now), after))
    new, old = gained(before.judgment, after.judgment), lost(before.judgment, after.judgment)
    return Difference(
        facts=tuple(one.fact for one in changes),
        kinds=tuple(kinds),
        gained=tuple(one.norm.id for one in new),
        lost=tuple(one.norm.id for one in old),
        informs=tuple(dict.fromkeys(one.norm.id for one in (*new, *old) if one.status is not Status.VERIFIED)),
        regraded=regraded(before.judgment, after.judgment),
        moved=moved(before.judgment, after.judgment),
        redos=redos,
        reason=_reason(setting.rules, kinds, redos),
    )


def _again(setting: Setting, wanted: tuple[Asked, Asked], before: Side, after: Side) -> Iterator[Redo]:
    """What verified law in force asks for, that was not asked for before or was shown before and is not any more."""
    was, now = (one.binding for one in wanted)
    for kind, findings in now.items():
        if setting.has_fresh(kind, after):
            continue
        if kind not in was:
            yield _new(setting, kind, findings, Weight.BINDING)
        elif setting.has_fresh(kind, before):
            yield _stale(setting, kind, findings, after)


def _ahead(setting: Setting, wanted: tuple[Asked, Asked], after: Side) -> Iterator[Redo]:
    """What law to come, or law that is not verified, newly asks for."""
    was, now = wanted
    known = now.binding.keys() | was.binding.keys() | was.coming.keys()
    later = {kind: found for kind, found in now.coming.items() if kind not in known}
    known = known | later.keys() | was.informs.keys()
    told = {kind: found for kind, found in now.informs.items() if kind not in known}
    for weight, kinds in ((Weight.COMING, later), (Weight.INFORMS, told)):
        for kind, findings in kinds.items():
            if not setting.has_fresh(kind, after):
                yield _new(setting, kind, findings, weight)


def _new(setting: Setting, kind: str, findings: Sequence[Finding], weight: Weight) -> Redo:
    day, basis = _soonest(findings, setting.on)
    if weight is Weight.BINDING and day is None:
        day, basis = setting.on + timedelta(days=setting.rules.new_within_days), HOUSE_RULE
    return Redo(
        evidence=kind,
        cause=Cause.NEW,
        weight=weight,
        norms=_ids(findings),
        kinds=(),
        due=day,
        basis=basis,
        gate=setting.gate(kind, findings),
        seen=setting.files.known(kind),
    )


def _stale(setting: Setting, kind: str, findings: Sequence[Finding], after: Side) -> Redo:
    """The newest piece says why; the soonest day that any rule gives is the day."""
    newest = max(setting.files.valid(kind, setting.on), key=lambda one: one.evidence.id)
    why = stale_kinds(setting.rules, newest.facts, after)[kind]
    due, basis = min(_day(rule, after.judgment, setting.on) for rule in why.rules)
    return Redo(
        evidence=kind,
        cause=Cause.STALE,
        weight=Weight.BINDING,
        norms=_ids(findings),
        kinds=why.kinds,
        due=due,
        basis=basis,
        gate=setting.gate(kind, findings),
        seen=setting.files.known(kind),
    )


def _day(rule: RedoRule, judgment: Judgment, on: date) -> tuple[date, str]:
    """The day that the norm behind a rule gives, where it lies ahead; else the rule's own."""
    finding = judgment.findings.get(rule.basis)
    due = finding.due if finding is not None else None
    day = due.on if due is not None and due.on is not None and due.on > on else on + timedelta(days=rule.within_days)
    return day, rule.basis


def _soonest(findings: Sequence[Finding], on: date) -> tuple[date | None, str]:
    """The soonest day the law gives, and the norm that gives it; a day that has passed means at once."""
    days: list[tuple[date, str]] = []
    for finding in findings:
        fixed = finding.due.on if finding.due else None
        day = fixed or (finding.effective if finding.effective > on else None)
        if day is not None:
            days.append((max(day, on), finding.norm.id))
    return min(days, default=(None, ""))


def _ids(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(one.norm.id for one in findings)


def _reason(rules: ChangeRules, kinds: Mapping[ChangeKind, tuple[str, ...]], redos: Sequence[Redo]) -> Reason:
    what = tuple(
        Reason(says=rules.kinds[kind].title, holds=Truth.TRUE, cites=facts, because=()) for kind, facts in kinds.items()
    )
    bound = tuple(one for one in redos if one.weight is Weight.BINDING)
    again = tuple(
        Reason(
            says=Text(zh=f"{CAUSES[one.cause].zh}：{one.evidence}", en=f"{CAUSES[one.cause].en}: {one.evidence}"),
            holds=Truth.TRUE,
            cites=tuple(dict.fromkeys((*one.norms, one.basis))),
        )
        for one in bound
    )
    says = Text(
        zh=f"这一变更重新打开 {len(bound)} 项证据要求" if bound else "这一变更没有重新打开任何证据要求",
        en=f"The change re-opens {len(bound)} requirement(s) of evidence" if bound else "The change re-opens nothing",
    )
    return Reason(says=says, holds=Truth.TRUE, because=(*what, *again))


# ---- running out


def expired(setting: Setting, now: Side, ended: Collection[str]) -> Difference:
    """Return what is to be renewed because evidence ran out while it was asked for.

    Args:
        setting: Rules, gates, evidence, the day.
        now: Facts and what they come to.
        ended: Kinds of evidence of which a piece ran out.
    """
    redos = tuple(
        Redo(
            evidence=kind,
            cause=Cause.EXPIRED,
            weight=Weight.BINDING,
            norms=_ids(findings),
            kinds=(),
            due=setting.on + timedelta(days=setting.rules.expired_within_days),
            basis=HOUSE_RULE,
            gate=setting.gate(kind, findings),
            seen=setting.files.known(kind),
        )
        for kind, findings in setting.asked(now).binding.items()
        if kind in ended and not setting.has_fresh(kind, now)
    )
    return Difference(
        facts=(),
        kinds=(),
        gained=(),
        lost=(),
        informs=(),
        regraded=(),
        moved=(),
        redos=redos,
        reason=_reason(setting.rules, {}, redos),
    )


# ---- how it stands now


def standings(setting: Setting, changes: Iterable[Change], now: Side) -> tuple[Reopened, ...]:
    """Return how everything that changes re-opened stands: by what is asked for and held, and by nothing else."""
    wanted = setting.asked(now)
    passed = passed_gates(setting.road, setting.stage)
    fresh = {
        one: setting.has_fresh(one, now) for one in {redo.evidence for c in changes for redo in c.difference.redos}
    }
    return tuple(
        _at_gate(_standing(setting, change, redo, wanted, has_fresh=fresh[redo.evidence]), passed)
        for change in changes
        for redo in change.difference.redos
    )


def passed_gates(road: Road, stage: Stage) -> frozenset[str]:
    """Return the gates a system at a stage has behind it: only those can be open again."""
    order = road.order
    if stage in (Stage.IN_SERVICE, Stage.SUSPENDED):
        return frozenset(one.value for one in order)
    return frozenset(one.value for one in order[: order.index(stage) + 1]) if stage in order else frozenset()


def _at_gate(found: Reopened, passed: Collection[str]) -> Reopened:
    """What a gate asks that still lies ahead is asked there, and has no day of its own."""
    is_ahead = found.standing in STILL_OPEN and found.redo.gate and found.redo.gate not in passed
    return replace(found, standing=Standing.AHEAD) if is_ahead else found


def _standing(setting: Setting, change: Change, redo: Redo, wanted: Asked, *, has_fresh: bool) -> Reopened:
    made = [one.evidence.id for one in setting.files.pieces if _was_made_since(one, change, redo)]
    found = _found(setting.on, redo, wanted, is_made=bool(made), has_fresh=has_fresh)
    done_by = max(made) if made and found is Standing.DONE else ""
    return Reopened(change_id=change.id, since=change.on, redo=redo, standing=found, done_by=done_by)


def _was_made_since(piece: Holding, change: Change, redo: Redo) -> bool:
    one = piece.evidence
    is_new = one.kind == redo.evidence and one.id not in redo.seen and one.withdrawn_at is None
    return is_new and one.facts_version >= change.version


def _found(on: date, redo: Redo, wanted: Asked, *, is_made: bool, has_fresh: bool) -> Standing:
    by_weight = {Weight.BINDING: wanted.binding, Weight.COMING: wanted.coming, Weight.INFORMS: wanted.informs}
    has_come = redo.weight is Weight.COMING and redo.evidence in wanted.binding
    weight = Weight.BINDING if has_come else redo.weight
    if redo.evidence not in by_weight[weight]:
        return Standing.LAPSED
    if is_made:
        return Standing.DONE
    if has_fresh:
        return Standing.RESTORED
    if weight is not Weight.BINDING:
        return Standing(weight.value)
    return Standing.OVERDUE if redo.due is not None and redo.due < on else Standing.OPEN


def stale_pieces(setting: Setting, now: Side) -> tuple[Evidence, ...]:
    """Return the evidence that counts by its dates and does not show the system as it is now."""
    return tuple(
        one.evidence
        for one in setting.files.pieces
        if one.evidence.counts_on(setting.on) and not is_fresh(setting.rules, one, now)
    )


def still_to_do(found: Iterable[Reopened]) -> tuple[Reopened, ...]:
    """Return what is open, to come or told, each kind of evidence once with its soonest day; binding first."""
    order = [Standing.OVERDUE, Standing.OPEN, Standing.AHEAD, Standing.COMING, Standing.INFORMS]
    left = sorted(
        (one for one in found if one.standing in order),
        key=lambda one: (order.index(one.standing), one.redo.due or date.max, one.redo.evidence, one.change_id),
    )
    once = {one.redo.evidence: one for one in reversed(left)}
    return tuple(one for one in left if once[one.redo.evidence] is one)


def event(change: Change) -> ChangeJudged:
    """Return what the ledger keeps of a change: no value of any fact, only which ones."""
    found = change.difference
    return ChangeJudged(
        subject=change.system_id,
        change_id=change.id,
        trigger=change.trigger.value,
        before_version=change.before_version,
        version=change.version,
        kinds=tuple(one.value for one in found.kinds),
        facts=found.facts,
        gained=found.gained,
        lost=found.lost,
        regraded=found.regraded,
        reopened=tuple(
            Ledgered(
                evidence=one.evidence,
                cause=one.cause.value,
                gate=one.gate,
                due=one.due.isoformat() if one.due else "",
                basis=one.basis,
            )
            for one in found.reopened
        ),
    )
