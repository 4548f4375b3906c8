"""C2PA manifests in texts: what a manifest is bound to, where it stands, and the judgment of that binding.

Sources: C2PA 2.4, annexes A.7 (HTML), A.8 (plain text), A.9 (Markdown), and section 15.12.1.  The hash is over the text
without what carries the manifest, and the manifest names place and length of that in bytes; of plain text, it is over
Unicode's normal form C.  The length is itself part of what is signed, and in plain text differs from one signature to
the next, since a byte takes three or four: so a text is signed again until the zeros of the signature's padding, which
nothing covers (RFC 9052, 4.4), make up the difference.

The engine does not read texts.  It checks structure, assertions and signature of the manifest; the binding is checked
here, and what it says of that is put aside.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from safebelt.kernel.text import Text
from safebelt.rooms.labelling.formats.carrier import Broken, Unwritable
from safebelt.rooms.labelling.formats.kinds import Kind
from safebelt.rooms.labelling.model.provenance import Manifest
from safebelt.rooms.labelling.provenance.text_blocks import (
    armoured,
    around_comment,
    around_element,
    as_element,
    in_armour,
    in_element,
)
from safebelt.rooms.labelling.provenance.text_wrappers import Wrapper, found, wrapped, wrapped_size

BINDING = "c2pa.hash.data"
MATCH, MISMATCH, MISSING = "assertion.dataHash.match", "assertion.dataHash.mismatch", "claim.hardBindings.missing"
MAX_TEXT_BYTES = 64 << 20
NOT_ASKED = Text(
    zh="签名清单会使纯文本增大约 13 KB（其字符不可见）、Markdown 与 HTML 增大约 5 KB；需要时请用 --sign-text 指明。",
    en="A signed manifest grows a plain text by some 13 KB of characters that nobody sees, Markdown and HTML by some 5 "
    "KB; ask for it with --sign-text.",
)
"""Why a text is not signed unasked."""
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}
"""The algorithms of C2PA 2.4, 13.1; there are no others."""
_ENGINES_BYTES = "b64'"  # how the engine writes bytes as JSON
_TRIES, _MOST_PAD, _ROOM = 64, 64, 48
_FIRST_GUESS = 1 << 14  # bytes: takes as many in the manifest as the length that comes out
_PAD = b"cpad"  # the text `pad` in CBOR
_SHORT, _BYTE, _WORD = 24, 1 << 8, 1 << 16  # lengths from which CBOR writes a length longer (RFC 8949, 3)
_BOX_HEAD = 8

Sign = Callable[[Mapping[str, Any]], bytes]
"""Signs a manifest with this hard binding, and returns the manifest store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Carriage:
    """How a kind of text carries a manifest.

    Attributes:
        around: What stands before and after it; raises `Unwritable`.
        wrapped: A manifest store as it stands there.
        size: How long that is, in bytes.
        found: Every manifest in a text; raises `Broken`.
        normal: The text as it is hashed; raises ValueError.
    """

    around: Callable[[bytes], tuple[bytes, bytes]]
    wrapped: Callable[[bytes], bytes]
    size: Callable[[bytes], int]
    found: Callable[[bytes], list[Wrapper]]
    normal: Callable[[bytes], bytes]


def store_in(text: bytes, kind: Kind) -> Wrapper | None:
    """Return a text's manifest; None where there is none.

    Raises:
        Broken: It is cut, or there is more than one.
    """
    wrappers = _CARRIAGES[kind].found(text)
    if len(wrappers) > 1:
        raise Broken("more than one C2PA manifest in the text")
    return wrappers[0] if wrappers else None


