"""Compiles the belt's innermost loops when the package is installed; without a compiler it is installed without.

`python hatch_build.py` compiles them where they stand.
"""

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent
SOURCES = tuple(sorted((ROOT / "src/safebelt/rooms").rglob("_*.c")))
FLAGS = ("-O3", "-fPIC", "-Wall", "-Wextra", "-Werror")


def compiled(source: Path) -> Path | None:
    """Compile a module beside its source; None where there is no compiler or it fails, which is said."""
    target = source.with_suffix("").with_suffix(sysconfig.get_config_var("EXT_SUFFIX") or ".so")
    target.unlink(missing_ok=True)
    linker = shlex.split(sysconfig.get_config_var("LDSHARED") or "")
    if not linker or shutil.which(linker[0]) is None:
        return _without(source, "no C compiler was found")
    include = sysconfig.get_path("include")
    made = target.with_suffix(".new")
    command = [*linker, *FLAGS, f"-I{include}", str(source), "-o", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own compiler line
    if done.returncode:
        return _without(source, done.stderr.strip() or "the compiler failed")
    made.replace(target)
    return target


def _without(source: Path, why: str) -> None:
    sys.stderr.write(f"safebelt: {source.name} is left out, and plain Python does the same slower: {why}\n")


class CustomBuildHook(BuildHookInterface):  # type: ignore[misc,valid-type]  what hatchling calls
    """Puts the compiled module into what is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before anything is packed."""
        if self.target_name != "wheel":
            return
        for made in filter(None, map(compiled, SOURCES)):
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["artifacts"].append(str(made.relative_to(ROOT)))


if __name__ == "__main__":
    raise SystemExit(0 if all([compiled(source) for source in SOURCES]) else 1)
