"""A process to be killed while it backs up or restores.

    python -m tests.run.keeping.kill_workers

For each line on standard input, a JSON list (`["backup", home, file]` or `["restore", file, home, database]`), a worker
is forked from a process that has imported everything and opened nothing.  Lines on standard output: `pid <n>`, then
`done` where the worker came to its end, then `gone`.
"""

import json
import os
import sys
from pathlib import Path

from tests.run.keeping.furnished import house_at
from tests.run.keeping.test_restore import hush, restored

from safebelt.app import every_table
from safebelt.engines.archive_age import Lock
from safebelt.run.keeping.backup import back_up


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _work(deed: str, *rest: str) -> None:
    if deed == "backup":
        house = house_at(Path(rest[0]))
        back_up(house, Path(rest[1]), Lock(), hush)
    else:
        restored(Path(rest[0]), Path(rest[1]), rest[2], is_same_moment=True)
    _say("done")


def main() -> None:
    """Fork a worker for each line, and say when it is gone."""
    every_table()
    for line in sys.stdin:
        if (pid := os.fork()) == 0:
            try:
                _work(*json.loads(line))
            finally:
                os._exit(70)
        _say(f"pid {pid}")
        os.waitpid(pid, 0)
        _say("gone")


if __name__ == "__main__":
    main()
