"""RFC 6962 Merkle trees as pure functions over leaf hashes.

A proof needs a few nodes of the tree, never the tree: whoever holds the nodes somewhere else (tiles on
disk) passes a `Node` reader, whoever has the leaves at hand passes them.

    >>> leaves = [leaf_hash(bytes([n])) for n in range(5)]
    >>> proof = inclusion_proof(3, leaves)
    >>> verify_inclusion(3, 5, leaves[3], proof, root(leaves))
    True

The verifiers take nothing on trust: an index out of range, a hash that is not 32 bytes, a proof too long
or too short, or a tree of size 0 (consistency with it says nothing) does not verify.

A *subtree* `[start, end)` is what a tree over those leaves alone would be, where `start` is a multiple of the smallest
power of two not below its size (draft-ietf-plants-merkle-tree-certs, section 4; C2SP mtc-tlog, tlog-witness and
tlog-mirror speak of it).  Proofs that an entry is in one, and that one is part of a tree, are here too; with
`start` 0 they are the proofs of RFC 6962.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32

Node = Callable[[int, int], bytes]
"""`(level, index)` to the hash of the perfect subtree over leaves `[index << level, (index + 1) << level)`."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two children."""
    return sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = sha256().digest()
_PAIRS = struct.Struct("64s")


_LEAF, _NODE = sha256(b"\x00"), sha256(b"\x01")
"""Begun once and copied: OpenSSL looks the algorithm up for each one begun, a tenth of what a short hash costs."""


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hash of every leaf: `leaf_hash` without a call for each, which costs as much as hashing."""
    hashes, begin = list[bytes](), _LEAF.copy
    for entry in entries:
        one = begin()
        one.update(entry)
        hashes.append(one.digest())
    return hashes


def parents(hashes: bytes) -> bytes:
    """Return one level of a tree from the level below, both as hashes one after the other; a last odd one is left out.

    Pairs are cut out by `struct`, which is quicker than slicing.
    """
    above, begin = list[bytes](), _NODE.copy
    for (pair,) in _PAIRS.iter_unpack(hashes[: len(hashes) - len(hashes) % _PAIRS.size]):
        one = begin()
        one.update(pair)
        above.append(one.digest())
    return b"".join(above)


Edge = list[bytes | None]
"""The right edge of a tree: on each level from the leaves up the root of the perfect subtree there, or None."""


class Frontier:
    """The right edge of a growing tree: appends in O(1) amortised, root in O(log n), 32 bytes per level.

    Args:
        size: How many leaves there are already.
        node: Reads their perfect subtrees; needed where there are any.

    Example:
        >>> tree = Frontier()
        >>> tree.append(leaf_hash(b"a"))
        >>> tree.root() == leaf_hash(b"a")
        True
    """

    def __init__(self, size: int = 0, node: Node | None = None) -> None:
        self.size = size
        self.edge: Edge = []
        if node is not None:
            has = (size >> level & 1 for level in range(size.bit_length()))
            self.edge = [node(level, (size >> level) - 1) if bit else None for level, bit in enumerate(has)]

    @classmethod
    def of(cls, edge: Edge) -> "Frontier":
        """Return what goes on from an edge; the edge stays as it is."""
        tree = cls(sum([1 << level for level, node in enumerate(edge) if node is not None]))
        tree.edge = list(edge)
        return tree

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        level, carry = 0, leaf
        while level < len(self.edge) and (left := self.edge[level]) is not None:
            carry = node_hash(left, carry)
            self.edge[level] = None
            level += 1
        if level == len(self.edge):
            self.edge.append(None)
        self.edge[level] = carry
        self.size += 1

    def root(self, tail: bytes | None = None) -> bytes:
        """Return the root over all leaves so far.

        Args:
            tail: Where the leaves are themselves roots of perfect subtrees: the root over what follows the last one,
                fewer leaves than such a subtree has.
        """
        root = tail
        for node in self.edge:
            if node is not None:
                root = node if root is None else node_hash(node, root)
        return EMPTY_ROOT if root is None else root


def peaks(leaves: Iterable[bytes]) -> list[bytes]:
    """Return the roots of the largest perfect subtrees that tile the leaves, left to right."""
    edge: list[tuple[int, bytes]] = []
    for leaf in leaves:
        level, carry = 0, leaf
        while edge and edge[-1][0] == level:
            carry = node_hash(edge.pop()[1], carry)
            level += 1
        edge.append((level, carry))
    return [peak for _, peak in edge]


def fold(subtrees: Sequence[bytes]) -> bytes:
    """Return the root over perfect subtrees of falling size, left to right; no subtrees make the empty root."""
    if not subtrees:
        return EMPTY_ROOT
    result = subtrees[-1]
    for subtree in reversed(subtrees[:-1]):
        result = node_hash(subtree, result)
    return result


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes (RFC 6962 section 2.1)."""
    return fold(peaks(leaves))


