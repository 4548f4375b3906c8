"""Ask only what can still change an outcome, most decisive first.

What a fact can still change is read off exactly, from diagrams of the outcomes (`diagrams`): a fact that cannot change
one is not in them.  Of those that can, the next question is the one after which, on average over its answers, the
fewest facts are left that matter.  The average takes *none of these* for half of the answers to a list and everything
else for equally likely, so it knows nothing of the systems that are asked about.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import Any

from safebelt.kernel.conditions import Condition, Truth
from safebelt.kernel.reasons import Reason
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.bench import prepare
from safebelt.rooms.rulebook.decide.diagrams import Node, Sheet
from safebelt.rooms.rulebook.decide.judging import judge
from safebelt.rooms.rulebook.decide.outcomes import Outcomes
from safebelt.rooms.rulebook.decide.saying import listed
from safebelt.rooms.rulebook.model import OCCURRENCES, UNKNOWN_CLASS, Fact, FactType, LawText, Verdict

WEIGHED, ROUGHLY = 6, 2
"""So many of the most promising questions are tried out with every answer; the others with so many answers."""


LARGE, EARLY = 1000, 5
"""While diagrams have more places than that, so many facts are weighed, and roughly: those that forms ask early."""


class Goal(StrEnum):
    """What an interview is to find out: every regime's class, or also which duties apply."""

    CLASSES = "classes"
    DUTIES = "duties"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decides:
    """What an answer can still change in one instrument.

    Attributes:
        classes: Classes it can establish or rule out, strictest first.
        norms: Norms whose verdict it can change.
    """

    instrument: str
    classes: tuple[str, ...] = ()
    norms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The next question.

    Attributes:
        fact: What is asked.
        why: Why it is asked: what it can still change, with what that rests on.
        decides: The same, to be shown otherwise.
        matters: Options of a set fact that can still change something, in the order of the fact; all others are still
            part of a complete answer.
        at_most: The number of questions that can still follow, this one among them: a bound, whatever is answered.
        likely: How many to expect, this one among them: an estimate.
        settled: Outcomes of the goal that no answer can change any more.
        of: Outcomes of the goal.
    """

    fact: Fact
    why: Reason
    decides: tuple[Decides, ...]
    matters: tuple[str, ...]
    at_most: int
    likely: int
    settled: int
    of: int


@dataclass(frozen=True, slots=True)
class _Open:
    """One outcome: of an instrument's strictest class, or of a norm; and the facts that can change it."""

    instrument: str
    norm: str
    sheet: Sheet
    node: Node
    facts: frozenset[str]


def next_question(
    text: LawText,
    answers: Mapping[str, Any],
    on: date,
    instruments: Collection[str] | None = None,
    goal: Goal = Goal.CLASSES,
) -> Question | None:
    """Return what to ask next; None when nothing that can be asked can change an outcome of the goal.

    Args:
        text: The text as it reads on the day.
        answers: Fact id to answer; None is *I do not know*, and is not asked again.
        on: The day.
        instruments: Only these; all by default.
        goal: What is to be found out.
    """
    asked = frozenset(text.instruments if instruments is None else instruments)
    return _next(text, _frozen(text, answers), on, asked, goal)


@lru_cache(maxsize=512)
def _next(
    text: LawText, answers: frozenset[tuple[str, Any]], on: date, instruments: frozenset[str], goal: Goal
) -> Question | None:
    outcomes = [*_outcomes(text, answers, on, instruments, goal)]
    still = [one for one in outcomes if one.facts]
    if not still:
        return _left_by_conditions(text, dict(answers), on, instruments, outcomes)
    name = _most_decisive(text, still)
    at_most = len(frozenset().union(*(one.facts for one in still)))
    return _question(
        text,
        text.facts[name],
        [one for one in still if name in one.facts],
        at_most=at_most,
        likely=max(1, min(at_most, round(_expected(still)))),
        settled=len(outcomes) - len(still),
        of=len(outcomes),
    )


