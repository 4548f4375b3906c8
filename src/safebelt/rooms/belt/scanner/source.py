"""From an original text to what is scanned: escapes and encodings read, folded, with the way back.

A whole text can also hold others, written in base64, in hexadecimal, in Unicode's invisible tag letters or in the
letters of flags; `texts_within` reads those.
A stream does not look for them: where one ends is not bounded.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from unicodedata import category

from safebelt.rooms.belt.scanner.decode import Chars, Decoder, may_be_encoded
from safebelt.rooms.belt.scanner.fold import Whole, fold_whole
from safebelt.rooms.belt.scanner.unescape import Unescaper

ROUNDS = 2
"""How often over a text may be encoded and still be read."""
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_=-])(?:[A-Za-z0-9+/_-]{16,}={0,2}|[A-Za-z0-9+/_-]{6,15}={1,2})")
_BASE64_LINES = re.compile(r"(?:[A-Za-z0-9+/]{60,76}\r?\n)+[A-Za-z0-9+/]{1,76}={0,2}")
"""Base64 as mail and keys have it, in lines (RFC 2045, RFC 7468)."""
_HEXADECIMAL = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_TO_STANDARD = str.maketrans("-_", "+/")
_TAGS = re.compile("[\U000e0020-\U000e007e]{4,}")
_SIGNS_FOR_LETTERS = re.compile("[\U000e0020-\U000e007e\U0001f1e6-\U0001f1ff]")
_TO_LETTERS = {0xE0000 + code: code for code in range(0x20, 0x7F)} | {0x1F1E6 + at: 0x61 + at for at in range(26)}
_FLAG_LETTER = f"(?:{'|'.join(map(chr, range(0x1F1E6, 0x1F200)))})"
BASE64_LONG, BASE64_SHORT = "[a-z0-9+/_-]{16}", "[a-z0-9+/_-]{6}="
FLAG_LETTERS = f"{_FLAG_LETTER}[ .*-]?{_FLAG_LETTER}"
"""Patterns over folded text, one of which is there wherever `texts_within` finds base64, or letters of flags."""
_BEGINS_BLOB = re.compile(r"(?:data:[\w.+-]+/[\w.+-]+;base64,)?([A-Za-z0-9+/]{64})")


class Source:
    """One reading of a text.

    Attributes:
        chars: Characters as read.
        folded: The same, folded.
    """

    __slots__ = ("_ends", "_starts", "chars", "folded")

    def __init__(
        self, chars: str, starts: Sequence[int] | None, ends: Sequence[int] | None, folded: Whole | None = None
    ) -> None:
        self.chars, self._starts, self._ends = chars, starts, ends
        self.folded = folded or fold_whole(chars)

    def translated(self, table: Mapping[int, int]) -> "Source":
        """Return the same with other characters in the places of some."""
        return Source(self.chars.translate(table), self._starts, self._ends)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that a span of folded text came from."""
        origin = self.folded.origin
        return (
            self.original(start, end) if origin is None else self.original(int(origin[start]), int(origin[end - 1]) + 1)
        )

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that a span of the characters came from."""
        if self._starts is None or self._ends is None:
            return start, end
        return self._starts[start], self._ends[end - 1]


class Reader:
    """Reads a stream piece by piece, as `read` does a whole text.

    Attributes:
        read_to: Place in the original up to which everything has been handed on.
    """

    def __init__(self, *, as_json: bool) -> None:
        self._unescaper = Unescaper() if as_json else None
        self._decoders = [Decoder() for _ in range(ROUNDS)]
        self._at = 0
        self.read_to = 0

    def feed(self, piece: str, *, is_last: bool) -> Chars:
        """Return characters with their spans; what is not finished waits for the next piece."""
        chars: Chars = piece, range(self._at, self._at + len(piece)), range(self._at + 1, self._at + len(piece) + 1)
        self._at += len(piece)
        if "&" not in piece and "%" not in piece and "\\" not in piece and self.is_idle:
            self.read_to = self._at
            return chars
        if self._unescaper:
            chars = self._unescaper.feed(piece, is_last=is_last)
        for decoder in self._decoders:
            chars = decoder.feed(*chars, is_last=is_last)
        self.read_to = chars[2][-1] if chars[2] else self.read_to
        return chars

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, and a piece that holds nothing encoded is read as it stands."""
        first, second = self._decoders
        return first.is_idle and second.is_idle and not self._unescaper

    def skip_to(self, place: int) -> None:
        """Take note that the original was read elsewhere, up to a place, as it stands."""
        self._at = self.read_to = place


def read(text: str, *, as_json: bool = False) -> Source:
    """Read a whole text."""
    as_json = as_json and "\\" in text
    if not as_json and not may_be_encoded(text):
        return Source(text, None, None)
    chars: Chars = (
        Unescaper().feed(text, is_last=True) if as_json else (text, range(len(text)), range(1, len(text) + 1))
    )
    for _ in range(ROUNDS):
        chars = Decoder().feed(*chars, is_last=True)
    return Source(*chars)


def texts_within(source: Source, *, has_base64: bool = True, rounds: int = ROUNDS) -> Iterator[Source]:
    """Yield the texts that a whole text holds in other letters; a finding there covers all they are written in.

    Args:
        source: The text.
        has_base64: False where it is known to hold none, nor letters of flags.
        rounds: How often one may be within another.
    """
    if source.folded.is_moved:  # tag letters are invisible: they fold to nothing
        for tags in _TAGS.finditer(source.chars):
            yield _within(source, tags, "".join(chr(ord(char) - 0xE0000) for char in tags.group()))
    if (source.folded.is_moved or has_base64) and _SIGNS_FOR_LETTERS.search(source.chars):
        yield source.translated(_TO_LETTERS)
    for run in _runs(source.chars) if has_base64 else ():
        if text := _from_base64(run.group()):
            yield (inner := _within(source, run, text))
            if rounds > 1:
                yield from texts_within(inner, rounds=rounds - 1)


def holds_text(blob: str) -> bool:
    """Whether a picture, a sound or a file in base64, at least 64 characters, begins as a text in UTF-8 does."""
    begin = _BEGINS_BLOB.match(blob)
    return begin is not None and _is_readable(base64.b64decode(begin[1]).decode(errors="ignore"))


def _runs(chars: str) -> Iterator[re.Match[str]]:
    yield from _BASE64.finditer(chars)
    if "\n" in chars:
        yield from _BASE64_LINES.finditer(chars)


def _within(source: Source, match: re.Match[str], text: str) -> Source:
    start, end = source.original(*match.span())
    chars: Chars = text, [start] * len(text), [end] * len(text)
    for _ in range(ROUNDS if may_be_encoded(text) else 0):
        chars = Decoder().feed(*chars, is_last=True)
    return Source(*chars)


def _from_base64(run: str) -> str:
    """Return the text that a run of base64, or of hexadecimal, holds; nothing where it holds no text."""
    run = "".join(run.split())
    if _HEXADECIMAL.fullmatch(run) and (text := _readable(bytes.fromhex(run))):
        return text
    digits = run.rstrip("=").translate(_TO_STANDARD)
    try:
        return _readable(base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True))
    except binascii.Error:
        return ""


def _readable(data: bytes) -> str:
    """Return the text that bytes are; nothing where they are none."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return ""
    return text if _is_readable(text) else ""


def _is_readable(text: str) -> bool:
    return bool(text) and all(char.isprintable() or char in "\n\r\t" or category(char) == "Cf" for char in text)
