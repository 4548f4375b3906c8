"""RFC 6962 Merkle trees as pure functions over leaf hashes."""

from hashlib import sha256


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf (RFC 6962 section 2.1)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two children."""
    return sha256(b"\x01" + left + right).digest()


EMPTY_ROOT = sha256().digest()


class Frontier:
    """The right edge of a growing tree: appends in O(1) amortised, root in O(log n), 32 bytes per level.

    Example:
        >>> tree = Frontier()
        >>> tree.append(leaf_hash(b"a"))
        >>> tree.root() == leaf_hash(b"a")
        True
    """

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes | None] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        level, carry = 0, leaf
        while level < len(self._edge) and (left := self._edge[level]) is not None:
            carry = node_hash(left, carry)
            self._edge[level] = None
            level += 1
        if level == len(self._edge):
            self._edge.append(None)
        self._edge[level] = carry
        self.size += 1

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        root: bytes | None = None
        for node in self._edge:
            if node is not None:
                root = node if root is None else node_hash(node, root)
        return EMPTY_ROOT if root is None else root
