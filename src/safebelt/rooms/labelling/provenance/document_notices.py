"""Visible notices in documents: a paragraph, a sheet, a box on a slide, a line in a book or a drawing.

Only the parts that gain the notice change, and in these only what is put in; every other part is copied as it lies.
GB 45438-2025 5.1 a) lets a text's notice stand at its beginning, its end, or a fit place within: a document's and a
book's stands first, a slide show's on the first slide, a workbook's on a sheet of its own whose tab says it on every
sheet.  A signed package is left alone: a change would make its signature invalid.

Sources: ISO/IEC 29500-1:2016 (17.2.2 body, 17.3.1.22 p; 18.2.19 sheet, 18.3.1.53 is; 19.3.1.43 sp, 19.3.1.45 spTree);
EPUB 3.3, 5.7 (spine); SVG 1.1, 10.4 (text).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape, unescape
from posixpath import dirname, join, normpath
from urllib.parse import unquote

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Buffer, Edit, Unwritable
from safebelt.rooms.labelling.formats.changes import Change, changed
from safebelt.rooms.labelling.formats.elements import Element, elements
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.zips import Archive

Notice = Callable[[str], str]
"""Returns the notice for a text, in its language."""
SAMPLE = 20_000
"""Characters of a document that its language is told from, and that are looked through for a notice."""
_TYPES = "[Content_Types].xml"
_SIGNED = ("_xmlsignatures/", "meta-inf/signatures.xml")
_DOCUMENT = "/officeDocument"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
_CELLS = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DRAWN = "http://schemas.openxmlformats.org/drawingml/2006/main"
TABS = {"zh": "AI生成", "en": "AI generated"}
"""What the tab of a workbook's notice says: both elements, in each language."""
_TAG, _BODY = re.compile(r"<[^>]*>"), re.compile(r"<([A-Za-z][\w.-]*:)?body\b[^>]*>", re.IGNORECASE)
_SVG_END, _SVG_ROOT = re.compile(rb"</svg\s*>\s*(?:<!--.*?-->\s*)*\Z", re.DOTALL), re.compile(rb"<svg\b[^>]*>")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_EMU_WIDE, _EMU_HIGH = 4_000_000, 400_000  # English metric units: about 11 by 1 cm
_LEAST = 0.056  # of a drawing's shortest side: 5 % (GB 45438-2025 5.2) with a margin, as in pictures
_CAP_HEIGHT = 0.7  # of a font's size: what capitals and characters reach in the fonts that renderers take
_USUAL_SIDE = 100.0
_MAX_SPINE = 8
_NOWHERE = Text(
    zh="该文件里没有适合放置可见提示的位置；请在界面上显示。",
    en="The file has no place that a visible notice fits in: show it beside the content.",
)


def put(data: Buffer, kind: Kind, notice: Notice) -> tuple[Edit, str]:
    """Return the edit that puts a notice into a document, and where that is.

    Args:
        data: The file.
        kind: DOCX, XLSX, PPTX, EPUB or SVG.
        notice: Gives the notice for the document's text.

    Raises:
        Unwritable: There is no place for one, or the document is signed.
        Broken: It is not whole.
    """
    if kind is Kind.SVG:
        return _drawing(data, notice)
    archive = Archive(data)
    if any(name.startswith(_SIGNED) for name in archive.members):
        raise Unwritable(
            Text(
                zh="该文件已数字签名，加入提示会使签名失效；请在签名之前加注。",
                en="The file is signed, and a notice would make the signature invalid; mark it before it is signed.",
            )
        )
    contents, place = _PACKAGES[kind](archive, notice)
    return archive.rewritten(contents), place


def words(data: Buffer, kind: Kind) -> str:
    """Return what a reader meets at a document's beginning and end; raises `Broken` and `Unwritable`."""
    if kind is Kind.SVG:
        return _plain(TextFile.of(data, "a drawing").utf8.decode("utf-8", "replace"))
    archive = Archive(data)
    return "\n".join(_edges(_plain(_text(archive, name))) for name in _READ[kind](archive))


