"""Forms that carry files (multipart/form-data, RFC 7578), as film services take them: read strictly, written anew.

What goes on is written by the belt, never the bytes that came: no parser behind it can read another form in them.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header

MEDIA_TYPE = b"multipart/form-data"
_NAME = re.compile(r"[\w.\[\]-]{1,64}", re.ASCII)
_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}", re.ASCII)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_MAX_PARTS = 32  # a request for a film has five fields


class Malformed(ValueError):  # noqa: N818  told apart from other errors of values
    """A body that is no form, or one that could be read in two ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file in a form.

    Attributes:
        name: The field's.
        suffix: End of the file's own name, with its dot; the rest is not passed on, since names tell of people.
        media_type: As the caller calls it.
        data: Its bytes.
    """

    name: str
    suffix: str
    media_type: str
    data: bytes


def is_form(content_type: bytes) -> bool:
    """Whether a body of this type is a form with files."""
    return content_type.partition(b";")[0].strip().lower() == MEDIA_TYPE


def read(content_type: bytes, body: bytes) -> tuple[dict[str, str], list[File]]:
    """Return a form's texts by name, and its files.

    Raises:
        Malformed: It is no form, a name comes twice or is none, or a text is not in UTF-8.
    """
    _, options = parse_options_header(content_type.decode("latin-1"))
    texts, files = dict[str, str](), list[File]()
    try:
        parser = MultipartParser(
            BytesIO(body),
            options.get("boundary", ""),
            strict=True,
            part_limit=_MAX_PARTS,
            spool_limit=len(body) + 1,  # nothing is written to a disk
            memory_limit=len(body) + 1,
        )
        for part in parser:
            _take(part, texts, files)
    except (MultipartError, UnicodeDecodeError, LookupError) as error:
        raise Malformed(str(error)) from error
    return texts, files


def _take(part: MultipartPart, texts: dict[str, str], files: list[File]) -> None:
    name = part.name or ""
    if not _NAME.fullmatch(name) or name in texts or any(one.name == name for one in files):
        raise Malformed("the name of a field is none, or comes twice")
    data = bytes(part.raw)
    if part.filename is None:
        texts[name] = data.decode("utf-8")
        return
    suffix, kind = _SUFFIX.search(part.filename), part.content_type or ""
    media_type = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    files.append(File(name=name, suffix=suffix.group() if suffix else "", media_type=media_type, data=data))


def written(texts: Mapping[str, str], files: Sequence[File]) -> tuple[bytes, bytes]:
    """Return the media type and the bytes of a form."""
    boundary = secrets.token_hex(16)  # by chance, so that no content can hold it
    parts = [_part(boundary, f'name="{name}"', "", text.encode("utf-8")) for name, text in texts.items()]
    parts += [
        _part(boundary, f'name="{one.name}"; filename="file{one.suffix}"', one.media_type, one.data) for one in files
    ]
    body = b"".join((*parts, f"--{boundary}--\r\n".encode("ascii")))
    return MEDIA_TYPE + f"; boundary={boundary}".encode("ascii"), body


def _part(boundary: str, disposition: str, media_type: str, data: bytes) -> bytes:
    lines = [f"--{boundary}", f"Content-Disposition: form-data; {disposition}"]
    lines += [f"Content-Type: {media_type}"] if media_type else []
    return "\r\n".join((*lines, "", "")).encode("ascii") + data + b"\r\n"
