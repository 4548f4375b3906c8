"""MP4, QuickTime and M4A: the key `AIGC` of `mdta` in `moov.udta.meta`.

Sources: ISO/IEC 14496-12:2022 and QuickTime, as in `boxes`, `offsets` and `itemlist`; TC260-PG-20257A, 6.1.1, for the
label.  Where the film's description stands behind the frames, only its end is written anew.  Where it stands before
them, free space behind it is used up first; without such, what follows moves, and every offset with it.
"""

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats import itemlist, offsets
from safebelt.rooms.labelling.formats.boxes import Box, Surgery, boxes, inside
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.patches import edited
from safebelt.rooms.labelling.formats.values import as_line


def read(data: Buffer) -> list[Found]:
    """Find every label."""
    return itemlist.labels(data, _top(data))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the film's user data."""
    line = as_line(value)
    top = _top(data)
    number = next((number for number, box in enumerate(top) if box.kind == b"moov"), None)
    if number is None:
        raise Unwritable(
            Text(
                zh="文件中没有 moov（影片描述），可能是未写完的录像或单独的分段；请对完整文件写入标识。",
                en="The file has no moov: an unfinished recording or a lone segment.  Label the whole film.",
            )
        )
    moov = top[number]
    if any(box.kind == b"cmov" for box in inside(data, moov)):
        raise Unwritable(
            Text(
                zh="影片描述经过压缩（cmov），无法写入标识；请先重新封装。",
                en="The film's description is compressed (cmov) and cannot take a label; remux the file.",
            )
        )
    surgery = Surgery(data)
    itemlist.put(data, moov, line, surgery)
    for holder in itemlist.holders(data, [box for box in top if box is not moov]):
        itemlist.cleaned(data, holder, surgery)
    surgery.give(moov, top[number + 1] if number + 1 < len(top) else None)
    return edited(len(data), [*surgery.changes, *surgery.lengths(), *offsets.moved_where(data, top, surgery.changes)])


def _top(data: Buffer) -> list[Box]:
    top = list(boxes(data, 0, len(data), is_file=True))
    if not top or not any(box.kind in (b"moov", b"moof", b"mdat") for box in top):
        raise Broken("a file of boxes without a film")
    return top