def _edges(text: str) -> str:
    return f"{text[:SAMPLE]}\n{text[-SAMPLE:]}" if len(text) > 2 * SAMPLE else text


def _plain(markup: str) -> str:
    return unescape(_TAG.sub("", markup))


def _needed(archive: Archive, name: str) -> bytes:
    content = archive.content(name)
    if content is None:
        raise Unwritable(_NOWHERE)
    return content


def _text(archive: Archive, name: str) -> str:
    content = archive.content(name)
    return "" if content is None else TextFile.of(content, name).utf8.decode("utf-8", "replace")


def _elements(raw: bytes, what: str) -> list[Element]:
    return elements(TextFile.of(raw, what).utf8, what)


def _made(raw: bytes, what: str, change: Change) -> bytes:
    return TextFile.of(raw, what).made([change], raw)


# ------------------------------------------------------------------------------------------------ office


def _relations(archive: Archive, part: str) -> tuple[str, dict[str, tuple[str, str]]]:
    """Return the part with another's relationships, and these: type and target by id."""
    folder, _, own = part.rpartition("/")
    name = f"{folder}/_rels/{own}.rels".lstrip("/")
    listed = _elements(_needed(archive, name), name)
    found = {
        one.attribute("Id"): (one.attribute("Type"), _target(folder, one.attribute("Target")))
        for one in listed
        if one.name == "Relationship" and one.attribute("TargetMode") != "External"
    }
    return name, found


def _target(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else normpath(join(folder, unquote(target)))


def _main(archive: Archive) -> str:
    """Return the name of the part that is the document itself."""
    _, relations = _relations(archive, "")
    return next((target for kind, target in relations.values() if kind.endswith(_DOCUMENT)), "") or _none()


def _none() -> str:
    raise Unwritable(_NOWHERE)


def _paragraph(archive: Archive, notice: Notice) -> tuple[dict[str, bytes], str]:
    name = _main(archive)
    raw = _needed(archive, name)
    page = _text(archive, name)
    body = _BODY.search(page)
    if body is None or body.group().endswith("/>"):
        raise Unwritable(_NOWHERE)
    said, p, at = notice(_plain(page[: 8 * SAMPLE])[:SAMPLE]), body.group(1) or "", len(page[: body.end()].encode())
    new = f"<{p}p><{p}r><{p}t>{escape(said, quote=False)}</{p}t></{p}r></{p}p>".encode()
    return {name: _made(raw, name, (at, at, new))}, "text: beginning"


def _sheet(archive: Archive, notice: Notice) -> tuple[dict[str, bytes], str]:
    """Add a sheet behind all others, so that none that is counted or referred to moves."""
    name = _main(archive)
    raw, folder = _needed(archive, name), dirname(name)
    listed = _elements(raw, name)
    sheets, old = next((one for one in listed if one.name == "sheets"), None), _named(listed, "sheet")
    key = next((key for one in old for key in one.attributes if key.endswith(":id")), "")
    if sheets is None or not key:
        raise Unwritable(_NOWHERE)
    said = notice("\n".join(_plain(_text(archive, one)) for one in _sheets(archive)[1:])[:SAMPLE])
    tab = _free(TABS["zh" if "人工" in said else "en"], {one.attribute("name") for one in old})
    where, relations = _relations(archive, name)
    relation = _free("rIdAIGCnotice", set(relations))
    part = _free(join(folder, "worksheets/notice"), {one.removesuffix(".xml") for one in archive.members}) + ".xml"
    number = max((int(one.attribute("sheetId")) for one in old if one.attribute("sheetId").isdecimal()), default=0) + 1
    declared = f"xmlns:{key.partition(':')[0]}"
    space = next((one.attributes[declared] for one in listed if declared in one.attributes), _RELATIONS)
    own = f'{declared}="{escape(space)}" {key}="{relation}"'  # it may have been declared on each sheet alone
    entry = f'<{old[0].prefix}sheet name="{tab}" sheetId="{number}" {own}/>'.encode()
    return {
        name: _made(raw, name, sheets.appended(entry)),
        where: _with_last(archive, where, "Relationship", f'Id="{relation}" Type="{_SHEET_RELATION}" Target="/{part}"'),
        _TYPES: _with_last(archive, _TYPES, "Override", f'PartName="/{part}" ContentType="{_SHEET_TYPE}"'),
        part: _cells(said),
    }, f"sheet {tab}"


def _named(listed: list[Element], name: str) -> list[Element]:
    return [one for one in listed if one.name == name]


def _free(wished: str, taken: set[str]) -> str:
    low = {one.lower() for one in taken}
    return next(made for number in range(len(low) + 1) if (made := f"{wished}{number or ''}").lower() not in low)


def _with_last(archive: Archive, name: str, tag: str, attributes: str) -> bytes:
    raw = _needed(archive, name)
    root = _elements(raw, name)[0]
    return _made(raw, name, root.appended(f"<{root.prefix}{tag} {attributes}/>".encode()))


def _cells(said: str) -> bytes:
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="{_CELLS}"><sheetData>'
        f'<row r="1"><c r="A1" t="inlineStr"><is><t>' + f"{escape(said, quote=False)}</t></is></c></row>"
        "</sheetData></worksheet>"
    ).encode()


