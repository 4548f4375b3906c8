"""A visible notice on the first page of a PDF, drawn by an incremental update: what is there stays, byte by byte.

The words stand in the page's upper left corner, on a plate, in a font of their own made of the notice's few glyphs, so
that they look the same everywhere and can be selected, searched and read aloud.  A signed document is left alone.

Sources: ISO 32000-2:2020, 7.5.6 (incremental updates), 7.7.3.3 (pages), 8.10 (form XObjects), 9.6.4 (Type 3 fonts),
9.10.3 (ToUnicode), 14.9.4 (ActualText); GB 45438-2025 5.1 (a text's notice may stand at its beginning).
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Buffer, Edit, Unwritable
from safebelt.rooms.labelling.formats.changes import changed
from safebelt.rooms.labelling.formats.pdf import Object, refuse, update
from safebelt.rooms.labelling.formats.pdf_file import File
from safebelt.rooms.labelling.formats.pdf_values import Dictionary, Reference, as_text
from safebelt.rooms.labelling.provenance.corners import WORDS

NAME = "AIGCnotice"
"""What the notice is called among a page's resources."""
_POINTS, _MARGIN = 14.0, 18.0  # of the font, and from the page's edges
_PIXELS = 96  # of a glyph's em: 500 to the inch at this size
_DRAWN = 4  # objects from the font's number on that are not its own: itself, and what `_drawn` makes
_MAX_DEPTH, _MAX_NODES = 64, 1000
_LETTER = (0.0, 0.0, 612.0, 792.0)  # where a page says nothing of its size
_SAID = re.compile(rb"/ActualText\s*<([0-9A-Fa-f]*)>")


@dataclass(frozen=True, slots=True)
class _Held:
    """A dictionary, the buffer it is in, and what is taken over from the nodes above a page."""

    reference: Reference
    dictionary: Dictionary
    buffer: Buffer
    above: dict[str, tuple[Any, Buffer]]

    def found(self, name: str) -> tuple[Any, Buffer]:
        """Return an entry of the page, or of the nodes above it, and the buffer it is in."""
        own = self.dictionary.get(name)
        return self.above.get(name, (None, self.buffer)) if own is None else (own, self.buffer)

    def get(self, name: str) -> Any:
        """Return an entry of the page, or of the nodes above it."""
        return self.found(name)[0]


def put(data: Buffer, lang: str, font: Path) -> tuple[Edit, str]:
    """Return the edit that puts the notice on the first page, and where it is.

    Args:
        data: The file.
        lang: `zh` or `en`.
        font: A font file that has the words' glyphs.

    Raises:
        Unwritable: The file is encrypted, signed, or has no page that can be changed.
        Broken: It is not whole.
    """
    file = File(data)
    refuse(file)
    if data.find(b"/ByteRange") >= 0:
        raise Unwritable(
            Text(
                zh="该 PDF 已签名，在页面上加入提示会被视为篡改；请在签名之前加注。",
                en="The PDF is signed, and a notice on its page would count as tampering; mark it before it is signed.",
            )
        )
    page = _first_page(file, data)
    size = file.trailer.number("Size")
    if f"/{NAME}".encode() in _raw_resources(file, data, page):
        return [], "page 1"
    words = WORDS["zh" if lang == "zh" else "en"]
    advance = sum(_glyph(char, font)[1] for char in words) / _PIXELS * _POINTS
    objects = [*_font(words, font, size), *_drawn(file, data, page, _form(words, advance, size), size)]
    highest = max(one.number for one in objects) + 1
    return changed(len(data), [(len(data), len(data), update(file, data, objects, None, max(size, highest)))]), "page 1"


def words_of(data: Buffer) -> str | None:
    """Return what our own notice on the first page says; None where there is none: what is drawn is not read.

    Raises:
        Broken: The file is not whole.
    """
    file = File(data)
    if file.trailer.get("Encrypt") is not None:
        return None
    try:
        page = _first_page(file, data)
    except Unwritable:
        return None
    resources = file.resolved(page.get("Resources"))
    listed = file.resolved(resources.get("XObject")) if isinstance(resources, Dictionary) else None
    reference = listed.get(NAME) if isinstance(listed, Dictionary) else None
    found = file.indirect(reference) if isinstance(reference, Reference) else None
    if found is None or found[2] or not isinstance(found[0], Dictionary):
        return None
    said = _SAID.search(file.content(found[0], found[1]) or b"")
    return as_text(bytes.fromhex(said.group(1).decode())) if said and len(said.group(1)) % 2 == 0 else None


# ------------------------------------------------------------------------------------------------ the page


