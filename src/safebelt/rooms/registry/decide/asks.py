"""Answer each thing a gate asks for: is it there, why, and what exactly is missing."""

from collections.abc import Callable, Iterable, Mapping

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.lifecycle import SignOff
from safebelt.rooms.registry.model.register import PERSON_ROLES, PersonRole, Status
from safebelt.rooms.registry.model.road import Ask, AskKind, Missing, Road, Seen

Answered = tuple[Reason, tuple[Missing, ...]]
"""How one ask stands, and what of it is missing."""


def asked_by(road: Road, seen: Seen, stage: Status) -> Mapping[str, tuple[str, ...]]:
    """Return the kinds of evidence due by the gate into a stage, with the norms that ask for them."""
    if seen.demands is None:
        return {}
    return {kind: norms for kind, norms in seen.demands.asking().items() if is_due(road, kind, stage)}


def is_due(road: Road, kind: str, stage: Status) -> bool:
    """Whether a kind of evidence has to be there by the gate into a stage."""
    by = road.stage_of(kind)
    return by is not None and road.order.index(by) <= road.order.index(stage)


def _person(_road: Road, seen: Seen, _stage: Status, ask: Ask) -> Answered:
    role = ask.role or PersonRole.ACCOUNTABLE
    people, title = seen.system.current(role), PERSON_ROLES[role]
    reason = Reason(
        says=Text(zh=f"已指定{title.zh}", en=f"The {title.en} is named"),
        holds=Truth.of(bool(people)),
        cites=tuple(one.id for one in people),
    )
    if people:
        return reason, ()
    lacking = Missing(
        kind=AskKind.PERSON,
        id=role.value,
        holds=Truth.FALSE,
        what=Text(zh=f"没有{title.zh}。", en=f"No {title.en} is named."),
        todo=Text(zh=f"请指定{title.zh}。", en="Name one."),
    )
    return reason, (lacking,)


def _facts(_road: Road, seen: Seen, _stage: Status, _ask: Ask) -> Answered:
    is_there = seen.facts_version > 0
    reason = Reason(
        says=Text(zh="已记录该系统的事实", en="The system's facts are on record"),
        holds=Truth.TRUE if is_there else Truth.UNKNOWN,
    )
    return reason, () if is_there else (_NO_FACTS,)


_NO_FACTS = Missing(
    kind=AskKind.FACTS,
    id="on_record",
    holds=Truth.UNKNOWN,
    what=Text(zh="没有记录该系统的事实，义务未评估。", en="No facts are on record, so its duties are not evaluated."),
    todo=Text(zh="请记录事实，或开始问答。", en="Put its facts on record, or start an interview."),
)


def _red_line(_road: Road, seen: Seen, _stage: Status, _ask: Ask) -> Answered:
    says = Text(zh="未触及红线", en="No red line is met")
    if seen.demands is None:
        return Reason(says=says, holds=Truth.UNKNOWN), (_NO_FACTS,)
    reason = Reason(says=says, holds=Truth.of(not seen.red_lines), cites=seen.red_lines)
    return reason, tuple(
        Missing(
            kind=AskKind.RED_LINE,
            id=one,
            holds=Truth.FALSE,
            what=Text(zh=f"按已记录的事实触及红线 {one}。", en=f"By the facts on record the red line {one} is met."),
            todo=Text(
                zh="如事实已变，请更新事实；例外须由两人决定并写入账本。",
                en="If the facts changed, put the new ones on record; an exception takes two people and the ledger.",
            ),
            norms=(one,),
        )
        for one in seen.red_lines
    )


def _measure(_road: Road, seen: Seen, _stage: Status, _ask: Ask) -> Answered:
    says = Text(zh="没有主管机关的决定使其停用", en="No decision of an authority keeps it out of service")
    reason = Reason(says=says, holds=Truth.of(not seen.measures), cites=seen.measures)
    return reason, tuple(
        Missing(
            kind=AskKind.MEASURE,
            id=one,
            holds=Truth.FALSE,
            what=Text(
                zh=f"主管机关在案件 {one} 中决定中止或撤出该系统，决定仍然有效。",
                en=f"In case {one} an authority decided to suspend or withdraw the system, and the decision stands.",
            ),
            todo=Text(
                zh="按决定整改并由主管机关作出新的决定，或依法申诉。",
                en="Do what the decision asks until the authority decides anew, or appeal.",
            ),
        )
        for one in seen.measures
    )


