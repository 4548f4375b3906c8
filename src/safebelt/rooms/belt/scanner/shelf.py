"""Compiled word lists kept on disk: a belt that starts again need not compile fifty thousand words again.

What is kept decides what a belt finds, so it is taken only under a note that the house itself signed, over the digest
of all it was compiled from and by, and the digest of its bytes.  Anything else is as if it were not there.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import structlog

from safebelt.kernel.errors import Problem

_MOST_KEPT = 24
"""The policies in use and those of the last changes."""
_END_OF_NOTE = b"\0"

_log = structlog.get_logger("safebelt.belt")


class Shelf:
    """Keeps compiled databases by the digest of what they were compiled from.

    Args:
        folder: Where; made when something is first kept.
        sign: Signs a note.
        open_note: Returns the text of a note that the house signed; raises a `Problem` of any other.
    """

    def __init__(self, folder: Path, *, sign: Callable[[str], str], open_note: Callable[[str], str]) -> None:
        self._folder, self._sign, self._open = folder, sign, open_note

    def take(self, origin: str) -> bytes | None:
        """Return what was compiled from an origin, if it is kept and the house vouches for every byte."""
        try:
            note, _, data = (self._folder / f"{origin}.hs").read_bytes().partition(_END_OF_NOTE)
            text = self._open(note.decode())
        except (OSError, UnicodeDecodeError, Problem):
            return None
        return data if text == _vouched(origin, data) else None

    def put(self, origin: str, data: bytes) -> None:
        """Keep what was compiled from an origin; a house that cannot only starts slower, and its log says so."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self._folder / f".{origin}.{os.getpid()}"
            draft.write_bytes(self._sign(_vouched(origin, data)).encode() + _END_OF_NOTE + data)
            draft.replace(self._folder / f"{origin}.hs")
            self._clear()
        except (OSError, Problem) as error:
            _log.warning("belt.compiled_words_not_kept", problem=str(error))

    def _clear(self) -> None:
        """Forget what was kept longest ago."""
        kept = sorted(self._folder.glob("*.hs"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in kept[_MOST_KEPT:]:
            with suppress(FileNotFoundError):
                path.unlink()


def _vouched(origin: str, data: bytes) -> str:
    return f"safebelt compiled words\n{origin}\n{sha256(data).hexdigest()}\n"
