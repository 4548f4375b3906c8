"""JUMBF boxes, as far as manifest stores need them (ISO/IEC 19566-5; C2PA Technical Specification 2.2, 11.1)."""

from functools import lru_cache
from typing import Any

from safebelt.rooms.labelling.provenance import cbor

_TAIL = bytes.fromhex("00110010800000aa00389b71")  # C2PA 11.1: of every UUID of JUMBF and C2PA
_LABELLED, _REQUESTABLE = 2, 1
_LIMIT = 24
"""Boxes at most in one: a manifest here has three parts and two to a dozen assertions."""


def assertion(name: str, value: Any) -> bytes:
    """Write an assertion: a box of its name around CBOR (C2PA 9.1)."""
    return box(b"cbor", name, plain(cbor.encode(value)))


def box(kind: bytes, label: str, *content: bytes) -> bytes:
    """Write a JUMBF superbox: its description, and what is in it."""
    described = _description(kind, label)
    size = 8 + len(described) + sum(map(len, content))
    return b"".join((size.to_bytes(4), b"jumb", described, *content))


@lru_cache(maxsize=64)
def _description(kind: bytes, label: str) -> bytes:
    """Write what a superbox says of itself: its type, and a label that may be asked for."""
    description = kind + _TAIL + bytes((_LABELLED | _REQUESTABLE,)) + label.encode() + b"\0"
    return (len(description) + 8).to_bytes(4) + b"jumd" + description


def plain(content: bytes) -> bytes:
    """Write a box around CBOR."""
    return (len(content) + 8).to_bytes(4) + b"cbor" + content


def inside(box: bytes) -> list[bytes]:
    """Return the boxes in a superbox behind its description; what is no superbox has none.

    Raises:
        ValueError: A box ends beyond it, or there are too many.
    """
    found, at = list[bytes](), 8
    while at < len(box):
        size = int.from_bytes(box[at : at + 4])
        if size < 8 or at + size > len(box) or len(found) > _LIMIT:
            raise ValueError("a box that is not whole, or too many")
        found.append(box[at : at + size])
        at += size
    return found[1:]


def content(box: bytes) -> bytes:
    """Return what the only box in a superbox holds; raises ValueError where there is none, or another beside it."""
    (only,) = inside(box)
    return only[8:]
