"""Whether the whole log is as it was written: every row, checkpoint, tile and file of the tree, every fault by name.

An `Audit` is fed what was stored, in order, and believes none of it:

    audit = Audit(notes, keys=…, open_note=…, open_cosigned=…)
    for start in range(0, audit.published, …):
        audit.take(examine_rows(…))  # several processes may examine; the audit takes stretches in order
    verification = audit.close(files)
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide.entries import rotation_text
from safebelt.rooms.ledger.decide.steps import parse_checkpoint, text_of
from safebelt.rooms.ledger.decide.stretches import WIDTH, Faults, Files, Stretch, compare, examine_row
from safebelt.rooms.ledger.model import Canonical, Checkpoint, OpenNote, Row, Verification

OpenCosigned = Callable[[str, str], tuple[str, frozenset[str]]]
"""`(verifier key, note)` to the note's text and who signed it; raises a `Problem` where that key did not."""

_HEIGHT = 8
_HASH = merkle.HASH_BYTES
_ONE_DEED = timedelta(minutes=1)
"""How long after the erasing its entry may have been written, in one transaction: older ledgers took two moments."""


class Audit:
    """One reading of the whole log.

    Args:
        notes: Size and note of every stored checkpoint, oldest first.
        keys: Every verifier key that ever signed, oldest first.
        open_note: Opens a note with exactly those keys.
        open_cosigned: Opens a note with the one key given.

    Attributes:
        published: How many entries the newest checkpoint covers.
    """

    def __init__(
        self,
        notes: Sequence[tuple[int, str]],
        *,
        keys: Sequence[str],
        open_note: OpenNote,
        open_cosigned: OpenCosigned,
    ) -> None:
        self._keys, self._open, self._open_cosigned = keys, open_note, open_cosigned
        self._faults, self._bad_tiles = Faults(), set[int]()
        self._notes, self._cosignatures = dict(notes), dict[int, set[str]]()
        self._checkpoints = {size: self._read_checkpoint(size, note) for size, note in notes}
        self._sizes = sorted(self._checkpoints)
        self.published = max(self._sizes, default=0)
        self._frontier, self._nodes, self._next = merkle.Frontier(), bytearray(), self.published
        self._rotations = list[tuple[int, Mapping[str, Any]]]()
        self._erased, self._erasing = list[tuple[str, int | None, datetime]](), dict[str, datetime]()
        self._entries = self._waiting = 0
        self._has_wrong_root = False

    def stops(self, start: int, end: int) -> Sequence[int]:
        """Return the sizes of checkpoints that end in a stretch: beyond `start`, up to `end`."""
        return self._sizes[bisect_right(self._sizes, start) : bisect_right(self._sizes, end)]

    def take(self, stretch: Stretch) -> None:
        """Take what the next stretch came to."""
        self._count(stretch)
        first = stretch.start // WIDTH
        for stop, head in stretch.heads.items():
            self._grow(stretch, stop // WIDTH - first)
            self._check_root(stop, self._frontier.root(head))
        self._grow(stretch, len(stretch.nodes) // _HASH)
        self._nodes += stretch.nodes

    def read_beyond(self, row: Row, canonical: Canonical) -> None:
        """Take a row that no checkpoint covers yet: placed ones in order, then those without a place."""
        stretch = Stretch(start=0, end=0)
        examine_row(stretch, row, canonical)
        self._count(stretch)
        self._waiting += 1
        if row.index is not None:
            if row.index > self._next:
                where = f"index {self._next}" + (f" to {row.index - 1}" if row.index - 1 > self._next else "")
                says = Text(zh="该序号的条目缺失。", en="The entry at this index is missing.")
                self._faults.add("gap", where, says, self._next)
            self._next = row.index + 1

    def read_cosignature(self, size: int, key: str | None, line: str) -> None:
        """Take a witness's cosignature: it fits the checkpoint it was given for, or is a fault.

        Args:
            size: Of which checkpoint.
            key: The witness's verifier key; None where it is not kept.
            line: The signature line.
        """
        where = f"cosignature of checkpoint {size}"
        checkpoint = self._checkpoints.get(size)
        try:
            if key is None or checkpoint is None:
                raise ValueError("there is nothing it belongs to")
            _, keys = self._open_cosigned(key, f"{text_of(checkpoint.note)}\n{line}")
        except (Problem, ValueError):
            keys = frozenset()
        if key not in keys:
            self.fault("cosignature", where, "见证的联署与检查点不符。", "A witness's cosignature does not fit it.")
            return
        self._cosignatures.setdefault(size, set()).add(line)

    def read_published(self, note: str | None) -> None:
        """Take the checkpoint as its public file has it: one of those stored, with cosignatures stored, or a fault."""
        if note is None and self._checkpoints:
            self.fault(
                "checkpoint", "file checkpoint", "公开的检查点文件缺失。", "The public checkpoint file is missing."
            )
        elif note is not None and not self._is_stored(note):
            self.fault(
                "checkpoint",
                "file checkpoint",
                "公开的检查点文件与存储的任何检查点都不相同。",
                "The public checkpoint file is none of the checkpoints stored.",
            )

    def _is_stored(self, note: str) -> bool:
        """Whether a note is a stored checkpoint, followed by stored cosignatures of it."""
        size, base = next(((size, base) for size, base in self._notes.items() if note.startswith(base)), (0, None))
        if base is None:
            return False
        lines = note.removeprefix(base).splitlines(keepends=True)
        return set(lines) <= self._cosignatures.get(size, set())

    def close(self, files: Files) -> Verification:
        """Say what it came to, once every stretch, row and cosignature was taken."""
        self._check_upper(files)
        self._check_erased()
        self._check_keys()
        faults = self._faults
        nothing = not self.published and not faults.named
        return Verification(
            holds=Truth.UNKNOWN if nothing else Truth.of(not faults.named),
            entries=self._entries,
            waiting=self._waiting,
            checkpoints=len(self._checkpoints),
            erased=len(self._erased),
            faults=tuple(faults.named),
            more=faults.more,
        )

    def fault(self, code: str, where: str, zh: str, en: str, index: int | None = None) -> None:
        """Note a fault."""
        self._faults.add(code, where, Text(zh=zh, en=en), index)

    def _count(self, stretch: Stretch) -> None:
        self._faults.extend(stretch.faults)
        self._bad_tiles |= {index - index % WIDTH for index in stretch.faults.bad}
        self._entries += stretch.entries
        self._erased += stretch.erased
        self._erasing |= dict(stretch.erasing)
        self._rotations += stretch.rotations

    def _grow(self, stretch: Stretch, tiles: int) -> None:
        """Add roots of a stretch's tiles, up to the first `tiles` of them."""
        first = stretch.start // WIDTH
        for at in range(self._frontier.size - first, tiles):
            self._frontier.append(stretch.nodes[at * _HASH : (at + 1) * _HASH])

    def _check_root(self, size: int, root: bytes) -> None:
        checkpoint = self._checkpoints[size]
        if checkpoint is None or checkpoint.root == root:
            return
        if not self._has_wrong_root:  # the first says where it went wrong; all later ones follow from it
            earlier = max((s for s, c in self._checkpoints.items() if s < size and c is not None), default=0)
            self.fault(
                "root",
                f"checkpoint {size}",
                f"已签署检查点的根与条目不符：序号 {earlier} 至 {size - 1} 之间有条目被改动。",
                f"The signed root does not fit the entries: one from index {earlier} to {size - 1} was changed.",
            )
        self._has_wrong_root = True

    def _check_erased(self) -> None:
        """Hold every erasing against the entry that remembers it: who erases in silence is named."""
        for entry_id, index, at in self._erased:
            said = self._erasing.get(entry_id)
            if said is None or not timedelta(0) <= said - at <= _ONE_DEED:
                where = entry_id if index is None else f"{entry_id} (index {index})"
                self.fault(
                    "personal",
                    where,
                    "个人信息被标记为已删除，但没有条目记载这次删除。",
                    "Personal data is marked as erased, and no entry remembers that it was.",
                    index,
                )

    def _check_upper(self, files: Files) -> None:
        """Hold the tiles above level 0, and the tree above the tiles' roots, against these."""
        hashes, height, bad = bytes(self._nodes), _HEIGHT, sorted(self._bad_tiles)
        while hashes:
            count = len(hashes) // _HASH
            if height > _HEIGHT:
                found = files.height(height, 0, count)
                compare(self._faults, "tree", height, 0, hashes, found=found, bad=bad)
            for start, width in self._promised(height) if height % _HEIGHT == 0 else ():
                expected = hashes[start * _HASH : (start + width) * _HASH]
                found = files.tile(height // _HEIGHT, start // WIDTH, width)
                compare(self._faults, "tile", height, start, expected, found=found, bad=bad)
            hashes, height = merkle.parents(hashes), height + 1

    def _promised(self, height: int) -> Iterator[tuple[int, int]]:
        """Yield start and width of every tile of a level: full ones, and the last as of every checkpoint."""
        last = (self.published >> height) // WIDTH * WIDTH
        yield from ((start, WIDTH) for start in range(0, last, WIDTH))
        widths = {(size >> height) - last for size in self._sizes if size >> height > last}
        yield from ((last, width) for width in sorted(widths))

    def _read_checkpoint(self, size: int, note: str) -> Checkpoint | None:
        where = f"checkpoint {size}"
        try:
            checkpoint = parse_checkpoint(note)
        except ValueError:
            checkpoint = None
        if checkpoint is None or checkpoint.size != size:
            self.fault(
                "checkpoint", where, "存储的内容不是该大小的检查点。", "What is stored is no checkpoint of this size."
            )
            return None
        return checkpoint

    def _check_keys(self) -> None:
        """Hold every rotation, and every checkpoint's signature by the key in force at its size."""
        in_force = list[tuple[int, str]]()  # (first index it vouches for, key)
        for number, (index, data) in enumerate(self._rotations):
            old, new = data.get("old", ""), data.get("new", "")
            if [old, new] != list(self._keys[number : number + 2]) or not self._is_named(old, new, data):
                self.fault(
                    "rotation",
                    f"index {index}",
                    "密钥轮换未由前一密钥认可，或与保存的密钥不符。",
                    "The rotation is not vouched for by the key before it, or does not fit the keys kept.",
                    index,
                )
            in_force.append((index, new))
        if len(self._keys) != len(self._rotations) + 1:
            self.fault(
                "rotation",
                "keys",
                f"保存了 {len(self._keys)} 个公钥，而账本记有 {len(self._rotations)} 次轮换。",
                f"{len(self._keys)} keys are kept, but the log knows of {len(self._rotations)} rotations.",
            )
        for size, checkpoint in self._checkpoints.items():
            if checkpoint is not None:
                earlier = [key for index, key in in_force if index < size]
                self._check_signature(size, checkpoint, earlier[-1] if earlier else self._keys[0])

    def _is_named(self, old: str, new: str, data: Mapping[str, Any]) -> bool:
        try:
            text, keys = self._open(data.get("note", ""))
        except Problem:
            return False
        return old in keys and text == rotation_text(old, new)

    def _check_signature(self, size: int, checkpoint: Checkpoint, key: str) -> None:
        where = f"checkpoint {size}"
        try:
            text, keys = self._open(checkpoint.note)
        except Problem as problem:
            self.fault("signature", where, problem.what.zh, problem.what.en)
            return
        is_read_whole = text == text_of(checkpoint.note)
        if key not in keys or not is_read_whole or key.split("+", 1)[0] != checkpoint.origin:
            self.fault(
                "signature",
                where,
                "检查点不是由当时有效的密钥签署的。",
                "The checkpoint is not signed by the key that was in force.",
            )
