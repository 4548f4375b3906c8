"""For authors of law: `python -m safebelt.rooms.rulebook.packs [folder] [--instrument ID] [--lang zh] [--no-warnings]`.

Prints every finding as `file:line: rule: what is wrong. What to do.`  Exit 0: no errors; 1: errors.
"""

import argparse
import sys
from pathlib import Path

from safebelt.rooms.rulebook.packs.check import check_folder


def main(arguments: list[str] | None = None) -> int:
    """Check a folder of law and print what is wrong with it."""
    parser = argparse.ArgumentParser(prog="python -m safebelt.rooms.rulebook.packs", description=__doc__)
    parser.add_argument("folder", nargs="?", default="law", type=Path, help="the folder of law")
    parser.add_argument("--instrument", default="", help="show only this instrument's findings, e.g. eu/ai-act")
    parser.add_argument("--lang", choices=("zh", "en"), default="en", help="language of the messages")
    parser.add_argument("--no-warnings", action="store_true", help="leave warnings out")
    options = parser.parse_args(arguments)
    found = check_folder(options.folder, instrument=options.instrument)
    errors = [f for f in found if not f.is_warning]
    for one in errors if options.no_warnings else found:
        mark = "warning: " if one.is_warning else ""
        text = f"{one.what.in_(options.lang)} {one.hint.in_(options.lang)}"
        sys.stdout.write(f"{options.folder}/{one.where}: {mark}{one.rule}: {text}\n")
    sys.stdout.write(f"{len(errors)} error(s), {len(found) - len(errors)} warning(s)\n")
    return 1 if errors else 0


if __name__ == "__main__":
    raise SystemExit(main())
