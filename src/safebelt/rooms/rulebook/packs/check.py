"""Check a folder of law: form, then rules of form, then cases; everything at once."""

from pathlib import Path

from safebelt.rooms.rulebook.packs.findings import Finding
from safebelt.rooms.rulebook.packs.lints import lint
from safebelt.rooms.rulebook.packs.lints.index import Index
from safebelt.rooms.rulebook.packs.sources import read_sources


def check_folder(folder: Path) -> list[Finding]:
    """Return everything that is wrong with a folder of law, in the order of files and lines."""
    sources = read_sources(folder)
    return sorted({*sources.findings, *lint(Index(sources))})
