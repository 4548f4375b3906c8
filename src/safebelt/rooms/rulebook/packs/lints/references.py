"""Everything that is named exists: provisions, facts, options, terms, norms, parameters, evidence, controls."""

from collections.abc import Iterator
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import ControlField, FactType
from safebelt.rooms.rulebook.packs.conditions import Comparison, Malformed, Named
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.lints.index import Index, Site
from safebelt.rooms.rulebook.packs.messages import shown, suggestion
from safebelt.rooms.rulebook.packs.sources import Entry
from safebelt.rooms.rulebook.packs.values import Kind, fit

PROVISION = Text(zh="条款", en="provision")
NORM = Text(zh="规范", en="norm")
TERM = Text(zh="术语", en="term")
FACT = Text(zh="事实", en="fact")
PARAMETER = Text(zh="参数", en="parameter")
EVIDENCE = Text(zh="证据种类", en="kind of evidence")


def cites_exist(index: Index) -> Iterator[Finding]:
    """Whatever is cited is in `provisions.yaml`."""
    sources = index.sources
    citing: list[Entry[Any]] = [*sources.norms, *sources.terms, *sources.parameters, *sources.derived]
    for entry in citing:
        for path, cite in _cites(entry.doc):
            yield from index.missing("cites-exist", entry.where(*path), "provisions", cite, PROVISION)
    for holder in sources.instruments:
        for place, one in enumerate(holder.doc.classes):
            for number, cite in enumerate(one.cites):
                where = holder.where("classes", place, "cites", number)
                yield from index.missing("cites-exist", where, "provisions", cite, PROVISION)


