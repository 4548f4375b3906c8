"""Nothing is left out, nothing stands twice, and what is there is used."""

from collections.abc import Iterator
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import FactType
from safebelt.rooms.rulebook.packs.conditions import Comparison
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.sources import Entry

COMMON_OPTIONS = frozenset({"none", "other", "neither"})
"""Options people need as an answer although no rule asks for them."""


def duties_have_norms(index: Index) -> Iterator[Finding]:
    """Every provision with a duty is cited by a norm, or says why none is."""
    cited = {cite for entry in index.sources.norms for cite in entry.doc.cites}
    cited |= {cite for one in index.sources.broken if one.kind == "norms" for cite in _raw_cites(one.data)}
    for name, entry in index.provisions.items():
        doc = entry.doc
        if doc.duty and not doc.no_norm and name not in cited and entry.instrument not in index.unread:
            what = Text(zh=f"{doc.eid} 有义务，却没有规范引用它。", en=f"{doc.eid} has a duty, but no norm cites it.")
            hint = Text(
                zh="写一条规范，或用 no_norm 说明为何没有。", en="Write a norm, or say in no_norm why there is none."
            )
            yield finding(entry.where("eid"), "duties-have-norms", what, hint)
        elif doc.no_norm and name in cited:
            what = Text(
                zh=f"{doc.eid} 写了 no_norm，却有规范引用它。", en=f"{doc.eid} has no_norm, yet a norm cites it."
            )
            hint = Text(zh="两者留一。", en="Keep one of the two.")
            yield finding(entry.where("no_norm"), "duties-have-norms", what, hint, is_warning=True)
        elif doc.no_norm and not doc.duty:
            what = Text(zh=f"{doc.eid} 没有义务，不需要 no_norm。", en=f"{doc.eid} has no duty and needs no no_norm.")
            hint = Text(zh="写 duty: true，或删去 no_norm。", en="Write duty: true, or take no_norm away.")
            yield finding(entry.where("no_norm"), "duties-have-norms", what, hint, is_warning=True)


def _raw_cites(data: Any) -> list[str]:
    cites = data.get("cites") if isinstance(data, dict) else None
    return [cite for cite in cites if isinstance(cite, str)] if isinstance(cites, list) else []


def ids_are_unique(index: Index) -> Iterator[Finding]:
    """No id stands twice, whatever it names."""
    sources = index.sources
    seen: dict[str, Entry[Any]] = {}
    named: list[tuple[str, Entry[Any]]] = [
        *((f"{e.instrument}#{e.doc.eid}", e) for e in sources.provisions),
        *((e.doc.id, e) for kind in ("norms", "terms", "parameters") for e in getattr(sources, kind)),
        *((f"fact {e.doc.id}", e) for kind in ("facts", "derived") for e in getattr(sources, kind)),
        *((f"evidence {e.doc.id}", e) for e in sources.evidence),
        *((f"control {e.doc.id}", e) for e in sources.controls),
        *((e.doc.id, e) for kind in ("instruments", "crosswalks") for e in getattr(sources, kind)),
    ]
    for name, entry in named:
        if first := seen.get(name):
            yield _twice(entry, name, first.where()[0] + f":{first.where()[1]}")
        seen.setdefault(name, entry)
    for kind, key in (("facts", "options"), ("derived", "options"), ("instruments", "classes")):
        for entry in getattr(sources, kind):
            yield from _options_are_unique(entry, getattr(entry.doc, key), key)


def _twice(entry: Entry[Any], name: str, first: str) -> Finding:
    what = Text(zh=f"编号 {name} 重复，首次出现在 {first}。", en=f"The id {name} stands twice; first at {first}.")
    return finding(entry.where(), "ids-are-unique", what, Text(zh="请改名或删去一处。", en="Rename or remove one."))


