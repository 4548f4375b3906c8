"""Judge whether a system may pass the gates between two stages of its life, and what exactly is missing."""

from collections.abc import Mapping

from safebelt.kernel.conditions import Truth, conjunction
from safebelt.kernel.errors import Conflict
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import LANGS, Lang, Text
from safebelt.rooms.registry.decide.asks import ANSWER, Answered, asked_by, name_of, provisional, signed
from safebelt.rooms.registry.model.register import STATUSES, Status
from safebelt.rooms.registry.model.road import Demand, Gate, Missing, Road, Seen, Step, StepState

_SHOWN = 12
"""Missing things a refusal spells out; the gate itself lists them all."""


def is_forward(road: Road, before: Status, to: Status) -> bool:
    """Whether a move leads on towards service, so that gates are asked."""
    order = road.order
    if to not in order:
        return False
    if before in order:
        return order.index(to) > order.index(before)
    return to is Status.IN_SERVICE


def hold_may_follow(road: Road, before: Status, to: Status) -> None:
    """Hold that one stage may follow another.

    Raises:
        Conflict: It may not.
    """
    ways = road.stages[before].to
    if to in ways:
        return
    titles = [STATUSES[one] for one in ways]
    raise Conflict(
        what=Text(
            zh=f"“{STATUSES[before].zh}”的系统不能直接进入“{STATUSES[to].zh}”。",
            en=f"A system at “{STATUSES[before].en}” cannot go to “{STATUSES[to].en}”.",
        ),
        hint=Text(
            zh=f"可以进入：{'、'.join(one.zh for one in titles) or '无'}。",
            en=f"It can go to: {', '.join(one.en for one in titles) or 'nowhere'}.",
        ),
        details={"field": "to"},
    )


def hold_has_gate(road: Road, to: Status) -> None:
    """Hold that a stage lies on the road, so that a gate leads into it.

    Raises:
        Conflict: It does not.
    """
    if to not in road.order[1:]:
        titles = [STATUSES[one] for one in road.order[1:]]
        raise Conflict(
            what=Text(zh=f"进入“{STATUSES[to].zh}”没有关口。", en=f"No gate leads into “{STATUSES[to].en}”."),
            hint=Text(
                zh=f"有关口的阶段：{'、'.join(one.zh for one in titles)}。",
                en=f"Stages with a gate: {', '.join(one.en for one in titles)}.",
            ),
            details={"field": "to"},
        )


def next_stage(road: Road, seen: Seen) -> Status:
    """Return the next stage of the road that is not skipped; *in service* for whoever is there or off the road."""
    order, here = road.order, seen.system.status
    if here not in order:
        return Status.IN_SERVICE
    ahead = order[order.index(here) + 1 :]
    return next((one for one in ahead if _needed(road, one, seen).holds is not Truth.FALSE), Status.IN_SERVICE)


def gate(road: Road, seen: Seen, to: Status) -> Gate:
    """Judge the way from where a system stands to a stage: the gates of every needed stage on it, at once.

    Args:
        road: The stages and what their gates ask.
        seen: Everything a gate looks at.
        to: A stage of the road.

    Returns:
        The judgment.  It holds only if everything asked for is there; *unknown* is not evaluated, and no pass.
    """
    needed = {one: _needed(road, one, seen) for one in road.order}
    asked = _on_the_way(road, seen.system.status, to, needed)
    answers = {stage: _answers(road, seen, stage) for stage in asked}
    parts = tuple(_of_stage(stage, found) for stage, found in answers.items())
    holds = conjunction(tuple(part.holds for part in parts))
    missing = {(m.kind, m.id): m for found in answers.values() for _, lacking in found for m in lacking}
    claims, provisional_why = provisional(road, seen, to)
    return Gate(
        system_id=seen.system.id,
        before=seen.system.status,
        to=to,
        holds=holds,
        road=_steps(road, seen.system.status, needed, asked),
        gates=asked,
        missing=tuple(missing.values()),
        asked=asked_by(road, seen, to),
        claimed=claims,
        provisional=to is Status.IN_SERVICE and bool(claims),
        provisional_why=provisional_why,
        advice=seen.demands.advice if seen.demands else (),
        facts_version=seen.facts_version,
        reason=Reason(says=_summary(seen.system.status, to, holds), holds=holds, because=parts),
        sign_offs=tuple(one.id for stage in asked for one in signed(road, seen, stage)),
    )


def hold_passes(found: Gate) -> None:
    """Hold that a gate may be passed.

    Raises:
        Conflict: Something is missing; the problem says exactly what, and what to do about each.
    """
    if found.holds is Truth.TRUE:
        return
    lists = Text(**{lang: _listed(found.missing, lang) for lang in LANGS})
    head = {
        Truth.FALSE: Text(zh="还缺以下各项", en="this is missing"),
        Truth.UNKNOWN: Text(zh="未评估，因而不能通过", en="it is not evaluated, which is no pass"),
    }[found.holds]
    raise Conflict(
        what=Text(
            zh=f"不能进入“{STATUSES[found.to].zh}”：{head.zh}：\n{lists.zh}",
            en=f"The system cannot go to “{STATUSES[found.to].en}”: {head.en}:\n{lists.en}",
        ),
        hint=Text(zh="请逐项补齐后再试。", en="Provide each of them, then try again."),
        details={f"{one.kind.value}:{one.id}": f"{one.what.en} {one.todo.en}" for one in found.missing},
    )


