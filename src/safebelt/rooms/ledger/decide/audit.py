"""Whether the whole log is as it was written: every row, every checkpoint, every tile, every fault by name.

An `Audit` is fed what was stored, in order, and believes none of it:

    audit = Audit(notes, keys=…, open_note=…, open_cosigned=…, canonical=…, files=…)
    for row in rows:
        audit.read(row)
    verification = audit.close()

`files` gives a tile's bytes by its kind, level, index and width, or None where there is no such file.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from safebelt.kernel import merkle
from safebelt.kernel.conditions import Truth
from safebelt.kernel.errors import Problem
from safebelt.kernel.text import Text
from safebelt.rooms.ledger.decide.entries import commitment, parse_body, rotation_text, words
from safebelt.rooms.ledger.decide.steps import parse_checkpoint, text_of
from safebelt.rooms.ledger.model import (
    MAX_FAULTS,
    Canonical,
    Checkpoint,
    Fault,
    KeyRotated,
    OpenNote,
    Row,
    Verification,
)

Files = Callable[[int | str, int, int], Sequence[bytes] | None]
"""`(level or "entries", tile index, width)` to the hashes or entries in that file; None where it is missing."""

OpenCosigned = Callable[[str, str], tuple[str, frozenset[str]]]
"""`(verifier key, note)` to the note's text and who signed it; raises a `Problem` where that key did not."""

_WIDTH = 256
_LOST = bytes(merkle.HASH_BYTES)  # stands for an entry that is not there: no SHA-256 is known to be zero


