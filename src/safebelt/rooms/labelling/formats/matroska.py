"""Matroska and WebM: the simple tag `AIGC` in the segment's tags.

Sources: RFC 9559 (Matroska), 5.1 elements, 6.3 SeekHead, 16 positions, 21 tags; EBML as in `ebml`; TC260-PG-20257A for
the label.  A reader stops before the first cluster and follows the SeekHead from there, so the tags go, in this order:

1. into tags before the first cluster, where they and the Void behind them have room;
2. into a Void before the first cluster;
3. into tags that end the segment and that the SeekHead names;
4. to the end of the segment, where the SeekHead and the Void behind it have room for their position;
5. before the first cluster, with everything moved: positions in SeekHead, Cues and clusters are changed in place.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import ebml
from safebelt.rooms.labelling.formats.carrier import (
    MAX_FOUND,
    MAX_METADATA_BYTES,
    Broken,
    Buffer,
    Edit,
    Found,
    Unwritable,
    applied,
)
from safebelt.rooms.labelling.formats.ebml import Element
from safebelt.rooms.labelling.formats.patches import Change, Moves, edited, is_label_field, text_of
from safebelt.rooms.labelling.formats.values import as_line

_HEADER, _SEGMENT = 0x1A45DFA3, 0x18538067
_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_CUES, _CUE_POINT, _CUE_TRACK, _CUE_REFERENCE = 0x1C53BB6B, 0xBB, 0xB7, 0xDB
_CUE_POSITIONS = (0xF1, 0xEA, 0x97, 0xEB)  # of cluster and codec state, of the track and of references
_CLUSTER, _CLUSTER_POSITION = 0x1F43B675, 0xA7
_TAGS, _TAG, _TARGETS, _SIMPLE_TAG, _TAG_NAME, _TAG_STRING, _TAG_BINARY = (
    0x1254C367, 0x7373, 0x63C0, 0x67C8, 0x45A3, 0x4487, 0x4485,
)  # fmt: skip
_TOP = frozenset((_SEEK_HEAD, 0x1549A966, 0x1654AE6B, _CUES, _TAGS, _CLUSTER, 0x1941A469, 0x1043A770))
"""Elements of the segment: what ends a cluster of unknown length (RFC 8794, 6.2)."""
_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class _Film:
    """A segment and the elements in it."""

    segment: Element
    parts: tuple[Element, ...]

    @property
    def front(self) -> tuple[Element, ...]:
        """What stands before the first cluster."""
        first = next((number for number, part in enumerate(self.parts) if part.kind == _CLUSTER), len(self.parts))
        return self.parts[:first]


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    found = list[Found]()
    for tags in (part for part in _film(data).parts if part.kind == _TAGS):
        _check_size(tags)
        for tag in _of_kind(data, tags, _TAG):
            found += _labels(data, tag, "Segment.Tags.Tag", 0)
            if len(found) >= MAX_FOUND:
                return found[:MAX_FOUND]
    return found


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the tags."""
    tag = _our_tag(as_line(value))
    film = _film(data)
    kept = {part: _without(data, part) for part in film.parts if part.kind == _TAGS}
    changes = _in_front(film, kept, tag) or _at_end_named(data, film, kept, tag) or _at_end_new(data, film, kept, tag)
    if changes is None:
        changes = _moved(data, film, kept, tag)
    return edited(len(data), [*changes, *_lengthened(data, film, changes)])


# ------------------------------------------------------------------------------------------------ structure


def _film(data: Buffer) -> _Film:
    header = ebml.element(data, 0, len(data))
    if header.kind != _HEADER or header.is_open:
        raise Broken("a Matroska file without its header")
    segment = ebml.element(data, header.end, len(data))
    if segment.kind != _SEGMENT:
        raise Broken("a Matroska file without a segment")
    return _Film(segment, tuple(_parts(data, segment)))


