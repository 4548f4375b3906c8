"""What the rules of form look things up in: every id with where it stands, every condition with its owner."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import ControlKind, LawText
from safebelt.rooms.rulebook.packs import build
from safebelt.rooms.rulebook.packs.conditions import Comparison, Leaf, Named, leaves
from safebelt.rooms.rulebook.packs.documents import Path
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.messages import suggestion
from safebelt.rooms.rulebook.packs.schemas.base import Strict
from safebelt.rooms.rulebook.packs.sources import Entry, Sources
from safebelt.rooms.rulebook.packs.values import Kind, kind_of, kind_of_built, kind_of_derived


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A condition, and whose it is.

    Attributes:
        owner: `(kind, id)`: `("norms", "eu.ai-act.art_5")`; what depends on what is worked out from it.
        entry: The entry, or the overlay that gives the condition.
        path: Where in the entry.
        key: `when`, `unless`, `upon`.
        tree: The condition as plain data.
    """

    owner: tuple[str, str]
    entry: Entry[Any]
    path: Path
    key: str
    tree: Any

    def where(self, inside: Path = ()) -> tuple[str, int]:
        """Return file and line of a part of the condition."""
        return self.entry.where(*self.path, *inside)


@dataclass(frozen=True)
class Index:
    """Everything read, by id.  What could not be validated still counts as being there.

    Attributes:
        sources: What was read.
        base: The text that what was read is to be added to, where it is an overlay that came alone.
    """

    sources: Sources
    base: LawText | None = None

    @cached_property
    def provisions(self) -> dict[str, Entry[Any]]:
        """Provision id (instrument#eId) to entry."""
        return {f"{e.instrument}#{e.doc.eid}": e for e in self.sources.provisions}

    @cached_property
    def norms(self) -> dict[str, Entry[Any]]:
        """Norm id to entry."""
        return {e.doc.id: e for e in self.sources.norms}

    @cached_property
    def terms(self) -> dict[str, Entry[Any]]:
        """Term id to entry."""
        return {e.doc.id: e for e in self.sources.terms}

    @cached_property
    def parameters(self) -> dict[str, Entry[Any]]:
        """Parameter id to entry."""
        return {e.doc.id: e for e in self.sources.parameters}

    @cached_property
    def derived(self) -> dict[str, Entry[Any]]:
        """Derived fact id to entry."""
        return {e.doc.id: e for e in self.sources.derived}

    @cached_property
    def facts(self) -> dict[str, Entry[Any]]:
        """Fact id to entry; derived facts apart."""
        return {e.doc.id: e for e in self.sources.facts}

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """Fact id, derived or not, to what values it can have."""
        derived = {name: kind_of_derived(e.doc) for name, e in self.derived.items()}
        read = derived | {name: kind_of(e.doc) for name, e in self.facts.items()}
        if self.base is None:
            return read
        there = {name: kind_of_built(derived) for name, derived in self.base.derived.items()}
        return there | {name: kind_of(fact) for name, fact in self.base.facts.items()} | read

    @cached_property
    def control_kinds(self) -> dict[str, ControlKind]:
        """Id to kind of control."""
        read = {e.doc.id: build.control_kind(e.doc) for e in self.sources.controls}
        return {**(self.base.controls if self.base else {}), **read}

    @cached_property
    def evidence(self) -> frozenset[str]:
        """Ids of kinds of evidence."""
        return frozenset(e.doc.id for e in self.sources.evidence) | frozenset(self.base.evidence if self.base else ())

    def _known(self, kind: str) -> Collection[str]:
        """Every id of a kind that was read or was there before."""
        there = _ids_of(self.base, kind) if self.base else ()
        return {*getattr(self, kind), *there}

    @cached_property
    def instruments(self) -> dict[str, Entry[Any]]:
        """Instrument id to entry."""
        return {e.doc.id: e for e in self.sources.instruments}

    @cached_property
    def classes(self) -> dict[str, tuple[Entry[Any], int]]:
        """`<instrument>.<class>` to the instrument's entry and the place of the class."""
        return {
            f"{e.doc.id}.{one.id}": (e, place)
            for e in self.sources.instruments
            for place, one in enumerate(e.doc.classes)
        }

    @cached_property
    def broken(self) -> dict[str, frozenset[str]]:
        """Kind to ids of entries that could not be validated."""
        found: dict[str, set[str]] = {}
        for one in self.sources.broken:
            name = one.data.get("eid" if one.kind == "provisions" else "id") if isinstance(one.data, dict) else None
            if isinstance(name, str):
                found.setdefault(one.kind, set()).add(f"{one.instrument}#{name}" if one.kind == "provisions" else name)
        return {kind: frozenset(names) for kind, names in found.items()}

    @cached_property
    def unread(self) -> frozenset[str]:
        """Instruments of which some file could not be read at all: nothing of theirs is reported as missing."""
        return frozenset(
            "/".join(f.file.split("/")[:2]) for f in self.sources.findings if f.rule in ("syntax", "encoding", "size")
        ) | frozenset(b.instrument for b in self.sources.broken if b.kind in ("cases", "overlays", "instruments"))

    def has(self, kind: str, name: str) -> bool:
        """Whether an id of a kind is there, validated or not."""
        return name in self._known(kind) or name in self.broken.get(kind, ())

    def missing(
        self, rule: str, where: tuple[str, int], kind: str, name: str, called: Text, *, also: tuple[str, ...] = ()
    ) -> Iterator[Finding]:
        """Yield a finding if nothing of the kind has this id."""
        if self.has(kind, name) or any(self.has(other, name) for other in also) or self._may_be_unread(name):
            return
        known = [one for each in (kind, *also) for one in self._known(each)]
        close = suggestion(name, known)
        yield finding(
            where,
            rule,
            Text(zh=f"没有{called.zh} {name}。", en=f"There is no {called.en} {name}."),
            close or Text(zh="请核对编号，或先写出它。", en="Check the id, or write it first."),
        )

    def _may_be_unread(self, name: str) -> bool:
        head = name.split("#", maxsplit=1)[0].replace("/", ".")
        return any((head + ".").startswith(instrument.replace("/", ".") + ".") for instrument in self.unread)

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Every condition of every entry and overlay."""
        return tuple(_sites(self.sources))

    @cached_property
    def found(self) -> tuple[tuple[Site, Leaf], ...]:
        """Every leaf of every condition, with its condition."""
        return tuple((site, leaf) for site in self.sites for leaf in leaves(site.tree))

    @cached_property
    def edges(self) -> dict[tuple[str, str], dict[tuple[str, str], Site | None]]:
        """What each term, norm, derived fact and class depends on."""
        edges: dict[tuple[str, str], dict[tuple[str, str], Site | None]] = {}
        for site, leaf in self.found:
            if isinstance(leaf, Named):
                target = ("norms" if leaf.is_norm else "terms", leaf.name)
            elif isinstance(leaf, Comparison) and leaf.fact in self.derived:
                target = ("derived", leaf.fact)
            else:
                continue
            edges.setdefault(site.owner, {})[target] = site
        for entry in self.sources.norms:
            for beaten in entry.doc.overrides:  # what is overridden depends on what overrides it
                edges.setdefault(("norms", beaten), {})[("norms", entry.doc.id)] = None
        return edges


def _ids_of(text: LawText, kind: str) -> Collection[str]:
    if kind == "classes":
        return [f"{one.id}.{each.id}" for one in text.instruments.values() for each in one.classes]
    there: Mapping[str, Any] = getattr(text, kind)
    return there.keys()


def _sites(sources: Sources) -> Iterator[Site]:
    for kind in ("norms", "terms"):
        for entry in getattr(sources, kind):
            yield from _of_doc((kind, entry.doc.id), entry, entry.doc, ())
    for entry in sources.derived:
        for place, row in enumerate(entry.doc.rows):
            yield Site(
                owner=("derived", entry.doc.id), entry=entry, path=("rows", place, "when"), key="when", tree=row.when
            )
    for holder in sources.instruments:
        for place, one in enumerate(holder.doc.classes):
            owner = ("classes", f"{holder.doc.id}.{one.id}")
            yield Site(owner=owner, entry=holder, path=("classes", place, "when"), key="when", tree=one.when)
    for overlay in sources.overlays:
        yield from _of_overlay(overlay)


def _of_doc(owner: tuple[str, str], entry: Entry[Any], doc: Strict, path: Path) -> Iterator[Site]:
    for key in ("when", "unless", "upon"):
        tree = getattr(doc, key, None)
        if tree is not None:
            yield Site(owner=owner, entry=entry, path=(*path, key), key=key, tree=tree)
    for place, start in enumerate(getattr(doc, "starts", None) or ()):
        yield Site(owner=owner, entry=entry, path=(*path, "starts", place, "when"), key="starts", tree=start.when)


_SET_KINDS = {"amend_norm": "norms", "amend_term": "terms", "amend_class": "classes", "amend_derived": "derived"}


def _of_overlay(overlay: Entry[Any]) -> Iterator[Site]:
    for place, change in enumerate(overlay.doc.changes):
        kind = _SET_KINDS.get(change.deed)
        if kind is None or change.set is None:
            continue
        for target in change.targets:
            for key in ("when", "unless", "upon"):
                if change.set.get(key) is not None:
                    path = ("changes", place, "set", key)
                    yield Site(owner=(kind, target), entry=overlay, path=path, key=key, tree=change.set[key])
            yield from _of_set_lists((kind, target), overlay, place, change.set)


def _of_set_lists(owner: tuple[str, str], overlay: Entry[Any], place: int, new: dict[str, Any]) -> Iterator[Site]:
    for key in ("starts", "rows"):
        rows = new.get(key)
        for number, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict) and "when" in row:
                path = ("changes", place, "set", key, number, "when")
                yield Site(owner=owner, entry=overlay, path=path, key=key, tree=row["when"])
