"""The file of signed heads, being written."""

from pathlib import Path

from safebelt.rooms.belt.records.disk import FIRST, AppendFile, heads_name
from safebelt.rooms.belt.records.head import Sign, line_of, text_of


class HeadLog:
    """Appends signed heads, numbered without gaps.

    Attributes:
        count: Number of the last durable head; recovery sets it.
    """

    def __init__(self, folder: Path, *, log_origin: str, sign: Sign, log: str = FIRST) -> None:
        self._path = folder / heads_name(log)
        self._file: AppendFile | None = None
        self._origin, self._sign = log_origin, sign
        self.count = 0

    def append(self, segment: str, size: int, root: bytes) -> None:
        """Sign a head and make it durable.

        Raises:
            OSError: The disk refuses; call `repair` before the next append.
            Problem: The key cannot sign.
        """
        if self._file is None:
            self._file = AppendFile(self._path)
        note = self._sign(text_of(self._origin, segment, size, root))
        self._file.append(line_of(self.count + 1, note))
        self.count += 1

    def repair(self) -> None:
        """Cut off what a failed append left.

        Raises:
            OSError: The disk still refuses.
        """
        if self._file is not None:
            self._file.repair()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