def _parts(data: Buffer, segment: Element) -> Iterator[Element]:
    at = segment.body
    for _number in range(ebml.MAX_ELEMENTS):
        if at >= segment.end:
            return
        part = ebml.element(data, at, segment.end)
        if part.is_open:
            if part.kind != _CLUSTER:
                raise Broken("an element of unknown length that is no cluster")
            part = Element(part.kind, part.start, part.size, part.body, _open_end(data, part), is_open=True)
        yield part
        at = part.end
    raise Broken("too many elements in a Matroska segment")


def _open_end(data: Buffer, cluster: Element) -> int:
    """Return where a cluster of unknown length ends: before the next element of the segment."""
    at = cluster.body
    for _number in range(ebml.MAX_ELEMENTS):
        if at >= cluster.end:
            return cluster.end
        child = ebml.element(data, at, cluster.end)
        if child.kind in _TOP:
            return at
        if child.is_open:
            break
        at = child.end
    raise Broken("a Matroska cluster without an end")


def _check_size(tags: Element) -> None:
    if tags.end - tags.body > MAX_METADATA_BYTES:
        raise Broken("Matroska tags larger than are looked into")


# ------------------------------------------------------------------------------------------------ tags


def _labels(data: Buffer, held: Element, place: str, depth: int) -> list[Found]:
    """Return the labels among the simple tags in a tag or in a simple tag."""
    if depth > _MAX_DEPTH:
        raise Broken("Matroska tags that are too deep")
    found = list[Found]()
    for simple in _of_kind(data, held, _SIMPLE_TAG):
        name, value = _named(data, simple)
        if is_label_field(name, value):
            where = f"{place}.SimpleTag {name}"
            length = simple.end - simple.start
            is_native = depth == 0 and name == "AIGC"
            found.append(Found(place=where, value=value, is_native=is_native, at=simple.start, length=length))
        else:
            found += _labels(data, simple, f"{place}.SimpleTag", depth + 1)
        if len(found) >= MAX_FOUND:
            break
    return found


def _named(data: Buffer, simple: Element) -> tuple[str, str]:
    name = value = ""
    for child in ebml.children(data, simple):
        if child.kind == _TAG_NAME:
            name = text_of(ebml.content(data, child))
        elif child.kind in (_TAG_STRING, _TAG_BINARY):
            value = text_of(ebml.content(data, child))
    return name, value


def _without(data: Buffer, tags: Element) -> bytes:
    """Return what is in the tags, without labels; a tag of which nothing is left goes too."""
    _check_size(tags)
    kept = list[bytes]()
    for child in ebml.children(data, tags):
        raw = bytes(data[child.start : child.end])
        kept.append(_cleaned(data, child, 0) if child.kind == _TAG else raw)
    return b"".join(kept)


def _cleaned(data: Buffer, held: Element, depth: int) -> bytes:
    """Return a tag or a simple tag without labels; nothing where it held nothing else."""
    if depth > _MAX_DEPTH:
        raise Broken("Matroska tags that are too deep")
    before, after = list[bytes](), list[bytes]()
    has_tags = False
    for child in ebml.children(data, held):
        raw = bytes(data[child.start : child.end])
        before.append(raw)
        if child.kind == _SIMPLE_TAG:
            raw = b"" if is_label_field(*_named(data, child)) else _cleaned(data, child, depth + 1)
            has_tags = has_tags or bool(raw)
        after.append(raw)
    if before == after:
        return bytes(data[held.start : held.end])
    if held.kind == _TAG and not has_tags:
        return b""
    return ebml.made(held.kind, ebml.summed(b"".join(after)))


def _our_tag(line: str) -> bytes:
    """Return a tag of the whole file: its targets are empty (RFC 9559, 5.1.8.1.1)."""
    simple = ebml.made(_TAG_NAME, b"AIGC") + ebml.made(_TAG_STRING, line.encode())
    return ebml.made(_TAG, ebml.made(_TARGETS, b"") + ebml.made(_SIMPLE_TAG, simple))


def _is_empty(body: bytes) -> bool:
    return not (body[6:] if ebml.has_checksum(body) else body)


