"""ZIP packages: some members replaced or added, all others copied as they lie, in their order.

Source: PKWARE APPNOTE 6.3.10: 4.3.7 (local header), 4.3.9 (data descriptor), 4.3.12 (central directory), 4.3.14 to
4.3.16 (ends, ZIP64), 4.5.3 (ZIP64 extra field).
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import MAX_METADATA_BYTES, Broken, Buffer, Edit, Span, Unwritable, joined

MAX_MEMBERS = 1_000_000
"""Members of a package that is looked into; an office file has tens to thousands."""
_LOCAL, _CENTRAL, _END, _END64, _LOCATOR = b"PK\3\4", b"PK\1\2", b"PK\5\6", b"PK\6\6", b"PK\6\7"
_FULL16, _FULL32 = 0xFFFF, 0xFFFF_FFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _DESCRIBED, _UTF8 = 0x0001, 0x0008, 0x0800
_ENTRY = struct.Struct("<4s6H3I5H2I")
_HEADER = struct.Struct("<4s5H3I2H")
_EPOCH = 0x0021
"""1 January 1980, the first day of the format: what is added says nothing about when."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member as the central directory lists it.

    Attributes:
        name: Its name.
        flags: General purpose flags.
        method: How it is compressed.
        crc: Checksum of its content.
        packed: Bytes it takes.
        size: Bytes of its content.
        offset: Where its local header starts.
        entry: Where its entry in the directory starts.
        entry_end: Where that ends.
        offset64: Where the entry says its offset in 64 bits, or 0.
    """

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    entry: int
    entry_end: int
    offset64: int = 0


class Archive:
    """A package.

    Args:
        data: The file.

    Attributes:
        members: What is in it, by name in lower case; OPC and most readers do not tell cases apart.

    Raises:
        Broken: It is no package, or not whole.
    """

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._end = _find_end(data)
        self._end64, count, size, self._directory = self._ends()
        if self._directory + size > self._end or count > MAX_MEMBERS:
            raise Broken("a ZIP whose directory does not lie before its end")
        self._listed = list(self._entries(count, self._directory + size))
        self.members = {member.name.lower(): member for member in reversed(self._listed)}
        if len(self.members) != len(self._listed):
            raise Broken("a ZIP with two members of one name")

    def content(self, name: str) -> bytes | None:
        """Return a member's content, or None where there is none of the name.

        Raises:
            Broken: It is damaged, or larger than is looked into.
            Unwritable: It is encrypted.
        """
        member = self.members.get(name.lower())
        if member is None:
            return None
        if member.flags & _ENCRYPTED:
            raise Unwritable(
                Text(
                    zh="该文件已加密；请先另存为不加密的文件。",
                    en="This file is encrypted; save it without encryption first.",
                )
            )
        start = self._content_start(member)
        if member.size > MAX_METADATA_BYTES or start + member.packed > self._directory:
            raise Broken("a ZIP member that is larger than is looked into, or ends beyond the members")
        raw = self._data[start : start + member.packed]
        content = raw if member.method == _STORED else _inflated(raw, member)
        if len(content) != member.size or zlib.crc32(content) != member.crc:
            raise Broken("a ZIP member that is not what its directory says")
        return content

    def at(self, name: str) -> int | None:
        """Return where a member starts, where it is stored as it is."""
        member = self.members.get(name.lower())
        return None if member is None else member.offset

    def rewritten(self, contents: Mapping[str, bytes]) -> Edit:
        """Return the edit that gives members other contents; names that are new are added behind all others.

        Raises:
            Broken: Members overlap.
            Unwritable: The result would need ZIP64 where the file has none.
        """
        changed = {name.lower(): content for name, content in contents.items() if self.content(name) != content}
        pieces, at, moved = list[bytes | Span](), 0, dict[str, tuple[int, bytes]]()
        ordered = sorted(self._listed, key=lambda member: member.offset)
        ends = [*(member.offset for member in ordered[1:]), self._directory]
        pieces.append(Span(0, ordered[0].offset if ordered else self._directory))
        at = ordered[0].offset if ordered else self._directory
        for member, end in zip(ordered, ends, strict=True):
            if self._content_start(member) + member.packed > end:
                raise Broken("a ZIP whose members overlap")
            content = changed.get(member.name.lower())
            record = None if content is None else self._record(member, content)
            moved[member.name.lower()] = at, b"" if record is None else record[1]
            pieces.append(Span(member.offset, end) if record is None else record[0])
            at += end - member.offset if record is None else len(record[0])
        entries = [self._moved(member, *moved[member.name.lower()]) for member in self._listed]
        for name, content in contents.items():
            if name.lower() not in self.members:
                local, entry = _new(name, content, at)
                pieces.append(local)
                entries.append(entry)
                at += len(local)
        return joined([*pieces, b"".join(entries), self._closing(len(entries), sum(map(len, entries)), at)])

    def _ends(self) -> tuple[int, int, int, int]:
        """Return where the ZIP64 end is (or 0), and number, size and start of the directory's entries."""
        count, size, start = struct.unpack_from("<10xHII", self._data, self._end)
        locator = self._end - 20
        if locator < 0 or self._data[locator : locator + 4] != _LOCATOR:
            return 0, count, size, start
        (at,) = struct.unpack_from("<8xQ", self._data, locator)
        if at + 56 > locator or self._data[at : at + 4] != _END64:
            raise Broken("a ZIP64 whose end is not where it says")
        count, size, start = struct.unpack_from("<32xQQQ", self._data, at)
        return at, count, size, start

    def _entries(self, count: int, end: int) -> Iterator[Member]:
        at = self._directory
        for _number in range(count):
            if at + _ENTRY.size > end or self._data[at : at + 4] != _CENTRAL:
                raise Broken("a ZIP whose directory is cut off")
            member = self._entry(at)
            at = member.entry_end
            if at > end or member.offset >= self._directory:
                raise Broken("a ZIP whose directory points outside it")
            yield member

    def _entry(self, at: int) -> Member:
        fields = _ENTRY.unpack_from(self._data, at)
        _sig, _made, _needed, flags, method, _time, _date, crc, packed, size, named, extra, comment = fields[:13]
        offset, start = fields[16], at + _ENTRY.size
        raw, end = self._data[start : start + named], start + named + extra
        if end + comment > self._end:
            raise Broken("a ZIP whose directory is cut off")
        packed, size, offset, offset64 = self._wide(start + named, end, packed, size, offset)
        name = raw.decode("utf-8" if flags & _UTF8 else "cp437", errors="replace")
        return Member(name, flags, method, crc, packed, size, offset, at, end + comment, offset64)

    def _wide(self, at: int, end: int, packed: int, size: int, offset: int) -> tuple[int, int, int, int]:
        """Read the sizes and the offset that stand in a ZIP64 extra field (4.5.3: only those that are full)."""
        while at + 4 <= end:
            kind, length = struct.unpack_from("<HH", self._data, at)
            if kind == 1:
                values, place = list[int](), at + 4
                for value in (size, packed, offset):
                    wide = value == _FULL32 and place + 8 <= at + 4 + length <= end
                    values.append(struct.unpack_from("<Q", self._data, place)[0] if wide else value)
                    place += 8 if wide else 0
                return values[1], values[0], values[2], place - 8 if offset == _FULL32 else 0
            at += 4 + length
        return packed, size, offset, 0

    def _content_start(self, member: Member) -> int:
        at = member.offset
        if at + _HEADER.size > self._directory or self._data[at : at + 4] != _LOCAL:
            raise Broken("a ZIP member that is not where its directory says")
        named, extra = struct.unpack_from("<HH", self._data, at + 26)
        return int(at + _HEADER.size + named + extra)

    def _record(self, member: Member, content: bytes) -> tuple[bytes, bytes]:
        """Return a member's new local record, and what its entry in the directory says from flags to sizes."""
        method, packed = _packed(content, member.method)
        fields = list(_ENTRY.unpack_from(self._data, member.entry))
        flags, crc = member.flags & ~_DESCRIBED, zlib.crc32(content)
        raw = self._data[member.entry + _ENTRY.size : member.entry + _ENTRY.size + fields[10]]
        head = (fields[2], flags, method, fields[5], fields[6], crc, len(packed), len(content))
        local = _HEADER.pack(_LOCAL, *head, len(raw), 0) + raw + packed
        return local, struct.pack("<5H3I", *head[0:5], crc, len(packed), len(content))

    def _moved(self, member: Member, at: int, fields: bytes) -> bytes:
        """Return a member's entry for its new place, and, if it was replaced, with its new sizes."""
        raw = bytearray(self._data[member.entry : member.entry_end])
        if at >= _FULL32 and not member.offset64:
            raise _too_large()
        if member.offset64 and not fields:
            struct.pack_into("<Q", raw, member.offset64 - member.entry, at)
            return bytes(raw)
        struct.pack_into("<I", raw, 42, at)
        if not fields:
            return bytes(raw)
        raw[6 : 6 + len(fields)] = fields
        named, extra = struct.unpack_from("<HH", raw, 28)
        kept = _without_wide(bytes(raw[46 + named : 46 + named + extra]))
        struct.pack_into("<H", raw, 30, len(kept))
        return bytes(raw[: 46 + named]) + kept + bytes(raw[46 + named + extra :])

    def _closing(self, count: int, size: int, start: int) -> bytes:
        """Return the ends of the directory, as wide as they were."""
        end = bytearray(self._data[self._end :])
        old = struct.unpack_from("<8xHHII", end)
        new = (count, count, size, start)
        full = (_FULL16, _FULL16, _FULL32, _FULL32)
        if not self._end64:
            if any(value >= limit for value, limit in zip(new, full, strict=True)):
                raise _too_large()
            struct.pack_into("<HHII", end, 8, *new)
            return bytes(end)
        narrow = [limit if was == limit else value for value, was, limit in zip(new, old, full, strict=True)]
        struct.pack_into("<HHII", end, 8, *narrow)
        wide = bytearray(self._data[self._end64 : self._end])
        struct.pack_into("<QQQQ", wide, 24, *new)
        struct.pack_into("<Q", wide, len(wide) - 12, start + size)
        return bytes(wide + end)


