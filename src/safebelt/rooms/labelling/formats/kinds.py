"""Which formats there are, and how a file shows what it is: by its first bytes, never by its name alone.

Sources of the signatures: the formats' own specifications, as the modules in this folder name them.  Text formats have
none; there the name decides, and what does not decode is no text.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from types import MappingProxyType
from typing import Protocol, cast

from safebelt.rooms.labelling.formats.carrier import Buffer, Edit, Found


class Kind(StrEnum):
    """A file format; the value is its usual extension."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"
    TIFF = "tiff"
    AVIF = "avif"
    HEIC = "heic"
    SVG = "svg"
    MP4 = "mp4"
    MOV = "mov"
    M4A = "m4a"
    MKV = "mkv"
    WEBM = "webm"
    AVI = "avi"
    FLV = "flv"
    WAV = "wav"
    MP3 = "mp3"
    FLAC = "flac"
    OGG = "ogg"
    OPUS = "opus"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    EPUB = "epub"
    MARKDOWN = "md"
    HTML = "html"
    TXT = "txt"
    JSON = "json"


class Carrier(Protocol):
    """A module of this folder that reads and writes one family of formats: see `carrier`."""

    def read(self, data: Buffer) -> list[Found]:
        """Find every label; raises `Broken`."""

    def write(self, data: Buffer, value: str) -> Edit:
        """Put one label in; raises `Broken` and `Unwritable`."""


MODULES: Mapping[Kind, str] = MappingProxyType({
    Kind.JPEG: "jpeg", Kind.PNG: "png", Kind.WEBP: "webp", Kind.GIF: "gif", Kind.TIFF: "tiff",
    Kind.AVIF: "heif", Kind.HEIC: "heif", Kind.SVG: "svg",
    Kind.MP4: "mp4", Kind.MOV: "mp4", Kind.M4A: "mp4", Kind.MKV: "matroska", Kind.WEBM: "matroska",
    Kind.AVI: "riff", Kind.WAV: "riff", Kind.FLV: "flv",
    Kind.MP3: "mp3", Kind.FLAC: "flac", Kind.OGG: "ogg", Kind.OPUS: "ogg",
    Kind.PDF: "pdf", Kind.DOCX: "ooxml", Kind.XLSX: "ooxml", Kind.PPTX: "ooxml", Kind.EPUB: "epub",
    Kind.MARKDOWN: "markdown", Kind.HTML: "html", Kind.TXT: "txt", Kind.JSON: "jsonfile",
})  # fmt: skip
"""Which module of this folder carries which format."""

MEDIA_TYPES: Mapping[Kind, str] = MappingProxyType({
    Kind.JPEG: "image/jpeg", Kind.PNG: "image/png", Kind.WEBP: "image/webp", Kind.GIF: "image/gif",
    Kind.TIFF: "image/tiff", Kind.AVIF: "image/avif", Kind.HEIC: "image/heic", Kind.SVG: "image/svg+xml",
    Kind.MP4: "video/mp4", Kind.MOV: "video/quicktime", Kind.M4A: "audio/mp4", Kind.MKV: "video/x-matroska",
    Kind.WEBM: "video/webm", Kind.AVI: "video/x-msvideo", Kind.FLV: "video/x-flv", Kind.WAV: "audio/wav",
    Kind.MP3: "audio/mpeg", Kind.FLAC: "audio/flac", Kind.OGG: "audio/ogg", Kind.OPUS: "audio/ogg",
    Kind.PDF: "application/pdf",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    Kind.EPUB: "application/epub+zip", Kind.MARKDOWN: "text/markdown", Kind.HTML: "text/html",
    Kind.TXT: "text/plain", Kind.JSON: "application/json",
})  # fmt: skip
"""Media types (IANA; `x-` where it lists none)."""

