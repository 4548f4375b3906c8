"""What a rule stands on: confidence, red lines, dates, and no circles."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.model import OCCURRENCES, Basis, Status
from safebelt.rooms.rulebook.packs.conditions import Comparison, Named
from safebelt.rooms.rulebook.packs.findings import Finding, finding
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.sources import Entry

Node = tuple[str, str]


def nothing_depends_on_itself(index: Index) -> Iterator[Finding]:
    """Terms, norms, derived facts and overrides form no circle."""
    done: set[Node] = set()
    for start in index.edges:
        for circle in _circles(index, start, done):
            listed = " → ".join(name for _, name in (*circle, circle[0]))
            what = Text(zh=f"循环引用：{listed}。", en=f"These depend on each other in a circle: {listed}.")
            hint = Text(zh="请去掉其中一处引用。", en="Take one of the references away.")
            yield finding(_place(index, circle[0]), "acyclic", what, hint)


def _circles(index: Index, start: Node, done: set[Node]) -> Iterator[list[Node]]:
    """Yield circles reachable from a node, by depth-first search with a stack of our own."""
    trail: list[Node] = []
    stack: list[tuple[Node, bool]] = [(start, False)]
    while stack:
        node, is_left = stack.pop()
        if is_left:
            trail.pop()
            done.add(node)
        elif node in trail:
            yield trail[trail.index(node) :]
        elif node not in done:
            trail.append(node)
            stack.append((node, True))
            stack += [(target, False) for target in index.edges.get(node, ())]


def _place(index: Index, node: Node) -> tuple[str, int]:
    kind, name = node
    entry = index.classes[name][0] if kind == "classes" and name in index.classes else getattr(index, kind).get(name)
    return entry.where() if isinstance(entry, Entry) else (name, 1)


def _with_status(index: Index) -> Iterator[Entry[Any]]:
    for kind in ("norms", "terms", "parameters", "derived"):
        yield from getattr(index.sources, kind)


def status_matches_basis(index: Index) -> Iterator[Finding]:
    """Only what rests on the primary text is verified."""
    for entry in _with_status(index):
        wanted = Status.VERIFIED if entry.doc.basis is Basis.PRIMARY else Status.UNVERIFIED
        if entry.doc.status is not wanted:
            what = Text(
                zh=f"basis 是 {entry.doc.basis}，status 却是 {entry.doc.status}。",
                en=f"basis is {entry.doc.basis}, yet status is {entry.doc.status}.",
            )
            hint = Text(zh=f"写 status: {wanted}，或改正 basis。", en=f"Write status: {wanted}, or correct the basis.")
            yield finding(entry.where("status"), "status-matches-basis", what, hint)


def what_counts_rests_on_what_counts(index: Index) -> Iterator[Finding]:
    """A verified entry that rests on an unverified term, parameter or derived fact is pointed out."""
    statuses: dict[Node, Status] = {
        (kind, entry.doc.id): entry.doc.status
        for kind in ("norms", "terms", "parameters", "derived")
        for entry in getattr(index.sources, kind)
    }
    seen: set[tuple[Node, Node]] = set()
    for site, leaf in index.found:
        target: Node | None = None
        if isinstance(leaf, Named) and not leaf.is_norm:
            target = ("terms", leaf.name)
        elif isinstance(leaf, Comparison):
            target = ("parameters", leaf.parameter) if leaf.parameter else ("derived", leaf.fact)
        if target is None or (site.owner, target) in seen:
            continue
        if statuses.get(site.owner) is Status.VERIFIED and statuses.get(target) is Status.UNVERIFIED:
            seen.add((site.owner, target))
            what = Text(
                zh=f"已核实的 {site.owner[1]} 依赖未核实的 {target[1]}。",
                en=f"{site.owner[1]} is verified but rests on {target[1]}, which is not.",
            )
            hint = Text(zh="改为 unverified，或拆成两条。", en="Make it unverified, or split it in two.")
            yield finding(site.where(leaf.path), "rests-on-verified", what, hint, is_warning=True)


def red_lines_forbid(index: Index) -> Iterator[Finding]:
    """Only a prohibition can be a red line."""
    for entry in index.sources.norms:
        if entry.doc.red_line and entry.doc.must_not is None:
            what = Text(zh="red_line 只能用于 must_not。", en="Only a must_not can be a red line.")
            hint = Text(zh="改成 must_not，或删去 red_line。", en="Make it must_not, or take red_line away.")
            yield finding(entry.where("red_line"), "red-lines-forbid", what, hint)


def bars_stand_on_red_lines(index: Index) -> Iterator[Finding]:
    """A class that bars service is met through red-line norms, named directly or through terms, and no others."""
    for name, (entry, place) in index.classes.items():
        if not entry.doc.classes[place].bars or entry.instrument in index.unread:
            continue
        norms = sorted(n for kind, n in _through_terms(index, ("classes", name)) if kind == "norms")
        others = [n for n in norms if n in index.norms and not index.norms[n].doc.red_line]
        if norms and not others:
            continue
        listed = ", ".join(others)
        what = Text(
            zh=f"{name} 禁止上线（bars），但{'背后没有规范' if not others else f'这些规范不是红线：{listed}'}。",
            en=f"{name} bars service, but {'has no norm behind it' if not others else f'no red lines are: {listed}'}.",
        )
        hint = Text(
            zh="条件写 {applies: [规范]}，并给规范加 red_line: true。",
            en="Let its condition be {applies: [norms]}, and give the norms red_line: true.",
        )
        yield finding(entry.where("classes", place, "when"), "bars-stand-on-red-lines", what, hint)


def _through_terms(index: Index, node: Node) -> set[Node]:
    """What a node depends on, followed through terms."""
    seen: set[Node] = set()
    todo = [node]
    while todo:
        for target in index.edges.get(todo.pop(), ()):
            if target not in seen:
                seen.add(target)
                todo += [target] if target[0] == "terms" else []
    return seen


def dates_are_in_order(index: Index) -> Iterator[Finding]:
    """A period ends after it begins."""
    hint = Text(
        zh="until 是失效首日，应晚于 from。", en="until is the first day it no longer holds; it comes after from."
    )
    for entry in index.sources.norms:
        period = entry.doc.in_force
        if period.until and period.until <= period.from_:
            what = Text(zh="until 不晚于 from。", en="until does not come after from.")
            yield finding(entry.where("in_force"), "dates-in-order", what, hint)
        for place, start in enumerate(entry.doc.starts):
            if period.until and start.from_ >= period.until:
                what = Text(zh="该起始日不早于 until。", en="This start does not come before until.")
                yield finding(entry.where("starts", place), "dates-in-order", what, hint)


def parameters_cover_their_norms(index: Index) -> Iterator[Finding]:
    """A parameter has a value from the first day of every norm that uses it, directly or through terms."""
    firsts = {name: min(entry.doc.values) for name, entry in index.parameters.items()}
    direct: dict[Node, set[str]] = {}
    for site, leaf in index.found:
        if isinstance(leaf, Comparison) and leaf.parameter in firsts:
            direct.setdefault(site.owner, set()).add(leaf.parameter)
    for entry in index.sources.norms:
        begins = min([entry.doc.in_force.from_, *(start.from_ for start in entry.doc.starts)])
        for name in sorted(_reached(index, ("norms", entry.doc.id), direct)):
            if firsts[name] > begins:
                yield _uncovered(entry, name, firsts[name], begins)


def _reached(index: Index, node: Node, direct: dict[Node, set[str]]) -> set[str]:
    """Parameters a node uses, through terms and derived facts (another norm answers for its own)."""
    found: set[str] = set()
    seen: set[Node] = set()
    todo = [node]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        found |= direct.get(here, set())
        todo += [target for target in index.edges.get(here, ()) if target[0] != "norms"]
    return found


def _uncovered(entry: Entry[Any], name: str, first: date, begins: date) -> Finding:
    what = Text(
        zh=f"参数 {name} 自 {first} 才有值，而本规范自 {begins} 生效。",
        en=f"The parameter {name} has a value only from {first}, but this norm is in force from {begins}.",
    )
    hint = Text(zh="请补上更早的值，或核对日期。", en="Give an earlier value, or check the dates.")
    return finding(entry.where("in_force"), "parameters-cover", what, hint)


def occurrences_start_clocks(index: Index) -> Iterator[Finding]:
    """Facts about events and incidents stand in `upon`, not in what classifies a system."""
    for site, leaf in index.found:
        if (
            site.owner[0] not in ("norms", "classes")
            or site.key in ("upon", "starts")
            or not isinstance(leaf, Comparison)
        ):
            continue
        kind = index.kinds.get(leaf.fact)
        if kind and kind.subject in OCCURRENCES:
            what = Text(
                zh=f"{leaf.fact} 说的是发生了什么，不应放在 {site.key} 里。",
                en=f"{leaf.fact} is about something that happens and does not belong in {site.key}.",
            )
            hint = Text(zh="请移到 upon。", en="Move it to upon.")
            yield finding(site.where(leaf.path), "occurrences", what, hint, is_warning=True)
