"""Lists of metadata in MP4 and QuickTime: which are labels, and how they are taken out or put in.

Sources: QuickTime File Format Specification (Apple), metadata atoms (`meta` with handler `mdta`, `keys`, `ilst`; values
in `data` with a well-known type) and user data (`udta`); the iTunes list (`meta` with handler `mdir`), as Apple's and
others' writers leave it, whose entries carry their names in their four characters or in `----`; XMP Specification Part
3 (2020), 1.2.3 and 1.2.4 (`uuid` box in MP4, `XMP_` in QuickTime's user data); TC260-PG-20257A for the label.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from safebelt.rooms.labelling.formats import xmp
from safebelt.rooms.labelling.formats.boxes import Box, Surgery, boxes, content, inside, listed_end, made
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, MAX_METADATA_BYTES, Broken, Buffer, Found
from safebelt.rooms.labelling.formats.offsets import meta_prefix
from safebelt.rooms.labelling.formats.patches import Change, is_label_field, text_of

KEY = b"AIGC"
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_HOLDERS = (b"moov", b"trak", b"udta", b"moof", b"traf")
_MAX_KEYS = 1 << 12
_UTF8, _UTF16 = 1, 2
_LANGUAGE_BYTES = 4
"""Length and language before the text of classic user data."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A box that may carry labels, and the boxes around it, outermost first."""

    box: Box
    around: tuple[Box, ...]

    @property
    def path(self) -> str:
        """Its name and those around it, with dots between."""
        return ".".join(box.kind.decode("latin-1") for box in (*self.around, self.box))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a list: its name, its text, its box, and the number of its key (0: it names itself)."""

    name: str
    value: str
    box: Box
    key: int

    @property
    def is_label(self) -> bool:
        """Whether it is a label."""
        return is_label_field(self.name, self.value)


@dataclass(frozen=True, slots=True)
class Meta:
    """A box `meta`: where it is, which handler it has, and what is in it."""

    holder: Holder
    handler: bytes
    keys_box: Box | None
    list_box: Box | None
    keys: tuple[tuple[bytes, bytes], ...]
    entries: tuple[Entry, ...]


def holders(data: Buffer, top: Sequence[Box]) -> Iterator[Holder]:
    """Yield the boxes in which a label was ever seen: `meta`, XMP, and user data of its name."""
    for box in top:
        yield from _holders(data, box, ())


def _holders(data: Buffer, box: Box, around: tuple[Box, ...]) -> Iterator[Holder]:
    is_user_data = bool(around) and around[-1].kind == b"udta"
    is_packet = (box.kind == b"uuid" and bytes(data[box.body - 16 : box.body]) == _XMP_BOX) or (
        is_user_data and box.kind == b"XMP_"
    )
    if box.kind == b"meta" or is_packet or (is_user_data and box.kind not in _HOLDERS):
        yield Holder(box, around)
    elif box.kind in _HOLDERS and len(around) < len(_HOLDERS):
        for inner in inside(data, box):
            yield from _holders(data, inner, (*around, box))


def labels(data: Buffer, top: Sequence[Box]) -> list[Found]:
    """Return every label; native is a key `AIGC` of `mdta` in the film's own user data."""
    found = list[Found]()
    for holder in holders(data, top):
        found += _labels(data, holder)
        if len(found) >= MAX_FOUND:
            break
    return found[:MAX_FOUND]


def _labels(data: Buffer, holder: Holder) -> list[Found]:
    box = holder.box
    if box.kind == b"meta":
        return _listed(meta_of(data, holder))
    if box.end - box.body > MAX_METADATA_BYTES:
        return []
    if box.kind in (b"uuid", b"XMP_"):
        return xmp.found(content(data, box), f"{holder.path} XMP", box.start, is_native=False)
    value = _classic(data, box)
    if not is_label_field(box.kind.decode("latin-1"), value):
        return []
    return [Found(place=holder.path, value=value, is_native=False, at=box.start, length=box.end - box.start)]


def _listed(meta: Meta) -> list[Found]:
    path = meta.holder.path
    is_ours = path == "moov.udta.meta" and meta.handler == b"mdta"
    return [
        Found(
            place=f"{path} {entry.name}", value=entry.value, at=entry.box.start,
            is_native=is_ours and entry.name.encode() == KEY and entry.key > 0, length=entry.box.end - entry.box.start,
        )
        for entry in meta.entries if entry.is_label
    ]  # fmt: skip


def _classic(data: Buffer, box: Box) -> str:
    """Return the text of classic user data, behind length and language where there are such."""
    raw = content(data, box)
    sized = len(raw) >= _LANGUAGE_BYTES and int.from_bytes(raw[:2]) == len(raw) - _LANGUAGE_BYTES
    return text_of(raw[_LANGUAGE_BYTES:] if sized else raw)


# ------------------------------------------------------------------------------------------------ a meta


def meta_of(data: Buffer, holder: Holder) -> Meta:
    """Return what is in a `meta`.

    Raises:
        Broken: Something in it ends beyond what holds it.
    """
    held = inside(data, holder.box, meta_prefix(data, holder.box))
    by_kind = {box.kind: box for box in reversed(held)}
    handler, keys_box, list_box = by_kind.get(b"hdlr"), by_kind.get(b"keys"), by_kind.get(b"ilst")
    kind = bytes(data[handler.body + 8 : min(handler.body + 12, handler.end)]) if handler else b""
    keys = tuple(_keys(content(data, keys_box))) if keys_box and kind == b"mdta" else ()
    entries = tuple(_entries(data, list_box, keys)) if list_box else ()
    return Meta(holder, kind, keys_box if keys or kind == b"mdta" else None, list_box, keys, entries)


