"""MP3: ID3v2 before the sound, where the label is the user text `AIGC`.

Sources: as in `id3`; ID3v1 (the last 128 bytes) and APEv2 (Hydrogenaudio, APEv2 specification) for what may stand at
the end; TC260-PG-202510A for the label.  The first tag gets it; a file without one gets a new tag.  Frames of sound
say nothing of where they are, so a tag may grow.
"""

from safebelt.rooms.labelling.formats import ape, id3
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.patches import Change, edited
from safebelt.rooms.labelling.formats.values import as_line

_MAX_TAGS = 8
_ID3V1_BYTES = 128


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    found = list[Found]()
    for number, tag in enumerate(tags(data)):
        place = f"ID3v2.{tag.version}"
        found += id3.labels_of(tag, place, tag.start, is_native=number == 0 and tag.start == 0)
    found += ape.labels(data, _end(data))
    return found[:MAX_FOUND]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the first tag."""
    line = as_line(value)
    old = tags(data)
    changes = list[Change]()
    if not old or old[0].start:
        changes.append(Change(0, 0, id3.fresh(line)))
    for tag in old:
        new = id3.rewritten(tag, None if tag.start else line)
        if new != bytes(data[tag.start : tag.end]):
            changes.append(Change(tag.start, tag.end, new))
    return edited(len(data), [*changes, *ape.removals(data, _end(data))])


def tags(data: Buffer) -> list[id3.Tag]:
    """Return the tags: those at the beginning, one after the other, and one of 2.4 at the end, found by its footer."""
    tags_, at = list[id3.Tag](), 0
    while len(tags_) < _MAX_TAGS and (tag := id3.tag_at(data, at)) is not None:
        tags_.append(tag)
        at = tag.end
    last = _at_end(data)
    return [*tags_, last] if last is not None and last.start >= at else tags_


def _end(data: Buffer) -> int:
    """Return where ID3v1 begins, or the file ends."""
    has_v1 = len(data) >= _ID3V1_BYTES and bytes(data[len(data) - _ID3V1_BYTES :][:3]) == b"TAG"
    return len(data) - _ID3V1_BYTES if has_v1 else len(data)


def _at_end(data: Buffer) -> id3.Tag | None:
    end = _end(data)
    footer = bytes(data[max(0, end - id3.HEADER_BYTES) : end])
    if len(footer) < id3.HEADER_BYTES or footer[:3] != b"3DI":
        return None
    start = end - 2 * id3.HEADER_BYTES - id3.synchsafe(footer[6:])
    tag = id3.tag_at(data, start) if start >= 0 else None
    return tag if tag is not None and tag.end == end else None
