"""DOCX, XLSX, PPTX: the label as the custom property `AIGC`; every other part of the package is copied as it lies.

Sources: ISO/IEC 29500-1:2016, 15.2.12.2 (custom properties) and 22.3 (their part); ISO/IEC 29500-2:2021 (packages:
content types, relationships); TC260-PG-20258A for the place (`vt:lpwstr`).  What signatures of office programs name are
parts and single relationships, neither of which this part is.
"""

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, Found
from safebelt.rooms.labelling.formats.changes import Change
from safebelt.rooms.labelling.formats.elements import Element, elements
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import as_line, collected, in_text
from safebelt.rooms.labelling.formats.zips import Archive

_TYPES, _RELATIONS, _USUAL = "[Content_Types].xml", "_rels/.rels", "docProps/custom.xml"
_OTHERS = ("docProps/core.xml", "docProps/app.xml")
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/custom-properties"
_STRICT_RELATION = "http://purl.oclc.org/ooxml/officeDocument/relationships/customProperties"
_CONTENT = "application/vnd.openxmlformats-officedocument.custom-properties+xml"
_PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties"
_VALUES = "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes"
_STRICT_VALUES = "http://purl.oclc.org/ooxml/officeDocument/docPropsVTypes"
_SET = "{D5CDD505-2E9C-101B-9397-08002B2CF9AE}"
"""The format id of all user-defined properties (22.3.2.2)."""
_FIRST_ID = 2
_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    return collected(_findings(Archive(data)))


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the custom properties; raises `Broken` and `Unwritable`."""
    archive, line = Archive(data), as_line(value)
    name, relations = _part(archive)
    contents = {
        _TYPES: _typed(_needed(archive, _TYPES), name),
        _RELATIONS: relations,
        name: _with_property(archive.content(name), line),
    }
    for other in _OTHERS:
        content = archive.content(other)
        if content is not None:
            contents[other] = _cleaned(content, other)
    return archive.rewritten(contents)


def _findings(archive: Archive) -> Iterator[Found]:
    name = _part(archive)[0]
    content = archive.content(name)
    if content is not None:
        for element in _properties(TextFile.of(content, name).utf8):
            if element.attribute("name").upper() == "AIGC":
                is_native = element.attribute("name") == "AIGC"
                yield Found(place=f"{name} AIGC", value=element.text.strip(), is_native=is_native)
            else:
                yield from (
                    Found(place=f"{name} {element.attribute('name')[:64]}", value=loose.value, is_native=False)
                    for loose in in_text(element.text)
                )
    for other in _OTHERS:
        for element in _leaves(archive.content(other), other):
            for loose in in_text(element.text):
                yield Found(place=f"{other} {element.name}", value=loose.value, is_native=False)


def _needed(archive: Archive, name: str) -> bytes:
    content = archive.content(name)
    if content is None:
        raise Broken(f"an office package without {name}")
    return content


def _part(archive: Archive) -> tuple[str, bytes]:
    """Return the name of the part with the custom properties, and the relationships with it among them."""
    raw = _needed(archive, _RELATIONS)
    text = TextFile.of(raw, _RELATIONS)
    listed = elements(text.utf8, _RELATIONS)
    relations = [element for element in listed if element.name == "Relationship"]
    for relation in relations:
        if relation.attribute("Type") in (_RELATION, _STRICT_RELATION):
            return relation.attribute("Target").removeprefix("/").removeprefix("./") or _USUAL, raw
    taken = {relation.attribute("Id") for relation in relations}
    identity = next(made for number in range(1, len(taken) + 2) if (made := f"rIdAIGC{number}") not in taken)
    strict = any("purl.oclc.org" in relation.attribute("Type") for relation in relations)
    new = (
        f'<{listed[0].prefix}Relationship Id="{identity}" Type="{_STRICT_RELATION if strict else _RELATION}"'
        f' Target="{_USUAL}"/>'
    )
    return _USUAL, text.made([listed[0].appended(new.encode())], raw)


def _typed(raw: bytes, name: str) -> bytes:
    """Return the content types with the part's own."""
    text = TextFile.of(raw, _TYPES)
    listed = elements(text.utf8, _TYPES)
    path = "/" + name
    if any(one.name == "Override" and one.attribute("PartName").lower() == path.lower() for one in listed):
        return raw
    new = f'<{listed[0].prefix}Override PartName={quoteattr(path)} ContentType="{_CONTENT}"/>'
    return text.made([listed[0].appended(new.encode())], raw)


def _properties(utf8: bytes) -> list[Element]:
    return [one for one in elements(utf8, "custom properties") if one.depth == 1 and one.name == "property"]


def _with_property(raw: bytes | None, line: str) -> bytes:
    """Return the custom properties with the label: where the first one was, or behind all others."""
    if raw is None or not raw.strip():
        raw = _HEAD + f'<Properties xmlns="{_PROPERTIES}" xmlns:vt="{_VALUES}"></Properties>'.encode()
    text = TextFile.of(raw, "custom properties")
    root = elements(text.utf8, "custom properties")[0]
    listed = _properties(text.utf8)
    old = [one for one in listed if one.attribute("name").upper() == "AIGC"]
    changes: list[Change] = [(one.start, one.end, b"") for one in old[1:]]
    for one in listed:
        if one not in old and (change := _blanked(one)) is not None:
            changes.append(change)
    identities = [int(one.attribute("pid")) for one in listed if re.fullmatch(r"[0-9]{1,9}", one.attribute("pid"))]
    if old and re.fullmatch(r"[0-9]{1,9}", old[0].attribute("pid")):
        identity = int(old[0].attribute("pid"))
    else:
        identity = max([_FIRST_ID - 1, *identities]) + 1
    new = _property(root, identity, line)
    changes.append((old[0].start, old[0].end, new) if old else root.appended(new))
    return text.made(changes, raw)


def _property(root: Element, identity: int, line: str) -> bytes:
    declared = {uri: key.removeprefix("xmlns:") for key, uri in root.attributes.items() if key.startswith("xmlns:")}
    strict = any("purl.oclc.org" in uri for uri in root.attributes.values())
    values = _STRICT_VALUES if strict else _VALUES
    prefix = declared.get(values)
    typed = f"{prefix}:lpwstr" if prefix else "vt:lpwstr"
    own = "" if prefix else f' xmlns:vt="{values}"'
    return (
        f'<{root.prefix}property fmtid="{_SET}" pid="{identity}" name="AIGC">'
        f"<{typed}{own}>{escape(line)}</{typed}></{root.prefix}property>"
    ).encode()


def _leaves(content: bytes | None, what: str) -> list[Element]:
    if content is None or (b"AIGC" not in content and b"Label" not in content):
        return []
    try:
        return [one for one in elements(TextFile.of(content, what).utf8, what) if one.depth == 1]
    except Broken:
        return []


def _blanked(element: Element) -> Change | None:
    """Return what takes labels out of an element's text, or None where it has none."""
    labels = in_text(element.text)
    if not labels:
        return None
    rest = element.text
    for label in reversed(labels):
        rest = rest[: label.start] + rest[label.end :]
    return element.opened, element.closing, escape(rest).encode()


def _cleaned(content: bytes, what: str) -> bytes:
    text = TextFile.of(content, what)
    changes = [change for element in _leaves(content, what) if (change := _blanked(element)) is not None]
    return text.made(changes, content) if changes else content
