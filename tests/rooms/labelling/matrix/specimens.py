"""One file of every format, as a program that is not ours writes it, before any mark."""

import io
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from PIL import Image
from tests.rooms.labelling.formats import still_files as still
from tests.rooms.labelling.formats.media import sample
from tests.rooms.labelling.watermark.pictures import photographed

from safebelt.rooms.labelling.formats.kinds import Kind

_SAMPLES = {
    Kind.AVIF: "enc.avif", Kind.HEIC: "enc.heic", Kind.MP4: "end.mp4", Kind.MOV: "a.mov", Kind.M4A: "a.m4a",
    Kind.MKV: "a.mkv", Kind.WEBM: "a.webm", Kind.AVI: "a.avi", Kind.FLV: "a.flv", Kind.WAV: "a.wav",
    Kind.MP3: "three.mp3", Kind.FLAC: "a.flac", Kind.OGG: "a.ogg", Kind.OPUS: "a.opus",
}  # fmt: skip
PAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>页</title>'
    "</head><body><p>正文</p></body></html>\n"
)
TEXT = "天气很好。\nThe weather is fine.\n"


def photograph(name: str, size: tuple[int, int], **options: object) -> bytes:
    """A real photograph, of scikit-learn's own (CC BY 2.0), as Pillow encodes it."""
    out = io.BytesIO()
    Image.fromarray(photographed("china.jpg")).resize(size).save(out, name, **options)
    return out.getvalue()


def book() -> bytes:
    """A book of two pages, packed as EPUB 3.3 says."""
    package = (
        '<?xml version="1.0"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="i">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:identifier id="i">urn:x</dc:identifier>'
        "<dc:title>书</dc:title><dc:language>zh</dc:language></metadata><manifest>"
        '<item id="a" href="text/%E4%B8%80.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="b" href="text/2.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>'
        '<spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
        '<rootfile full-path="OPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        packed.writestr("META-INF/container.xml", container)
        packed.writestr("OPS/book.opf", package)
        packed.writestr("OPS/text/一.xhtml", PAGE)
        packed.writestr("OPS/text/2.xhtml", PAGE)
    return out.getvalue()


SPECIMENS: Mapping[Kind, Callable[[], bytes]] = {
    Kind.JPEG: lambda: photograph("JPEG", (512, 340), quality=90),
    Kind.PNG: lambda: photograph("PNG", (512, 340)),
    Kind.WEBP: lambda: photograph("WEBP", (512, 340), quality=90),
    Kind.GIF: lambda: photograph("GIF", (256, 170)),
    Kind.TIFF: lambda: photograph("TIFF", (256, 170)),
    **{kind: (lambda name=name: sample(name)) for kind, name in _SAMPLES.items()},
    Kind.SVG: still.SVG.encode,
    Kind.PDF: still.pdf,
    Kind.DOCX: still.document,
    Kind.XLSX: still.workbook,
    Kind.PPTX: still.slides,
    Kind.EPUB: book,
    Kind.MARKDOWN: still.MARKDOWN.encode,
    Kind.HTML: still.HTML.encode,
    Kind.TXT: TEXT.encode,
    Kind.JSON: still.JSON.encode,
}


SECONDS = 10
"""Length of a sound or film that is to carry a mark in what is heard or seen."""


def lasting(kind: Kind, out: Path) -> None:
    """Write a sound, or a film with sound, of some seconds, by ffmpeg: noise and a test picture."""
    picture = ["-f", "lavfi", "-i", f"testsrc2=size=640x360:rate=10:duration={SECONDS}"]
    noise = ["-f", "lavfi", "-i", f"anoisesrc=color=pink:seed=7:amplitude=0.3:duration={SECONDS}:sample_rate=44100"]
    is_film = kind in (Kind.MP4, Kind.MOV, Kind.MKV, Kind.WEBM, Kind.AVI, Kind.FLV)
    subprocess.run(
        ["ffmpeg", "-v", "error", "-nostdin", "-y", *(picture if is_film else []), *noise, str(out)],
        check=True, timeout=120,
    )  # fmt: skip


@cache
def shown(kind: Kind) -> bytes:
    """A picture of a format that is large enough for marks in what it shows."""
    return photograph(kind.value, (512, 340)) if kind in (Kind.TIFF, Kind.AVIF) else specimen(kind)


@cache
def specimen(kind: Kind) -> bytes:
    """A file of a format."""
    return SPECIMENS[kind]()