def _box(archive: Archive, notice: Notice) -> tuple[dict[str, bytes], str]:
    slides = _slides(archive)
    if not slides:
        raise Unwritable(_NOWHERE)
    name, raw = slides[0], _needed(archive, slides[0])
    listed = _elements(raw, name)
    tree = next((one for one in listed if one.name == "spTree"), None)
    if tree is None or tree.is_empty:
        raise Unwritable(_NOWHERE)
    inner = [one for one in listed if one.depth == tree.depth + 1 and tree.opened <= one.start < tree.closing]
    at = next((one.start for one in inner if one.name == "extLst"), tree.closing)
    number = max(
        (int(one.attribute("id")) for one in _named(listed, "cNvPr") if one.attribute("id").isdecimal()), default=1
    )
    said = notice(_plain(_text(archive, name))[:SAMPLE])
    return {name: _made(raw, name, (at, at, _shape(tree.prefix, number + 1, said)))}, "slide 1"


def _shape(p: str, number: int, said: str) -> bytes:
    return (
        f'<{p}sp><{p}nvSpPr><{p}cNvPr id="{number}" name="AI notice"/><{p}cNvSpPr txBox="1"/><{p}nvPr/></{p}nvSpPr>'
        f'<{p}spPr><a:xfrm xmlns:a="{_DRAWN}"><a:off x="0" y="0"/><a:ext cx="{_EMU_WIDE}" cy="{_EMU_HIGH}"/></a:xfrm>'
        f'<a:prstGeom xmlns:a="{_DRAWN}" prst="rect"><a:avLst/></a:prstGeom></{p}spPr>'
        f'<{p}txBody><a:bodyPr xmlns:a="{_DRAWN}" wrap="none"/><a:p xmlns:a="{_DRAWN}"><a:r><a:rPr sz="1400"/>'
        f"<a:t>{escape(said, quote=False)}</a:t></a:r></a:p></{p}txBody></{p}sp>"
    ).encode()


def _slides(archive: Archive) -> list[str]:
    """Return the parts of the slides, in the order they are shown."""
    name = _main(archive)
    _, relations = _relations(archive, name)
    shown = (
        next((value for key, value in one.attributes.items() if key.endswith(":id")), "")
        for one in _named(_elements(_needed(archive, name), name), "sldId")
    )
    return [relations[one][1] for one in shown if one in relations]


# ------------------------------------------------------------------------------------------------ books and drawings


def _line(archive: Archive, notice: Notice) -> tuple[dict[str, bytes], str]:
    for name in list(_spine(archive))[:_MAX_SPINE]:
        raw = archive.content(name)
        if raw is None:
            continue
        text = TextFile.of(raw, name)
        page = text.utf8.decode("utf-8", "replace")
        body = _BODY.search(page)
        if body is not None and not body.group().endswith("/>"):
            said = notice(_plain(page)[:SAMPLE])
            at = len(page[: body.end()].encode())
            new = f'<p class="ai-generated-notice" role="note">{escape(said)}</p>'.encode()
            return {name: text.made([(at, at, new)], raw)}, f"{name}: beginning"
    raise Unwritable(_NOWHERE)


