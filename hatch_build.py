"""Compiles the belt's innermost loops when the package is installed; without a compiler it is installed without.

Two kinds: modules in C (`_*.c`), each with a twin in Python, and the modules of Python that `pyproject.toml` names
under `tool.safebelt.compiled`, by mypyc, all together.  `python hatch_build.py` compiles them where they stand.
"""

import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
SRC = ROOT / "src"
SOURCES = tuple(sorted((SRC / "safebelt/rooms").rglob("_*.c")))
FLAGS = ("-O3", "-fPIC", "-Wall", "-Wextra", "-Werror")
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
GROUP = "safebelt_belt"
"""mypyc's name for what is compiled together; its library lies beside the package."""
MYPYC = """
import json, sys
from setuptools import setup
from mypyc.build import mypycify
group, folder, *paths = sys.argv[1:]
# An import from outside the group is `Any`: what it holds is no native class, and reading all of it takes a minute.
flags = ["--config-file=", "--follow-imports=skip", "--ignore-missing-imports"]
extensions = mypycify([*flags, *paths], opt_level="2", debug_level="0", group_name=group, target_dir=folder)
if sys.platform == "linux":
    # Nobody links against what is made: calls within it need not go through a table that others may change.
    for each in extensions:
        each.extra_compile_args += ["-fvisibility=hidden", "-fno-semantic-interposition", "-fno-plt"]
setup(name=group, packages=[], ext_modules=extensions,
      script_args=["-q", "build_ext", "--parallel", "2",
                   "--build-temp", folder + "/objects", "--build-lib", folder + "/made"])
"""


def compiled(source: Path) -> Path | None:
    """Compile a module beside its source; None where there is no compiler or it fails, which is said."""
    target = source.with_suffix("").with_suffix(SUFFIX)
    target.unlink(missing_ok=True)
    linker = _linker()
    if not linker:
        return _without(source.name, "no C compiler was found")
    include = sysconfig.get_path("include")
    made = target.with_suffix(".new")
    command = [*linker, *FLAGS, f"-I{include}", str(source), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own compiler line
    if done.returncode:
        return _without(source.name, done.stderr.strip() or "the compiler failed")
    made.replace(target)
    return target


def natively() -> list[Path]:
    """Compile the modules of Python beside their sources; nothing where that fails, which is said."""
    modules = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["safebelt"]["compiled"]
    rules = _rules()
    sources = rules.sources_of(modules, SRC / "safebelt")
    note, library = SRC / "safebelt" / rules.NOTE, SRC / f"{GROUP}__mypyc{SUFFIX}"
    note.unlink(missing_ok=True)  # first: without it nothing compiled is taken for what it no longer is
    for old in (library, *(source.with_suffix(SUFFIX) for source in SRC.rglob("*.py"))):
        old.unlink(missing_ok=True)
    if not _linker() or importlib.util.find_spec("mypyc") is None:
        _without("what mypyc compiles", "it, or a C compiler, was not found")
        return []
    made = _by_mypyc([str(source.relative_to(SRC)) for source in sources.values()])
    if made:
        note.write_text(json.dumps({"modules": modules, "sources": rules.digest(list(sources.values()))}))
        made.append(note)
    return made


def _by_mypyc(paths: list[str]) -> list[Path]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", MYPYC, GROUP, folder, *paths]
        environment = {**os.environ, "CFLAGS": "", "PYTHONPATH": ""}
        done = subprocess.run(  # noqa: S603  our own line
            command, cwd=SRC, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            _without("what mypyc compiles", (done.stdout + done.stderr).strip())
            return []
        made = []
        for each in sorted(Path(folder, "made").rglob(f"*{SUFFIX}")):
            target = SRC / each.relative_to(Path(folder, "made"))
            shutil.copyfile(each, target)
            made.append(target)
        return made


def everything() -> list[Path]:
    """Compile both kinds, side by side; return what was made."""
    with ThreadPoolExecutor() as beside:
        native = beside.submit(natively)
        return [*filter(None, map(compiled, SOURCES)), *native.result()]


def _linker() -> list[str]:
    """Return how Python links extensions; nothing where that is not here."""
    linker = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
    return linker if linker and shutil.which(linker[0]) else []


def _rules() -> ModuleType:
    """Return `safebelt.compiled`, without what else importing the package would bring."""
    spec = importlib.util.spec_from_file_location("compiled", SRC / "safebelt/compiled.py")
    assert spec is not None and spec.loader is not None  # noqa: S101  a path gives both
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _without(what: str, why: str) -> None:
    sys.stderr.write(f"safebelt: {what} is left out, and plain Python does the same slower: {why}\n")


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc,valid-type]  what hatchling calls
    """Puts what was compiled into what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before anything is packed."""
        if self.target_name != "wheel":
            return
        for made in everything():
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            if made.parent == SRC:
                build_data["force_include"][str(made)] = made.name
            else:
                build_data["artifacts"].append(str(made.relative_to(ROOT)))


if __name__ == "__main__":
    made = {path.name.partition(".")[0] for path in everything()}
    raise SystemExit(0 if {*(source.stem for source in SOURCES), "_compiled"} <= made else 1)