def _keys(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    count, at = int.from_bytes(raw[4:8]), 8
    if count > _MAX_KEYS:
        raise Broken("too many keys of metadata")
    for _number in range(count):
        size = int.from_bytes(raw[at : at + 4])
        if size < 8 or at + size > len(raw):
            raise Broken("a key of metadata that ends beyond its box")
        yield raw[at + 4 : at + 8], raw[at + 8 : at + size]
        at += size


def _entries(data: Buffer, list_box: Box, keys: Sequence[tuple[bytes, bytes]]) -> Iterator[Entry]:
    for box in boxes(data, list_box.body, list_box.end):
        number = int.from_bytes(box.kind)
        named = 0 < number <= len(keys)
        name = text_of(keys[number - 1][1]) if named else box.kind.decode("latin-1")
        value = ""
        if box.end - box.body <= MAX_METADATA_BYTES:
            for inner in boxes(data, box.body, box.end):
                if inner.kind == b"data" and not value:
                    value = _value(content(data, inner))
                elif inner.kind == b"name" and box.kind == b"----":
                    name = text_of(content(data, inner)[4:])
        yield Entry(name, value, box, number if named else 0)


def _value(raw: bytes) -> str:
    kind = int.from_bytes(raw[1:4])
    return text_of(raw[8:], "utf-16-be") if kind == _UTF16 else text_of(raw[8:])


# ------------------------------------------------------------------------------------------------ changes


def cleaned(data: Buffer, holder: Holder, surgery: Surgery) -> None:
    """Take every label out of a holder; packets of XMP keep their length."""
    box = holder.box
    if box.kind == b"meta":
        relisted(data, meta_of(data, holder), None, surgery)
    elif not _labels(data, holder):
        return
    elif box.kind in (b"uuid", b"XMP_"):
        old = content(data, box)
        surgery.put(Change(box.body, box.end, xmp.without(old).ljust(len(old))), (*holder.around, box))
    else:
        surgery.put(Change(box.start, box.end, b""), holder.around)


def relisted(data: Buffer, meta: Meta, line: str | None, surgery: Surgery) -> None:
    """Take every label out of a list; with a line, which needs keys, put that one in as the last entry.

    Raises:
        Broken: An entry names no key, so that a new one would take its number.
    """
    gone = [entry for entry in meta.entries if entry.is_label]
    if not gone and line is None:
        return
    around = (*meta.holder.around, meta.holder.box)
    if meta.list_box is None:
        return
    if meta.keys_box is None:
        for entry in gone:
            surgery.put(Change(entry.box.start, entry.box.end, b""), (*around, meta.list_box))
        return
    dropped = {entry.key for entry in gone if entry.key} | _named_so(meta)
    left = [number for number in range(1, len(meta.keys) + 1) if number not in dropped]
    renumbered = {old: new for new, old in enumerate(left, 1)}
    listed = [_renumbered(data, entry, renumbered) for entry in meta.entries if not entry.is_label]
    keys = [meta.keys[number - 1] for number in left]
    if line is not None:
        keys.append((b"mdta", KEY))
        listed.append(_entry(len(keys), line))
    surgery.put(Change(meta.keys_box.start, meta.keys_box.end, _keys_box(keys)), around)
    surgery.put(Change(meta.list_box.start, meta.list_box.end, made(b"ilst", b"".join(listed))), around)


def _named_so(meta: Meta) -> set[int]:
    """Return the keys of our name, also those without a value, unless something else has the same number."""
    used = {entry.key for entry in meta.entries if not entry.is_label}
    return {
        number for number, (_space, name) in enumerate(meta.keys, 1)
        if is_label_field(text_of(name), "") and number not in used
    }  # fmt: skip


def _renumbered(data: Buffer, entry: Entry, numbers: dict[int, int]) -> bytes:
    raw = bytes(data[entry.box.start : entry.box.end])
    if entry.key not in numbers:
        raise Broken("an entry of metadata that names no key")
    return raw[:4] + struct.pack(">I", numbers[entry.key]) + raw[8:]


def _keys_box(keys: Sequence[tuple[bytes, bytes]]) -> bytes:
    listed = b"".join(struct.pack(">I", 8 + len(name)) + space + name for space, name in keys)
    return made(b"keys", bytes(4) + struct.pack(">I", len(keys)) + listed)


def _entry(number: int, line: str) -> bytes:
    return made(struct.pack(">I", number), made(b"data", struct.pack(">II", _UTF8, 0) + line.encode()))


def put(data: Buffer, moov: Box, line: str, surgery: Surgery) -> None:
    """Put the label into the film's user data, and take every other label out of the film."""
    target: Meta | None = None
    for holder in holders(data, (moov,)):
        meta = meta_of(data, holder) if holder.box.kind == b"meta" and holder.path == "moov.udta.meta" else None
        if target is None and meta and meta.handler == b"mdta" and meta.keys_box and meta.list_box:
            target = meta
            relisted(data, meta, line, surgery)
        else:
            cleaned(data, holder, surgery)
    if target is None:
        _new(data, moov, line, surgery)


def _new(data: Buffer, moov: Box, line: str, surgery: Surgery) -> None:
    """Make a `meta` of its own behind what is in the user data, which is made where there is none."""
    handler = made(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    listed = made(b"ilst", _entry(1, line))
    new = made(b"meta", bytes(4) + handler + _keys_box([(b"mdta", KEY)]) + listed)
    held = inside(data, moov)
    user_data = next((box for box in held if box.kind == b"udta"), None)
    if user_data is None:
        at = listed_end(moov, held)
        surgery.put(Change(at, at, made(b"udta", new)), (moov,))
    else:
        at = listed_end(user_data, inside(data, user_data))
        surgery.put(Change(at, at, new), (moov, user_data))
