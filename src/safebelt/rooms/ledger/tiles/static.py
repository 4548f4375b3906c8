"""The log as static files: C2SP tlog-tiles under one folder, each written whole or not at all.

Tiles follow from the rows, so a lost folder is written again from them; a folder that *disagrees* is not, for that
would wipe out the trace of whoever changed it.
"""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from safebelt.kernel import merkle

_TO_WRITE, _FOR_ALL = os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644
WIDTH = 256
"""Hashes in a full tile (c2sp.org/tlog-tiles, "Merkle Tree")."""

HEIGHT = 8
"""Levels of the tree in one tile: 2^8 = WIDTH."""
_PATH = re.compile(
    r"tile/(?:entries|[0-9]|[1-5][0-9]|6[0-3])/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/(?:[1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
)


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """Return a tile's path under the log's prefix, for example `tile/0/x001/x234/067.p/5`.

    Args:
        level: Level of the tile, or `entries` for the bundle beside level 0.
        index: Index of the tile within its level.
        width: Hashes in it; below 256 it is partial.
    """
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == WIDTH else f".p/{width}")


class _Lengths(dict[int, bytes]):
    """Lengths as two big-endian bytes, each worked out once: a batch asks for tens of thousands of a few hundred."""

    def __missing__(self, length: int) -> bytes:
        written = self[length] = length.to_bytes(2, "big")
        return written


_LENGTHS = _Lengths()


def pack(bodies: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as two big-endian bytes.

    Raises:
        OverflowError: An entry is longer than two bytes can say.
    """
    parts = [b""] * (2 * len(bodies))
    parts[::2] = map(_LENGTHS.__getitem__, map(len, bodies))
    parts[1::2] = bodies
    return b"".join(parts)


def unpack(bundle: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        ValueError: It ends in the middle of an entry.
    """
    bodies, at = list[bytes](), 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2])
        body = bundle[at + 2 : at + 2 + length]
        if at + 2 > len(bundle) or len(body) != length:
            raise ValueError("an entry bundle that breaks off")
        bodies.append(body)
        at += 2 + length
    return bodies


def split(hashes: bytes) -> list[bytes]:
    """Return the hashes of a tile."""
    return [hashes[i : i + merkle.HASH_BYTES] for i in range(0, len(hashes), merkle.HASH_BYTES)]


class Missing(Exception):  # noqa: N818  it says what is missing, and is caught inside the room
    """A file of the log is not there."""


class Reader(ABC):
    """Hashes and entries out of tiles and bundles, wherever these are."""

    @abstractmethod
    def read(self, path: str) -> bytes:
        """Return a tile or bundle by its path under the prefix; raises `Missing` where it is not there."""

    def hashes(self, level: int, index: int, width: int) -> list[bytes]:
        """Return the first `width` hashes of a tile, from the partial or the full file.

        Raises:
            Missing: Neither is there.
            ValueError: The file does not hold as many hashes as its name says.
        """
        data, holds = self.wide(level, index, width)
        if len(data) != holds * merkle.HASH_BYTES:
            raise ValueError("a tile of the wrong length")
        return split(data)[:width]

    def bodies(self, index: int, width: int) -> list[bytes]:
        """Return the first `width` entries of a bundle.

        Raises:
            Missing: It is not there.
            ValueError: It does not hold as many entries as its name says.
        """
        data, holds = self.wide("entries", index, width)
        bodies = unpack(data)
        if len(bodies) != holds:
            raise ValueError("an entry bundle of the wrong length")
        return bodies[:width]

    def nodes(self, size: int) -> merkle.Node:
        """Return a reader of the perfect subtrees of the first `size` leaves.

        The reader raises `Missing` where a tile is not there, ValueError where it has the wrong length.
        """

        @lru_cache(maxsize=64)
        def tile(level: int, index: int) -> list[bytes]:
            return self.hashes(level, index, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))

        def node(level: int, index: int) -> bytes:
            row, height = divmod(level, HEIGHT)
            start = index << height
            hashes = tile(row, start // WIDTH)[start % WIDTH : start % WIDTH + (1 << height)]
            return merkle.root(hashes)

        return node

    def wide(self, level: int | str, index: int, width: int) -> tuple[bytes, int]:
        """Return a file and the width its name promises: the partial one, or the full one that overtook it.

        Raises:
            Missing: Neither is there.
        """
        try:
            return self.read(tile_path(level, index, width)), width
        except Missing:
            return self.read(tile_path(level, index)), WIDTH


class Tiles(Reader):
    """The folder of a log.

    Args:
        folder: Where `checkpoint` and `tile/` are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, path: str) -> bytes:
        """Return a tile or bundle by its path under the prefix.

        Raises:
            Missing: There is no such file, or the path is not that of a tile.
        """
        if not _PATH.fullmatch(path):
            raise Missing(path)
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Missing(path) from error

    def public(self, path: str) -> bytes:
        """Return `checkpoint`, or a tile or bundle, exactly as it is published.

        Raises:
            Missing: There is no such file.
        """
        if path != "checkpoint":
            return self.read(path)
        if (note := self.checkpoint()) is None:
            raise Missing(path)
        return note.encode("utf-8", errors="surrogateescape")

    def write(self, path: str, data: bytes, *, is_durable: bool = False) -> None:
        """Write a file whole, or not at all.

        Args:
            path: Where, under the folder.
            data: What.
            is_durable: Whether to wait for the disk: what follows from the rows need not.
        """
        place, _, name = f"{self.folder}/{path}".rpartition("/")  # a batch writes hundreds: paths as objects would show
        target, draft = f"{place}/{name}", f"{place}/.{name}.new"
        try:
            file = os.open(draft, _TO_WRITE, _FOR_ALL)
        except FileNotFoundError:
            Path(place).mkdir(parents=True, exist_ok=True)
            file = os.open(draft, _TO_WRITE, _FOR_ALL)
        try:
            os.fchmod(file, _FOR_ALL)  # whatever the umask: a web server may serve the folder itself
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
            if is_durable:
                os.fsync(file)
        finally:
            os.close(file)
        os.replace(draft, target)  # noqa: PTH105  as above

    def length(self, path: str) -> int | None:
        """Return how many bytes a file has, or None where it is not there."""
        try:
            return (self.folder / path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def checkpoint(self) -> str | None:
        """Return the published checkpoint as the file has it, or None."""
        try:
            return (self.folder / "checkpoint").read_text("utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return None

    def drop_partials(self, level: int | str, index: int) -> None:
        """Remove the partial tiles that a full one has overtaken, as the specification allows."""
        folder = self.folder / f"{tile_path(level, index)}.p"
        try:
            files = list(folder.iterdir())
        except FileNotFoundError:
            return
        for file in files:
            file.unlink(missing_ok=True)
        folder.rmdir()