# ------------------------------------------------------------------------------------------------ the five places


_Kept = dict[Element, bytes]


def _in_front(film: _Film, kept: _Kept, tag: bytes) -> list[Change] | None:
    """Places 1 and 2: tags with the Void behind them, then a Void."""
    front = film.front
    for wants_tags in (True, False):
        for number, part in enumerate(front):
            is_tags = part.kind == _TAGS and not _is_empty(kept[part])
            if is_tags != wants_tags or not (is_tags or _begins_room(front, number, kept)):
                continue
            end = _room_end(front, number, kept)
            body = ebml.summed(kept[part] + tag) if is_tags else tag
            new = ebml.fitted(_TAGS, body, end - part.start)
            if new is not None:
                return [Change(part.start, end, new), *_others(kept, part.start, end)]
    return None


def _is_void(part: Element, kept: _Kept) -> bool:
    return part.kind == ebml.VOID or (part.kind == _TAGS and _is_empty(kept[part]))


def _begins_room(front: Sequence[Element], number: int, kept: _Kept) -> bool:
    """Whether a Void is the first of those that stand together."""
    return _is_void(front[number], kept) and not (number and _is_void(front[number - 1], kept))


def _room_end(front: Sequence[Element], number: int, kept: _Kept) -> int:
    """Return where the Voids end that follow an element."""
    end = front[number].end
    for part in front[number + 1 :]:
        if not _is_void(part, kept):
            break
        end = part.end
    return end


def _at_end_named(data: Buffer, film: _Film, kept: _Kept, tag: bytes) -> list[Change] | None:
    """Place 3: tags that end the segment, so that they may grow."""
    last = film.parts[-1] if film.parts else None
    if last is None or last.kind != _TAGS or last in film.front:
        return None
    if last.start - film.segment.body not in (position for _held, position in _seek_positions(data, film)):
        return None
    new = ebml.made(_TAGS, ebml.summed(kept[last] + tag))
    return [Change(last.start, last.end, new), *_others(kept, last.start, last.end)]