def _duties(_road: Road, seen: Seen, _stage: Status, _ask: Ask) -> Answered:
    says = Text(zh="该系统的义务已可判断", en="It is determined which duties the system bears")
    if seen.demands is None:
        return Reason(says=says, holds=Truth.UNKNOWN), (_NO_FACTS,)
    waiting = seen.demands.open
    reason = Reason(
        says=says,
        holds=Truth.UNKNOWN if waiting else Truth.TRUE,
        because=tuple(
            Reason(says=_waits(seen, one.title, one.missing), holds=Truth.UNKNOWN, cites=(one.norm,)) for one in waiting
        ),
    )
    facts: dict[str, tuple[str, ...]] = {}
    for one in waiting:
        for fact in one.missing:
            facts[fact] = (*facts.get(fact, ()), one.norm)
    return reason, tuple(_fact_missing(seen, fact, norms) for fact, norms in facts.items())


def _waits(seen: Seen, title: Text, missing: tuple[str, ...]) -> Text:
    zh = "、".join(name_of(seen, one).zh for one in missing)
    en = ", ".join(name_of(seen, one).en for one in missing)
    return Text(zh=f"{title.zh}：待定，缺少事实：{zh}", en=f"{title.en}: waits for facts: {en}")


def _fact_missing(seen: Seen, fact: str, norms: tuple[str, ...]) -> Missing:
    name = name_of(seen, fact)
    return Missing(
        kind=AskKind.DUTIES,
        id=fact,
        holds=Truth.UNKNOWN,
        what=Text(
            zh=f"缺少事实“{name.zh}”（{fact}），{len(norms)} 条规则不能判断：{'、'.join(norms)}。",
            en=f"The fact “{name.en}” ({fact}) is missing; norms that wait for it: {', '.join(norms)}.",
        ),
        todo=Text(zh="请补充该事实。", en="Put it on record."),
        norms=norms,
    )


def _evidence(road: Road, seen: Seen, stage: Status, _ask: Ask) -> Answered:
    says = Text(zh="义务所要求的证据均已提交", en="The evidence that duties ask for by now is held")
    if seen.demands is None:
        return Reason(says=says, holds=Truth.UNKNOWN), (_NO_FACTS,)
    asked = asked_by(road, seen, stage)
    parts = tuple(_held(seen, kind, norms) for kind, norms in asked.items())
    waiting = tuple(_maybe(road, seen, stage, asked))
    because = (*parts, *waiting)
    lacking = tuple(_evidence_missing(seen, kind, norms) for kind, norms in asked.items() if not seen.held.get(kind))
    if not because:
        says = Text(
            zh="到这一步，没有已核实的义务要求该系统提交证据",
            en="By this stage no verified duty of this system asks for evidence",
        )
    return Reason(says=says, holds=conjunction(tuple(one.holds for one in because)), because=because), (
        *lacking,
        *(_fact_missing(seen, fact, one.cites) for one in waiting for fact in _facts_of(seen, one.cites)),
    )


def _maybe(road: Road, seen: Seen, stage: Status, asked: Mapping[str, tuple[str, ...]]) -> Iterable[Reason]:
    """Norms that wait for facts and would ask for evidence that is due and not held."""
    for one in seen.demands.open if seen.demands else ():
        kinds = [k for k in one.kinds if is_due(road, k, stage) and k not in asked and not seen.held.get(k)]
        if kinds:
            yield Reason(says=_waits(seen, one.title, one.missing), holds=Truth.UNKNOWN, cites=(one.norm,))


def _facts_of(seen: Seen, norms: tuple[str, ...]) -> tuple[str, ...]:
    waiting = seen.demands.open if seen.demands else ()
    return tuple(dict.fromkeys(fact for one in waiting if one.norm in norms for fact in one.missing))


def _held(seen: Seen, kind: str, norms: tuple[str, ...]) -> Reason:
    pieces, name = seen.held.get(kind, ()), name_of(seen, kind)
    if not pieces:
        return Reason(says=Text(zh=f"{name.zh}：没有", en=f"{name.en}: not held"), holds=Truth.FALSE, cites=norms)
    says = Text(zh=f"{name.zh}：已由他方确认", en=f"{name.en}: vouched for")
    if all(one.is_claimed for one in pieces):
        says = Text(zh=f"{name.zh}：仅为自我声明", en=f"{name.en}: claimed only")
    return Reason(says=says, holds=Truth.TRUE, cites=(*(one.id for one in pieces), *norms))


