"""Forms that carry files (multipart/form-data, RFC 7578), of films and of sound: read strictly, written anew.

What goes on is written by the belt, never the bytes that came: no parser behind it can read another form in them.
"""

import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

from multipart import MultipartError, MultipartParser, MultipartPart, parse_options_header

MEDIA_TYPE = b"multipart/form-data"
_NAME = re.compile(r"[\w.\[\]-]{1,64}", re.ASCII)
_TYPE = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}", re.ASCII)
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}$")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}", re.ASCII)
_MAX_PARTS = 32  # a request for a film has five fields, one for a transcript a dozen
_MAX_LINE = 80  # two dashes and a boundary
_MANY = "[]"
"""How the name of a field ends that may come more than once."""
_OTHER_CHARSET = "_charset_"
"""A field that says how the others are to be read (RFC 7578, 4.6): behind us they would be another text."""
Texts = dict[str, str | list[str]]
"""A form's texts by name; of a field that may come more than once, all of them."""


class Malformed(ValueError):  # noqa: N818  told apart from other errors of values
    """A body that is no form, or one that could be read in two ways."""


_BROKEN = (Malformed, MultipartError, UnicodeError, LookupError)


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


def read(content_type: bytes, body: bytes) -> tuple[Texts, list[File]]:
    """Return a form's texts by name, and its files.

    Raises:
        Malformed: It is no form, a name comes twice or is none, or a text is not in UTF-8.
    """
    _, options = parse_options_header(content_type.decode("latin-1"))
    return _read(options.get("boundary", ""), body)


def named_model(body: bytes) -> str | None:
    """Return the model that a form names, which is the first to be named: `read` takes no second one.

    It needs no content type: a form that `read` takes begins with its boundary.
    """
    try:
        for part in _parts(body[2 : body.find(b"\r\n", 0, _MAX_LINE)].decode("latin-1"), body):
            if part.name == "model":  # mostly before the file, and then a large one costs nothing
                return bytes(part.raw).decode("utf-8") or None
    except _BROKEN:
        return None
    return None


def _read(boundary: str, body: bytes) -> tuple[Texts, list[File]]:
    texts, files = Texts(), list[File]()
    try:
        for part in _parts(boundary, body):
            _take(part, texts, files)
    except _BROKEN as error:
        raise Malformed(str(error)) from error
    return texts, files


def _parts(boundary: str, body: bytes) -> Iterator[MultipartPart]:
    begins = f"--{boundary}\r\n".encode("latin-1"), f"--{boundary}--".encode("latin-1")
    if not _BOUNDARY.fullmatch(boundary) or not body.startswith(begins):
        raise Malformed("it does not begin with its boundary")
    yield from MultipartParser(
        BytesIO(body),
        boundary,
        strict=True,
        part_limit=_MAX_PARTS,
        spool_limit=len(body) + 1,  # nothing is written to a disk
        memory_limit=len(body) + 1,
    )


def _take(part: MultipartPart, texts: Texts, files: list[File]) -> None:
    name, kind = part.name or "", part.content_type or ""
    if not _NAME.fullmatch(name) or name == _OTHER_CHARSET or kind.lower().startswith("multipart/"):
        raise Malformed("a field that has no name, holds a form, or says how others are read")
    is_again = name in texts or any(one.name == name for one in files)
    if is_again and not (name.endswith(_MANY) and part.filename is None and name in texts):
        raise Malformed("the name of a field comes twice")
    data = bytes(part.raw)
    if part.filename is None:
        text, before = data.decode("utf-8"), texts.get(name)
        texts[name] = ([*before, text] if isinstance(before, list) else [text]) if name.endswith(_MANY) else text
        return
    suffix = _SUFFIX.search(part.filename)
    media_type = kind if _TYPE.fullmatch(kind) else "application/octet-stream"
    files.append(File(name=name, suffix=suffix.group() if suffix else "", media_type=media_type, data=data))


def written(texts: Mapping[str, str | list[str]], files: Sequence[File]) -> tuple[bytes, bytes]:
    """Return the media type and the bytes of a form."""
    boundary = secrets.token_hex(16)  # by chance, so that no content can hold it
    parts = [
        _part(boundary, f'name="{name}"', "", text.encode("utf-8"))
        for name, said in texts.items()
        for text in ([said] if isinstance(said, str) else said)
    ]
    parts += [
        _part(boundary, f'name="{one.name}"; filename="file{one.suffix}"', one.media_type, one.data) for one in files
    ]
    body = b"".join((*parts, f"--{boundary}--\r\n".encode("ascii")))
    return MEDIA_TYPE + f"; boundary={boundary}".encode("ascii"), body


def _part(boundary: str, disposition: str, media_type: str, data: bytes) -> bytes:
    lines = [f"--{boundary}", f"Content-Disposition: form-data; {disposition}"]
    lines += [f"Content-Type: {media_type}"] if media_type else []
    return "\r\n".join((*lines, "", "")).encode("ascii") + data + b"\r\n"
