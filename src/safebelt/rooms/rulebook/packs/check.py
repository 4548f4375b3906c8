"""Check a folder of law: form, then rules of form, then cases; everything at once."""

from collections.abc import Iterator
from pathlib import Path

from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.packs.describe import read_description
from safebelt.rooms.rulebook.packs.findings import HARMLESS, Finding, Unreadable, finding
from safebelt.rooms.rulebook.packs.law import overlays_fit, rulebook_of
from safebelt.rooms.rulebook.packs.lints import lint
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.sources import Sources, read_sources
from safebelt.rooms.rulebook.packs.trying import run_cases


def check_folder(folder: Path, *, instrument: str = "") -> list[Finding]:
    """Return everything that is wrong with a folder of law, in the order of files and lines.

    Args:
        folder: The folder.
        instrument: Report only on this instrument; other unfinished packs do not keep its cases from being tried.
    """
    sources = read_sources(folder)
    found = {*sources.findings, *lint(Index(sources))}
    if instrument:
        prefix = instrument.rstrip("/") + "/"
        found = {one for one in found if one.file.startswith(prefix)}
    if not instrument:
        found |= set(_systems(sources))
    if all(one.is_warning or one.rule in HARMLESS for one in found):
        found |= set(_tried(sources, instrument))
    return sorted(found)


def _systems(sources: Sources) -> Iterator[Finding]:
    """Read the described systems that come with the law."""
    folder = sources.folder / "systems"
    try:
        rulebook = rulebook_of(sources)
    except ValueError:
        return  # a malformed condition, which is among the findings already
    for path in sorted(folder.glob("**/*.yaml")):
        try:
            read_description(path, rulebook, name=path.relative_to(sources.folder).as_posix())
        except Unreadable as problem:
            yield from problem.findings


def _tried(sources: Sources, instrument: str) -> Iterator[Finding]:
    """Apply the overlays and try the cases, if the law as a whole can be judged by."""
    name = instrument.rstrip("/")
    cases = tuple(one for one in sources.cases if not name or one.instrument == name)
    try:
        rulebook = rulebook_of(sources)
        misfits = list(overlays_fit(rulebook, sources))
        results = [] if misfits else run_cases(rulebook, cases)
    except (Problem, ValueError):
        yield _untried(sources, name)
        return
    ours = [one for one in misfits if one.file.startswith(name)]
    yield from ours
    if misfits and not ours:
        yield _untried(sources, name)
    yield from (one.as_finding() for one in results if not one.agrees)


def _untried(sources: Sources, instrument: str) -> Finding:
    """Another pack keeps the law from being judged by, which is no fault of this one."""
    what = Text(zh="用例未能试算：别处的文件还有错误。", en="The cases were not tried: other files have errors.")
    hint = Text(zh="请先检查整个文件夹。", en="Check the whole folder first.")
    return finding((instrument or sources.folder.name, 1), "case", what, hint, is_warning=True)
