"""The page that says that an order was given, before anybody has read it: 64 bytes shared by file.

Whoever gives an order writes its number there; the first worker that sees a new stop file writes that file's mark.
Every worker looks at both words before it lets anything new in, which needs no call into the system; where it has not
carried out what they say, what is new waits until it has.  So a fleet refuses from the moment of the order, although
the thread that obeys may not have had its turn in each worker yet.
"""

import mmap
from pathlib import Path
from zlib import crc32

_SIZE = 64
_NUMBER, _STOP_FILE = 0, 1


class News:
    """The page at `<home>/belt/news`.

    Args:
        path: Where the page is.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists() or path.stat().st_size != _SIZE:
            path.write_bytes(bytes(_SIZE))
        with path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _SIZE)
        # Words, each read and written at one stroke: `struct` blanks before it writes.
        self._words = memoryview(self._page).cast("Q")
        self._number = self._mark = 0
        self.catch_up(self.said())

    def order(self, number: int) -> None:
        """Say that an order of this number lies in the box."""
        self._words[_NUMBER] = max(self._words[_NUMBER], number)

    def stop_file(self, identity: str) -> None:
        """Say that the stop file is another one now."""
        self._words[_STOP_FILE] = crc32(identity.encode())

    def is_behind(self) -> bool:
        """Whether something was said that this worker has not carried out."""
        return self._words[_NUMBER] != self._number or self._words[_STOP_FILE] != self._mark

    def said(self) -> tuple[int, int]:
        """Return what the page says now."""
        return self._words[_NUMBER], self._words[_STOP_FILE]

    def catch_up(self, said: tuple[int, int]) -> bool:
        """Note that what the page said then was carried out; return whether that is new."""
        was = self._number, self._mark
        self._number, self._mark = said
        return said != was