def _find_end(data: Buffer) -> int:
    """Return where the end of the directory is, the comment behind it reaching to the end of the file."""
    base = max(0, len(data) - 22 - _FULL16)
    tail = data[base:]
    at = tail.rfind(_END)
    while at >= 0:
        if at + 22 <= len(tail) and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            return base + at
        at = tail.rfind(_END, 0, at)
    raise Broken("no ZIP: it has no end of a directory")


def _inflated(raw: bytes, member: Member) -> bytes:
    if member.method != _DEFLATED:
        raise Broken("a ZIP member that is compressed by a method that is not used in such packages")
    try:
        return zlib.decompressobj(-15).decompress(raw, max(1, member.size + 1))
    except zlib.error as error:
        raise Broken("a ZIP member that does not inflate") from error


def _packed(content: bytes, method: int) -> tuple[int, bytes]:
    if method == _STORED:
        return _STORED, content
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    return _DEFLATED, deflate.compress(content) + deflate.flush()


def _new(name: str, content: bytes, at: int) -> tuple[bytes, bytes]:
    """Return local record and entry of a member that is added at an offset."""
    if at >= _FULL32:
        raise _too_large()
    method, packed = _packed(content, _DEFLATED)
    raw = name.encode()
    head = (20, 0 if raw.isascii() else _UTF8, method, 0, _EPOCH, zlib.crc32(content), len(packed), len(content))
    entry = _ENTRY.pack(_CENTRAL, 20, *head, len(raw), 0, 0, 0, 0, 0, at)
    return _HEADER.pack(_LOCAL, *head, len(raw), 0) + raw + packed, entry + raw


def _without_wide(extra: bytes) -> bytes:
    """Return extra fields without ZIP64's, which a member of known small sizes does not need."""
    kept, at = list[bytes](), 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        kept += [extra[at : at + 4 + length]] if kind != 1 else []
        at += 4 + length
    return b"".join(kept)


def _too_large() -> Unwritable:
    return Unwritable(
        Text(
            zh="该文件已达 ZIP 格式的上限，放不下标识；请缩小文件后重试。",
            en="This file has reached the limits of its ZIP format and has no room for the label; make it smaller.",
        )
    )