def _options_are_unique(entry: Entry[Any], parts: Any, key: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for place, part in enumerate(parts):
        if part.id in seen:
            what = Text(zh=f"{part.id} 重复出现。", en=f"{part.id} stands twice.")
            hint = Text(zh="请删去一处。", en="Remove one.")
            yield finding(entry.where(key, place), "ids-are-unique", what, hint)
        seen.add(part.id)


def names_follow_the_folder(index: Index) -> Iterator[Finding]:
    """Ids start with what they belong to, so that a reader knows where to look."""
    for entry in index.sources.instruments:
        if entry.doc.id != entry.instrument:
            yield _misnamed(entry, entry.doc.id, entry.instrument)
    for kind in ("norms", "terms", "parameters", "derived"):
        for entry in getattr(index.sources, kind):
            prefix = entry.instrument.replace("/", ".") + "."
            if not entry.doc.id.startswith(prefix):
                yield _misnamed(entry, entry.doc.id, prefix + "…")
    for fact in index.sources.facts:
        prefix = fact.instrument.split("/")[0] + "."
        if fact.instrument and not fact.doc.id.startswith(prefix):
            yield _misnamed(fact, fact.doc.id, prefix + "…")


def _misnamed(entry: Entry[Any], name: str, wanted: str) -> Finding:
    what = Text(zh=f"编号 {name} 应写成 {wanted}。", en=f"The id {name} is to be {wanted}.")
    hint = Text(zh="编号跟随所在文件夹。", en="Ids follow the folder they stand in.")
    return finding(entry.where("id"), "names-follow-the-folder", what, hint)


def groups_exist(index: Index) -> Iterator[Finding]:
    """An option stands under a heading that the fact has."""
    for entry in index.sources.facts:
        groups = {group.id for group in entry.doc.groups}
        for place, option in enumerate(entry.doc.options):
            if option.group and option.group not in groups:
                what = Text(zh=f"没有分组 {option.group}。", en=f"There is no group {option.group}.")
                hint = Text(zh="请在 groups 里写出它。", en="Add it to groups.")
                yield finding(entry.where("options", place, "group"), "groups-exist", what, hint)


def everything_is_used(index: Index) -> Iterator[Finding]:
    """Terms, parameters, facts and options that no rule uses are pointed out."""
    comparisons = [leaf for _, leaf in index.found if isinstance(leaf, Comparison)]
    named = {name for targets in index.edges.values() for kind, name in targets if kind == "terms"}
    used = {
        "terms": named,
        "parameters": {leaf.parameter for leaf in comparisons} | set(_control_parameters(index)),
        "facts": {leaf.fact for leaf in comparisons} | {e.doc.due.date_fact for e in index.sources.norms if e.doc.due},
        "derived": {leaf.fact for leaf in comparisons},
    }
    for kind, names in used.items():
        for entry in getattr(index.sources, kind):
            is_event = kind == "facts" and entry.doc.type is FactType.DATE
            if entry.doc.id not in names and not is_event:
                what = Text(zh=f"没有规则用到 {entry.doc.id}。", en=f"No rule uses {entry.doc.id}.")
                yield finding(entry.where("id"), "used", what, _UNUSED, is_warning=True)
    yield from _unused_options(index, comparisons)


_UNUSED = Text(zh="用上它，或删去。", en="Use it, or take it away.")


def _control_parameters(index: Index) -> Iterator[str]:
    for entry in index.sources.norms:
        for control in entry.doc.controls:
            yield from (str(v["param"]) for v in control.values() if isinstance(v, dict) and "param" in v)


def _unused_options(index: Index, comparisons: list[Comparison]) -> Iterator[Finding]:
    used: dict[str, set[str]] = {}
    for leaf in comparisons:
        constants = leaf.constant if isinstance(leaf.constant, list) else [leaf.constant]
        used.setdefault(leaf.fact, set()).update(map(str, constants))
    for name, entry in index.facts.items():
        spare = [o.id for o in entry.doc.options if o.id not in used.get(name, ()) and o.id not in COMMON_OPTIONS]
        if spare and name in used:
            listed = ", ".join(spare)
            what = Text(
                zh=f"{name} 的这些选项没有规则用到：{listed}。", en=f"No rule uses these options of {name}: {listed}."
            )
            yield finding(entry.where("options"), "used", what, _UNUSED, is_warning=True)
