"""How the log's files grow: leaves into every height, and from there into tiles, bundles and partial ones.

What must be on the disk before a checkpoint is signed?  The rows: the database has made them durable before it comes
to that.  *Nothing else*: heights, tiles and bundles follow from the rows.  So they are written without waiting for the
disk, and settled many at a time; `settled` says up to which size they are known to be durable.  Whoever opens the tree
after a crash writes again what lies beyond, once the rows are seen to come to the root that was signed.
"""

import ctypes
import os
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from itertools import islice
from pathlib import Path

from safebelt.kernel import merkle
from safebelt.rooms.ledger.tiles.heights import Heights
from safebelt.rooms.ledger.tiles.static import HEIGHT, WIDTH, Tiles, pack, tile_path, unpack

_BATCH = 4096
"""Entries hashed and written at once.  More gain nothing; at the longest entries these are 256 MB."""

_FEW = 64  # entries: their few files are made durable one by one, more by one call for the whole filesystem


class Tree:
    """The log's tree and its public files, growing at their right edge.

    It holds the unfinished bundle, at most 256 entries; everything else is read back.

    Args:
        tiles: The public folder.
        folder: The private one, with a file for each height.
    """

    def __init__(self, tiles: Tiles, folder: Path) -> None:
        self.tiles, self.heights, self.size = tiles, Heights(folder), 0
        self._bundle = b""
        self._from = 0  # where the batch began that is being written
        self._whole = 0  # up to here this process wrote the files itself, or saw them to be durable
        self._settled = 0
        self._has_leftovers = False  # partial tiles of a size that was never signed may lie about

    def stand(self, size: int) -> bytes:
        """Go back to the tree of `size` leaves, cut off what lies beyond, and return its root.

        Raises:
            Missing: A file is not there, or the files beyond `settled` may not all be: they are to be replayed.
            ValueError: The files at the edge do not agree with each other.
        """
        self._has_leftovers |= self.heights.fit(size)
        self._hold_edge(size)
        self.size, self._whole = size, min(self._whole, size)  # what was cut is not whole until it has grown again
        return self.heights.root(size)

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return self.heights.root(self.size)

    def doubtful(self, size: int) -> int | None:
        """Return the size from which files have to be written again after a crash, or None where all are known whole.

        It is a multiple of a bundle's width.
        """
        if self._whole >= size:
            return None
        if (settled := self._read_settled()) >= size:
            self._whole = size
            return None
        return settled - settled % WIDTH

    def begin(self, size: int) -> None:
        """Go to a size that ends a bundle, to grow from there."""
        self.size, self._bundle = size, b""

    def grow(self, entries: Iterable[tuple[int, bytes]], stops: Set[int], *, is_replay: bool = False) -> None:
        """Add placed entries in order, up to the last of `stops`, and write the unfinished tiles of every one of them.

        Args:
            entries: Places and bytes.
            stops: Sizes of checkpoints: they are promised their partial tiles until these are full.
            is_replay: Whether files that are there already stay as they are: whatever has the right length is left for
                verification to judge, so that nobody's trace is wiped out.

        Raises:
            Missing: The hashes to grow from are not there.
            ValueError: A place is missing.
        """
        start = self.size
        if self._read_settled() > start:  # of a longer log that is no more, or is written again
            self._write_settled(start)
        for batch in _batches(entries, start):
            self._extend(batch, is_replay)
        if self.size != max(stops):
            raise ValueError(f"no entry at index {self.size}")
        self._write_partials(start, stops, is_replay)
        self._whole = self.size

    def settle(self) -> None:
        """Make durable whatever was written, and say so in `settled`."""
        size, start = self.size, self._read_settled()
        if start >= size or self._whole < size:
            return
        if not (size - start > _FEW and _sync_filesystems(self.tiles.folder, self.heights.folder)):
            for path in (*self._paths(start, size), *self.heights.folder.glob("[0-9][0-9]")):
                _sync(path)
        self._write_settled(size)

    @property
    def unsettled(self) -> int:
        """How many entries this process has added that are not known to be durable in their files."""
        return max(0, self.size - self._settled)

    def _hold_edge(self, size: int) -> None:
        """Hold the unfinished tiles and bundle that are published against the heights."""
        for level in range(-(-size.bit_length() // HEIGHT)):
            count = size >> HEIGHT * level
            if width := count % WIDTH:
                published = b"".join(self.tiles.hashes(level, count // WIDTH, width))
                if published != self.heights.slice(HEIGHT * level, count - width, count):
                    raise ValueError("a tile that is none of this tree")
        width = size % WIDTH
        bodies = self.tiles.bodies(size // WIDTH, width) if width else []
        if (bundle := pack(bodies)) == self._bundle and size == self.size:
            return  # hashed when it was written
        leaves = b"".join(merkle.leaf_hashes(bodies))
        if width and leaves != self.heights.slice(0, size - width, size):
            raise ValueError("a bundle that is none of this tree")
        self._bundle = bundle

    def _extend(self, bodies: Sequence[bytes], is_replay: bool) -> None:
        old = self._from = self.size
        self.heights.add(old, merkle.leaf_hashes(bodies))
        self._add_bundles(bodies, is_replay)
        self.size = old + len(bodies)
        for level in range(-(-self.size.bit_length() // HEIGHT)):
            shift = HEIGHT * level
            for index in range((old >> shift) // WIDTH, (self.size >> shift) // WIDTH):
                tile = self.heights.slice(shift, index * WIDTH, (index + 1) * WIDTH)
                self._finish(level, index, tile, is_replay)

    def _add_bundles(self, bodies: Sequence[bytes], is_replay: bool) -> None:
        at, index = 0, self.size // WIDTH
        room = WIDTH - self.size % WIDTH
        while len(bodies) - at >= room:
            self._finish("entries", index, self._bundle + pack(bodies[at : at + room]), is_replay)
            self._bundle, at, index, room = b"", at + room, index + 1, WIDTH
        self._bundle += pack(bodies[at:])

    def _finish(self, level: int | str, index: int, data: bytes, is_replay: bool) -> None:
        self._write(tile_path(level, index), data, is_replay)
        shift = HEIGHT * level if isinstance(level, int) else 0
        if is_replay or self._has_leftovers or index == (self._from >> shift) // WIDTH:
            self.tiles.drop_partials(level, index)

    def _write_partials(self, start: int, stops: Set[int], is_replay: bool) -> None:
        """Write the unfinished tiles as they were at every stop."""
        for level in range(-(-self.size.bit_length() // HEIGHT)):
            shift = HEIGHT * level
            first = (self.size >> shift) // WIDTH * WIDTH
            counts = {stop >> shift for stop in stops if stop >> shift > first}
            if not is_replay:
                counts.discard(start >> shift)  # no hash of this level is new: the file is there
            for count in counts:
                tile = self.heights.slice(shift, first, count)
                self._write(tile_path(level, first // WIDTH, count - first), tile, is_replay)
        first = self.size - self.size % WIDTH
        bodies = unpack(self._bundle) if len(stops) > 1 else []
        for stop in (stop for stop in stops if stop > first):
            bundle = self._bundle if stop == self.size else pack(bodies[: stop - first])
            self._write(tile_path("entries", first // WIDTH, stop - first), bundle, is_replay)

    def _write(self, path: str, data: bytes, is_replay: bool) -> None:
        if is_replay and self.tiles.length(path) == len(data):
            return
        self.tiles.write(path, data)

    def _paths(self, start: int, size: int) -> Iterator[Path]:
        """Yield every file between two sizes, then the folders that name them."""
        folders = {self.tiles.folder, self.heights.folder, self.heights.folder.parent}
        kinds: list[tuple[int | str, int]] = [
            *((level, HEIGHT * level) for level in range(-(-size.bit_length() // HEIGHT))),
            ("entries", 0),
        ]
        for level, shift in kinds:
            for index in range((start >> shift) // WIDTH, (size >> shift) // WIDTH + 1):
                full = self.tiles.folder / tile_path(level, index)
                yield full
                yield from full.with_name(f"{full.name}.p").glob("*")
                folders.update(parent for parent in full.parents if parent.is_relative_to(self.tiles.folder))
                folders.add(full.with_name(f"{full.name}.p"))
        yield from folders

    def _read_settled(self) -> int:
        try:
            text = (self.heights.folder / "settled").read_text("ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            text = ""
        self._settled = int(text) if re.fullmatch(r"[0-9]{20}\n", text, re.ASCII) else 0
        return self._settled

    def _write_settled(self, size: int) -> None:
        """Say up to which size files are durable: 21 bytes in place, which a disk writes as one."""
        file = os.open(self.heights.folder / "settled", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(file, b"%020d\n" % size, 0)
            os.fsync(file)
        finally:
            os.close(file)
        self._settled = size


def _batches(entries: Iterable[tuple[int, bytes]], start: int) -> Iterator[Sequence[bytes]]:
    """Yield entries by the batch, each of which must follow the one before.

    Raises:
        ValueError: A place is missing.
    """
    source, end = iter(entries), start
    while True:
        bodies = list[bytes]()
        for index, body in islice(source, _BATCH):  # one by one: pairs held at once keep the garbage collector busy
            if index != end:
                raise ValueError(f"no entry at index {end}")
            bodies.append(body)
            end += 1
        if not bodies:
            return
        yield bodies


def _sync(path: Path) -> None:
    """Make a file, or a folder's names, durable; what is gone by now was overtaken by another."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _sync_filesystems(*folders: Path) -> bool:
    """Make everything on the folders' filesystems durable; say whether the system can (Linux: syncfs(2))."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if call is None:
        return False
    for folder in folders:
        file = os.open(folder, os.O_RDONLY)
        try:
            if call(file):
                raise OSError(ctypes.get_errno(), "syncfs")
        finally:
            os.close(file)
    return True
