"""EPUB: the label as a `<meta>` of the package document; every other part of the book is copied as it lies.

Sources: EPUB 3.3 (W3C 2025): 4.2.6.3.1 (container file), 5.5.5 (meta), D.1.4 (prefixes); OPF 2.0.1, 2.2 (meta name and
content).  The law and its guides name no place in EPUB: this one is our own choice.
"""

from collections.abc import Iterator
from html import escape

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Found, Unwritable
from safebelt.rooms.labelling.formats.changes import Change
from safebelt.rooms.labelling.formats.elements import Element, elements
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import as_line, collected
from safebelt.rooms.labelling.formats.xmp_scan import NAMESPACE
from safebelt.rooms.labelling.formats.zips import Archive

_CONTAINER, _SIGNATURES = "META-INF/container.xml", "META-INF/signatures.xml"
_NAMES = ("aigc", "tc260:aigc")
_PREFIX = f"TC260: {NAMESPACE}"


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(Archive(data)))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the package document; raises `Broken` and `Unwritable`."""
    archive, line = Archive(data), as_line(value)
    if archive.content(_SIGNATURES) is not None:
        raise Unwritable(
            Text(
                zh="该 EPUB 已数字签名，写入标识会使签名失效；请在签名之前写入标识。",
                en="This EPUB is signed, and a label would make the signature invalid; label it before it is signed.",
            )
        )
    name = _package_name(archive)
    return archive.rewritten({name: _labelled(_package(archive, name), line)})


def _findings(archive: Archive) -> Iterator[Found]:
    name = _package_name(archive)
    for element in _labels(elements(TextFile.of(_package(archive, name), name).utf8, name)):
        key = element.attribute("property") or element.attribute("name")
        value = element.attribute("content") if element.attribute("name") else element.text.strip()
        yield Found(place=f"{name} meta {key}", value=value, is_native=True)


def _package_name(archive: Archive) -> str:
    raw = archive.content(_CONTAINER)
    if raw is None:
        raise Broken("an EPUB without its container file")
    for element in elements(TextFile.of(raw, _CONTAINER).utf8, _CONTAINER):
        if element.name == "rootfile" and element.attribute("full-path"):
            return element.attribute("full-path")
    raise Broken("an EPUB that names no package document")


def _package(archive: Archive, name: str) -> bytes:
    raw = archive.content(name)
    if raw is None:
        raise Broken("an EPUB without its package document")
    return raw


def _labels(listed: list[Element]) -> list[Element]:
    return [
        one
        for one in listed
        if one.name == "meta" and (one.attribute("property") or one.attribute("name")).lower() in _NAMES
    ]


def _labelled(raw: bytes, line: str) -> bytes:
    """Return the package document with the label: where the first one was, or behind all other metadata."""
    text = TextFile.of(raw, "a package document")
    listed = elements(text.utf8, "a package document")
    root, metadata = listed[0], next((one for one in listed if one.name == "metadata"), None)
    if root.name != "package" or metadata is None:
        raise Broken("an EPUB whose package document has no metadata")
    is_old = root.attribute("version").startswith(("1", "2"))
    old = _labels(listed)
    new = _meta(metadata.prefix, line, is_old=is_old)
    changes: list[Change] = [(one.start, one.end, b"") for one in old[1:]]
    changes.append((old[0].start, old[0].end, new) if old else metadata.appended(new))
    return text.made(changes if is_old else changes + _prefixed(root, text.utf8), raw)


def _meta(prefix: str, line: str, *, is_old: bool) -> bytes:
    if is_old:
        content = escape(line, quote=True).replace("&#x27;", "'")
        return f'<{prefix}meta name="AIGC" content="{content}"/>'.encode()
    return f'<{prefix}meta property="TC260:AIGC">{escape(line, quote=False)}</{prefix}meta>'.encode()


def _prefixed(root: Element, package: bytes) -> list[Change]:
    """Return what declares the label's prefix on the root, if it does not yet."""
    declared = root.attributes.get("prefix")
    if declared is not None and "TC260:" in declared.split():
        return []
    if declared is None:
        at = root.start + 1 + len(f"{root.prefix}{root.name}".encode())
        return [(at, at, f' prefix="{_PREFIX}"'.encode())]
    tag = package[root.start : root.opened]
    for quote in (b'"', b"'"):
        at = tag.find(b"prefix=" + quote)
        if at >= 0:
            place = root.start + at + len(b"prefix=") + 1
            return [(place, place, f"{_PREFIX} ".encode())]
    raise Broken("an EPUB whose package document declares prefixes in an unusual way")