def _at_end_new(data: Buffer, film: _Film, kept: _Kept, tag: bytes) -> list[Change] | None:
    """Place 4: new tags at the end, which the SeekHead names."""
    end, front = film.segment.end, film.front
    number = next((number for number, part in enumerate(front) if part.kind == _SEEK_HEAD), None)
    if number is None or not any(part.kind == _CLUSTER for part in film.parts):
        return None
    head = front[number]
    list(_seek_positions(data, film))  # what is broken there would be broken with ours in it
    room = _room_end(front, number, kept)
    position = end - film.segment.body
    raw = position.to_bytes((position.bit_length() + 7) // 8)
    entry = ebml.made(_SEEK_ID, _TAGS.to_bytes(4)) + ebml.made(_SEEK_POSITION, raw)
    body = ebml.summed(ebml.content(data, head) + ebml.made(_SEEK, entry))
    new = ebml.fitted(_SEEK_HEAD, body, room - head.start)
    if new is None:
        return None
    tags = Change(end, end, ebml.made(_TAGS, tag))
    return [Change(head.start, room, new), tags, *_others(kept, head.start, room)]


def _others(kept: _Kept, start: int, end: int) -> Iterator[Change]:
    """Yield the changes that take labels out of tags outside of `[start, end)`, such that nothing moves."""
    for tags, body in kept.items():
        if start <= tags.start < end or len(body) == tags.end - tags.body:
            continue
        room = tags.end - tags.start
        new = ebml.void(room) if _is_empty(body) else ebml.fitted(_TAGS, ebml.summed(body), room)
        if new is None:
            raise Broken("Matroska tags whose length is written as no length can be")
        yield Change(tags.start, tags.end, new)


def _moved(data: Buffer, film: _Film, kept: _Kept, tag: bytes) -> list[Change]:
    """Place 5: before the first cluster, or at the end of a segment without any."""
    put = _before_cluster(film, kept, tag)
    moves = Moves([put])
    changes = [put, *_others(kept, put.start, put.end)]
    for part in film.parts:
        inside = list(_positions_moved(data, film, part, moves))
        changes += inside
        if inside:
            changes += _resummed(data, part, inside)
    return changes


def _before_cluster(film: _Film, kept: _Kept, tag: bytes) -> Change:
    """Let the tags grow that stand last before the first cluster, or put new ones there, in place of any Void."""
    front = film.front
    end = front[-1].end if front else film.segment.body
    last = next((part for part in reversed(front) if not _is_void(part, kept)), None)
    if last is not None and last.kind == _TAGS:
        return Change(last.start, end, ebml.made(_TAGS, ebml.summed(kept[last] + tag)))
    return Change(last.end if last else film.segment.body, end, ebml.made(_TAGS, tag))


def _positions_moved(data: Buffer, film: _Film, part: Element, moves: Moves) -> Iterator[Change]:
    base = film.segment.body
    for held in _positions(data, part):
        old = ebml.number(data, held)
        new = moves(base + old) - moves(base)
        if new == old:
            continue
        length = held.end - held.body
        if new >= 1 << 8 * length:
            raise Unwritable(
                Text(
                    zh="该 Matroska 文件没有预留空间，且索引字段过短，无法写入标识；请先重新封装。",
                    en="The Matroska file keeps no room, and a field of its index is too short to be moved; remux it.",
                )
            )
        yield Change(held.body, held.end, new.to_bytes(length))


def _positions(data: Buffer, part: Element) -> Iterator[Element]:
    """Yield the elements in a part that hold positions in the segment."""
    if part.kind == _SEEK_HEAD:
        for seek in _of_kind(data, part, _SEEK):
            yield from _of_kind(data, seek, _SEEK_POSITION)
    elif part.kind == _CUES:
        for point in _of_kind(data, part, _CUE_POINT):
            for track in _of_kind(data, point, _CUE_TRACK):
                yield from _track_positions(data, track)
    elif part.kind == _CLUSTER:  # its position stands before its frames
        yield from (child for child in islice(ebml.children(data, part), 4) if child.kind == _CLUSTER_POSITION)


def _of_kind(data: Buffer, parent: Element, kind: int) -> Iterator[Element]:
    return (child for child in ebml.children(data, parent) if child.kind == kind)


def _track_positions(data: Buffer, track: Element) -> Iterator[Element]:
    for child in ebml.children(data, track):
        if child.kind in _CUE_POSITIONS:
            yield child
        elif child.kind == _CUE_REFERENCE:
            yield from (inner for inner in ebml.children(data, child) if inner.kind in _CUE_POSITIONS)


def _resummed(data: Buffer, part: Element, inside: Sequence[Change]) -> list[Change]:
    """Renew the checksum of an element in which something changed."""
    old = ebml.content(data, part)
    if not ebml.has_checksum(old):
        return []
    shifted = [Change(change.start - part.body, change.end - part.body, change.new) for change in inside]
    new = ebml.summed(applied(old, edited(len(old), shifted)))
    return [Change(part.body + 2, part.body + 6, new[2:6])]


def _seek_positions(data: Buffer, film: _Film) -> Iterator[tuple[Element, int]]:
    for head in (part for part in film.front if part.kind == _SEEK_HEAD):
        yield from ((held, ebml.number(data, held)) for held in _positions(data, head))


def _lengthened(data: Buffer, film: _Film, changes: Sequence[Change]) -> Iterator[Change]:
    """Yield the changes to the segment's length, and to a checksum over all of it, which becomes a Void."""
    segment, growth = film.segment, sum(change.growth for change in changes)
    if growth and not segment.is_open:
        length, old = segment.end - segment.body + growth, segment.body - segment.size
        fits = length < (1 << 7 * old) - 1
        yield Change(segment.size, segment.body, ebml.length_field(length, old if fits else 8))
    first = film.parts[0] if film.parts else None
    if first is not None and first.kind == ebml.CRC:
        yield Change(first.start, first.end, ebml.void(first.end - first.start))