def _listed(missing: tuple[Missing, ...], lang: Lang) -> str:
    lines = [f"- {one.what.in_(lang)} {one.todo.in_(lang)}" for one in missing[:_SHOWN]]
    more = len(missing) - _SHOWN
    if more > 0:
        lines.append(Text(zh=f"（另有 {more} 项）", en=f"(and {more} more)").in_(lang))
    return "\n".join(lines)


# ---- the road


def _needed(road: Road, stage: Status, seen: Seen) -> Reason:
    """Whether a stage has to be passed: always, or where a duty asks for one of the kinds that make it so."""
    kinds = road.stages[stage].needed_when
    title = STATUSES[stage]
    if not kinds:
        return Reason(
            says=Text(zh=f"“{title.zh}”是每个系统都要经过的阶段", en=f"Every system passes “{title.en}”"),
            holds=Truth.TRUE,
        )
    if seen.demands is None:
        return Reason(
            says=Text(
                zh=f"没有记录事实，无法判断是否需要“{title.zh}”",
                en=f"No facts are on record: whether “{title.en}” is needed cannot be told",
            ),
            holds=Truth.UNKNOWN,
        )
    asking = [one for one in seen.demands.duties if set(one.kinds) & set(kinds)]
    if asking:
        return Reason(
            says=Text(
                zh=f"需要“{title.zh}”：该系统的义务要求{_named(kinds, asking, seen, 'zh')}",
                en=f"“{title.en}” is needed: duties of this system ask for {_named(kinds, asking, seen, 'en')}",
            ),
            holds=Truth.TRUE,
            cites=tuple(one.norm for one in asking),
        )
    waiting = [one for one in seen.demands.open if set(one.kinds) & set(kinds)]
    if waiting:
        return Reason(
            says=Text(
                zh=f"事实不足，无法判断是否需要“{title.zh}”",
                en=f"Facts are missing: whether “{title.en}” is needed cannot be told",
            ),
            holds=Truth.UNKNOWN,
            cites=tuple(one.norm for one in waiting),
        )
    return Reason(
        says=Text(
            zh=f"不需要“{title.zh}”：没有已核实的义务要求该系统在投入服务前办理",
            en=f"“{title.en}” is not needed: no verified duty of this system asks for it before service",
        ),
        holds=Truth.FALSE,
    )


def _named(kinds: tuple[str, ...], asking: list[Demand], seen: Seen, lang: Lang) -> str:
    asked = {kind for one in asking for kind in one.kinds}
    return Text(zh="、", en=", ").in_(lang).join(name_of(seen, kind).in_(lang) for kind in kinds if kind in asked)


def _on_the_way(road: Road, here: Status, to: Status, needed: Mapping[Status, Reason]) -> tuple[Status, ...]:
    """Stages whose gates are asked: those between that are not skipped, and the stage itself."""
    order = road.order
    start = order.index(here) + 1 if here in order else order.index(to)
    between = order[start : order.index(to)]
    return (*(one for one in between if needed[one].holds is not Truth.FALSE), to)


def _steps(road: Road, here: Status, needed: Mapping[Status, Reason], asked: tuple[Status, ...]) -> tuple[Step, ...]:
    order = road.order
    return tuple(
        Step(
            stage=one,
            title=STATUSES[one],
            says=road.stages[one].says,
            state=_state(order, one, here, needed[one], asked),
            needed=needed[one].holds,
            why=needed[one],
        )
        for one in order
    )


def _state(
    order: tuple[Status, ...], stage: Status, here: Status, needed: Reason, asked: tuple[Status, ...]
) -> StepState:
    if stage is here:
        return StepState.HERE
    if needed.holds is Truth.FALSE and stage not in asked:
        return StepState.SKIPPED
    if here in order and order.index(stage) < order.index(here):
        return StepState.PASSED
    return StepState.ON_THE_WAY if stage in asked else StepState.AHEAD


def _answers(road: Road, seen: Seen, stage: Status) -> tuple[Answered, ...]:
    return tuple(ANSWER[ask.kind](road, seen, stage, ask) for ask in road.gates.get(stage, ()))


def _of_stage(stage: Status, found: tuple[Answered, ...]) -> Reason:
    title = STATUSES[stage]
    parts = tuple(reason for reason, _ in found)
    return Reason(
        says=Text(zh=f"进入“{title.zh}”所要求的均已具备", en=f"What the gate into “{title.en}” asks for is there"),
        holds=conjunction(tuple(part.holds for part in parts)),
        because=parts,
    )


def _summary(before: Status, to: Status, holds: Truth) -> Text:
    start, end = STATUSES[before], STATUSES[to]
    return {
        Truth.TRUE: Text(
            zh=f"可以从“{start.zh}”进入“{end.zh}”", en=f"The system may go from “{start.en}” to “{end.en}”"
        ),
        Truth.FALSE: Text(
            zh=f"从“{start.zh}”进入“{end.zh}”还缺条件",
            en=f"Something is missing on the way from “{start.en}” to “{end.en}”",
        ),
        Truth.UNKNOWN: Text(
            zh=f"从“{start.zh}”进入“{end.zh}”未评估",
            en=f"The way from “{start.en}” to “{end.en}” is not evaluated",
        ),
    }[holds]
