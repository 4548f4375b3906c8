"""Fingerprints of files: what is seen of a picture, what is read in a text, and nothing of what stands beside it."""

import html
import string
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.formats.markdown import front_matter
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.model.label import NOTICE
from safebelt.rooms.labelling.model.likeness import Fingerprint, Likeness
from safebelt.rooms.labelling.provenance.pixels import RASTER, decoded

_TEXTS = (Kind.TXT, Kind.MARKDOWN, Kind.HTML)
_MAX_BYTES = 8 << 20
"""Bytes of a text that are read; of its characters fewer still."""
_LOWER = {ord(one): one.lower() for one in string.ascii_uppercase}  # `lower` would change some texts' length
_HIDDEN = ("script", "style", "template", "noscript")


def fingerprint_of(kind: Kind, data: Buffer) -> Fingerprint | None:
    """Return the fingerprint of a file, or None where it has none.

    None has one that is of another format, damaged, or says or shows too little.

    Args:
        kind: Its format.
        data: Its bytes.
    """
    try:
        if kind in RASTER:
            return of_pixels(decoded(data, kind).rgb)
        return _of_text(kind, data) if kind in _TEXTS else None
    except (Broken, Unwritable, ValueError):
        return None


def of_pixels(rgb: NDArray[np.uint8]) -> Fingerprint | None:
    """Return the fingerprint of a decoded picture, or None where it shows nothing.

    Args:
        rgb: 8 bits, shape (height, width, 3).
    """
    from safebelt.rooms.labelling.watermark import fingerprints  # noqa: PLC0415  30 MB, and only where it is asked

    if fingerprints.is_flat(rgb):
        return None
    return Fingerprint(of=Likeness.PICTURE, bits=fingerprints.of_picture(rgb))


def _of_text(kind: Kind, data: Buffer) -> Fingerprint | None:
    from safebelt.rooms.labelling.watermark import fingerprints  # noqa: PLC0415  as above

    bits = fingerprints.of_text(said(kind, data))
    return None if bits is None else Fingerprint(of=Likeness.TEXT, bits=bits)


def said(kind: Kind, data: Buffer) -> str:
    """Return what a text says: without markup, without what stands in its metadata, and without this house's notice.

    Raises:
        Broken: It is not the text it says it is.
    """
    raw = TextFile.of(data[:_MAX_BYTES], "a text").utf8
    if kind is Kind.MARKDOWN:
        matter = front_matter(raw)
        raw = raw[matter[1] :] if matter else raw
    text = _decoded(raw)
    if kind is Kind.HTML:
        text = html.unescape(" ".join(_between_tags(text)))
    for notice in (NOTICE.zh, NOTICE.en):
        text = text.replace(notice, " ", 1)
    return text


def _decoded(raw: bytes) -> str:
    """Decode a text that names no encoding: UTF-8, or else the other one that Chinese texts come in."""
    for codec in ("utf-8", "gb18030"):
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def _between_tags(text: str) -> Iterator[str]:
    """Yield what stands between tags and is shown; every step goes forward, so the time is that of one reading."""
    lower, at = text.translate(_LOWER), 0
    while (start := lower.find("<", at)) >= 0:
        yield text[at:start]
        hidden = next((name for name in _HIDDEN if lower.startswith(name, start + 1)), "")
        end = lower.find(f"</{hidden}" if hidden else ">", start)
        if end < 0:
            return
        at = lower.find(">", end) + 1 if hidden else end + 1
        if at == 0:
            return
    yield text[at:]
