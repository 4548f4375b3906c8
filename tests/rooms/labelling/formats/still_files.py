"""Files of the still formats (pictures, documents, packages, texts), made by the programs that usually make them."""

import io
import json
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pikepdf
import pptx
import pytest
from PIL import Image

from safebelt.rooms.labelling.formats.carrier import Buffer, Found, applied
from safebelt.rooms.labelling.formats.kinds import Kind, carrier_of

KEYS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")


def label(produce_id: str = "rec-01", producer: str = "001191110102MACQD9K64010000", generation: str = "1") -> str:
    """A label's bare object, with characters that every format has to escape."""
    values = [generation, producer, produce_id, "<&>'\\\"();", "", "", ""]
    return json.dumps(dict(zip(KEYS, values, strict=True)), separators=(",", ":"))


VALUE, OTHER = label(), label("rec-02-" + "x" * 3000, generation="2")
WRAPPED = '{"AIGC":' + label("old", "somebody", "3") + "}"


def picture(width: int = 40, height: int = 30) -> Image.Image:
    made = Image.new("RGB", (width, height))
    made.putdata([(x * 6 % 256, y * 8 % 256, x * y % 256) for y in range(height) for x in range(width)])
    return made


def saved(save: Callable[[Any], Any]) -> bytes:
    out = io.BytesIO()
    save(out)
    return out.getvalue()


def image(kind: str, made: Image.Image | None = None, **options: Any) -> bytes:
    return saved(lambda out: (made or picture()).save(out, kind, **options))


def pdf(*, mode: pikepdf.ObjectStreamMode = pikepdf.ObjectStreamMode.disable, xmp: str = "", **options: Any) -> bytes:
    made = pikepdf.new()
    made.add_blank_page()
    made.docinfo["/Title"], made.docinfo["/Own"] = "标题 (a) \\ b", "kept"
    if xmp:
        with made.open_metadata() as metadata:
            metadata["dc:title"] = "kept"
            metadata["{http://www.tc260.org.cn/ns/AIGC/1.0/}AIGC"] = xmp
    return saved(lambda out: made.save(out, object_stream_mode=mode, **options))


def document() -> bytes:
    made = docx.Document()
    made.add_paragraph("正文 text")
    made.core_properties.title = "kept"
    return saved(made.save)


def workbook() -> bytes:
    made = openpyxl.Workbook()
    made.active["A1"] = "正文"
    return saved(made.save)


def slides() -> bytes:
    made = pptx.Presentation()
    made.slides.add_slide(made.slide_layouts[0]).shapes.title.text = "正文"
    return saved(made.save)


def book(version: str = "3.0", package: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        packed.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
            '<rootfile full-path="书/p.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        packed.writestr(
            "书/p.opf",
            f'<?xml version="1.0"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="{version}"{package}>\n'
            '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>T</dc:title></metadata>\n</package>',
        )
        packed.writestr("书/一.xhtml", "<html><body>正文</body></html>" * 50)
    return out.getvalue()


SVG = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!-- <svg> -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "a.dtd">\n'
    '<svg xmlns="http://www.w3.org/2000/svg" aria-label="a>b"><title>图</title><rect width="4" height="3"/></svg>\n'
)
HTML = '<!doctype html>\n<html lang="zh"><head><meta charset="utf-8"><title>页</title></head><body><p>正文</p></body></html>\n'
MARKDOWN = "---\ntitle: 标题  # kept\ntags: [a, b]\n---\n\n# 正文\n\n---\nAIGC: not this\n"
JSON = '{\n  "name": "值",\n  "list": [1.0, {"AIGC": "}"}]\n}\n'

FILES: dict[Kind, Callable[[], bytes]] = {
    Kind.JPEG: lambda: image("JPEG"),
    Kind.PNG: lambda: image("PNG"),
    Kind.GIF: lambda: image("GIF"),
    Kind.TIFF: lambda: image("TIFF"),
    Kind.SVG: SVG.encode,
    Kind.PDF: pdf,
    Kind.DOCX: document,
    Kind.XLSX: workbook,
    Kind.PPTX: slides,
    Kind.EPUB: book,
    Kind.MARKDOWN: MARKDOWN.encode,
    Kind.HTML: HTML.encode,
    Kind.JSON: JSON.encode,
}
"""A plain file of every format that this half can write."""


def marked(data: Buffer, value: str = VALUE, kind: Kind = Kind.JPEG) -> bytes:
    return applied(data, carrier_of(kind).write(data, value))


def values(data: Buffer, kind: Kind) -> list[tuple[str, bool]]:
    return [(one.value, one.is_native) for one in carrier_of(kind).read(data)]


def alone(found: list[Found], value: str) -> bool:
    """Whether a label is the only one, and in its place."""
    return [(one.value, one.is_native) for one in found] == [(value, True)]


def exiftool(path: Path, data: bytes, *options: str) -> dict[str, Any]:
    """What exiftool, which is not ours, sees in a file."""
    return exiftool_all(path.parent, {path.name: data}, *options)[path.name]


def exiftool_all(folder: Path, files: dict[str, bytes], *options: str) -> dict[str, dict[str, Any]]:
    """What exiftool sees in several files, by name: it takes long to start."""
    program = shutil.which("exiftool")
    if program is None:
        pytest.skip("exiftool is not installed")
    for name, data in files.items():
        (folder / name).write_bytes(data)
    paths = [str(folder / name) for name in files]
    done = subprocess.run([program, "-j", "-a", "-G1", *options, *paths], capture_output=True, text=True, check=False)
    return {Path(seen["SourceFile"]).name: seen for seen in json.loads(done.stdout)}


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A file with a few things wrong: bytes changed, cut, doubled, moved, numbers made large."""
    made = bytearray(data)
    for _number in range(chance.choice((1, 1, 2, 4))):
        at = chance.randrange(len(made) + 1)
        length = chance.choice((1, 2, 4, 8, 64, 512))
        what = chance.randrange(7)
        if what == 0:
            made[at : at + length] = bytes(chance.randrange(256) for _byte in range(length))
        elif what == 1:
            made[at : at + length] = b""
        elif what == 2:
            made[at:at] = made[chance.randrange(len(made) + 1) :][: length * 4]
        elif what == 3:
            made[at : at + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        elif what == 4:
            del made[at:]
        elif what == 5 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        else:
            made[at:at] = chance.choice((b"AIGC", b'{"AIGC":{"Label":"1"}}', b"<", b'"', b"\0", b"(", b"<<", b"]"))
    return bytes(made)
