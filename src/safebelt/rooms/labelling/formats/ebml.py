"""EBML: elements of an identifier, a length and a content.

Source: RFC 8794 (EBML), 4 variable-size integers, 5 identifiers, 6 lengths and unknown lengths, 11.3 CRC-32 and Void.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from safebelt.rooms.labelling.formats.carrier import Broken, Buffer

VOID, CRC = 0xEC, 0xBF
MAX_ELEMENTS = 1 << 20
"""Elements looked at in one other; hours of film have fewer."""
_CRC_BYTES = 6


@dataclass(frozen=True, slots=True)
class Element:
    """An element.

    Attributes:
        kind: Its identifier, with the marker bits.
        start: Offset of the identifier.
        size: Offset of the length.
        body: Offset of the content.
        end: Where the content ends; where its length is not known, where that ends which holds it.
        is_open: Whether its length is not known.
    """

    kind: int
    start: int
    size: int
    body: int
    end: int
    is_open: bool = False


def element(data: Buffer, at: int, end: int) -> Element:
    """Return the element at an offset.

    Raises:
        Broken: There is none, or it ends beyond `end`.
    """
    head = bytes(data[at : min(at + 12, end)])
    name_bytes = 9 - head[0].bit_length() if head else 9
    if name_bytes > 4 or len(head) <= name_bytes:
        raise Broken("an EBML element without an identifier")
    size_bytes = 9 - head[name_bytes].bit_length()
    body = at + name_bytes + size_bytes
    if size_bytes > 8 or body > end:
        raise Broken("an EBML element without a length")
    limit = (1 << 7 * size_bytes) - 1
    length = int.from_bytes(head[name_bytes : name_bytes + size_bytes]) & limit
    kind, size = int.from_bytes(head[:name_bytes]), at + name_bytes
    if length == limit:
        return Element(kind, at, size, body, end, is_open=True)
    if body + length > end:
        raise Broken("an EBML element that ends beyond what holds it")
    return Element(kind, at, size, body, body + length)


def children(data: Buffer, parent: Element) -> Iterator[Element]:
    """Yield the elements in another.

    Raises:
        Broken: One ends beyond it or has no length, or there are too many.
    """
    at = parent.body
    for _number in range(MAX_ELEMENTS):
        if at >= parent.end:
            return
        child = element(data, at, parent.end)
        if child.is_open:
            raise Broken("an EBML element of unknown length where none may be")
        yield child
        at = child.end
    raise Broken("too many EBML elements")


def content(data: Buffer, held: Element) -> bytes:
    """Return what is in an element."""
    return bytes(data[held.body : held.end])


def number(data: Buffer, held: Element) -> int:
    """Return an unsigned integer."""
    if held.end - held.body > 8:
        raise Broken("an EBML number of more than eight bytes")
    return int.from_bytes(content(data, held))


def made(kind: int, body: bytes, size_bytes: int = 0) -> bytes:
    """Return an element; the length takes as many bytes as it needs, or as asked for."""
    return kind.to_bytes((kind.bit_length() + 7) // 8) + length_field(len(body), size_bytes) + body


def length_field(length: int, size_bytes: int = 0) -> bytes:
    """Return a length; all ones would say that it is not known."""
    needed = size_bytes or next(count for count in range(1, 9) if length < (1 << 7 * count) - 1)
    return (length | 1 << 7 * needed).to_bytes(needed)


def void(length: int) -> bytes:
    """Return an element that says nothing, of `length` bytes: none, or at least two."""
    if length == 0:
        return b""
    return made(VOID, bytes(length - 2)) if length < 128 else made(VOID, bytes(length - 9), 8)


def fitted(kind: int, body: bytes, room: int) -> bytes | None:
    """Return an element and a Void behind it that together take `room` bytes, or None where they cannot."""
    new = made(kind, body)
    left = room - len(new)
    if left == 1:  # no Void is that short, so the length takes a byte more
        size_bytes = len(length_field(len(body))) + 1
        return made(kind, body, size_bytes) if size_bytes <= 8 else None
    return new + void(left) if left >= 0 else None


def summed(body: bytes) -> bytes:
    """Return the content of an element with its checksum made anew, where it begins with one (RFC 8794, 11.3.1)."""
    if not has_checksum(body):
        return body
    return body[:2] + zlib.crc32(body[_CRC_BYTES:]).to_bytes(4, "little") + body[_CRC_BYTES:]


def has_checksum(body: bytes) -> bool:
    """Whether the content of an element begins with a checksum."""
    return len(body) >= _CRC_BYTES and body[:2] == bytes((CRC, 0x84))