class Audit:
    """One reading of the whole log.

    Args:
        notes: Size and note of every stored checkpoint, oldest first.
        keys: Every verifier key that ever signed, oldest first.
        open_note: Opens a note with exactly those keys.
        open_cosigned: Opens a note with the one key given.
        canonical: RFC 8785 encoder.
        files: Reads the tiles.
    """

    def __init__(
        self,
        notes: Sequence[tuple[int, str]],
        *,
        keys: Sequence[str],
        open_note: OpenNote,
        open_cosigned: OpenCosigned,
        canonical: Canonical,
        files: Files,
    ) -> None:
        self._keys, self._open, self._canonical, self._files = keys, open_note, canonical, files
        self._open_cosigned = open_cosigned
        self._faults, self._more = list[Fault](), 0
        self._bad = set[int]()
        self._notes, self._cosignatures = dict(notes), dict[int, set[str]]()
        self._checkpoints = {size: self._read_checkpoint(size, note) for size, note in notes}
        self._published = max(self._checkpoints, default=0)
        self._frontier = merkle.Frontier()
        self._tile: list[tuple[bytes, bytes]] = []
        self._upper: list[bytes] = []
        self._rotations = list[tuple[int, Mapping[str, Any]]]()
        self._entries = self._waiting = self._erased = 0
        self._has_wrong_root = False

    def read(self, row: Row) -> None:
        """Take the next row: placed ones in order, then those that wait."""
        body = self._check_row(row)
        if body is not None:
            self._check_personal(row, body)
            if row.kind == KeyRotated.kind and row.index is not None:
                self._rotations.append((row.index, body["data"]))
        if row.index is None:
            self._waiting += 1
            return
        self._close_gap(row.index)
        self._entries += 1
        self._waiting += row.index >= self._published
        self._grow(merkle.leaf_hash(row.body), row.body)

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

    def close(self) -> Verification:
        """Say what it came to."""
        self._close_gap(self._published)
        self._check_upper_tiles()
        self._check_keys()
        nothing = not self._published and not self._faults
        holds = Truth.UNKNOWN if nothing else Truth.of(not self._faults)
        return Verification(
            holds=holds,
            entries=self._entries,
            waiting=self._waiting,
            checkpoints=len(self._checkpoints),
            erased=self._erased,
            faults=tuple(self._faults),
            more=self._more,
        )

    def fault(self, code: str, where: str, zh: str, en: str, index: int | None = None) -> None:
        """Note a fault."""
        if index is not None:
            self._bad.add(index)
        if len(self._faults) < MAX_FAULTS:
            self._faults.append(Fault(code=code, where=where, says=Text(zh=zh, en=en), index=index))
        else:
            self._more += 1

    def _check_row(self, row: Row) -> Mapping[str, Any] | None:
        """Hold a row's columns and leaf against its bytes; return the bytes as read, if they can be."""
        where = row.id if row.index is None else f"{row.id} (index {row.index})"
        if merkle.leaf_hash(row.body) != row.leaf:
            self.fault("leaf", where, "条目内容与其叶哈希不符。", "Its content does not hash to its leaf.", row.index)
        try:
            body = parse_body(row.body)
            is_canonical = self._canonical(body) == row.body
        except (ValueError, Problem):
            body, is_canonical = None, False
        if body is None or not is_canonical:
            self.fault(
                "body", where, "条目内容不是规范的账本条目。", "Its content is not a canonical ledger entry.", row.index
            )
            return None
        stored = {"id": row.id, "actor": row.actor, "kind": row.kind, "subject": row.subject}
        differing = [name for name, value in stored.items() if body[name] != value]
        differing += ["at"] * (body["at"] != row.at.isoformat(timespec="microseconds"))
        differing += ["words"] * (words(body["data"]) != row.words)
        for name in differing:
            self.fault(
                "column",
                where,
                f"列 {name} 与条目内容不一致。",
                f"The column {name} does not agree with its content.",
                row.index,
            )
        return body

    def _check_personal(self, row: Row, body: Mapping[str, Any]) -> None:
        """Hold personal data against the commitment in the leaf; erased data leaves the commitment standing."""
        where = row.id if row.index is None else f"{row.id} (index {row.index})"
        bound = body.get("personal")
        if row.erased_at is not None and bound is not None:
            self._erased += 1
            if row.salt is None and row.personal is None:
                return
            zh, en = "标记为已删除的个人信息仍然存在。", "Personal data marked as erased is still there."
        elif (bound is None) != (not row.has_personal):
            zh, en = (
                "个人信息缺失，或并非由条目所承诺。",
                "Personal data is missing, or the entry does not commit to it.",
            )
        elif bound is None or self._commits(row, bound):
            return
        else:
            zh, en = "个人信息与条目中的承诺不符。", "Personal data does not match the commitment in the entry."
        self.fault("personal", where, zh, en, row.index)

    def _commits(self, row: Row, bound: str) -> bool:
        if row.salt is None or row.personal is None:
            return False
        try:
            return commitment(row.salt, self._canonical(row.personal)) == bound
        except Problem:
            return False

    def _close_gap(self, index: int) -> None:
        """Name every place below `index` where a row should be and is not."""
        while self._frontier.size < index:
            at = self._frontier.size
            self.fault("gap", f"index {at}", "该序号的条目缺失。", "The entry at this index is missing.", at)
            self._grow(_LOST, b"")

    def _grow(self, leaf: bytes, body: bytes) -> None:
        if self._frontier.size < self._published:
            self._tile.append((leaf, body))
        self._frontier.append(leaf)
        size = self._frontier.size
        self._check_root(size)
        if self._tile and (len(self._tile) == _WIDTH or size == self._published):
            self._check_leaf_tile((size - 1) // _WIDTH)

    def _check_root(self, size: int) -> None:
        checkpoint = self._checkpoints.get(size)
        if checkpoint is None or checkpoint.root == self._frontier.root():
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

    def _check_leaf_tile(self, index: int) -> None:
        leaves, bodies = [leaf for leaf, _ in self._tile], [body for _, body in self._tile]
        self._tile = []
        self._compare("tile", 0, index, leaves)
        self._compare("bundle", "entries", index, bodies)
        if len(leaves) == _WIDTH:
            self._upper.append(merkle.root(leaves))

    def _check_upper_tiles(self) -> None:
        level, hashes = 1, self._upper
        while hashes:
            starts = range(0, len(hashes), _WIDTH)
            for start in starts:
                self._compare("tile", level, start // _WIDTH, hashes[start : start + _WIDTH])
            hashes = [merkle.root(hashes[s : s + _WIDTH]) for s in starts if len(hashes) - s >= _WIDTH]
            level += 1

    def _compare(self, code: str, level: int | str, index: int, expected: Sequence[bytes]) -> None:
        """Hold a published file against what the rows say it is."""
        where = f"tile/{level}/{index} (width {len(expected)})"
        found = self._files(level, index, len(expected))
        if found is None:
            self.fault(code, where, "已发布的文件缺失或不可读。", "The published file is missing or cannot be read.")
            return
        if list(found) == list(expected):
            return
        first = index * _WIDTH
        if level not in (0, "entries") or len(found) != len(expected):
            self.fault(code, where, "已发布的文件与条目不符。", "The published file does not fit the entries.")
            return
        differing = [first + i for i, (a, b) in enumerate(zip(found, expected, strict=True)) if a != b]
        for at in (i for i in differing if i not in self._bad):
            self.fault(
                code,
                f"{where}, index {at}",
                f"已发布的文件与序号 {at} 的条目不一致：二者之一被改动。",
                f"The published file and the entry at index {at} differ: one of them was changed.",
                at,
            )

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
