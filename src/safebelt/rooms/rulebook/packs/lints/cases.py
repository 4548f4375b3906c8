"""Cases name what exists, and every norm and class has a yes, a no and an unknown one."""

from collections.abc import Iterator
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import UNKNOWN_CLASS
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.lints.references import FACT, NORM
from safebelt.rooms.rulebook.packs.messages import suggestion
from safebelt.rooms.rulebook.packs.sources import Entry
from safebelt.rooms.rulebook.packs.values import fit

ANSWERS = ("yes", "no", "unknown")
VERDICTS = ("applies", "does_not", "unknown")
CLASS = Text(zh="类别", en="class")


def cases_are_sound(index: Index) -> Iterator[Finding]:
    """Cases name norms, classes, bases and facts that exist, and give facts values they can have."""
    for head in index.sources.heads:
        for name, given in head.doc.bases.items():
            yield from _given(index, head, head.doc.bases, given, ("bases", name))
        yield from _bases_end(head)
    for entry in index.sources.cases:
        for place, name in enumerate(entry.doc.norms):
            yield from index.missing("cases", entry.where("norms", place), "norms", name, NORM)
        for place, name in enumerate(entry.doc.classes):
            yield from index.missing("cases", entry.where("classes", place), "classes", name, CLASS)
        for key in (*ANSWERS, "given"):
            if (given := getattr(entry.doc, key)) is not None:
                yield from _given(index, entry, entry.head.bases, given, (key,))
        yield from _expected(index, entry)


def _given(index: Index, entry: Entry[Any], bases: Any, given: Any, path: tuple[str | int, ...]) -> Iterator[Finding]:
    if given.from_ and given.from_ not in bases:
        close = suggestion(given.from_, bases)
        what = Text(zh=f"没有 base {given.from_}。", en=f"There is no base {given.from_}.")
        hint = close or Text(zh="请在 bases 里写出它。", en="Write it under bases.")
        yield finding(entry.where(*path, "from"), "cases", what, hint)
    for name, value in given.facts.items():
        where = entry.where(*path, "facts", name)
        if name in index.derived:
            what = Text(zh=f"{name} 是推算出来的，不能直接给出。", en=f"{name} is derived and cannot be given.")
            yield finding(
                where, "cases", what, Text(zh="请给出它依据的事实。", en="Give the facts it is derived from.")
            )
        elif name not in index.kinds:
            yield from index.missing("facts-exist", where, "facts", name, FACT)
        else:
            for misfit in fit(index.kinds[name], value)[1]:
                what = Text(zh=f"{name}：{misfit.what.zh}", en=f"{name}: {misfit.what.en}")
                yield finding(entry.where(*path, "facts", name, *misfit.path), "cases", what, misfit.hint)
    for place, name in enumerate(given.without):
        yield from index.missing("facts-exist", entry.where(*path, "without", place), "facts", name, FACT)


def _bases_end(head: Entry[Any]) -> Iterator[Finding]:
    bases = head.doc.bases
    for name in bases:
        seen = [name]
        while (before := bases[seen[-1]].from_) in bases and before not in seen:
            seen.append(before)
        if before == name:
            what = Text(zh=f"base {name} 以自己为基础。", en=f"The base {name} rests on itself.")
            hint = Text(zh="请改正 from。", en="Correct its from.")
            yield finding(head.where("bases", name, "from"), "acyclic", what, hint)


def _expected(index: Index, entry: Entry[Any]) -> Iterator[Finding]:
    for name, wanted in entry.doc.expect.items():
        where = entry.where("expect", name)
        if name in index.instruments:
            ids = [one.id for one in index.instruments[name].doc.classes] + [UNKNOWN_CLASS]
            allowed = ids
        elif "/" in name and name not in index.classes:
            called = Text(zh="文件", en="instrument")
            yield from index.missing("cases", where, "instruments", name, called)
            continue
        else:
            allowed = list(VERDICTS)
            if name not in index.classes:
                yield from index.missing("cases", where, "norms", name, NORM)
        if wanted not in allowed:
            what = Text(zh=f"{name} 的结果不能是 {wanted}。", en=f"{name} cannot come to {wanted}.")
            listed = ", ".join(allowed)
            yield finding(where, "cases", what, Text(zh=f"可用：{listed}。", en=f"Use one of: {listed}."))


def every_norm_has_its_cases(index: Index) -> Iterator[Finding]:
    """Every norm has a yes, a no and an unknown case; one without conditions can only have a yes."""
    had = _had(index, "norms")
    beaten = {name for entry in index.sources.norms for name in entry.doc.overrides}
    for entry in index.sources.norms:
        doc = entry.doc
        is_always = doc.when is None and doc.unless is None and doc.id not in beaten
        wanted = ("yes",) if is_always else ANSWERS
        yield from _lacking(index, entry, doc.id, wanted=wanted, had=had.get(doc.id, set()), where=entry.where("id"))


def every_class_has_its_cases(index: Index) -> Iterator[Finding]:
    """Every class has a yes, a no and an unknown case."""
    had = _had(index, "classes")
    for name, (entry, place) in index.classes.items():
        where = entry.where("classes", place, "id")
        yield from _lacking(index, entry, name, wanted=ANSWERS, had=had.get(name, set()), where=where)


def _had(index: Index, key: str) -> dict[str, set[str]]:
    had: dict[str, set[str]] = {}
    for entry in index.sources.cases:
        for name in getattr(entry.doc, key):
            had.setdefault(name, set()).update(a for a in ANSWERS if getattr(entry.doc, a) is not None)
    for one in index.sources.broken:  # a case that is malformed is reported once, not as missing too
        names = one.data.get(key) if one.kind == "cases" and isinstance(one.data, dict) else None
        for name in names if isinstance(names, list) else ():
            had.setdefault(str(name), set()).update(ANSWERS)
    return had


def _lacking(
    index: Index, entry: Entry[Any], name: str, *, wanted: tuple[str, ...], had: set[str], where: tuple[str, int]
) -> Iterator[Finding]:
    lacking = [answer for answer in wanted if answer not in had]
    if lacking and entry.instrument not in index.unread:
        listed = ", ".join(lacking)
        what = Text(zh=f"{name} 没有 {listed} 的用例。", en=f"{name} has no case for: {listed}.")
        hint = Text(zh="请在 cases.yaml 补上。", en="Add it to the cases.")
        yield finding(where, "has-cases", what, hint)
