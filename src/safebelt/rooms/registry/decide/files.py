"""Judgments of files: what their bytes are, what they may be called, and how they are handed out."""

import re
import unicodedata
from urllib.parse import quote

FILE_NAME_LIMIT = 150
"""Characters of a file's name: what every file system takes, in any script."""
SNIFFED_BYTES = 4096
"""How much of a file's beginning is looked at."""
_ENDING_LIMIT = 10
"""Characters of a name's ending that is kept when the name is cut."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""What nobody sees in a name; among it the marks that make `exe.fdp` read as `pdf.exe`."""

_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\x1f\x8b", "application/gzip"),
    (4, b"ftyp", "video/mp4"),
    (0, b"OggS", "audio/ogg"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"MZ", "application/x-executable"),
)
"""Where in a file, which bytes, what it is (WHATWG MIME Sniffing, section 6; the formats' own specifications)."""
_HTML = re.compile(
    rb"<(?:!doctype html|html|head|body|script|iframe|svg|img|a |div|table|style|title|!--)", re.IGNORECASE
)
_XML = re.compile(rb"<\?xml\s")


def sniff(beginning: bytes) -> str:
    """Return what a file's bytes are, whatever its name or sender says.

    What is not recognised is `text/plain` where it reads as text, otherwise `application/octet-stream`.

    Args:
        beginning: The first bytes; at most `SNIFFED_BYTES` are looked at.
    """
    head = beginning[:SNIFFED_BYTES]
    for place, magic, media_type in _MAGIC:
        if head[place : place + len(magic)] == magic:
            return media_type
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if _HTML.search(head):
        return "text/html"
    if _XML.match(text):
        return "application/xml"
    return "text/plain" if _reads_as_text(head) else "application/octet-stream"


def _reads_as_text(head: bytes) -> bool:
    if any(byte < 0x20 and byte not in b"\t\n\r\x0c\x1b" for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 and error.reason == "unexpected end of data"
    return True


SAFE_TO_NAME = frozenset(
    {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "application/zip", "text/plain"}
)
"""What a download may say it is; anything else goes out as mere bytes, so that no browser ever runs it."""


def sent_type(media_type: str) -> str:
    """Return what a download says it is."""
    if media_type == "text/plain":
        return "text/plain; charset=utf-8"
    return media_type if media_type in SAFE_TO_NAME else "application/octet-stream"


def file_name(given: str) -> str:
    """Return a file's name without folders, control and direction-changing characters; never empty, `.` or `..`.

    Example:
        >>> file_name("../../etc/passwd")
        'passwd'
    """
    last = re.split(r"[/\\]", given)[-1]
    kept = "".join(char for char in last if unicodedata.category(char) not in _UNSEEN)
    name = unicodedata.normalize("NFC", kept).strip().lstrip(".").strip()
    stem, dot, ending = name.rpartition(".")
    if dot and stem and len(ending) <= _ENDING_LIMIT:
        return f"{stem[: FILE_NAME_LIMIT - len(ending) - 1]}.{ending}"
    return name[:FILE_NAME_LIMIT] or "unnamed"


def disposition(name: str) -> str:
    """Return the header that makes a browser save a file, never show it (RFC 6266, RFC 8187)."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


SANDBOX = "default-src 'none'; sandbox"
"""Even a browser that showed a download would run nothing in it."""


def download_headers(name: str) -> dict[str, str]:
    """Return the headers of a download that no browser shows or runs; the house adds `nosniff` to every answer."""
    return {"content-disposition": disposition(name), "content-security-policy": SANDBOX}


def media_type(given: str) -> str:
    """Return a media type without its parameters, or nothing where it is none."""
    plain = given.partition(";")[0].strip().lower()
    return plain if re.fullmatch(r"[a-z0-9.+-]{1,50}/[a-z0-9.+-]{1,49}", plain) else ""
