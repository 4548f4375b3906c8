"""Judgments of files people send along: which are taken, told by their own bytes.  Pure."""

from collections.abc import Sequence

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.portal.model.complaint_rules import ComplaintRules
from safebelt.rooms.portal.model.complaints import FileIn

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
"""First bytes (ISO 32000, PNG, JFIF, GIF); WebP is a RIFF container and is told in `media_type`."""
_NAME_CHARS = 120
_HINT = Text(
    zh="可以附 PDF、图片（PNG、JPEG、GIF、WebP）或纯文本。",
    en="PDF, pictures (PNG, JPEG, GIF, WebP) and plain text are taken.",
)


def media_type(content: bytes) -> str | None:
    """Return the media type that a file's own bytes tell, or None for what is not taken; its name is not asked.

    Text that begins with a tag (a web page, a drawing) is not taken: it could act where it is opened.
    """
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    found = next((kind for start, kind in _SIGNATURES if content.startswith(start)), None)
    return found or _plain(content)


def _plain(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    is_control = any(ord(char) < 32 and char not in "\t\n\r\f" for char in text)
    return None if is_control or text.lstrip().startswith("<") else "text/plain"


def clean_name(name: str) -> str:
    """Return the last part of a file's name, without what cannot be printed."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in last if char.isprintable()).strip()[:_NAME_CHARS] or "file"


def hold_files(files: Sequence[FileIn], rules: ComplaintRules) -> tuple[str, ...]:
    """Hold that files can be taken; return their media types.

    Raises:
        Invalid: There are too many, one is empty, too large or of a kind that is not taken.
    """
    if len(files) > rules.files:
        raise _refused(Text(zh=f"最多附 {rules.files} 个文件。", en=f"At most {rules.files} files are taken."))
    if sum(len(one.content) for one in files) > rules.files_bytes:
        raise _refused(_too_large(Text(zh="文件合计", en="The files together"), rules.files_bytes))
    return tuple(_held(one, rules) for one in files)


def _held(file: FileIn, rules: ComplaintRules) -> str:
    name = clean_name(file.name)
    if not file.content:
        raise _refused(Text(zh=f"文件“{name}”是空的。", en=f"The file “{name}” is empty."))
    if len(file.content) > rules.file_bytes:
        raise _refused(_too_large(Text(zh=f"文件“{name}”", en=f"The file “{name}”"), rules.file_bytes))
    kind = media_type(file.content)
    if kind is None:
        raise _refused(Text(zh=f"不接受文件“{name}”的格式。", en=f"The file “{name}” is of a kind that is not taken."))
    return kind


def _too_large(what: Text, most: int) -> Text:
    size = most / 1_000_000
    return Text(zh=f"{what.zh}超过 {size:g} MB。", en=f"{what.en} have more than {size:g} MB.")


def _refused(what: Text) -> Invalid:
    return Invalid(what=what, hint=_HINT, details={"field": "files"})
