"""Every hash of the tree, in one flat file for each height: hash `i` of a height lies at `32 * i`.

Proofs come from here: a hash is a slice of a mapped file, where a tile would have to be opened, and eight heights of it
hashed.  The files are the house's own and follow from the rows.  **Nothing here is believed**: whoever takes hashes to
sign or to prove holds the root they lead to against the one that was signed.
"""

import mmap
import os
from collections.abc import Sequence
from pathlib import Path

from safebelt.kernel import merkle
from safebelt.rooms.ledger.tiles.static import Missing

_HASH = merkle.HASH_BYTES
_MAX_EDGES = 64  # sizes whose edge is remembered: proofs are asked for of a few checkpoints at a time


class Heights:
    """The flat files.

    One process at a time writes (the ledger's exclusive section), any number read, and no reader looks beyond the size
    it was told: what lies there is of a checkpoint still to be signed, or what a crash left.

    Args:
        folder: Where the files are: `00` holds the leaves' hashes, `01` their parents, and so on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._maps = dict[int, mmap.mmap]()
        self._edges = dict[int, list[bytes]]()
        self._ready: tuple[int, Sequence[mmap.mmap], Sequence[bytes]] = (0, (), ())

    def path(self, level: int) -> Path:
        """Return the file of a height."""
        return self.folder / f"{level:02d}"

    def fit(self, size: int) -> bool:
        """Hold that the files have the hashes of `size` leaves; cut off what a crash left beyond, and say so.

        Raises:
            Missing: A file is not there, or too short.
        """
        level, was_cut = 0, False
        while True:
            needed, path = (size >> level) * _HASH, self.path(level)
            try:
                has = path.stat().st_size
            except FileNotFoundError:
                has = -1
            if has < needed:
                if needed:
                    raise Missing(path.name)
                return was_cut
            if has > needed:
                os.truncate(path, needed)
                was_cut = True
            level += 1

    def hold(self, size: int) -> None:
        """Hold that the files still have the hashes of `size` leaves, before their maps are read.

        Reading a map beyond the end of its file ends the process; the house never shortens a file below what was
        signed, but others may.

        Raises:
            Missing: A file is not there, or too short.
        """
        for level in range(size.bit_length()):
            if self._map(level, size >> level).size() < (size >> level) * _HASH:
                self.forget()
                self._map(level, size >> level)

    def forget(self) -> None:
        """Let go of every map and what was remembered: the files may be others now."""
        self._maps, self._edges, self._ready = {}, {}, (0, (), ())

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of the perfect subtree over leaves `[index << level, (index + 1) << level)`.

        Raises:
            Missing: It is not there.
        """
        at = index * _HASH
        return self._map(level, index + 1)[at : at + _HASH]

    def slice(self, level: int, start: int, end: int) -> bytes:
        """Return hashes `[start, end)` of a height, one after the other.

        Raises:
            Missing: They are not all there.
        """
        return self._map(level, end)[start * _HASH : end * _HASH]

    def root(self, size: int) -> bytes:
        """Return the root over the first `size` leaves; raises `Missing` where a hash is not there."""
        return self._edge(size)[-1] if size else merkle.EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """Return the audit path of one leaf in the tree of `size` leaves: what `merkle.inclusion_path` returns.

        Raises:
            ValueError: The tree has no such leaf.
            Missing: A hash is not there.
        """
        if not 0 <= index < size:
            raise ValueError(f"a tree of {size} leaves has no leaf {index}")
        known, maps, edge = self._ready
        if known != size:
            maps, edge = self._make_ready(size)
        inner = (index ^ (size - 1)).bit_length()  # levels on which the path has not met the tree's right edge
        path, node = list[bytes](), index
        for level in maps[: inner - 1] if inner else ():
            at = (node ^ 1) * _HASH
            path.append(level[at : at + _HASH])
            node >>= 1
        if inner:
            path.append(edge[inner - 1])  # the one sibling that holds the last leaf, perfect or not
        node = index >> inner
        for level in maps[inner:]:
            if node & 1:
                at = (node ^ 1) * _HASH
                path.append(level[at : at + _HASH])
            node >>= 1
        return path

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Return the proof that the first `old` leaves are a prefix of `size`: see `merkle.consistency_path`."""
        return merkle.consistency_path(old, size, self.node)

    def add(self, size: int, leaves: Sequence[bytes]) -> None:
        """Write the hashes of leaves from `size` on, and every node that they complete.

        Raises:
            Missing: The hashes below `size` are not all there.
        """
        self._edges, self._ready = {}, (0, (), ())
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        level, count, new = 0, size, b"".join(leaves)
        while new:
            left = self.node(level, count - 1) if count & 1 else b""
            self._write(level, count, new)
            new, count, level = merkle.parents(left + new if left else new), count >> 1, level + 1

    def _write(self, level: int, count: int, hashes: bytes) -> None:
        file = os.open(self.path(level), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            at = count * _HASH
            if os.fstat(file).st_size < at:  # never a hole: it would read as hashes
                raise Missing(self.path(level).name)
            view = memoryview(hashes)
            while view:
                written = os.pwrite(file, view, at)
                view, at = view[written:], at + written
        finally:
            os.close(file)

    def _edge(self, size: int) -> list[bytes]:
        """Return the hash of the last node of every level, perfect or not; the root is the last."""
        if (known := self._edges.get(size)) is not None:
            return known
        edge, at = [self.node(0, size - 1)], size - 1
        for level in range(at.bit_length()):
            edge.append(merkle.node_hash(self.node(level, at - 1), edge[-1]) if at & 1 else edge[-1])
            at >>= 1
        if len(self._edges) >= _MAX_EDGES:
            self._edges = {}
        self._edges[size] = edge
        return edge

    def _make_ready(self, size: int) -> tuple[Sequence[mmap.mmap], Sequence[bytes]]:
        """Look up once what every proof in a tree of this size needs."""
        maps = [self._map(level, size >> level) for level in range(size.bit_length())]
        self._ready = size, maps, self._edge(size)
        return maps, self._ready[2]

    def _map(self, level: int, count: int) -> mmap.mmap:
        """Return the map of a file that has at least `count` hashes."""
        held = self._maps.get(level)
        if held is None or len(held) < count * _HASH:
            held = self._maps[level] = self._opened(level, count)
        return held

    def _opened(self, level: int, count: int) -> mmap.mmap:
        try:
            with self.path(level).open("rb") as file:
                held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (FileNotFoundError, ValueError) as error:  # an empty file cannot be mapped
            raise Missing(self.path(level).name) from error
        if len(held) < count * _HASH:
            raise Missing(self.path(level).name)
        return held