def signed(text: bytes, kind: Kind, sign: Sign) -> bytes:
    """Return a text with a manifest.

    Args:
        text: The text, in UTF-8.
        kind: Plain text, Markdown or HTML.
        sign: Signs a manifest with a hard binding.

    Raises:
        Unwritable: It is no UTF-8, too long, has no place for one or carries one; or is plain text not in normal form.
    """
    carriage = _CARRIAGES[kind]
    _hold_bindable(text, carriage)
    before, after = carriage.around(text)
    digest = hashlib.sha256(before + after).digest()
    binding = {"name": "text", "alg": "sha256", "hash": list(digest), "pad": []}

    def store_of(length: int) -> bytes:
        return sign(binding | {"exclusions": [{"start": len(before), "length": length}]})

    least = carriage.size(_padded(store_of(_FIRST_GUESS), 0)) + _ROOM
    for length in range(least, least + _TRIES):
        store = store_of(length)
        for pad in range(_MOST_PAD):
            if carriage.size(candidate := _padded(store, pad)) == length:
                return before + carriage.wrapped(candidate) + after
    raise Broken("no manifest of the length that it names came out")


def bound(manifest: Manifest, binding: Any, text: bytes, kind: Kind, wrapper: Wrapper) -> Manifest:
    """Return what the engine found, with our own answer to whether the text is what was signed.

    Args:
        manifest: What the engine found of the manifest alone.
        binding: The hard binding it asserts, as the engine writes it.
        text: The text, in UTF-8.
        kind: Its format.
        wrapper: Where the manifest stands in it.
    """
    others = frozenset(code for code in manifest.failure if not code.startswith("assertion.dataHash."))
    holds = frozenset(code for code in manifest.success if not code.startswith("assertion.dataHash."))
    if not isinstance(binding, Mapping):
        return replace(manifest, success=holds, failure=others | {MISSING})
    if _matches(binding, text, _CARRIAGES[kind].normal, wrapper):
        return replace(manifest, success=holds | {MATCH}, failure=others)
    return replace(manifest, success=holds, failure=others | {MISMATCH})


def _matches(binding: Mapping[str, Any], text: bytes, normal: Callable[[bytes], bytes], wrapper: Wrapper) -> bool:
    """Whether the text without what carries the manifest, and nothing else left out, has the hash that was signed."""
    algorithm, wanted = _HASHES.get(str(binding.get("alg", "sha256"))), str(binding.get("hash", ""))
    left_out = _left_out(binding)
    if algorithm is None or left_out is None or not wanted.startswith(_ENGINES_BYTES):
        return False
    try:
        shift = len(normal(text[: wrapper.start])) - wrapper.start
        start, end = _within(left_out, wrapper, shift)
        digest = algorithm(normal(text[:start] + text[end:])).digest()
        return digest == base64.b64decode(wanted[len(_ENGINES_BYTES) : -1], validate=True)
    except ValueError:  # it is no UTF-8, no base 64, or leaves out something else
        return False


