"""Cursors: where a page begins or ends, written so that nobody builds one by hand and a bad one is told."""

import base64
import binascii
import json
from dataclasses import dataclass

from safebelt.kernel.errors import Invalid
from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.search import Sort

MOST_RANKED = 10_000
"""Results a question in words can be paged through; beyond them, another word helps more than another page."""
_CURSOR_LIMIT = 1_000


@dataclass(frozen=True, slots=True)
class Edge:
    """A place in a list.

    Attributes:
        sort: The list's order.
        key: The key of the system at the edge, in that order.
    """

    sort: Sort
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place among ranked results.

    Attributes:
        offset: Results before the page.
        upto: The last entry there was when the first page was read: what is entered later changes no page.
    """

    offset: int
    upto: int


def written(cursor: Edge | Place) -> str:
    """Return a cursor as text."""
    fields = [cursor.sort.value, *cursor.key] if isinstance(cursor, Edge) else [cursor.offset, cursor.upto]
    return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def read_edge(text: str, sort: Sort) -> Edge:
    """Read a cursor of a list.

    Raises:
        Invalid: It is none, or one of another order.
    """
    fields = _fields(text)
    length = 3 if sort is Sort.NAME else 2
    if len(fields) != length or fields[0] != sort.value or not all(isinstance(one, str) for one in fields):
        raise _bad()
    key = tuple(str(one) for one in fields[1:])
    if any(not one.isprintable() for one in key) or (sort is Sort.NAME and not _is_hex(key[0])):
        raise _bad()
    return Edge(sort, key)


def read_place(text: str) -> Place:
    """Read a cursor of ranked results.

    Raises:
        Invalid: It is none.
    """
    numbers = [one for one in _fields(text) if type(one) is int and 0 <= one < 1 << 40]
    if len(numbers) != len(_fields(text)) or len(numbers) != len(("offset", "upto")):
        raise _bad()
    return Place(min(numbers[0], MOST_RANKED), numbers[1])


def _fields(text: str) -> list[object]:
    try:
        padded = text[:_CURSOR_LIMIT] + "=" * (-len(text[:_CURSOR_LIMIT]) % 4)
        fields = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad() from None
    if not isinstance(fields, list):
        raise _bad()
    return fields


def _is_hex(text: str) -> bool:
    try:
        bytes.fromhex(text)
    except ValueError:
        return False
    return True


def _bad() -> Invalid:
    return Invalid(
        what=Text(zh="分页位置无法读取。", en="This place in the list cannot be read."),
        hint=Text(zh="请从第一页重新开始。", en="Begin again at the first page."),
        details={"field": "after"},
    )
