"""Run every measurement, one after the other."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":  # a process that a measurement starts reads this file too
    for script in sorted(Path(__file__).parent.glob("*.py")):
        if not script.stem.startswith("_"):
            sys.stdout.write(f"\n== {script.stem}\n")
            sys.stdout.flush()
            runpy.run_path(str(script), run_name="__main__")
