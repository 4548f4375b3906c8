"""What is wrong with a text as a whole: names nothing answers to, circles, comparisons that cannot be made."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from safebelt.kernel.conditions import TAKES_A_LIST, Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide.walking import conditions_of, leaves
from safebelt.rooms.rulebook.model import Derived, Fact, FactType, Fault, LawText, Norm, Term

MAX_DEPTH = 80
"""Levels of conditions within and upon conditions: twice what the law needs, and well within what judging follows."""

_OPERATORS: Mapping[FactType, frozenset[str]] = {
    FactType.YES_NO: frozenset({"is"}),
    FactType.ONE_OF: frozenset({"is", "one_of"}),
    FactType.SOME_OF: frozenset({"includes", "includes_any"}),
    FactType.NUMBER: frozenset({"is", "one_of", "at_least", "more_than", "at_most", "less_than"}),
    FactType.DATE: frozenset({"is", "at_least", "more_than", "at_most", "less_than"}),
    FactType.TEXT: frozenset({"is", "one_of"}),
}


def is_of_type(value: Any, kind: FactType) -> bool:
    """Whether a single value is one such a fact can have, or have among its values."""
    if kind is FactType.YES_NO:
        return isinstance(value, bool)
    if kind is FactType.NUMBER:
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value  # noqa: PLR0124  NaN
    if kind is FactType.DATE:
        return isinstance(value, date) and not isinstance(value, datetime)
    return isinstance(value, str)


def faults(text: LawText) -> tuple[Fault, ...]:
    """Return everything wrong with a text, all at once, in the order of its entries."""
    return (*_loose_ends(text), *(tuple(_circles(text)) or _depths(text)))


def _every_condition(text: LawText) -> Iterator[tuple[str, Condition]]:
    """Yield every condition of the text with the id of the entry it belongs to."""
    entries: tuple[Term | Norm | Derived, ...] = (
        *text.terms.values(),
        *text.norms.values(),
        *text.derived.values(),
    )
    for entry in entries:
        yield from ((entry.id, one) for one in conditions_of(entry) if one is not None)
        if isinstance(entry, Norm):
            yield from ((entry.id, start.when) for start in entry.starts)
            if entry.upon is not None:
                yield entry.id, entry.upon
    for instrument in text.instruments.values():
        yield from ((f"{instrument.id}.{one.id}", one.when) for one in instrument.classes)


def _loose_ends(text: LawText) -> Iterator[Fault]:
    """Names that nothing answers to, and comparisons that can come to nothing."""
    for where, condition in _every_condition(text):
        for leaf in leaves(condition):
            yield from _of_leaf(text, where, leaf)
    for norm in text.norms.values():
        for overridden in norm.overrides:
            if overridden not in text.norms:
                yield _nobody(norm.id, Text(zh="规范", en="norm"), overridden)
        yield from _of_due(text, norm)


def _of_due(text: LawText, norm: Norm) -> Iterator[Fault]:
    """A duty timed by a fact needs a date fact."""
    if norm.due is None or not norm.due.fact:
        return
    fact = text.facts.get(norm.due.fact)
    if fact is None or fact.type is not FactType.DATE:
        yield _nobody(norm.id, Text(zh="日期事实", en="date fact"), norm.due.fact)


def _of_leaf(text: LawText, where: str, leaf: Condition) -> Iterator[Fault]:
    if leaf.form == "term":
        yield from (_nobody(where, Text(zh="术语", en="term"), one) for one in leaf.names if one not in text.terms)
    elif leaf.form == "applies":
        yield from (_nobody(where, Text(zh="规范", en="norm"), one) for one in leaf.names if one not in text.norms)
    else:
        yield from _of_comparison(text, where, leaf)


def _of_comparison(text: LawText, where: str, leaf: Condition) -> Iterator[Fault]:
    """A comparison needs a fact, a constant of the fact's type, and an operator that takes both."""
    fact = text.facts.get(leaf.fact) or text.derived.get(leaf.fact)
    if leaf.parameter and leaf.parameter not in text.parameters:
        yield _nobody(where, Text(zh="参数", en="parameter"), leaf.parameter)
    if fact is None:
        yield _nobody(where, Text(zh="事实", en="fact"), leaf.fact)
    elif leaf.operator not in _OPERATORS[fact.type] or (leaf.parameter and fact.type is not FactType.NUMBER):
        allowed = "、".join(sorted(_OPERATORS[fact.type]))
        yield Fault(
            where=where,
            what=Text(
                zh=f"事实 {leaf.fact} 的类型是 {fact.type}，不能用 {leaf.operator} 比较。",
                en=f"The fact {leaf.fact} is a {fact.type} and cannot be compared with {leaf.operator}.",
            ),
            hint=Text(zh=f"可用：{allowed}；参数只与数值比较。", en=f"Use {allowed}; parameters go with numbers only."),
        )
    elif not leaf.parameter:
        yield from _of_constants(where, leaf, fact)