def _first_page(file: File, data: Buffer) -> _Held:
    """Return the first leaf of the tree of pages; raises `Unwritable` where there is none."""
    catalogue = file.resolved(file.trailer.get("Root"))
    at = catalogue.get("Pages") if isinstance(catalogue, Dictionary) else None
    above = dict[str, tuple[Any, Buffer]]()
    for _depth in range(_MAX_DEPTH):
        node = _held(file, data, at, above)
        if node is None:
            break
        kids = file.resolved(node.dictionary.get("Kids"))
        if not isinstance(kids, list):
            return node
        above = above | {
            name: (node.dictionary.get(name), node.buffer)
            for name in ("Resources", "MediaBox", "CropBox", "Rotate")
            if node.dictionary.get(name) is not None
        }
        at = next((kid for kid in kids[:_MAX_NODES] if _held(file, data, kid, above) is not None), None)
    raise Unwritable(Text(zh="该 PDF 没有可加入提示的页面。", en="The PDF has no page that a notice could be put on."))


def _held(file: File, data: Buffer, value: Any, above: dict[str, tuple[Any, Buffer]]) -> _Held | None:
    found = file.indirect(value) if isinstance(value, Reference) else None
    if found is None or not isinstance(found[0], Dictionary):
        return None
    place = file.place(value.number)
    generation = place.generation if place is not None and place.stream is None else 0
    return _Held(Reference(value.number, generation), found[0], found[2] or data, above)


def _drawn(file: File, data: Buffer, page: _Held, drawing: bytes, size: int) -> Iterator[Object]:
    """Yield the page with the notice, what draws it, and the two streams around what the page draws itself."""
    form, before, after = size + 1, size + 2, size + 3
    yield Object(form, 0, drawing)
    yield Object(before, 0, _stream(b"", b"q"))
    yield Object(after, 0, _stream(b"", b"Q q " + _placed(file, page) + b" /%b Do Q" % NAME.encode()))
    kept = _entries(page.dictionary, page.buffer, without=("Contents", "Resources"))
    contents = b"[%d 0 R %b %d 0 R]" % (before, _contents(file, page), after)
    resources = _resources(file, data, page, form)
    yield Object(*page.reference, b"<<" + kept + b"/Contents " + contents + b"\n/Resources " + resources + b">>")


def _entries(dictionary: Dictionary, buffer: Buffer, without: tuple[str, ...]) -> bytes:
    return b"".join(
        bytes(buffer[item.key : item.start]).rstrip() + b" " + bytes(buffer[item.start : item.end]) + b"\n"
        for name, item in dictionary.items.items()
        if name not in without
    )


def _contents(file: File, page: _Held) -> bytes:
    """Return the references of what the page draws."""
    given = page.dictionary.get("Contents")
    found = file.resolved(given)
    listed = found if isinstance(found, list) else [] if given is None else [given]
    return b" ".join(b"%d %d R" % one for one in listed if isinstance(one, Reference))


def _resources(file: File, data: Buffer, page: _Held, form: int) -> bytes:
    """Return the page's resources with the notice among its XObjects, everything else as it stands."""
    own = b"/%b %d 0 R" % (NAME.encode(), form)
    resources, buffer = _followed(file, data, *page.found("Resources"))
    if resources is None:
        return b"<</XObject <<" + own + b">>>>"
    listed, place = _inner(file, data, resources, buffer, "XObject")
    others = _entries(listed, place, (NAME,)) if listed is not None else b""
    return b"<<" + _entries(resources, buffer, ("XObject",)) + b"/XObject <<" + others + own + b">>>>"


def _raw_resources(file: File, data: Buffer, page: _Held) -> bytes:
    resources, buffer = _followed(file, data, *page.found("Resources"))
    listed, place = _inner(file, data, resources, buffer, "XObject") if resources is not None else (None, data)
    return _entries(listed, place, ()) if listed is not None else b""


def _inner(file: File, data: Buffer, outer: Dictionary, buffer: Buffer, name: str) -> tuple[Dictionary | None, Buffer]:
    return _followed(file, data, outer.get(name), buffer)


def _followed(file: File, data: Buffer, value: Any, buffer: Buffer) -> tuple[Dictionary | None, Buffer]:
    """Return a dictionary, given or referred to, and the buffer it is in."""
    if isinstance(value, Dictionary):
        return value, buffer
    found = file.indirect(value) if isinstance(value, Reference) else None
    if found is None or not isinstance(found[0], Dictionary):
        return None, data
    return found[0], found[2] or data


def _placed(file: File, page: _Held) -> bytes:
    """Return what makes the page's upper left corner, as it is seen, the origin."""
    given = file.resolved(page.get("CropBox")) or file.resolved(page.get("MediaBox"))
    box = [file.resolved(one) for one in given] if isinstance(given, list) else []
    numbers = [float(one) for one in box if isinstance(one, int | float)]
    x0, y0, x1, y1 = numbers if len(numbers) == 4 else _LETTER
    turned = file.resolved(page.get("Rotate"))
    left, bottom, right, top = min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)
    matrices = {
        0: (1, 0, 0, 1, left, top),
        90: (0, 1, -1, 0, left, bottom),
        180: (-1, 0, 0, -1, right, bottom),
        270: (0, -1, 1, 0, right, top),
    }
    matrix = matrices.get(turned % 360 if isinstance(turned, int) else 0, matrices[0])
    return b" ".join(b"%g" % one for one in matrix) + b" cm"


