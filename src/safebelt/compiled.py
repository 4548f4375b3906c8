"""Whether the belt's hottest modules run compiled: all that were compiled together, exactly as they stand, or none.

Installing compiles them with mypyc (`hatch_build.py`) and leaves a note of what they were made from.  Python prefers a
compiled module to the source beside it, also where that was changed since; so the note is held against the sources,
and where they differ, or `SAFEBELT_INTERPRETED` is set, the sources are what is imported.
"""

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

NOTE = "_compiled.json"
"""In the package's folder: the modules by name, and the digest of their sources."""
_PACKAGE = Path(__file__).resolve().parent
_OFF = frozenset({"", "0", "false", "no", "off"})


def digest(sources: Sequence[Path]) -> str:
    """Return what stands for the sources, in their order: SHA-256 over each one's SHA-256."""
    whole = hashlib.sha256()
    for source in sources:
        whole.update(hashlib.sha256(source.read_bytes()).digest())
    return whole.hexdigest()


class Sources:
    """Finds the source of a module that was compiled.

    Args:
        sources: Of each module, by name.
    """

    def __init__(self, sources: Mapping[str, Path]) -> None:
        self._sources = sources

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the source's, as `importlib.abc.MetaPathFinder`; None for every other module."""
        source = self._sources.get(fullname)
        return None if source is None else spec_from_file_location(fullname, source)


def sources_of(modules: Sequence[str], package: Path = _PACKAGE) -> dict[str, Path]:
    """Return where the source of each module is, by its name."""
    return {name: package.parent.joinpath(*name.split(".")).with_suffix(".py") for name in modules}


def choose(package: Path = _PACKAGE, environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether the compiled modules are taken; else see to it that their sources are."""
    try:
        note = json.loads((package / NOTE).read_bytes())
    except FileNotFoundError:
        return False
    sources = sources_of(note["modules"], package)
    is_unwanted = environment.get("SAFEBELT_INTERPRETED", "").lower() not in _OFF
    if is_unwanted or not _are_as_they_were(list(sources.values()), note["sources"]):
        sys.meta_path.insert(0, Sources(sources))
        return False
    return True


def _are_as_they_were(sources: Sequence[Path], noted: str) -> bool:
    try:
        return digest(sources) == noted
    except OSError:
        return False


IN_USE = choose()