def node_reader(leaves: Sequence[bytes]) -> Node:
    """Return a reader of every perfect subtree over leaves held in memory."""
    levels = [list(leaves)]
    while len(below := levels[-1]) > 1:
        levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return lambda level, index: levels[level][index]


def root_at(size: int, node: Node) -> bytes:
    """Return the root over the first `size` leaves."""
    return _range_hash(0, size, node)


def inclusion_path(index: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of one leaf, from its sibling up (RFC 6962 section 2.1.1).

    Raises:
        ValueError: The tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    start, end, path = 0, size, list[bytes]()
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return path[::-1]


def inclusion_proof(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the audit path of one of the leaves; see `inclusion_path`."""
    return inclusion_path(index, len(leaves), node_reader(leaves))


def consistency_path(old: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that the first `old` leaves are a prefix of all `size` (RFC 6962 section 2.1.2).

    Raises:
        ValueError: `old` is zero (nothing to be consistent with) or larger than `size`.
    """
    if not 0 < old <= size:
        raise ValueError(f"no consistency from {old} to {size} leaves")
    start, end, path, is_whole = 0, size, list[bytes](), True
    while end != old:
        middle = start + _left_size(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start, is_whole = middle, False
    if not is_whole:
        path.append(_range_hash(start, end, node))
    return path[::-1]


def consistency_proof(old: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Return the proof that the first `old` leaves are a prefix of all; see `consistency_path`."""
    return consistency_path(old, len(leaves), node_reader(leaves))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Say whether the proof leads from the leaf's hash at `index` to the root of a tree of `size` leaves."""
    if not 0 <= index < size or not _are_hashes(leaf, root, *proof):
        return False
    inner = (index ^ (size - 1)).bit_length()  # levels on which the path has not met the tree's right edge
    if len(proof) != inner + (index >> inner).bit_count():
        return False
    return _climb(leaf, proof, inner, index) == root


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Say whether the tree of `old` leaves is a prefix of the tree of `new` leaves.

    A tree is consistent with itself whatever its root is called: published vectors ask for this, with roots that are
    no hashes.
    """
    if old == new:
        return old > 0 and not proof and old_root == new_root
    if not 0 < old < new or not _are_hashes(old_root, new_root, *proof):
        return False
    shift = (old & -old).bit_length() - 1
    last = (old - 1) >> shift  # the last perfect subtree of the old tree, as a leaf of its level
    is_perfect = old == 1 << shift
    if not is_perfect and not proof:
        return False
    seed, rest = (old_root, proof) if is_perfect else (proof[0], proof[1:])
    inner = (last ^ ((new - 1) >> shift)).bit_length()
    if len(rest) != inner + (last >> inner).bit_count():
        return False
    left_of_old = [node for level, node in enumerate(rest) if level >= inner or last >> level & 1]
    return fold([*left_of_old[::-1], seed]) == old_root and _climb(seed, rest, inner, last) == new_root


def is_subtree(start: int, end: int) -> bool:
    """Say whether `[start, end)` may be a subtree: not empty, and aligned to its own size rounded up (section 4.1)."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def subtree_root(start: int, end: int, node: Node) -> bytes:
    """Return the hash of the subtree `[start, end)`: the root of a tree over those leaves alone.

    Raises:
        ValueError: It is no subtree.
    """
    _hold_subtree(start, end)
    return _range_hash(start, end, node)


def subtree_inclusion_path(index: int, start: int, end: int, node: Node) -> list[bytes]:
    """Return the audit path of the leaf `index` within the subtree `[start, end)` (section 4.3).

    Raises:
        ValueError: It is no subtree, or the leaf is not in it.
    """
    _hold_subtree(start, end)
    if not start <= index < end:
        raise ValueError(f"the subtree [{start}, {end}) has no leaf {index}")
    return inclusion_path(index - start, end - start, lambda level, at: node(level, at + (start >> level)))


def verify_subtree_inclusion(  # noqa: PLR0917  in the order of `verify_inclusion`, with the subtree's bounds for the size
    index: int, start: int, end: int, leaf: bytes, proof: Sequence[bytes], subtree: bytes
) -> bool:
    """Say whether the proof leads from the leaf's hash at `index` to the hash of the subtree `[start, end)`."""
    return is_subtree(start, end) and verify_inclusion(index - start, end - start, leaf, proof, subtree)


def subtree_consistency_path(start: int, end: int, size: int, node: Node) -> list[bytes]:
    """Return the proof that the subtree `[start, end)` is part of the tree of `size` leaves (section 4.4.1).

    Raises:
        ValueError: It is no subtree, or not within the tree.
    """
    _hold_subtree(start, end)
    if end > size:
        raise ValueError(f"the subtree [{start}, {end}) is not within a tree of {size} leaves")
    low, high, path, is_whole = 0, size, list[bytes](), True
    while (low, high) != (start, end):
        middle = low + _left_size(high - low)
        if end <= middle:
            path.append(_range_hash(middle, high, node))
            high = middle
        else:
            path.append(_range_hash(low, middle, node))
            if start < middle:  # the subtree begins at `low` and reaches beyond: what is left of it lies on the right
                is_whole, start = False, middle
            low = middle
    if not is_whole:
        path.append(_range_hash(low, high, node))
    return path[::-1]


def verify_subtree_consistency(  # noqa: PLR0917  in the order of the draft
    start: int, end: int, size: int, proof: Sequence[bytes], subtree: bytes, root: bytes
) -> bool:
    """Say whether the subtree `[start, end)` with this hash is part of the tree of `size` leaves (section 4.4.3)."""
    if not is_subtree(start, end) or end > size or not _are_hashes(subtree, root, *proof):
        return False
    first, last, edge = start, end - 1, size - 1
    while first != last and (last == edge or last & 1):  # up to the node that ends the subtree, or is all of it
        first, last, edge = first >> 1, last >> 1, edge >> 1
    if first != last and not proof:
        return False
    seed, rest = (subtree, proof) if first == last else (proof[0], proof[1:])
    return _joined(first, last, edge, seed, rest) == (subtree, root)


def _joined(first: int, last: int, edge: int, seed: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Hash a node up its path to the subtree it ends and to the whole tree; None where the path has another length.

    Args:
        first: The subtree's first node on the seed's level.
        last: Its last one, which is the seed.
        edge: The tree's last one.
        seed: Hash of the node at `last`.
        path: Siblings from there up.
    """
    subtree = root = seed
    for sibling in path:
        if not edge:
            return None
        if last & 1 or last == edge:
            if first < last:
                subtree = node_hash(sibling, subtree)
            root = node_hash(sibling, root)
            while not last & 1:  # at the tree's edge a node without a sibling is its own parent
                first, last, edge = first >> 1, last >> 1, edge >> 1
        else:
            root = node_hash(root, sibling)
        first, last, edge = first >> 1, last >> 1, edge >> 1
    return None if edge else (subtree, root)


def _hold_subtree(start: int, end: int) -> None:
    if not is_subtree(start, end):
        raise ValueError(f"[{start}, {end}) is no subtree: its start is not aligned to its size, or it is empty")


def _climb(node: bytes, path: Sequence[bytes], inner: int, index: int) -> bytes:
    """Hash a node up its path: `inner` levels as the bits of `index` say, then siblings on the left only."""
    for level, sibling in enumerate(path):
        is_right = level >= inner or index >> level & 1
        node = node_hash(sibling, node) if is_right else node_hash(node, sibling)
    return node


def _range_hash(start: int, end: int, node: Node) -> bytes:
    """Hash leaves `[start, end)`, where `start` is a multiple of the largest power of two within the range."""
    parts = list[bytes]()
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append(node(level, start >> level))
        start += 1 << level
    return fold(parts)


def _left_size(size: int) -> int:
    """Return the largest power of two smaller than `size`, where a tree splits."""
    return 1 << (size - 1).bit_length() - 1


def _are_hashes(*values: bytes) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
