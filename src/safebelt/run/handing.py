"""How a belt's worker is put in the place of the process that prepared it, and what both know.

execve keeps the pid, the parent and the terminal, and gives back the memory.  What was prepared goes through a file
without a name.
"""

import os
import pickle
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, cast

from safebelt.app import House
from safebelt.rooms.belt.model import Command, Policy, Usage
from safebelt.rooms.belt.scanner.shelf import Shelf

if TYPE_CHECKING:
    from safebelt.settings import Settings

WORKER = "safebelt.run.worker"
_NAME = ("safebelt", "serve", "belt")
"""By these words people find the process (`pgrep -f`), as before it was replaced."""
SIGNALS = {"SIGUSR1": Command.CUT, "SIGUSR2": Command.PAUSE}
"""Signals that stop everything, for a person with nothing but a shell: `kill -USR1 <pid>`."""
CAN_HAND_OVER = os.name == "posix"
"""Elsewhere `execv` starts another process beside this one, and ends this one."""
_MALLOC = {"MALLOC_ARENA_MAX": "2"}
"""glibc gives each thread an arena of its own and empties it only where it is full; a worker has one busy thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a worker begins with.

    Attributes:
        settings: Every knob by name, with what follows from them.
        policies: The policies of the folder, by id.
        kept: The versions in force, read and proven.
        usages: What each key has used, by its id.
    """

    settings: Mapping[str, Any]
    policies: Mapping[str, Policy]
    kept: tuple[Policy, ...]
    usages: Mapping[str, Usage]

    def knobs(self) -> "Settings":
        """Return the settings, as far as a worker reads them."""
        return cast("Settings", SimpleNamespace(**self.settings))


def hand_over(prepared: Prepared, *, worker: int, workers: int) -> NoReturn:
    """Put a worker in this process's place."""
    with _nameless() as file:
        pickle.dump(prepared, file)  # read by nobody but the worker: the file has no name
        file.flush()
        os.set_inheritable(file.fileno(), True)
        os.environ.update({name: value for name, value in _MALLOC.items() if name not in os.environ})
        words = [str(file.fileno()), str(worker), str(workers), *_NAME]
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, "-m", WORKER, *words])  # noqa: S606  our own interpreter


def _nameless() -> BinaryIO:
    """Return a file without a name: in memory where the system can, since keys go through it."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("safebelt"), "w+b")
    return cast("BinaryIO", tempfile.TemporaryFile())


def taken(number: int) -> Prepared:
    """Take what was handed over."""
    with os.fdopen(number, "rb") as file:
        file.seek(0)
        prepared: Prepared = pickle.load(file)  # noqa: S301  written by this very process, into a file without a name
    return prepared


def shelf_of(house: House) -> Shelf:
    """Return where compiled words are kept."""
    return Shelf(house.settings.home / "belt" / "compiled", sign=house.sign, open_note=house.open_note)
