"""The block in which Markdown and HTML carry a C2PA manifest: base 64 between fixed words, in a comment or an element.

Sources: C2PA 2.4, annexes A.9 (structured text: `-----BEGIN C2PA MANIFEST-----` and its end, in the host language's
comment, on the first or last line or in the front matter) and A.7 (HTML: an element `script` of the type
`application/c2pa`).  A block that only points elsewhere is none here: nothing is fetched.
"""

import base64
import binascii
import re

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.html import end_of_head
from safebelt.rooms.labelling.provenance.text_wrappers import MAX_STORE_BYTES, Wrapper

_BEGIN, _END = b"-----BEGIN C2PA MANIFEST-----", b"-----END C2PA MANIFEST-----"
_DATA = b"data:application/c2pa;base64,"
_OPENING, _CLOSING = b'<script type="application/c2pa">', b"</script>"
_ARMOUR = re.compile(
    rb"^(?:<!--[ \t]*|\#[ \t]*)?" + _BEGIN + rb"\s{0,8}" + _DATA + rb"([A-Za-z0-9+/=\r\n]*)"
    rb"\s{0,8}" + _END + rb"(?:[ \t]*-->)?[ \t]*(?:\r?\n|\Z)",
    re.MULTILINE,
)
_ELEMENT = re.compile(
    rb"<script\s{1,8}type\s{0,8}=\s{0,8}[\"']?application/c2pa[\"']?\s{0,8}>"
    rb"\s{0,64}([A-Za-z0-9+/=\r\n]*)\s{0,64}</script>",
    re.IGNORECASE,
)
"""No attribute but the type: what stands within is not signed."""


def armoured(store: bytes) -> bytes:
    """Return a manifest store as a block of structured text."""
    return _BEGIN + b" " + _DATA + base64.b64encode(store) + b" " + _END


def around_comment(text: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and after a block in Markdown: it is in a comment on the last line."""
    newline = b"\r\n" if b"\r\n" in text[:65536] else b"\n"
    ended = text if not text or text.endswith(b"\n") else text + newline
    return ended + b"<!-- ", b" -->" + newline


def in_armour(text: bytes) -> list[Wrapper]:
    """Find every block of structured text; raises `Broken` where one holds no base 64."""
    return [_wrapper(match) for match in _ARMOUR.finditer(text)]


def as_element(store: bytes) -> bytes:
    """Return a manifest store as an element of HTML."""
    return _OPENING + base64.b64encode(store) + _CLOSING


def around_element(text: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and after the element in HTML: it is the last in the head.

    Raises:
        Unwritable: There is no head.
    """
    at, has_head = end_of_head(text)
    if not has_head:
        raise Unwritable(
            Text(zh="网页没有 head 元素，无处放置签名清单。", en="The page has no head for a signed manifest.")
        )
    return text[:at], text[at:]


def in_element(text: bytes) -> list[Wrapper]:
    """Find every element of HTML that holds a manifest; raises `Broken` where one holds no base 64."""
    return [_wrapper(match) for match in _ELEMENT.finditer(text)]


def _wrapper(match: re.Match[bytes]) -> Wrapper:
    if len(match.group(1)) > 2 * MAX_STORE_BYTES:
        raise Broken("a C2PA manifest in the text that is too long")
    try:
        store = base64.b64decode(re.sub(rb"\s", b"", match.group(1)), validate=True)
    except binascii.Error as error:
        raise Broken("a C2PA manifest in the text that is no base 64") from error
    return Wrapper(match.start(), match.end() - match.start(), store, match.span(1))