def _of_constants(where: str, leaf: Condition, fact: Fact | Derived) -> Iterator[Fault]:
    """A constant must be a value the fact can have."""
    options = {option.id for option in fact.options}
    for constant in leaf.constant if leaf.operator in TAKES_A_LIST else [leaf.constant]:
        if is_of_type(constant, fact.type) and (not options or constant in options):
            continue
        allowed = ", ".join(sorted(options)) or str(fact.type)
        yield Fault(
            where=where,
            what=Text(
                zh=f"事实 {leaf.fact} 不会有 {constant!r} 这个值。",
                en=f"The fact {leaf.fact} never has the value {constant!r}.",
            ),
            hint=Text(zh=f"它可以是：{allowed}。", en=f"It can be: {allowed}."),
        )


def _nobody(where: str, kind: Text, name: str) -> Fault:
    return Fault(
        where=where,
        what=Text(zh=f"没有名为 {name} 的{kind.zh}。", en=f"There is no {kind.en} {name}."),
        hint=Text(zh="请改正名称，或先加入它。", en="Correct the name, or add it first."),
    )


def _depths(text: LawText) -> Iterator[Fault]:
    """The first entry that rests on others upon others deeper than anybody can follow, judging included."""
    edges = _edges(text)
    entries: dict[str, Term | Norm | Derived] = {**text.terms, **text.derived, **text.norms}
    own = {name: max(map(_nesting, conditions_of(one)), default=0) + 1 for name, one in entries.items()}
    depth: dict[str, int] = {}
    for start in edges:
        stack = [start]
        while stack:  # without recursion: it is deep names that are looked for
            waiting = [one for one in edges.get(stack[-1], ()) if one not in depth]
            if waiting:
                stack += waiting
                continue
            name = stack.pop()
            depth[name] = own.get(name, 1) + max((depth[one] for one in edges.get(name, ())), default=0)
            if depth[name] > MAX_DEPTH:
                yield Fault(
                    where=name,
                    what=Text(
                        zh=f"条件层层引用，超过 {MAX_DEPTH} 层。",
                        en=f"Conditions rest on conditions more than {MAX_DEPTH} levels deep.",
                    ),
                    hint=Text(zh="请减少嵌套与引用的层数。", en="Nest and refer less deeply."),
                )
                return


def _nesting(condition: Condition | None) -> int:
    return 0 if condition is None else 1 + max(map(_nesting, condition.parts), default=0)


def _circles(text: LawText) -> Iterator[Fault]:
    """Entries that would have to be known before they are known, each circle named once."""
    edges = _edges(text)
    done: set[str] = set()
    for start in edges:
        circle = _circle_from(start, edges, done)
        if circle:
            path = " → ".join(circle)
            yield Fault(
                where=circle[0],
                what=Text(zh=f"条件互相依赖成环：{path}。", en=f"Conditions depend on each other in a circle: {path}."),
                hint=Text(zh="请去掉其中一处引用。", en="Remove one of the references."),
            )


def _edges(text: LawText) -> dict[str, tuple[str, ...]]:
    """What every entry rests on."""
    edges = {term.id: _needs(text, term) for term in text.terms.values()}
    edges |= {derived.id: _needs(text, derived) for derived in text.derived.values()}
    edges |= {norm.id: _needs(text, norm) for norm in text.norms.values()}
    for norm in text.norms.values():
        for overridden in norm.overrides:
            edges[overridden] = (*edges.get(overridden, ()), norm.id)
    return edges


def _needs(text: LawText, entry: Term | Norm | Derived) -> tuple[str, ...]:
    """What must be known before this is."""
    conditions = list(conditions_of(entry))
    if isinstance(entry, Norm):
        conditions += [start.when for start in entry.starts]
    found: list[str] = []
    for leaf in leaves(*conditions):
        found += leaf.names or ([leaf.fact] if leaf.fact in text.derived else [])
    return tuple(found)


def _circle_from(start: str, edges: Mapping[str, tuple[str, ...]], done: set[str]) -> tuple[str, ...]:
    """Depth first without recursion, since a hostile draft may nest names as deep as it likes."""
    path: list[str] = []
    stack: list[tuple[str, bool]] = [(start, True)]
    while stack:
        node, is_entering = stack.pop()
        if not is_entering:
            path.pop()
            done.add(node)
        elif node in path:
            done.update(path)  # each circle is named once, from wherever it is entered first
            return (*path[path.index(node) :], node)
        elif node not in done:
            path.append(node)
            stack.append((node, False))
            stack += [(one, True) for one in edges.get(node, ())]
    return ()
