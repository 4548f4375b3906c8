"""Documents handed over with a step: kept salted, so that erasing one erases nobody else's copy."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256

from safebelt.engines.blobs.folder import Folder
from safebelt.engines.clock import Chance
from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.supervision import Attachment, FileIn

FILES_LIMIT = 20
"""Documents one step carries."""
_SALT = 16
"""Bytes before each kept document: enough that no two copies share a name."""
_NAME_LIMIT = 200

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"PK\x03\x04", "application/zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
"""First bytes of the forms people hand in; office documents of today are archives."""


def sniffed(content: bytes) -> str:
    """Return the media type a file's own bytes tell; its name is not asked."""
    for start, media_type in _SIGNATURES:
        if content.startswith(start):
            return media_type
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "application/octet-stream" if "\0" in text else "text/plain"


@contextmanager
def keeping(files: Sequence[FileIn], blobs: Folder, chance: Chance) -> Iterator[tuple[Attachment, ...]]:
    """Keep documents while a deed is done; where it fails, they are gone again.

    Raises:
        Invalid: There are too many, one is empty or too large, or has no name.
    """
    if len(files) > FILES_LIMIT:
        raise _invalid(Text(zh=f"每一步最多附 {FILES_LIMIT} 个文件。", en=f"A step takes {FILES_LIMIT} files at most."))
    kept: list[Attachment] = []
    try:
        for one in files:
            kept.append(_kept(one, blobs, chance))
        yield tuple(kept)
    except BaseException:
        erase(kept, blobs)
        raise


def _kept(file: FileIn, blobs: Folder, chance: Chance) -> Attachment:
    last = file.name.replace("\\", "/").rpartition("/")[2]
    name = "".join(char for char in last if char.isprintable()).strip()[:_NAME_LIMIT]
    if not name or not file.content:
        raise _invalid(Text(zh="文件没有名称，或是空的。", en="A file has no name, or is empty."))
    blob = blobs.put((chance(_SALT).rjust(_SALT, b"\0"), file.content))
    return Attachment(
        name=name,
        media_type=sniffed(file.content),
        size=len(file.content),
        digest=sha256(file.content).hexdigest(),
        blob=blob,
    )


def content_of(attachment: Attachment, blobs: Folder) -> bytes:
    """Return a document's bytes.

    Raises:
        NotFound, Conflict, Unavailable: As `Folder.get`.
    """
    return blobs.get(attachment.blob)[_SALT:]


def erase(attachments: Iterable[Attachment], blobs: Folder) -> None:
    """Erase documents for good."""
    for one in attachments:
        blobs.erase(one.blob)


def _invalid(what: Text) -> Invalid:
    return Invalid(
        what=what, hint=Text(zh="请更正后重新提交。", en="Correct it and send it again."), details={"field": "files"}
    )