def _spine(archive: Archive) -> Iterator[str]:
    """Yield the pages of a book, in the order they are read."""
    root = next(
        (
            one.attribute("full-path")
            for one in _elements(_needed(archive, "META-INF/container.xml"), "container.xml")
            if one.name == "rootfile"
        ),
        "",
    )
    listed = _elements(_needed(archive, root), root)
    items = {one.attribute("id"): one.attribute("href") for one in _named(listed, "item")}
    for one in _named(listed, "itemref"):
        if one.attribute("idref") in items:
            yield _target(dirname(root), items[one.attribute("idref")].partition("#")[0])


def _drawing(data: Buffer, notice: Notice) -> tuple[Edit, str]:
    raw = bytes(data[:])
    end, root = _SVG_END.search(raw), _SVG_ROOT.search(raw)
    if end is None or root is None:
        raise Unwritable(_NOWHERE)
    said = notice(_plain(raw.decode("utf-8", "replace"))[:SAMPLE])
    left, top, wide, high = _view(root.group().decode("utf-8", "replace"))
    size = _LEAST * min(wide, high) / _CAP_HEIGHT
    place = f'x="{left + size / 2:g}" y="{top + high - size / 2:g}" font-size="{size:g}" stroke-width="{size / 8:g}"'
    new = (
        f'<text xmlns="http://www.w3.org/2000/svg" {place} font-family="sans-serif" fill="#000" stroke="#fff"'
        f' paint-order="stroke">{escape(said)}</text>'
    ).encode("ascii", "xmlcharrefreplace")
    return changed(len(raw), [(end.start(), end.start(), new)]), "bottom left"


def _view(root: str) -> tuple[float, float, float, float]:
    """Return left, top, width and height of what a drawing shows, in its own units."""

    def said(name: str) -> list[float]:
        found = re.search(rf"\s{name}\s*=\s*[\"']([^\"']*)[\"']", root)
        return [float(one) for one in re.findall(r"-?[0-9]+(?:\.[0-9]+)?", found.group(1))] if found else []

    view = said("viewBox")
    if len(view) == 4 and view[2] > 0 and view[3] > 0:
        return view[0], view[1], view[2], view[3]
    wide, high = (next(iter(said(name)), _USUAL_SIDE) or _USUAL_SIDE for name in ("width", "height"))
    return 0.0, 0.0, wide, high


def _book_ends(archive: Archive) -> list[str]:
    spine = list(_spine(archive))
    return [*spine[:_MAX_SPINE], *spine[_MAX_SPINE:][-1:]]


def _sheets(archive: Archive) -> list[str]:
    """Return the workbook, whose tabs are always seen, its texts, and its first and last sheet."""
    name = _main(archive)
    _, relations = _relations(archive, name)
    sheets = [target for kind, target in relations.values() if kind.endswith("/worksheet")]
    return [name, join(dirname(name), "sharedStrings.xml"), *sheets[:1], *sheets[1:][-1:]]


def _slide_ends(archive: Archive) -> list[str]:
    slides = _slides(archive)
    return [*slides[:1], *slides[1:][-1:]]


_PACKAGES: Mapping[Kind, Callable[[Archive, Notice], tuple[dict[str, bytes], str]]] = {
    Kind.DOCX: _paragraph, Kind.XLSX: _sheet, Kind.PPTX: _box, Kind.EPUB: _line,
}  # fmt: skip
_READ: Mapping[Kind, Callable[[Archive], list[str]]] = {
    Kind.DOCX: lambda archive: [_main(archive)], Kind.XLSX: _sheets, Kind.PPTX: _slide_ends, Kind.EPUB: _book_ends,
}  # fmt: skip
DOCUMENTS = frozenset((*_PACKAGES, Kind.SVG))
"""Documents that take a notice."""
