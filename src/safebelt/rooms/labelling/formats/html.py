"""HTML: the label as `<meta name="AIGC" content="…">` at the end of the head, and nothing else of the page touched.

Sources: HTML Living Standard, 4.2.5 (meta; an extension name), 13.2.5 (tokens), 13.2.6.4 (what ends the head: tags may
be left out), 4.2.5.4 (the encoding's declaration must stay within the first 1,024 bytes, so the label goes behind it).
The law and its guides name no place in HTML: this one is our own choice.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape

from safebelt.rooms.labelling.formats.carrier import Buffer, Edit, Found
from safebelt.rooms.labelling.formats.changes import Change
from safebelt.rooms.labelling.formats.texts import TextFile
from safebelt.rooms.labelling.formats.values import as_line, collected, in_bytes

MAX_HEAD = 4 << 20
"""How much of a page is searched for its head, in bytes; inlined styles and scripts are long."""
MAX_TOKENS = 20_000
"""Tags and comments of a head that are looked at; a page has hundreds."""
_TOKEN = re.compile(rb"<!--|<[!?]|<(/?)([A-Za-z][^\s/>]*)")
_ATTRIBUTE = re.compile(rb"[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"'][^\s>]*)))?")
_CLOSE = re.compile(rb"[\s/]*>")
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_IN_HEAD = (
    b"html", b"head", b"meta", b"title", b"link", b"base", b"style", b"script", b"noscript", b"template", b"basefont",
    b"bgsound", b"noframes",
)  # fmt: skip
_RAW = (b"title", b"style", b"script", b"noscript", b"template", b"noframes")
_NAMES = ("aigc", "tc260:aigc")


@dataclass(frozen=True, slots=True)
class _Token:
    """A tag or comment of the head: its name (`!--` for a comment), where it starts and ends."""

    name: bytes
    is_end: bool
    start: int
    end: int


def read(data: Buffer) -> list[Found]:
    """Find every label; raises `Broken`."""
    text = _text(data)
    return collected(
        Found(
            place=place, value=value, is_native=place.startswith("head meta"), at=text.offset(start), length=end - start
        )
        for place, value, start, end in _labels(text.utf8)
    )


def write(data: Buffer, value: str) -> Edit:
    """Put the label into the head; raises `Broken` and `Unwritable`."""
    text = _text(data)
    line = escape(as_line(value), quote=True).replace("&#x27;", "'")
    new = f'<meta name="AIGC" content="{line}">'.encode("ascii", errors="xmlcharrefreplace")
    old = list(_labels(text.utf8))
    changes: list[Change] = [(start, end, b"") for _place, _value, start, end in old]
    metas = [one for one in old if one[0].startswith("head meta")]
    if metas:
        changes = [(start, end, new if start == metas[0][2] else b"") for start, end, _new in changes]
    else:
        changes.append(_added(text.utf8, new))
    return text.edit(changes)


def _text(data: Buffer) -> TextFile:
    declared = _CHARSET.search(bytes(data[:1024]))
    codec = declared.group(1).decode().lower() if declared else None
    return TextFile.of(data, "a page", None if codec in _SUPERSETS else codec, limit=MAX_HEAD)


_SUPERSETS = (
    "utf-8", "utf8", "us-ascii", "ascii", "gbk", "gb2312", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
    "iso-8859-1", "latin1", "windows-1252", "windows-1251", "koi8-r", "utf-16",
)  # fmt: skip
"""Encodings whose markup is ASCII, and what a page that is read as ASCII falsely declares: edited without decoding."""


def _labels(page: bytes) -> Iterator[tuple[str, str, int, int]]:
    """Yield place, value, start and end of every label."""
    for token in _head(page):
        if token.name == b"meta":
            attributes = _attributes(page, token)
            name = (attributes.get("name") or attributes.get("property") or "").strip().lower()
            if name in _NAMES and "content" in attributes:
                yield f"head meta {name}", attributes["content"], token.start, token.end
        elif token.name in (b"!--", b"script"):
            for loose in _whole(page[token.start : token.end]):
                yield f"head {'comment' if token.name == b'!--' else 'script'}", loose, token.start, token.end


def _whole(token: bytes) -> list[str]:
    """Return the label of a comment or a data script that is nothing but a label."""
    if token.startswith(b"<!--"):
        inner = token[4:-3]
    elif re.match(rb"<script[^>]{0,200}json", token, re.IGNORECASE):
        inner = token.partition(b">")[2].rpartition(b"<")[0]
    else:
        return []
    labels = in_bytes(inner)
    if len(labels) != 1:
        return []
    rest = inner[: labels[0].start] + inner[labels[0].end :]
    return [labels[0].value] if not rest.strip(b" \t\r\n:;") else []


def _head(page: bytes) -> Iterator[_Token]:
    """Yield the tokens before the body, opening tags of raw text with all their content."""
    at = 0
    for _number in range(MAX_TOKENS):
        match = _TOKEN.search(page, at)
        if match is None or page[at : match.start()].strip(b" \t\r\n\f\xef\xbb\xbf"):
            return  # text: the body has begun
        token = _token(page, match)
        if token is None or (token.name[:1] not in b"!?" and not _is_head(token)):
            return
        yield token
        at = token.end


def _token(page: bytes, match: re.Match[bytes]) -> _Token | None:
    start, name = match.start(), (match.group(2) or b"").lower()
    if match.group() == b"<!--":
        end = page.find(b"-->", start + 4)
        return _Token(b"!--", False, start, end + 3) if end >= 0 else None
    if not name:
        end = page.find(b">", start)
        return _Token(b"!", False, start, end + 1) if end >= 0 else None
    end = _tag_end(page, match.end())
    if end and name in _RAW and not match.group(1):
        closing = re.compile(rb"</" + name + rb"[\s/>]", re.IGNORECASE).search(page, end)
        end = page.find(b">", closing.start()) + 1 if closing else 0
    return _Token(name, bool(match.group(1)), start, end) if end else None


def _is_head(token: _Token) -> bool:
    return token.name in _IN_HEAD and not (token.is_end and token.name in (b"head", b"html"))


def _tag_end(page: bytes, at: int) -> int:
    """Return where a tag ends, past quoted values that hold `>`; 0 where it does not, a quote being left open."""
    while match := _ATTRIBUTE.match(page, at):
        at = match.end()
    end = _CLOSE.match(page, at)
    return end.end() if end else 0


def _attributes(page: bytes, token: _Token) -> dict[str, str]:
    found, at = dict[str, str](), token.start + 1 + len(token.name)
    while (match := _ATTRIBUTE.match(page, at)) and match.end() < token.end:
        raw = next((value for value in match.groups()[1:] if value is not None), b"")
        found.setdefault(match.group(1).decode("latin-1").lower(), unescape(raw.decode(errors="replace")))
        at = match.end()
    return found


def _added(page: bytes, new: bytes) -> Change:
    """Return what puts the element at the end of the head, in a head of its own where the page has none."""
    at, has_head = end_of_head(page)
    return at, at, new if has_head else b"<head>" + new + b"</head>"


def end_of_head(page: bytes) -> tuple[int, bool]:
    """Return where the head's last element ends, and whether there is a head."""
    tokens = list(_head(page))
    has_head = any(token.name in _IN_HEAD and token.name != b"html" for token in tokens)
    return tokens[-1].end if tokens else 0, has_head