def _frozen(text: LawText, answers: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """Answers as they are judged; what no such fact can be is as good as not known."""
    known = prepare(text).admitted(answers)
    return frozenset((name, known.get(name)) for name in answers if name in text.facts)


# --- what is open -------------------------------------------------------------------------------------------------


def _outcomes(
    text: LawText, answers: frozenset[tuple[str, Any]], on: date, instruments: Collection[str], goal: Goal
) -> Iterator[_Open]:
    for instrument in sorted(instruments):
        relevant = _relevant(text, instrument, goal)
        yield from _drawn(text, frozenset(one for one in answers if one[0] in relevant), on, instrument, goal)


@lru_cache(maxsize=256)
def _relevant(text: LawText, instrument: str, goal: Goal) -> frozenset[str]:
    return frozenset(prepare(text).walker.from_conditions(*_roots(text, instrument, goal)).facts)


def _roots(text: LawText, instrument: str, goal: Goal) -> list[Condition]:
    roots = [one.when for one in text.instruments[instrument].classes]
    if goal is Goal.DUTIES:
        norms = (one.id for one in text.norms.values() if one.instrument == instrument)
        roots += [Condition(form="applies", names=(one,)) for one in norms]
    return roots


@lru_cache(maxsize=256)
def _drawn(
    text: LawText, answers: frozenset[tuple[str, Any]], on: date, instrument: str, goal: Goal
) -> tuple[_Open, ...]:
    known = {name: value for name, value in answers if value is not None}
    if known and len(known) == len(answers):  # what is drawn once need only be cut down
        drawn = _drawn(text, frozenset(), on, instrument, goal)
        return _cut_down(drawn, known)
    unknowable = {name for name, value in answers if value is None}
    if goal is Goal.CLASSES:  # what happened later never classifies a system
        unknowable |= {one.id for one in text.facts.values() if one.subject in OCCURRENCES and one.id not in known}
    outcomes = Outcomes(text, _roots(text, instrument, goal), known, unknowable, on)
    nodes: list[tuple[str, Node]] = []
    if text.instruments[instrument].classes:
        nodes.append(("", outcomes.strictest(instrument)))
    if goal is Goal.DUTIES:
        norms = (one for one in text.norms.values() if one.instrument == instrument)
        lasting = (one.id for one in norms if one.in_force.until is None or on < one.in_force.until)
        nodes += [(one, outcomes.holds(one)) for one in lasting]
    return _alone(outcomes.sheet, instrument, nodes)


def _cut_down(drawn: tuple[_Open, ...], known: Mapping[str, Any]) -> tuple[_Open, ...]:
    if not drawn:
        return ()
    sheet = drawn[0].sheet.twin()
    nodes = [(one.norm, sheet.given(one.node, known)) for one in drawn]
    return _alone(sheet, drawn[0].instrument, nodes)


def _alone(sheet: Sheet, instrument: str, nodes: list[tuple[str, Node]]) -> tuple[_Open, ...]:
    """The outcomes on a sheet of their own, without what it took to draw them."""
    own, copies = sheet.copied(node for _, node in nodes)
    return tuple(
        _Open(instrument, norm, own, copy, own.facts(copy)) for (norm, _), copy in zip(nodes, copies, strict=True)
    )


def _left_by_conditions(
    text: LawText, answers: dict[str, Any], on: date, instruments: Collection[str], outcomes: list[_Open]
) -> Question | None:
    """Ask what a judgment still calls unknown although every way to answer comes to the same.

    Conditions look at one fact after another: of *it is so, or it is not so* they do not know without being told.
    """
    judgment = judge(text, answers, on, instruments)
    missing: dict[str, None] = {}
    for one in outcomes:
        settled = one.sheet.value(one.node) not in (None, UNKNOWN_CLASS)
        if settled and one.norm and judgment.findings[one.norm].verdict is Verdict.UNKNOWN:
            missing |= dict.fromkeys(judgment.findings[one.norm].missing)
        elif settled and not one.norm and judgment.classes[one.instrument].strictest == UNKNOWN_CLASS:
            missing |= dict.fromkeys(judgment.classes[one.instrument].missing)
    askable = sorted((one for one in missing if one not in answers), key=lambda one: (text.facts[one].rank, one))
    if not askable:
        return None
    return _question(
        text,
        text.facts[askable[0]],
        [],
        at_most=len(askable),
        likely=1,
        settled=len(outcomes),
        of=len(outcomes),
    )


# --- which is the most decisive -------------------------------------------------------------------------------------


def _expected(still: list[_Open]) -> float:
    """About how many questions will be asked: of every fact, how likely an open outcome is to look at it."""
    chances: dict[str, float] = {}
    for one in still:
        for fact, chance in one.sheet.looked_at(one.node).items():
            chances[fact] = max(chances.get(fact, 0.0), chance)
    return sum(chances.values())


def _most_decisive(text: LawText, still: list[_Open]) -> str:
    """Return the fact to ask."""

    def order(name: str) -> tuple[int, str]:
        return text.facts[name].rank, name

    every = sorted(frozenset().union(*(one.facts for one in still)), key=order)
    is_large = sum(len(sheet) for sheet in {id(one.sheet): one.sheet for one in still}.values()) > LARGE
    if is_large:
        every = every[:EARLY]
    rough = {name: _left_after(text.facts[name], still, only_roughly=True) for name in every}
    promising = sorted(every, key=lambda name: (round(rough[name], 6), *order(name)))[:WEIGHED]
    left = rough if is_large else {name: _left_after(text.facts[name], still) for name in promising}
    return min(promising, key=lambda name: (round(left[name], 6), *order(name)))


def _left_after(fact: Fact, still: list[_Open], *, only_roughly: bool = False) -> float:
    """How many facts still matter after a question, on average over its answers, or over the first few."""
    touched = [one for one in still if fact.id in one.facts]
    others: frozenset[str] = frozenset().union(*(one.facts for one in still if fact.id not in one.facts))
    sheets = {id(one.sheet): one.sheet.twin() for one in touched}
    total = weights = 0.0
    for value, weight in islice(_weighted(fact, touched), ROUGHLY if only_roughly else None):
        facts = set(others)
        for one in touched:
            sheet = sheets[id(one.sheet)]
            facts |= sheet.facts(sheet.given(one.node, {fact.id: value}))
        total, weights = total + weight * len(facts), weights + weight
    return total / weights


def _weighted(fact: Fact, touched: list[_Open]) -> Iterator[tuple[Any, float]]:
    """Yield answers that stand for all others, and how likely each is taken to be."""
    values = _values(fact, touched)
    if fact.type is not FactType.SOME_OF:
        yield from ((value, 1.0) for value in values)
        return
    yield frozenset(), float(len(values))  # as likely as not none of them: law names the exceptional case
    yield from ((value, 1.0) for value in values if value)


def _values(fact: Fact, touched: list[_Open]) -> list[Any]:
    tests = [one.sheet.tests[level] for one in touched for level in one.sheet.levels_of(one.node, fact.id)]
    match fact.type:
        case FactType.YES_NO:
            return [False, True]
        case FactType.SOME_OF:
            options = {test.option for test in tests} if touched else {one.id for one in fact.options}
            return [frozenset(), *(frozenset([one]) for one in sorted(options))]
        case FactType.ONE_OF if fact.options:
            return [one.id for one in fact.options]
    return sorted({cell for test in tests for cell in test.cells})


# --- how it is said -----------------------------------------------------------------------------------------------


def _question(
    text: LawText, fact: Fact, touched: list[_Open], *, at_most: int, likely: int, settled: int, of: int
) -> Question:
    decides = tuple(_decides(text, fact.id, touched))
    options = {one.sheet.tests[level].option for one in touched for level in one.sheet.levels_of(one.node, fact.id)}
    return Question(
        fact=fact,
        why=_why(text, fact, decides),
        decides=decides,
        matters=tuple(one.id for one in fact.options if one.id in options),
        at_most=at_most,
        likely=likely,
        settled=settled,
        of=of,
    )


def _decides(text: LawText, fact: str, touched: list[_Open]) -> Iterator[Decides]:
    for instrument in dict.fromkeys(one.instrument for one in touched):
        own = [one for one in touched if one.instrument == instrument]
        stakes = {value for one in own if not one.norm for value in one.sheet.stakes(one.node, fact)}
        yield Decides(
            instrument=instrument,
            classes=tuple(one.id for one in text.instruments[instrument].classes if one.id in stakes),
            norms=tuple(one.norm for one in own if one.norm),
        )


def _why(text: LawText, fact: Fact, decides: tuple[Decides, ...]) -> Reason:
    because = tuple(_one_why(text, one) for one in decides)
    shorts = listed(text.instruments[one.instrument].short for one in decides)
    if not decides:
        said = Text(zh="不答，判断无法下结论", en="without it the judgment cannot come to a conclusion")
    else:
        said = Text(zh=f"还会影响：{shorts.zh}", en=f"it can still change: {shorts.en}")
    return Reason(
        says=Text(zh=f"“{fact.label.zh}”{said.zh}", en=f"“{fact.label.en}”: {said.en}"),
        holds=Truth.UNKNOWN,
        cites=tuple(dict.fromkeys(cite for one in because for cite in one.cites)),
        because=because,
    )


def _one_why(text: LawText, one: Decides) -> Reason:
    instrument = text.instruments[one.instrument]
    labels = [label for label in instrument.classes if label.id in one.classes]
    parts = []
    if labels:
        titles = listed(label.title for label in labels)
        parts.append(Text(zh=f"类别：{titles.zh}", en=f"class: {titles.en}"))
    if one.norms:
        titles = listed(text.norms[name].title for name in one.norms)
        parts.append(Text(zh=f"规定：{titles.zh}", en=f"norms: {titles.en}"))
    cites = [cite for label in labels for cite in label.cites]
    cites += [cite for name in one.norms for cite in text.norms[name].cites]
    return Reason(
        says=Text(
            zh=f"{instrument.short.zh}，" + "；".join(part.zh for part in parts),
            en=f"{instrument.short.en}, " + "; ".join(part.en for part in parts),
        ),
        holds=Truth.UNKNOWN,
        cites=tuple(dict.fromkeys(cites)),
    )