def _left_out(binding: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return start and end of the one stretch that a binding leaves out; None where it is none, or more."""
    exclusions = binding.get("exclusions")
    if not isinstance(exclusions, list) or len(exclusions) != 1 or not isinstance(exclusions[0], Mapping):
        return None
    start, length = exclusions[0].get("start"), exclusions[0].get("length")
    return (start, start + length) if isinstance(start, int) and isinstance(length, int) else None


def _within(left_out: tuple[int, int], wrapper: Wrapper, shift: int) -> tuple[int, int]:
    """Return what is left out, as it is stored.

    Args:
        left_out: Its start and end, counted as stored or in normal form: the annex says the one here, the other there.
        wrapper: What carries the manifest.
        shift: How much longer the text before it is in normal form.

    Raises:
        ValueError: It is less than the manifest, or more than what carries it.
    """
    whole = wrapper.start, wrapper.start + wrapper.length
    core = wrapper.core or whole
    for by in {0, shift}:
        start, end = left_out[0] - by, left_out[1] - by
        if whole[0] <= start <= core[0] and core[1] <= end <= whole[1]:
            return start, end
    raise ValueError("the binding leaves out something else than the manifest")


def _normal(part: bytes) -> bytes:
    return part if part.isascii() else unicodedata.normalize("NFC", part.decode()).encode()


def _as_it_is(part: bytes) -> bytes:
    return part


def _hold_bindable(text: bytes, carriage: _Carriage) -> None:
    """Hold that a text can be signed as it is, without a change to what is read."""
    if len(text) > MAX_TEXT_BYTES:
        raise Unwritable(Text(zh="文本过长，无法附上签名清单。", en="The text is too long for a signed manifest."))
    try:
        is_normal = carriage.normal is _as_it_is or unicodedata.is_normalized("NFC", text.decode())
        text.decode()
    except UnicodeDecodeError:
        raise Unwritable(
            Text(zh="文本不是 UTF-8，无法附上签名清单。", en="The text is not UTF-8, and takes no signed manifest.")
        ) from None
    if not is_normal:
        raise Unwritable(
            Text(
                zh="文本未采用 Unicode 规范形式 C，签名会改动字符；请先自行转换。",
                en="The text is not in Unicode's normal form C: signing would change characters. Convert it first.",
            )
        )
    if carriage.found(text):
        raise Unwritable(
            Text(
                zh="文本已附有 C2PA 清单，不再附加第二份。",
                en="The text carries a C2PA manifest already; a second one would make both unclear.",
            )
        )


def _at_the_end(text: bytes) -> tuple[bytes, bytes]:
    return text, b""


_CARRIAGES: Mapping[Kind, _Carriage] = {
    Kind.TXT: _Carriage(around=_at_the_end, wrapped=wrapped, size=wrapped_size, found=found, normal=_normal),
    Kind.MARKDOWN: _Carriage(
        around=around_comment, wrapped=armoured, size=lambda store: len(armoured(store)), found=in_armour,
        normal=_as_it_is,
    ),
    Kind.HTML: _Carriage(
        around=around_element, wrapped=as_element, size=lambda store: len(as_element(store)), found=in_element,
        normal=_as_it_is,
    ),
}  # fmt: skip
TEXT_KINDS = frozenset(_CARRIAGES)
"""Texts that carry a manifest."""


def _padded(store: bytes, count: int) -> bytes:
    """Return a manifest store with so many zeros of padding in its signature, and lengths that say so.

    Raises:
        Broken: It has no padding.
    """
    at = store.rfind(_PAD) + len(_PAD)
    old_head, old = _byte_string(store, at)
    if at < len(_PAD) or any(store[at + old_head : at + old_head + old]):
        raise Broken("a manifest whose signature has no padding")
    new = _head(count) + bytes(count)
    changed = bytearray(store[:at] + new + store[at + old_head + old :])
    for box in _boxes_around(store, at):
        size = int.from_bytes(store[box : box + 4]) + len(new) - old_head - old
        changed[box : box + 4] = size.to_bytes(4)
    return bytes(changed)


def _boxes_around(store: bytes, at: int) -> list[int]:
    """Return where the boxes begin that hold a place, the outermost first (ISO 19566-5, 5)."""
    around, start, end = list[int](), 0, len(store)
    while start + _BOX_HEAD <= end:
        size = int.from_bytes(store[start : start + 4])
        if size < _BOX_HEAD or start + size > end:
            raise Broken("a manifest whose boxes do not hold each other")
        if at >= start + size:
            start += size
            continue
        around.append(start)
        if store[start + 4 : start + 8] != b"jumb":
            return around
        start, end = start + _BOX_HEAD, start + size
    raise Broken("a manifest whose boxes do not hold each other")


def _byte_string(store: bytes, at: int) -> tuple[int, int]:
    """Return how long the head of a byte string is, and the string (RFC 8949, 3)."""
    first = store[at] if at < len(store) else 0
    if 0x40 <= first < 0x40 + _SHORT:
        return 1, first - 0x40
    if first in (0x58, 0x59):
        size = first - 0x57
        return 1 + size, int.from_bytes(store[at + 1 : at + 1 + size])
    raise Broken("a manifest whose signature has no padding")


def _head(count: int) -> bytes:
    if count < _SHORT:
        return bytes([0x40 + count])
    return bytes([0x58, count]) if count < _BYTE else b"\x59" + count.to_bytes(2)
