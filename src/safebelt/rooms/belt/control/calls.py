"""Calls that wait for a person, on disk: the traffic side and the console meet here, as they do over orders.

Folder `<home>/belt/calls/`, for each call:

* `<id>.held`    what waits, written by the belt
* `<id>.answer`  the answer; whoever writes it first, a person or the belt at the end of the wait, has answered
* `<id>.acted`   when the belt acted on the answer; then the ledger's job may take all three away
"""

import contextlib
import os
import re
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from safebelt.rooms.belt.model import Answer, Held

_T = TypeVar("_T")
_ID = re.compile(r"apr_[0-9A-Za-z]{1,60}", re.ASCII)
"""An id becomes the name of a file: nothing else may."""


class CallBox:
    """The folder of held calls.

    Args:
        folder: `<home>/belt/calls`; made on first use, mode 0700.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def hold(self, held: Held) -> None:
        """Put a call before people.

        Raises:
            OSError: It cannot be written; then nobody can answer, and the call must not go on.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = self._at(held.id, "new")
        _write(temporary, msgspec.json.encode(held))
        temporary.replace(self._at(held.id, "held"))

    def answer(self, id_: str, answer: Answer) -> bool:
        """Answer a call, once: durable on return.

        Returns:
            Whether this is the answer; False where another came first, or nothing of this id waits.
        """
        if not _ID.fullmatch(id_) or not self._at(id_, "held").exists():
            return False
        temporary = self._at(id_, f"{os.getpid()}-{answer.answered.value}-{id(answer)}.new")
        _write(temporary, msgspec.json.encode(answer))
        try:
            os.link(temporary, self._at(id_, "answer"))  # fails where there is one: no two can both be first
        except FileExistsError:
            return False
        finally:
            temporary.unlink(missing_ok=True)
        return True

    def held(self, id_: str) -> Held | None:
        """Return a call; None where none of this id is here."""
        return self._read(id_, "held", Held)

    def answered(self, id_: str) -> Answer | None:
        """Return the answer to a call, once there is one."""
        return self._read(id_, "answer", Answer)

    def act(self, id_: str, at: datetime) -> None:
        """Note that the belt acted on the answer."""
        with contextlib.suppress(OSError):  # only a note: without it the files stay a minute longer
            self._at(id_, "acted").write_text(at.isoformat(), encoding="ascii")

    def acted(self, id_: str) -> datetime | None:
        """Return when the belt acted on the answer."""
        try:
            return datetime.fromisoformat(self._at(id_, "acted").read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def all(self) -> list[Held]:
        """Return every call that is here, answered or not, oldest first."""
        ids = sorted(path.stem for path in self._folder.glob("*.held")) if self._folder.is_dir() else []
        return [held for id_ in ids if (held := self.held(id_))]

    def forget(self, id_: str) -> None:
        """Take a call away once the ledger has it; the call first, so that nothing waits without an answer."""
        for kind in ("held", "answer", "acted"):
            self._at(id_, kind).unlink(missing_ok=True)

    def _at(self, id_: str, kind: str) -> Path:
        return self._folder / f"{id_}.{kind}"

    def _read(self, id_: str, kind: str, type_: type[_T]) -> _T | None:
        if not _ID.fullmatch(id_):
            return None
        try:
            return msgspec.json.decode(self._at(id_, kind).read_bytes(), type=type_)
        except (OSError, msgspec.DecodeError):
            return None


def _write(path: Path, data: bytes) -> None:
    """Write a file that is on disk on return; another name makes it whole to readers."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
