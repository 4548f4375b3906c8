"""HEIF and AVIF: the table of places in its plainest form, which every program reads alike.

The C2PA engine (c2pa-rs 0.91) takes the width of bases for that of indexes when it walks a table of version 1, and
moves both base and offset where the base is nothing; the picture it then signs cannot be decoded any more.  In a table
that has no bases it goes right.  So such a table is made first: the same places, each as one number, in the same bytes
where these suffice (ISO/IEC 14496-12:2022, 8.11.3), and the picture stays as it is.
"""

import struct
from collections.abc import Sequence

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import offsets
from safebelt.rooms.labelling.formats.boxes import Box, boxes, inside, made
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Unwritable
from safebelt.rooms.labelling.formats.offsets import Item
from safebelt.rooms.labelling.formats.patches import Change, edited

_WIDTHS = (4, 8)
_LEAST_BOX = 8
_IN_ITEMS = 2
_OTHERWISE = Text(
    zh="该图像的条目表无法改写为签名引擎能正确处理的形式，不附签名清单；请先用其他工具重新保存。",
    en="The image's table of items cannot be put into the form that the signing engine gets right, so it is not "
    "signed; save the image anew first.",
)


def plain(data: Buffer) -> Edit:
    """Return the same image with a table of places that has neither bases nor indexes.

    Raises:
        Broken: The image is not whole.
        Unwritable: Its table cannot be put so in its place.
    """
    iloc = _table(data)
    version, (_offset, length_width, base_width, index_width) = offsets.shape(data, iloc)
    items = offsets.items(data, iloc)
    if any(item.method == _IN_ITEMS for item in items):
        raise Unwritable(_OTHERWISE)
    if not base_width and not index_width:
        return edited(len(data), [])
    for width in _WIDTHS:
        body = _written(items, version, width, length_width, data)
        spare = iloc.end - iloc.body - len(body)
        if body and (spare == 0 or spare >= _LEAST_BOX):
            free = made(b"free", bytes(spare - _LEAST_BOX)) if spare else b""
            head = struct.pack(">I4s", _LEAST_BOX + len(body), b"iloc")
            return edited(len(data), [Change(iloc.start, iloc.end, head + body + free)])
    raise Unwritable(_OTHERWISE)


def _table(data: Buffer) -> Box:
    meta = next((box for box in boxes(data, 0, len(data), is_file=True) if box.kind == b"meta"), None)
    held = inside(data, meta, offsets.meta_prefix(data, meta)) if meta is not None else []
    iloc = next((box for box in held if box.kind == b"iloc"), None)
    if iloc is None:
        raise Broken("an image file without a table of items")
    if iloc.body - iloc.start != _LEAST_BOX:
        raise Unwritable(_OTHERWISE)
    return iloc


def _written(items: Sequence[Item], version: int, width: int, length_width: int, data: Buffer) -> bytes:
    """Return the table's body with offsets of a width; nothing where one does not fit, or lengths are left out."""
    wide = 4 if version == 2 else 2  # of numbers and counts
    sizes = bytes([width << 4 | length_width, 0])
    parts = [bytes([version, 0, 0, 0]), sizes, len(items).to_bytes(wide)]
    for item in items:
        head = data[item.start : item.base_at]  # number, method, and where the data is
        parts += [head, len(item.extents).to_bytes(2)]
        for extent in item.extents:
            at = item.base + extent.offset
            if at >= 1 << 8 * width:
                return b""
            parts += [at.to_bytes(width), extent.length.to_bytes(length_width)]
    return b"".join(parts)
