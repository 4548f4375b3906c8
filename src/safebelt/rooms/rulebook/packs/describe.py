"""Read a described system: every error at once, with its line and what to do; foreign input, so met with bounds."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import (
    UNKNOWN_CLASS,
    Description,
    Expected,
    Fact,
    FactValue,
    Rulebook,
    Source,
)
from safebelt.rooms.rulebook.packs.documents import MAX_BYTES, Document, Spot, read_document
from safebelt.rooms.rulebook.packs.findings import Finding, finding, unreadable
from safebelt.rooms.rulebook.packs.messages import few_suggestions, shown, suggestion, validated
from safebelt.rooms.rulebook.packs.schemas.described import DescriptionDoc, ValueDoc
from safebelt.rooms.rulebook.packs.values import fit, kind_of

SUBJECT = Text(zh="系统描述", en="The description of the system")


def vocabulary(rulebook: Rulebook) -> dict[str, Fact]:
    """Return every fact somebody may state: those of the first text, and those that overlays add."""
    added = (change.entry for one in (*rulebook.enacted, *rulebook.drafts) for change in one.changes)
    return {**rulebook.base.facts, **{one.id: one for one in added if isinstance(one, Fact)}}


@few_suggestions()
def read_description(source: Path | str | bytes, rulebook: Rulebook, *, name: str = "") -> Description:
    """Read a description.

    Args:
        source: A file, or the text itself: YAML or JSON, at most 1 MB.
        rulebook: Its facts are the vocabulary.
        name: What to call the text in messages.

    Raises:
        Unreadable: Something is wrong; `findings` has every error with its line.
    """
    document = _opened(source, name or source.name) if isinstance(source, Path) else _read(source, name)
    found = list(document.findings)
    doc = None
    if not found:
        doc, found = _checked(document, rulebook)
    if doc is None or found:
        raise unreadable(SUBJECT, set(found))
    return _built(doc, vocabulary(rulebook))


def _opened(path: Path, name: str) -> Document:
    try:
        with path.open("rb") as file:  # one byte more than the bound shows that there is more
            return _read(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        what = Text(zh=f"打不开 {path}：{error.strerror}。", en=f"{path} cannot be opened: {error.strerror}.")
        hint = Text(zh="请核对路径和权限。", en="Check its path and permissions.")
        return Document(
            file=path.name, data=None, spot=Spot(1), findings=(finding((path.name, 1), "files", what, hint),)
        )


def _read(raw: str | bytes, name: str) -> Document:
    """Read as what the name says; text without a name as JSON if it is JSON."""
    start = raw.lstrip()[:1]
    if not name and start in ("{", b"{"):
        document = read_document(raw, "system.json")
        return document if not document.findings else read_document(raw, "system.yaml")
    return read_document(raw, name or "system.yaml")


def _checked(document: Document, rulebook: Rulebook) -> tuple[DescriptionDoc | None, list[Finding]]:
    if not isinstance(document.data, dict):
        what = Text(zh="这不是系统描述：应是“键: 值”。", en="This is no description: keys with values are wanted.")
        hint = Text(
            zh="以 safebelt: system/1 开头，再写 id、name、facts。",
            en="Start with `safebelt: system/1`, then id, name and facts.",
        )
        return None, [finding(document.where(), "form", what, hint)]
    doc = validated(document, DescriptionDoc, document.data)
    found = doc if isinstance(doc, list) else []
    facts, sources = document.data.get("facts"), document.data.get("sources")
    known = sources if isinstance(sources, dict) else {}
    found += _facts(document, facts if isinstance(facts, dict) else {}, known, vocabulary(rulebook))
    if isinstance(doc, list):
        return None, found
    found += _expected(document, doc, rulebook)
    return doc, found


def _facts(
    document: Document, facts: Mapping[str, Any], sources: Mapping[str, Any], known: Mapping[str, Fact]
) -> list[Finding]:
    return [one for name, value in facts.items() for one in _fact(document, name, value, sources, known)]


def _fact(
    document: Document, name: str, value: Any, sources: Mapping[str, Any], known: Mapping[str, Fact]
) -> Iterator[Finding]:
    where = ("facts", name)
    if name not in known:
        what = Text(zh=f"没有事实 {shown(name)}。", en=f"There is no fact {shown(name)}.")
        hint = suggestion(name, known) or Text(
            zh="用 safebelt rulebook template 查看全部事实。", en="See all facts with `safebelt rulebook template`."
        )
        yield finding(document.where(where), "facts-exist", what, hint)
        return
    full = validated(document, ValueDoc, value if isinstance(value, dict) else {"value": value}, where)
    if isinstance(full, list):
        yield from full
        return
    inside = ("value",) if isinstance(value, dict) else ()
    for misfit in fit(kind_of(known[name]), full.value)[1]:
        what = Text(zh=f"{name}：{misfit.what.zh}", en=f"{name}: {misfit.what.en}")
        yield finding(document.where((*where, *inside, *misfit.path)), "value", what, misfit.hint)
    yield from _source(document, full.source, sources, (*where, "source"))


def _source(
    document: Document, source: str, sources: Mapping[str, Any], where: tuple[str | int, ...]
) -> Iterator[Finding]:
    if source and source not in sources:
        what = Text(zh=f"sources 里没有 {shown(source)}。", en=f"{shown(source)} is not listed under sources.")
        hint = suggestion(source, sources) or Text(zh="请在 sources 里写出它。", en="List it under sources.")
        yield finding(document.where(where), "sources", what, hint)


def _expected(document: Document, doc: DescriptionDoc, rulebook: Rulebook) -> Iterator[Finding]:
    instruments = rulebook.base.instruments
    for place, one in enumerate(doc.expected):
        where: tuple[str | int, ...] = ("expected", place)
        yield from _source(document, one.source, doc.sources, (*where, "source"))
        if one.instrument not in instruments:
            what = Text(zh=f"没有文件 {one.instrument}。", en=f"There is no instrument {one.instrument}.")
            hint = suggestion(one.instrument, instruments) or Text(zh="请核对编号。", en="Check the id.")
            yield finding(document.where((*where, "instrument")), "expected", what, hint)
            continue
        classes = [label.id for label in instruments[one.instrument].classes] + [UNKNOWN_CLASS]
        if one.strictest not in classes:
            what = Text(zh=f"没有类别 {one.strictest}。", en=f"There is no class {one.strictest}.")
            listed = ", ".join(classes)
            hint = Text(zh=f"可用：{listed}。", en=f"Use one of: {listed}.")
            yield finding(document.where((*where, "strictest")), "expected", what, hint)


def _built(doc: DescriptionDoc, known: Mapping[str, Fact]) -> Description:
    return Description(
        id=doc.id,
        name=doc.name.as_text(),
        purpose=doc.purpose.as_text() if doc.purpose else None,
        sources={name: Source(title=one.title, url=one.url, as_of=one.as_of) for name, one in doc.sources.items()},
        facts={name: _value(known[name], value) for name, value in doc.facts.items()},
        expected=tuple(
            Expected(
                instrument=one.instrument,
                strictest=one.strictest,
                source=one.source,
                why=one.why.as_text() if one.why else None,
            )
            for one in doc.expected
        ),
    )


def _value(fact: Fact, value: Any) -> FactValue:
    full = ValueDoc.model_validate(value if isinstance(value, dict) else {"value": value})
    return FactValue(value=fit(kind_of(fact), full.value)[0], source=full.source, as_of=full.as_of, note=full.note)
