"""Read every file of `law/` into validated entries that still know where they stand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, Generic, TypeVar

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.packs.documents import Document, Path, read_document
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.messages import suggestion, validated
from safebelt.rooms.rulebook.packs.schemas.base import Strict
from safebelt.rooms.rulebook.packs.schemas.entries import (
    ControlKindDoc,
    DerivedDoc,
    EvidenceDoc,
    FactDoc,
    InstrumentDoc,
    NormDoc,
    ParameterDoc,
    ProvisionDoc,
    TermDoc,
)
from safebelt.rooms.rulebook.packs.schemas.others import CaseDoc, CasesHead, CrosswalkDoc, OverlayDoc

D = TypeVar("D")

LISTS: dict[str, type[Strict]] = {
    "provisions": ProvisionDoc,
    "facts": FactDoc,
    "terms": TermDoc,
    "norms": NormDoc,
    "parameters": ParameterDoc,
    "derived": DerivedDoc,
}
"""Files of an instrument that are lists of entries; each may be a folder of files instead."""

APART = frozenset({"crosswalks", "drafts", "systems"})
"""Folders of `law/` that hold no instruments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[D]):
    """One validated entry, and where it stands.

    Attributes:
        doc: The entry.
        document: The file.
        path: Where in the file.
        instrument: The instrument whose folder it is in; empty for what is shared.
        overlay: The overlay that adds it, if one does.
        head: What the file says once for all its entries.
    """

    doc: D
    document: Document
    path: Path = ()
    instrument: str = ""
    overlay: str = ""
    head: Any = None

    def where(self, *path: str | int) -> tuple[str, int]:
        """Return file and line of a part of it."""
        return self.document.where((*self.path, *path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An entry that could not be validated; what it meant to define is not reported as missing too."""

    kind: str
    instrument: str
    data: Any


@dataclass(slots=True, kw_only=True)
class Sources:
    """Everything read, in the order of the files' names."""

    folder: FilePath
    instruments: list[Entry[InstrumentDoc]] = field(default_factory=list)
    provisions: list[Entry[ProvisionDoc]] = field(default_factory=list)
    facts: list[Entry[FactDoc]] = field(default_factory=list)
    terms: list[Entry[TermDoc]] = field(default_factory=list)
    norms: list[Entry[NormDoc]] = field(default_factory=list)
    parameters: list[Entry[ParameterDoc]] = field(default_factory=list)
    derived: list[Entry[DerivedDoc]] = field(default_factory=list)
    evidence: list[Entry[EvidenceDoc]] = field(default_factory=list)
    controls: list[Entry[ControlKindDoc]] = field(default_factory=list)
    cases: list[Entry[CaseDoc]] = field(default_factory=list)
    heads: list[Entry[CasesHead]] = field(default_factory=list)
    overlays: list[Entry[OverlayDoc]] = field(default_factory=list)
    crosswalks: list[Entry[CrosswalkDoc]] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_sources(folder: FilePath) -> Sources:
    """Read a folder of law.

    Returns:
        What could be read, and in `findings` what is wrong with the form of the rest.
    """
    sources = Sources(folder=folder)
    if not folder.is_dir():
        what = Text(zh=f"没有文件夹 {folder}。", en=f"There is no folder {folder}.")
        hint = Text(zh="请给出法规文件夹的路径。", en="Give the path of the folder of law.")
        sources.findings.append(finding((str(folder), 1), "files", what, hint))
        return sources
    _read_shared(sources)
    for place in _instrument_folders(folder):
        _read_instrument(sources, place)
    for path in sorted((folder / "crosswalks").glob("*.yaml")):
        _read_whole(sources, path, CrosswalkDoc, "crosswalks", "")
    for path in sorted((folder / "drafts").glob("**/*.yaml")):
        _read_overlay(sources, path, "")
    return sources


def _read_shared(sources: Sources) -> None:
    shared: tuple[tuple[str, type[Strict]], ...] = (
        ("facts", FactDoc),
        ("evidence", EvidenceDoc),
        ("controls", ControlKindDoc),
    )
    for name, schema in shared:
        for path in _files(sources.folder, name):
            _read_list(sources, path, schema, name, "")


def _instrument_folders(folder: FilePath) -> Iterator[FilePath]:
    for area in sorted(folder.iterdir()):
        if area.is_dir() and area.name not in APART and not area.name.startswith("."):
            yield from (place for place in sorted(area.iterdir()) if place.is_dir() and any(place.rglob("*.yaml")))


def _read_instrument(sources: Sources, place: FilePath) -> None:
    name = place.relative_to(sources.folder).as_posix()
    main = place / "instrument.yaml"
    if main.is_file():
        _read_whole(sources, main, InstrumentDoc, "instruments", name)
    else:
        what = Text(zh="没有 instrument.yaml。", en="There is no instrument.yaml.")
        hint = Text(zh="请写明这是什么文件。", en="Write one: it says what the instrument is.")
        sources.findings.append(finding((f"{name}/instrument.yaml", 1), "files", what, hint))
    for kind, schema in LISTS.items():
        for path in _files(place, kind):
            _read_list(sources, path, schema, kind, name)
    for path in _files(place, "cases"):
        _read_cases(sources, path, name)
    for path in sorted((place / "amendments").glob("**/*.yaml")):
        _read_overlay(sources, path, name)
    _refuse_strays(sources, place)


def _files(place: FilePath, kind: str) -> list[FilePath]:
    single = place / f"{kind}.yaml"
    return ([single] if single.is_file() else []) + sorted((place / kind).glob("*.yaml"))


def _refuse_strays(sources: Sources, place: FilePath) -> None:
    """A misspelt file name would otherwise be law that nobody reads."""
    known = {*LISTS, "cases", "amendments"}
    for path in sorted(place.iterdir()):
        stem = path.name if path.is_dir() else path.stem if path.suffix in (".yaml", ".yml") else ""
        fits = path.is_dir() or path.suffix == ".yaml"
        if not stem or path.name.startswith(".") or (fits and stem in known) or path.name == "instrument.yaml":
            continue
        close = suggestion(stem, known)
        what = Text(zh="没有文件会用这个名字。", en="No file has this name.")
        hint = Text(
            zh=f"{close.zh if close else ''}可用：instrument、{'、'.join(sorted(known))}，后缀 .yaml。",
            en=f"{close.en + ' ' if close else ''}Use instrument, {', '.join(sorted(known))}, ending in .yaml.",
        )
        sources.findings.append(finding((path.relative_to(sources.folder).as_posix(), 1), "files", what, hint))


def _document(sources: Sources, path: FilePath) -> Document | None:
    document = read_document(path.read_bytes(), path.relative_to(sources.folder).as_posix())
    sources.findings += document.findings
    return None if document.data is None else document


def _wanted(sources: Sources, document: Document, wanted: type) -> bool:
    if isinstance(document.data, wanted):
        return True
    is_list = wanted is list
    what = Text(
        zh=f"整个文件应是{'列表' if is_list else '“键: 值”'}。",
        en=f"The file is to be {'a list' if is_list else 'keys with values'}.",
    )
    hint = (
        Text(zh="每个条目以“- ”开头。", en="Start every entry with `- `.")
        if is_list
        else Text(zh="在最外层写“键: 值”。", en="Write `key: value` at the outermost level.")
    )
    sources.findings.append(finding(document.where(), "form", what, hint))
    return False


def _read_list(sources: Sources, path: FilePath, schema: type[Strict], kind: str, instrument: str) -> None:
    document = _document(sources, path)
    if document is None or not _wanted(sources, document, list):
        return
    for place, data in enumerate(document.data):
        _keep(sources, document, (place,), data, schema=schema, kind=kind, instrument=instrument)


def _keep(
    sources: Sources,
    document: Document,
    path: Path,
    data: Any,
    *,
    schema: type[Strict],
    kind: str,
    instrument: str,
    head: Any = None,
) -> None:
    doc = validated(document, schema, data, path)
    if isinstance(doc, list):
        sources.findings += doc
        sources.broken.append(Broken(kind=kind, instrument=instrument, data=data))
    else:
        entry = Entry(doc=doc, document=document, path=path, instrument=instrument, head=head)
        getattr(sources, kind).append(entry)


def _read_whole(sources: Sources, path: FilePath, schema: type[Strict], kind: str, instrument: str) -> None:
    document = _document(sources, path)
    if document is not None and _wanted(sources, document, dict):
        _keep(sources, document, (), document.data, schema=schema, kind=kind, instrument=instrument)


def _read_cases(sources: Sources, path: FilePath, instrument: str) -> None:
    document = _document(sources, path)
    if document is None or not _wanted(sources, document, dict):
        return
    cases = document.data.get("cases")
    head = validated(document, CasesHead, {k: v for k, v in document.data.items() if k != "cases"})
    if isinstance(head, list) or not isinstance(cases, list):
        sources.findings += head if isinstance(head, list) else []
        if not isinstance(cases, list):
            _no_cases(sources, document)
        sources.broken.append(Broken(kind="cases", instrument=instrument, data=document.data))
        return
    sources.heads.append(Entry(doc=head, document=document, instrument=instrument))
    for place, data in enumerate(cases):
        _keep(sources, document, ("cases", place), data, schema=CaseDoc, kind="cases", instrument=instrument, head=head)


def _no_cases(sources: Sources, document: Document) -> None:
    what = Text(zh="没有 cases 列表。", en="There is no list of cases.")
    hint = Text(zh="写 cases:，每个用例以“- ”开头。", en="Write `cases:` and start every case with `- `.")
    sources.findings.append(finding(document.where(("cases",)), "form", what, hint))


def _read_overlay(sources: Sources, path: FilePath, instrument: str) -> None:
    document = _document(sources, path)
    if document is None or not _wanted(sources, document, dict):
        return
    add_overlay(sources, document, instrument)


ADDS = {
    "add_provision": "provisions",
    "add_norm": "norms",
    "add_term": "terms",
    "add_parameter": "parameters",
    "add_fact": "facts",
    "add_derived": "derived",
}
"""Deed of an overlay to the kind of entry it adds."""


def add_overlay(sources: Sources, document: Document, instrument: str) -> None:
    """Take an overlay in; what it adds is kept as an entry too, so that every rule of form holds for it."""
    doc = validated(document, OverlayDoc, document.data)
    if isinstance(doc, list):
        sources.findings += doc
        sources.broken.append(Broken(kind="overlays", instrument=instrument, data=document.data))
        return
    sources.overlays.append(Entry(doc=doc, document=document, instrument=doc.instrument))
    for place, change in enumerate(doc.changes):
        if kind := ADDS.get(change.deed):
            added = Entry(
                doc=getattr(change, change.deed),
                document=document,
                path=("changes", place, change.deed),
                instrument=doc.instrument,
                overlay=doc.id,
            )
            getattr(sources, kind).append(added)
