"""A text file as UTF-8, and the way back: what is edited is text, what is kept is bytes."""

import codecs
import re
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import Broken, Buffer, Edit, applied
from safebelt.rooms.labelling.formats.changes import Change, changed

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
_DECLARED = re.compile(rb"^\s{0,64}<\?xml[^>]{0,200}?encoding\s{0,8}=\s{0,8}[\"']([A-Za-z0-9._-]{1,40})[\"']")
_AS_IT_IS = ("utf-8", "ascii", "us-ascii")
"""Encodings of which every byte below 128 is itself, so that ASCII can be searched and put in without decoding."""


@dataclass(frozen=True, slots=True)
class TextFile:
    """A text file.

    Attributes:
        utf8: Its text after a byte order mark, in UTF-8 (unchecked, where the file says it is UTF-8 or says nothing);
            its beginning, where no more is asked for.
        mark: Length of the byte order mark, in bytes.
        size: Length of the file, in bytes.
        codec: Its encoding, where that is another; `utf8` was made from it.
    """

    utf8: bytes
    mark: int
    size: int
    codec: str | None = None

    @staticmethod
    def of(data: Buffer, what: str, codec: str | None = None, *, limit: int | None = None) -> "TextFile":
        """Take a file's text.

        Args:
            data: The file.
            what: What it is, for the error.
            codec: The encoding it declares in another way than a byte order mark or an XML declaration.
            limit: How much of it is looked at, in bytes, where it needs no decoding; all of it, if None.

        Raises:
            Broken: It is not the text it says it is, or could not be written back as it was.
        """
        start = bytes(data[:512])
        mark, marked = next(((mark, name) for mark, name in _MARKS if start.startswith(mark)), (b"", None))
        declared = _DECLARED.match(start)
        named = marked or codec or (declared.group(1).decode() if declared else _unmarked(start))
        if named is None or named.lower().replace("_", "-") in (*_AS_IT_IS, "utf8"):
            return TextFile(data[len(mark) : limit], len(mark), len(data))
        raw = data[len(mark) :]
        try:
            text = raw.decode(named)
            if text.encode(named) != raw:
                raise Broken(f"{what} that would not survive being decoded")
            return TextFile(text.encode(), len(mark), len(data), named)
        except (LookupError, UnicodeError) as error:
            raise Broken(f"{what} that is not in the encoding it names") from error

    def offset(self, at: int) -> int | None:
        """Return where a place of `utf8` is in the file; None where that was decoded."""
        return at + self.mark if self.codec is None else None

    def edit(self, changes: list[Change]) -> Edit:
        """Return the edit of the file that makes changes of `utf8`.

        Raises:
            Broken: The changes overlap, or cut a character in two.
        """
        if self.codec is None:
            return changed(self.size, [(start + self.mark, end + self.mark, new) for start, end, new in changes])
        made = [(self._encoded_size(start), self._encoded_size(end), self._encoded(new)) for start, end, new in changes]
        return changed(self.size, made)

    def made(self, changes: list[Change], data: bytes) -> bytes:
        """Return the file `data`, whose text this is, with changes of `utf8`."""
        return applied(data, self.edit(changes))

    def _encoded_size(self, at: int) -> int:
        return self.mark + len(self._encoded(self.utf8[:at]))

    def _encoded(self, utf8: bytes) -> bytes:
        try:
            return utf8.decode().encode(str(self.codec), errors="xmlcharrefreplace")
        except UnicodeError as error:
            raise Broken("a text that is cut within a character") from error


def _unmarked(start: bytes) -> str | None:
    """Guess wide characters without a mark, as markup shows them (XML 1.0, appendix F)."""
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(start[:2])