_EXTENSIONS: Mapping[str, Kind] = MappingProxyType(
    {kind.value: kind for kind in Kind}
    | {"jpeg": Kind.JPEG, "jpe": Kind.JPEG, "tif": Kind.TIFF, "heif": Kind.HEIC, "qt": Kind.MOV, "m4v": Kind.MP4}
    | {"m4b": Kind.M4A, "mka": Kind.MKV, "wave": Kind.WAV, "oga": Kind.OGG, "markdown": Kind.MARKDOWN}
    | {"htm": Kind.HTML, "xhtml": Kind.HTML, "text": Kind.TXT}
)
_START = 4096
"""Bytes at the beginning in which a format shows itself."""
_BY_START: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", Kind.JPEG),
    (b"\x89PNG\r\n\x1a\n", Kind.PNG),
    (b"GIF87a", Kind.GIF),
    (b"GIF89a", Kind.GIF),
    (b"II*\0", Kind.TIFF),
    (b"MM\0*", Kind.TIFF),
    (b"II+\0", Kind.TIFF),
    (b"MM\0+", Kind.TIFF),
    (b"FLV\x01", Kind.FLV),
    (b"fLaC", Kind.FLAC),
    (b"ID3", Kind.MP3),
)
_RIFF = {b"WEBP": Kind.WEBP, b"WAVE": Kind.WAV, b"AVI ": Kind.AVI}
_AVIF_BRANDS, _HEIC_BRANDS = (
    (b"avif", b"avis"),
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"),
)
_GENERAL_BRANDS = (b"mif1", b"msf1")
"""Brands that only say it is HEIF (ISO/IEC 23008-12, 10.2): the compatible ones say which."""
_M4A_BRANDS = (b"M4A ", b"M4B ", b"M4P ")
_ZIPPED = ((b"word/", Kind.DOCX), (b"xl/", Kind.XLSX), (b"ppt/", Kind.PPTX))
_BOXES = (b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_BY_NAME = (Kind.MARKDOWN, Kind.HTML, Kind.TXT, Kind.JSON, Kind.SVG)
_FLAC_IN_ID3 = 10
_UTF_16 = b"\xff\xfe"
"""Byte order mark of UTF-16, little end first; it begins like a frame of layer I, which nobody uses."""


def extension_of(name: str) -> Kind | None:
    """Return the format that a file's name claims, or None."""
    return _EXTENSIONS.get(name.rpartition(".")[2].lower()) if "." in name else None


def sniff(data: Buffer, name: str = "") -> Kind | None:
    """Return what a file is.

    Args:
        data: The file.
        name: What it is called; it decides between formats that only their names tell apart, and for texts.

    Returns:
        The format, or None where it is none of ours.
    """
    start, named = bytes(data[:_START]), extension_of(name)
    return _by_signature(start, data) or _text(start, named)


def carrier_of(kind: Kind) -> Carrier:
    """Return the module that reads and writes a format."""
    return cast("Carrier", import_module(f"safebelt.rooms.labelling.formats.{MODULES[kind]}"))


def _by_signature(start: bytes, data: Buffer) -> Kind | None:
    for signature, kind in _BY_START:
        if start.startswith(signature):
            return kind if signature != b"ID3" else _after_id3(start, data)
    if start[:4] == b"PK\x03\x04":
        return _zipped(start, data)
    return _container(start) or _loose(start)


def _container(start: bytes) -> Kind | None:
    """Tell the containers apart that say which they are of a family."""
    if start[:4] in (b"RIFF", b"RF64", b"BW64"):
        return _RIFF.get(start[8:12])
    if start[:4] == b"\x1aE\xdf\xa3":
        return Kind.WEBM if b"webm" in start[:64] else Kind.MKV
    if start[:4] == b"OggS":
        return Kind.OPUS if b"OpusHead" in start[:128] else Kind.OGG
    return _brand(start) if start[4:8] == b"ftyp" else None


def _loose(start: bytes) -> Kind | None:
    """Tell what begins less clearly."""
    if start[4:8] in _BOXES:
        return Kind.MOV
    if b"%PDF-" in start[:1024]:  # ISO 32000-2, 7.5.2 with the note on readers that look into the first 1024 bytes
        return Kind.PDF
    is_frame = len(start) > 2 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0 and start[1] & 0x06
    return Kind.MP3 if is_frame and start[:2] != _UTF_16 else None


def _after_id3(start: bytes, data: Buffer) -> Kind:
    """Tell an MP3 from a FLAC that somebody put an ID3 tag before."""
    if len(start) < _FLAC_IN_ID3:
        return Kind.MP3
    size = (start[6] & 127) << 21 | (start[7] & 127) << 14 | (start[8] & 127) << 7 | start[9] & 127
    at = _FLAC_IN_ID3 + size
    return Kind.FLAC if bytes(data[at : at + 4]) == b"fLaC" else Kind.MP3


def _brand(start: bytes) -> Kind:
    size = int.from_bytes(start[:4])
    brands = [start[8:12], *(start[at : at + 4] for at in range(16, min(size, len(start)), 4))]
    for known, kind in ((_AVIF_BRANDS, Kind.AVIF), (_HEIC_BRANDS, Kind.HEIC), (_M4A_BRANDS, Kind.M4A)):
        if brands[0] in known and brands[0] not in _GENERAL_BRANDS:
            return kind
    if brands[0] == b"qt  ":
        return Kind.MOV
    images = [
        kind for kind, known in ((Kind.AVIF, _AVIF_BRANDS), (Kind.HEIC, _HEIC_BRANDS)) if set(known) & set(brands)
    ]
    return images[0] if images else Kind.MP4


def _zipped(start: bytes, data: Buffer) -> Kind | None:
    """Tell packages apart by what they hold: an EPUB says it first (OCF 4.3), others name their parts."""
    if b"mimetypeapplication/epub+zip" in start[:128]:
        return Kind.EPUB
    names = bytes(data[max(0, len(data) - (1 << 20)) :])  # the central directory is at the end
    return next((kind for part, kind in _ZIPPED if part in start or part in names), None)


def _text(start: bytes, named: Kind | None) -> Kind | None:
    if start[:2] in (_UTF_16, _UTF_16[::-1]):
        start = start[2:].replace(b"\0", b"")  # markup is ASCII; other characters do not matter here
    if b"\0" in start:
        return None
    low = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:512].lower()
    if re.match(rb"(?:<\?xml.*?\?>\s*)?(?:<!--.*?-->\s*)*(?:<!doctype svg.*?>\s*)?<svg[\s>]", low, re.DOTALL):
        return Kind.SVG
    if low.startswith((b"<!doctype html", b"<html")):
        return Kind.HTML
    return named if named in _BY_NAME else None
