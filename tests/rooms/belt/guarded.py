"""Compiles the loops in C anew with guards against reading or writing astray, and runs a script over them."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[3]
HAS_COMPILER = bool(shutil.which("cc") or shutil.which("gcc"))


def run_guarded(script: Path, folder: Path, seconds: int) -> int:
    """Run `script SEED SECONDS` under AddressSanitizer and UndefinedBehaviorSanitizer; return the number it prints."""
    source = shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    include, guards = sysconfig.get_path("include"), "-fsanitize=address,undefined"
    for target in (source / "safebelt/rooms").rglob("_*.c"):
        made = target.with_suffix("").with_suffix(sysconfig.get_config_var("EXT_SUFFIX"))
        subprocess.run(
            ["gcc", "-O1", "-g", "-fPIC", "-shared", guards, "-fno-sanitize-recover=undefined", f"-I{include}", target, "-o", made],
            check=True,
        )  # fmt: skip
    libraries = [
        subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True).stdout.strip()
        for name in ("libasan.so", "libubsan.so")
    ]

    said = subprocess.run(
        [sys.executable, script, "1", str(seconds)],
        env={**os.environ, "PYTHONPATH": str(source), "PYTHONMALLOC": "malloc", "LD_PRELOAD": " ".join(libraries),
             "ASAN_OPTIONS": "detect_leaks=0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert said.returncode == 0, said.stderr[-3000:]
    return int(said.stdout)