def _evidence_missing(seen: Seen, kind: str, norms: tuple[str, ...]) -> Missing:
    name = name_of(seen, kind)
    return Missing(
        kind=AskKind.EVIDENCE,
        id=kind,
        holds=Truth.FALSE,
        what=Text(
            zh=f"缺少证据“{name.zh}”（{kind}），要求它的规则：{'、'.join(norms)}。",
            en=f"Evidence “{name.en}” ({kind}) is not held; norms that ask for it: {', '.join(norms)}.",
        ),
        todo=Text(
            zh="请由记名人员提交声明，或由评估机构、主管部门出具。",
            en="A named person attests it, or an assessor or an authority gives it.",
        ),
        norms=norms,
    )


def _sign_off(road: Road, seen: Seen, stage: Status, ask: Ask) -> Answered:
    role = ask.role or PersonRole.ACCOUNTABLE
    title, signed = PERSON_ROLES[role], _signatures(seen, stage, role)
    reason = Reason(
        says=Text(zh=f"{title.zh}已就现有事实签署", en=f"The {title.en} has signed off, under the facts as they are"),
        holds=Truth.of(bool(signed)),
        cites=tuple(one.id for one in signed),
    )
    if signed:
        return reason, ()
    lapsed = any(one.to is stage and one.used_at is None for one in seen.sign_offs)
    why = Text(zh="（原签署因事实变化已失效）", en=" (an earlier one lapsed when the facts changed)")
    lacking = Missing(
        kind=AskKind.SIGN_OFF,
        id=role.value,
        holds=Truth.FALSE,
        what=Text(
            zh=f"{title.zh}尚未签署{why.zh if lapsed else ''}。",
            en=f"The {title.en} has not signed off{why.en if lapsed else ''}.",
        ),
        todo=Text(zh=f"请{title.zh}签署。", en=f"The {title.en} signs off."),
    )
    return reason, (lacking,)


def _signatures(seen: Seen, stage: Status, role: PersonRole) -> tuple[SignOff, ...]:
    """Sign-offs that count: for this gate, by who holds the role now, under these facts, not used yet."""
    people = {one.id for one in seen.system.current(role)}
    return tuple(
        one
        for one in seen.sign_offs
        if one.to is stage
        and one.person_id in people
        and one.facts_version == seen.facts_version
        and one.used_at is None
    )


def signed(road: Road, seen: Seen, stage: Status) -> tuple[SignOff, ...]:
    """Return the sign-offs that the gate into a stage rests on."""
    asks = (ask for ask in road.gates.get(stage, ()) if ask.kind is AskKind.SIGN_OFF)
    return tuple(one for ask in asks for one in _signatures(seen, stage, ask.role or PersonRole.ACCOUNTABLE))


ANSWER: Mapping[AskKind, Callable[[Road, Seen, Status, Ask], Answered]] = {
    AskKind.PERSON: _person,
    AskKind.FACTS: _facts,
    AskKind.RED_LINE: _red_line,
    AskKind.MEASURE: _measure,
    AskKind.DUTIES: _duties,
    AskKind.EVIDENCE: _evidence,
    AskKind.SIGN_OFF: _sign_off,
}


# ---- provisional


def provisional(road: Road, seen: Seen, to: Status) -> tuple[tuple[str, ...], Reason]:
    """Return which kinds asked for rest on claims alone, or are not held, and whether service would be provisional."""
    asked = asked_by(road, seen, to)
    claimed = tuple(kind for kind in asked if all(one.is_claimed for one in seen.held.get(kind, ())))
    if seen.demands is None:
        says = Text(
            zh="没有记录事实，无法判断是否为暂行", en="No facts are on record: whether it would be provisional is open"
        )
        return claimed, Reason(says=says, holds=Truth.UNKNOWN)
    if not asked:
        says = Text(zh="不是暂行：没有要求任何证据", en="Not provisional: no evidence is asked for")
        return (), Reason(says=says, holds=Truth.FALSE)
    says = (
        Text(
            zh="服务只能是暂行：所要求的证据尚未全部由他方确认",
            en="Service is provisional: others do not vouch for all evidence asked for",
        )
        if claimed
        else Text(
            zh="不是暂行：所要求的证据均由他方确认", en="Not provisional: others vouch for all evidence asked for"
        )
    )
    parts = tuple(_held(seen, kind, norms) for kind, norms in asked.items())
    return claimed, Reason(says=says, holds=Truth.of(bool(claimed)), because=parts)


def name_of(seen: Seen, word: str) -> Text:
    """Return what people call a kind of evidence or a fact; its id where it has no name."""
    return seen.names.get(word) or Text(zh=word, en=word)