# ------------------------------------------------------------------------------------------------ the words


def _stream(entries: bytes, content: bytes) -> bytes:
    return b"<<" + entries + b"/Length %d>>\nstream\n" % len(content) + content + b"\nendstream"


def _codes(words: str) -> dict[str, int]:
    """Return a code for each glyph, from 33 on."""
    return {char: 33 + number for number, char in enumerate(dict.fromkeys(words))}


def _form(words: str, advance: float, font: int) -> bytes:
    codes = _codes(words)
    pad, high = _POINTS / 3, _POINTS * 1.5
    plate = (_MARGIN, -_MARGIN - high, advance + 2 * pad, high)
    box = (plate[0], plate[1], plate[0] + plate[2], plate[1] + plate[3])
    line = bytes(codes[char] for char in words).hex().encode()
    said = b"<FEFF" + words.encode("utf-16-be").hex().upper().encode() + b">"
    drawn = b"q 1 g %g %g %g %g re f 0 g BT /F %g Tf %g %g Td <%b> Tj ET Q" % (
        *plate, _POINTS, plate[0] + pad, plate[1] + _POINTS * 0.4, line,
    )  # fmt: skip
    content = b"/Span <</ActualText " + said + b">> BDC\n" + drawn + b"\nEMC"
    resources = b"/Resources <</Font <</F %d 0 R>>>>" % font
    head = b"/Type/XObject/Subtype/Form/BBox [%g %g %g %g]" % box
    return _stream(head + resources, content)


def _font(words: str, font: Path, number: int) -> Iterator[Object]:
    """Yield a font of the words' glyphs, each a mask, and what its codes mean."""
    codes = _codes(words)
    first = number + _DRAWN
    glyphs = {char: first + 1 + at for at, char in enumerate(codes)}
    for char, at in glyphs.items():
        yield Object(at, 0, _stream(b"/Filter/FlateDecode", zlib.compress(_glyph(char, font)[0], 9)))
    pairs = b"".join(b"<%02X> <%b>\n" % (code, char.encode("utf-16-be").hex().encode()) for char, code in codes.items())
    meaning = (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /AIGC def /CMapType 2 def\n"
        b"1 begincodespacerange <00> <FF> endcodespacerange\n%d beginbfchar\n%bendbfchar\n"
        b"endcmap CMapName currentdict /CMap defineresource pop end end" % (len(codes), pairs)
    )
    yield Object(first, 0, _stream(b"", meaning))
    names = b" ".join(b"/g%d" % code for code in codes.values())
    procs = b" ".join(b"/g%d %d 0 R" % (codes[char], at) for char, at in glyphs.items())
    widths = b" ".join(b"%d" % _glyph(char, font)[1] for char in codes)
    yield Object(
        number, 0,
        b"<</Type/Font/Subtype/Type3/FontBBox [0 %d %d %d]/FontMatrix [%.8f 0 0 %.8f 0 0]/FirstChar 33/LastChar %d"
        b"/Widths [%b]/Encoding <</Type/Encoding/Differences [33 %b]>>/CharProcs <<%b>>/Resources <<>>"
        b"/ToUnicode %d 0 R>>"
        % (
            -_PIXELS // 4, 2 * _PIXELS, _PIXELS, 1 / _PIXELS, 1 / _PIXELS, 32 + len(codes), widths, names, procs, first,
        ),
    )  # fmt: skip


def _glyph(char: str, font: Path) -> tuple[bytes, int]:
    """Return what draws a glyph as a mask, and how far it moves on, in pixels of the em."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415  only where a notice is drawn

    face = ImageFont.truetype(str(font), _PIXELS)
    advance = round(face.getlength(char))
    left, top, right, bottom = (round(one) for one in face.getbbox(char, anchor="ls"))
    wide, high = right - left, bottom - top
    if not wide or not high:
        return b"%d 0 d0" % advance, advance
    mask = Image.new("1", (wide, high), 1)
    ImageDraw.Draw(mask).text((-left, -top), char, fill=0, font=face, anchor="ls")
    data = mask.tobytes().hex().encode() + b">"
    drawn = b"q %d 0 0 %d %d %d cm BI /W %d /H %d /BPC 1 /IM true /F /AHx ID " % (wide, high, left, -bottom, wide, high)
    return b"%d 0 %d %d %d %d d1 " % (advance, left, -bottom, right, -top) + drawn + data + b" EI Q", advance
