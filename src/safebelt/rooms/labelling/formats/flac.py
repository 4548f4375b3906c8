"""FLAC: a Vorbis comment `AIGC` in the block of comments.

Sources: RFC 9639 (FLAC), 8.1 block headers, 8.4 padding, 8.6 comments; TC260-PG-202510A for the label.  Offsets in the
seek table count from the first frame (8.5), so blocks may grow; padding is used first, so that the file does not.
"""

from dataclasses import dataclass

from safebelt.rooms.labelling.formats import id3, vorbis
from safebelt.rooms.labelling.formats.carrier import MAX_FOUND, Broken, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.patches import Change, edited
from safebelt.rooms.labelling.formats.values import as_line

_PADDING, _COMMENTS = 1, 4
_LAST = 0x80
_MAX_BLOCK_BYTES = (1 << 24) - 1
_MAX_BLOCKS = 1 << 14
_MAX_TAGS = 8


@dataclass(frozen=True, slots=True)
class Block:
    """A block of metadata: its kind, and where header and content are."""

    kind: int
    start: int
    end: int
    is_last: bool

    @property
    def body(self) -> int:
        """Where its content begins."""
        return self.start + 4


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    tags, start = _tags(data)
    found = [found for tag in tags for found in id3.labels_of(tag, "ID3v2", tag.start, is_native=False)]
    for block in _blocks(data, start):
        if block.kind == _COMMENTS:
            found += vorbis.labels(bytes(data[block.body : block.end]), "VORBIS_COMMENT", block.start)
    return found[:MAX_FOUND]


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the comments; the block is made, behind the first, where it is missing."""
    line = as_line(value)
    tags, start = _tags(data)
    changes = [
        Change(tag.start, tag.end, id3.rewritten(tag, None))
        for tag in tags
        if id3.labels_of(tag, "", None, is_native=False)
    ]
    blocks = _blocks(data, start)
    comments = [block for block in blocks if block.kind == _COMMENTS]
    padding = next((block for block in blocks if block.kind == _PADDING), None)
    new = [_rewritten(data, block, line if block is comments[0] else None) for block in comments]
    if not comments:
        new = _made(data, blocks[0], line)
    growth = sum(change.growth for change in new)
    return edited(len(data), [*changes, *new, *_padded(data, padding, growth)])


def _tags(data: Buffer) -> tuple[list[id3.Tag], int]:
    """Return the ID3 tags that some writers put before, and where the FLAC begins."""
    tags, at = list[id3.Tag](), 0
    while len(tags) < _MAX_TAGS and (tag := id3.tag_at(data, at)) is not None:
        tags.append(tag)
        at = tag.end
    if bytes(data[at : at + 4]) != b"fLaC":
        raise Broken("a FLAC without its beginning")
    return tags, at


def _blocks(data: Buffer, start: int) -> list[Block]:
    blocks, at = list[Block](), start + 4
    while not (blocks and blocks[-1].is_last):
        header = bytes(data[at : at + 4])
        end = at + 4 + int.from_bytes(header[1:])
        if len(header) < 4 or end > len(data) or len(blocks) >= _MAX_BLOCKS:
            raise Broken("a FLAC block that ends beyond the file, or too many of them")
        blocks.append(Block(header[0] & 127, at, end, bool(header[0] & _LAST)))
        at = end
    if blocks[0].kind != 0:
        raise Broken("a FLAC whose first block does not describe the stream")
    return blocks


def _header(kind: int, size: int, *, is_last: bool) -> bytes:
    if size > _MAX_BLOCK_BYTES:
        raise Broken("a FLAC block that would be longer than a block can be")
    return bytes((kind | (_LAST if is_last else 0),)) + size.to_bytes(3)


def _rewritten(data: Buffer, block: Block, line: str | None) -> Change:
    content = vorbis.rewritten(bytes(data[block.body : block.end]), line)
    return Change(block.start, block.end, _header(_COMMENTS, len(content), is_last=block.is_last) + content)


def _made(data: Buffer, first: Block, line: str) -> list[Change]:
    content = vorbis.fresh(line)
    new = _header(_COMMENTS, len(content), is_last=first.is_last) + content
    return [Change(first.start, first.start + 1, b"\0"), Change(first.end, first.end, new)]


def _padded(data: Buffer, padding: Block | None, growth: int) -> list[Change]:
    """Take what is needed from the padding, or give back to it, so that the sound stays where it is."""
    if padding is None or not growth:
        return []
    size = padding.end - padding.body - growth
    if not 0 <= size <= _MAX_BLOCK_BYTES:
        return []
    change = Change(padding.start, padding.start + 4, _header(_PADDING, size, is_last=padding.is_last))
    if growth > 0:
        return [change, Change(padding.end - growth, padding.end, b"")]
    return [change, Change(padding.end, padding.end, b"\0" * -growth)]