def _cites(doc: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for place, cite in enumerate(doc.cites):
        yield ("cites", place), cite
    for number, start in enumerate(getattr(doc, "starts", ())):
        for place, cite in enumerate(start.cites):
            yield ("starts", number, "cites", place), cite
    penalty = getattr(doc, "penalty", None)
    for place, cite in enumerate(penalty.cites if penalty else ()):
        yield ("penalty", "cites", place), cite


def conditions_are_sound(index: Index) -> Iterator[Finding]:
    """Conditions are well formed, and name facts, options, terms, norms and parameters that exist."""
    for site, leaf in index.found:
        where = site.where(leaf.path)
        if isinstance(leaf, Malformed):
            yield finding(where, "conditions", leaf.what, leaf.hint)
        elif isinstance(leaf, Named):
            kind, called = ("norms", NORM) if leaf.is_norm else ("terms", TERM)
            yield from index.missing("references-exist", where, kind, leaf.name, called)
        else:
            yield from _comparison(index, site, leaf)


_NUMERIC = frozenset({"at_least", "more_than", "at_most", "less_than"})
FITTING: dict[FactType, frozenset[str]] = {
    FactType.YES_NO: frozenset({"is"}),
    FactType.ONE_OF: frozenset({"is", "one_of"}),
    FactType.SOME_OF: frozenset({"includes", "includes_any"}),
    FactType.NUMBER: _NUMERIC | {"is", "one_of"},
    FactType.DATE: _NUMERIC | {"is", "one_of"},
    FactType.TEXT: frozenset({"is", "one_of"}),
}
"""Operators each type of fact can be compared with."""


def _comparison(index: Index, site: Site, leaf: Comparison) -> Iterator[Finding]:
    kind = index.kinds.get(leaf.fact)
    if kind is None:
        where = site.where((*leaf.path, "fact"))
        yield from index.missing("facts-exist", where, "facts", leaf.fact, FACT, also=("derived",))
        return
    where = site.where((*leaf.path, leaf.operator))
    if leaf.operator not in FITTING[kind.type]:
        allowed = ", ".join(sorted(FITTING[kind.type]))
        what = Text(
            zh=f"{leaf.fact} 是 {kind.type} 类型，不能用 {leaf.operator}。",
            en=f"{leaf.fact} is of type {kind.type} and cannot be compared with {leaf.operator}.",
        )
        yield finding(where, "operator-fits", what, Text(zh=f"可用：{allowed}。", en=f"Use one of: {allowed}."))
    elif leaf.parameter:
        yield from index.missing("references-exist", where, "parameters", leaf.parameter, PARAMETER)
    else:
        yield from _constants(kind, leaf, where)


def _constants(kind: Kind, leaf: Comparison, where: tuple[str, int]) -> Iterator[Finding]:
    if kind.type is FactType.YES_NO and not isinstance(leaf.constant, bool):
        what = Text(
            zh=f"{shown(leaf.constant)} 不是 true 或 false。", en=f"{shown(leaf.constant)} is neither true nor false."
        )
        yield finding(where, "options-exist", what, Text(zh="写 true 或 false。", en="Write true or false."))
        return
    constants = leaf.constant if isinstance(leaf.constant, list) else [leaf.constant]
    for constant in constants:
        value = [constant] if kind.type is FactType.SOME_OF else constant
        for misfit in fit(kind, value)[1]:
            what = Text(zh=f"{leaf.fact}：{misfit.what.zh}", en=f"{leaf.fact}: {misfit.what.en}")
            yield finding(where, "options-exist", what, misfit.hint)


def overrides_exist(index: Index) -> Iterator[Finding]:
    """A norm overrides norms that exist."""
    for entry in index.sources.norms:
        for place, name in enumerate(entry.doc.overrides):
            yield from index.missing("references-exist", entry.where("overrides", place), "norms", name, NORM)


def due_facts_are_dates(index: Index) -> Iterator[Finding]:
    """A fact that fixes when something is due is a date fact."""
    for entry in index.sources.norms:
        name = entry.doc.due.date_fact if entry.doc.due else ""
        if not name:
            continue
        where = entry.where("due")
        yield from index.missing("facts-exist", where, "facts", name, FACT)
        if name in index.kinds and index.kinds[name].type is not FactType.DATE:
            what = Text(zh=f"{name} 不是日期事实。", en=f"{name} is no date fact.")
            yield finding(where, "due", what, Text(zh="请改用日期事实。", en="Name a fact of type date."))


def evidence_is_known(index: Index) -> Iterator[Finding]:
    """Evidence is listed in `evidence.yaml`."""
    known = index.evidence | index.broken.get("evidence", frozenset())
    for entry in index.sources.norms:
        for place, name in enumerate(entry.doc.evidence):
            if name not in known:
                yield _unlisted(entry.where("evidence", place), "evidence-known", EVIDENCE, name, known)


def controls_are_known(index: Index) -> Iterator[Finding]:
    """A control is of a kind listed in `controls.yaml`, and has that kind's fields."""
    kinds = index.control_kinds
    known = set(kinds) | index.broken.get("controls", frozenset())
    for entry in index.sources.norms:
        for place, control in enumerate(entry.doc.controls):
            name = control.get("kind")
            if name in kinds:
                yield from _fields(index, entry, place, control, kinds[name])
            elif name not in known:
                called = Text(zh="控制措施种类", en="kind of control")
                yield _unlisted(entry.where("controls", place), "controls-known", called, str(name), known)


def _fields(index: Index, entry: Any, place: int, control: dict[str, Any], kind: Any) -> Iterator[Finding]:
    fields = {field.id: field for field in kind.fields}
    for key, value in control.items():
        where = entry.where("controls", place, key)
        if key == "kind":
            continue
        if key not in fields:
            called = Text(zh=f"{kind.id} 的字段", en=f"field of {kind.id}")
            yield _unlisted(where, "controls-known", called, key, set(fields))
        elif isinstance(value, dict):
            yield from index.missing("references-exist", where, "parameters", str(value.get("param")), PARAMETER)
        elif not _fits(fields[key], value):
            what = Text(zh=f"{key} 不能是 {shown(value)}。", en=f"{key} cannot be {shown(value)}.")
            yield finding(where, "controls-known", what, fields[key].title)
    for key in (name for name, field in fields.items() if field.required and name not in control):
        what = Text(zh=f"{kind.id} 缺少字段 {key}。", en=f"{kind.id} lacks its field {key}.")
        yield finding(entry.where("controls", place), "controls-known", what, Text(zh="请补上。", en="Add it."))


def _fits(field: ControlField, value: Any) -> bool:
    """Whether a field can have this value; where it lists no options, any word will do."""
    if field.type is FactType.ONE_OF and not isinstance(value, str):
        return False
    kind = Kind(type=field.type, options=tuple(option.id for option in field.options))
    return bool(value != []) and not fit(kind, value)[1]


def _unlisted(where: tuple[str, int], rule: str, called: Text, name: str, known: Any) -> Finding:
    close = suggestion(name, known)
    what = Text(zh=f"没有{called.zh} {name}。", en=f"There is no {called.en} {name}.")
    listed = ", ".join(sorted(known)[:12])
    return finding(where, rule, what, close or Text(zh=f"可用：{listed}。", en=f"Use one of: {listed}."))


def crosswalks_are_sound(index: Index) -> Iterator[Finding]:
    """Both ends of a crosswalk are instruments and provisions that exist."""
    called = Text(zh="文件", en="instrument")
    for entry in index.sources.crosswalks:
        for side in ("a", "b"):
            instrument = getattr(entry.doc, side)
            yield from index.missing("crosswalks", entry.where(side), "instruments", instrument, called)
            for place, relation in enumerate(entry.doc.relations):
                where = entry.where("relations", place, side)
                cite = f"{instrument}#{getattr(relation, side)}"
                yield from index.missing("crosswalks", where, "provisions", cite, PROVISION)
