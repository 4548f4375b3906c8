"""The log as static files: C2SP tlog-tiles under one folder, each written whole or not at all.

Tiles follow from the rows, so a lost folder is rebuilt from them; a folder that *disagrees* is not, for that
would wipe out the trace of whoever changed it.
"""

import os
import re
import struct
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence, Set
from functools import lru_cache
from pathlib import Path

from safebelt.kernel import merkle

WIDTH = 256
"""Hashes in a full tile (c2sp.org/tlog-tiles, "Merkle Tree")."""

_HEIGHT = 8  # 2^8 = WIDTH: levels of the tree in one tile
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


def pack(bodies: Sequence[bytes]) -> bytes:
    """Return an entry bundle: each entry after its length as two big-endian bytes."""
    return b"".join(struct.pack(">H", len(body)) + body for body in bodies)


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
        data, holds = self._wide(level, index, width)
        if len(data) != holds * merkle.HASH_BYTES:
            raise ValueError("a tile of the wrong length")
        return split(data)[:width]

    def bodies(self, index: int, width: int) -> list[bytes]:
        """Return the first `width` entries of a bundle.

        Raises:
            Missing: It is not there.
            ValueError: It does not hold as many entries as its name says.
        """
        data, holds = self._wide("entries", index, width)
        bodies = unpack(data)
        if len(bodies) != holds:
            raise ValueError("an entry bundle of the wrong length")
        return bodies[:width]

    def content(self, level: int | str, index: int, width: int) -> Sequence[bytes] | None:
        """Return the hashes of a tile or the entries of a bundle; None where the file is missing or malformed."""
        try:
            return self.hashes(level, index, width) if isinstance(level, int) else self.bodies(index, width)
        except (Missing, ValueError):
            return None

    def nodes(self, size: int) -> merkle.Node:
        """Return a reader of the perfect subtrees of the first `size` leaves.

        The reader raises `Missing` where a tile is not there, ValueError where it has the wrong length.
        """

        @lru_cache(maxsize=64)
        def tile(level: int, index: int) -> list[bytes]:
            return self.hashes(level, index, min(WIDTH, (size >> _HEIGHT * level) - index * WIDTH))

        def node(level: int, index: int) -> bytes:
            row, height = divmod(level, _HEIGHT)
            start = index << height
            hashes = tile(row, start // WIDTH)[start % WIDTH : start % WIDTH + (1 << height)]
            return merkle.root(hashes)

        return node

    def _wide(self, level: int | str, index: int, width: int) -> tuple[bytes, int]:
        """Return a file and the width its name promises: the partial one, or the full one that overtook it."""
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

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole and durably, or not at all."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", dir=target.parent)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fchmod(file.fileno(), 0o644)  # the log is public; a web server may serve the folder itself
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def checkpoint(self) -> str | None:
        """Return the published checkpoint as the file has it, or None."""
        try:
            return (self.folder / "checkpoint").read_text("utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return None

    def drop_partials(self, level: int | str, index: int) -> None:
        """Remove the partial tiles that a full one has overtaken, as the specification allows."""
        folder = self.folder / f"{tile_path(level, index)}.p"
        if folder.is_dir():
            for file in folder.iterdir():
                file.unlink(missing_ok=True)
            folder.rmdir()


class Edge:
    """The right edge of the tree: what must be known to append, and to know the root.

    It holds the unfinished tile of every level, at most 8 KiB each.

    Args:
        tiles: The folder finished tiles are written to.
        size: How many leaves the folder already holds.
    """

    def __init__(self, tiles: Tiles, size: int = 0) -> None:
        self._tiles, self.size = tiles, size
        self._levels: list[list[bytes]] = []
        self._bodies: list[bytes] = []
        for level in range(-(-size.bit_length() // _HEIGHT)):
            count = size >> _HEIGHT * level
            width = count % WIDTH
            self._levels.append(tiles.hashes(level, count // WIDTH, width) if width else [])
        if size % WIDTH:
            self._bodies = tiles.bodies(size // WIDTH, size % WIDTH)

    @property
    def is_whole(self) -> bool:
        """Whether the entries at the edge are those the hashes at the edge were made from."""
        return [merkle.leaf_hash(body) for body in self._bodies] == (self._levels[0] if self._levels else [])

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return merkle.fold([peak for level in reversed(self._levels) for peak in merkle.peaks(level)])

    def append(self, body: bytes) -> None:
        """Add an entry; a tile that becomes full is written."""
        self._bodies.append(body)
        self._push(0, merkle.leaf_hash(body))
        if len(self._bodies) == WIDTH:
            self._finish("entries", self.size // WIDTH, pack(self._bodies))
            self._bodies = []
        self.size += 1

    def extend(self, bodies: Iterable[tuple[int, bytes]], stops: Set[int]) -> None:
        """Add placed entries in order, and write the unfinished tiles at every size in `stops`.

        Raises:
            ValueError: A place is missing.
        """
        for index, body in bodies:
            if index != self.size:
                raise ValueError(f"no entry at index {self.size}")
            self.append(body)
            if self.size in stops:
                self.flush()
        if self.size != max(stops):
            raise ValueError(f"no entry at index {self.size}")

    def flush(self) -> None:
        """Write the unfinished tiles as partial ones: they belong to the checkpoint about to be signed."""
        for level, hashes in enumerate(self._levels):
            if hashes:
                index = (self.size >> _HEIGHT * level) // WIDTH
                self._tiles.write(tile_path(level, index, len(hashes)), b"".join(hashes))
        if self._bodies:
            self._tiles.write(tile_path("entries", self.size // WIDTH, len(self._bodies)), pack(self._bodies))

    def _push(self, level: int, hashed: bytes) -> None:
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(hashed)
        if len(self._levels[level]) == WIDTH:
            full, self._levels[level] = self._levels[level], []
            self._finish(level, (self.size >> _HEIGHT * level) // WIDTH, b"".join(full))
            self._push(level + 1, merkle.root(full))

    def _finish(self, level: int | str, index: int, data: bytes) -> None:
        self._tiles.write(tile_path(level, index), data)
        self._tiles.drop_partials(level, index)
