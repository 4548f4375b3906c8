"""Heads that llhttp has judged already: callers and models say the same one again and again.

Over one connection nearly every message begins with the bytes the one before began with, but for the digits of its
`content-length`.  llhttp's judgement depends on nothing but the bytes and on where the parser stands, so for the same
bytes between two messages it is known.  INVARIANT: a head is learned only from a message that llhttp took whole out of
one piece of input, and holds only for a piece that again is a whole message; everything else is llhttp's.

Some callers say a new id with every request.  Such a message is known if it would be with the id it was learned with:
llhttp reads on through letters, digits, dots and dashes of these fields' values, whichever they are.
"""

import re
from typing import NamedTuple

from safebelt.rooms.belt.proxy.wire import Headers, Request, Stated, stated

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(0|[1-9][0-9]{0,7})\r\n", re.IGNORECASE)
_MOST_DIGITS = 8
_MOST_BYTES = 4096
"""Longest head that is remembered: each connection keeps one."""
_MOST_MISSES = 8
"""Heads in a row that were not said again; then a connection learns no more: its peer says a new one each time."""
_BLANK = b"\r\n\r\n"
_IDS = re.compile(
    rb"\r\n(traceparent|x-request-id|x-client-request-id|x-correlation-id|idempotency-key)"
    rb":[ \t]*([\w.-]{1,128})(?=\r\n)",
    re.IGNORECASE | re.ASCII,
)
"""Fields with a new value each time, of which neither llhttp nor whoever reads `Stated` takes notice."""
_PLAIN = bytes(each for each in range(128) if re.fullmatch(rb"[\w.-]", bytes([each]), re.ASCII))
_MOST_IDS = 4


class Id(NamedTuple):
    """A value that is new each time: where it was in the head it was learned in, what it was, and which field's."""

    at: int
    learned: bytes
    field: int


class Heads:
    """What one connection knows of its peer's heads: the last one, as the bytes around the digits of its length."""

    __slots__ = ("_after", "_before", "_ids", "_misses", "_size")

    _ids: tuple[Id, ...]

    def __init__(self) -> None:
        self._before, self._after, self._size, self._misses, self._ids = b"", b"", 0, 0, ()

    def again(self, data: bytes) -> bytes | None:
        """Return the body of a whole message that begins with the known head; None where it is anything else."""
        size = self._size
        if not size:
            return None
        if self._ids:
            data = self._as_learned(data)
        if not data.startswith(self._before):
            return None
        end = data.find(b"\r", size, size + _MOST_DIGITS + 1)
        digits = data[size:end] if end > 0 else b""
        if not digits.isdigit() or (digits[0] == _ZERO and len(digits) > 1):
            return None
        if not data.startswith(self._after, end):
            return None
        body = data[end + len(self._after) :]
        if int(digits) != len(body):
            return None
        self._misses = 0
        return body

    def _as_learned(self, data: bytes) -> bytes:
        """Return a message with the ids it would have if it were the one that was learned."""
        return data

    def learn(self, data: bytes, body_size: int) -> bool:
        """Take the head of a message that llhttp took whole; say whether it can be known again.

        Args:
            data: The message's bytes, as they came in one piece.
            body_size: How many of them were its body.
        """
        self._size, self._ids, end = 0, (), len(data) - body_size
        self._misses += 1
        if self._misses > _MOST_MISSES or not 0 < end <= _MOST_BYTES or data.find(_BLANK) != end - len(_BLANK):
            return False
        found = _LENGTH.search(data, 0, end)
        if found is None or int(found[1]) != body_size:
            return False
        self._size, self._before, self._after = found.start(1), data[: found.start(1)], data[found.end(1) : end]
        return True

    def forget(self) -> None:
        """Know nothing: llhttp stands elsewhere than between two messages."""
        self._size = 0


_ZERO = ord("0")
_EFFECT = (b"expect", b"upgrade")
"""Fields that make a connection do something before, or other than, answering."""


class RequestHeads(Heads):
    """A client's."""

    __slots__ = ("_behind", "_end", "_first", "_is_http_1_0", "_method", "_new", "_stated", "_target")

    _end: int
    _new: list[bytes]
    _first: Headers
    _behind: Headers
    _stated: Stated
    _method: str
    _target: str
    _is_http_1_0: bool

    def learn_from(self, data: bytes, request: Request) -> None:
        """Take the head of a request that llhttp took whole, and keeps the connection."""
        names = [name for name, _ in request.headers]
        if any(name in _EFFECT for name in names) or not self.learn(data, len(request.body)):
            self.forget()
            return
        at = names.index(b"content-length")
        self._first, self._behind = request.headers[:at], request.headers[at + 1 :]
        self._method, self._target, self._is_http_1_0 = request.method, request.target, request.is_http_1_0
        self._stated = stated(request.headers)
        self._end, self._new = self._size + len(b"%d" % len(request.body)), []
        self._ids = _ids_of(data[: len(data) - len(request.body)], request.headers)

    def _as_learned(self, data: bytes) -> bytes:
        """Return a message with the learned ids, and note its own; as it is where they are not plain."""
        end = data.find(b"\r", self._size, self._size + _MOST_DIGITS + 1)
        if end < 0:
            return data
        longer = end - self._end
        whole, new = bytearray(data), list[bytes]()
        for at, learned, _ in self._ids:
            place = at if at < self._size else at + longer
            found = data[place : place + len(learned)]
            if len(found) != len(learned) or found.translate(None, _PLAIN):
                return data
            new.append(found)
            whole[place : place + len(learned)] = learned
        self._new = new
        return bytes(whole)

    def request(self, body: bytes) -> Request:
        """Return the request that `again` found the body of."""
        headers = (*self._first, (b"content-length", b"%d" % len(body)), *self._behind)
        return Request(
            method=self._method,
            target=self._target,
            headers=self._with_its_ids(headers) if self._ids else headers,
            body=body,
            is_http_1_0=self._is_http_1_0,
            known=self._stated,
        )

    def _with_its_ids(self, headers: Headers) -> Headers:
        fields = list(headers)
        for id_, found in zip(self._ids, self._new, strict=True):
            fields[id_.field] = fields[id_.field][0], found
        return tuple(fields)


def _ids_of(head: bytes, headers: Headers) -> tuple[Id, ...]:
    """Return the ids of a head, by the order of its fields; none where a field is said twice or there are too many."""
    names, found = [name for name, _ in headers], list[Id]()
    for match in _IDS.finditer(head):
        name, learned = match[1].lower(), match[2]
        if names.count(name) != 1 or headers[names.index(name)][1] != learned:
            return ()
        found.append(Id(match.start(2), learned, names.index(name)))
    return tuple(found) if len(found) <= _MOST_IDS else ()


class AnswerHeads(Heads):
    """An upstream's.

    Attributes:
        status: HTTP status.
        about: What somebody found in the known head, for the next who asks.
    """

    __slots__ = ("_fields", "_place", "about", "status")

    _fields: list[tuple[bytes, bytes]]
    _place: int
    status: int
    about: dict[str, bytes]

    def learn_from(self, data: bytes, status: int, fields: list[tuple[bytes, bytes]], body_size: int) -> None:
        """Take the head of an answer that llhttp took whole, and keeps the connection."""
        if not self.learn(data, body_size):
            return
        self.status, self._fields, self.about = status, list(fields), {}
        self._place = [name for name, _ in fields].index(b"content-length")

    def fields(self, body: bytes) -> list[tuple[bytes, bytes]]:
        """Return the fields of the answer that `again` found the body of."""
        fields = self._fields.copy()
        fields[self._place] = b"content-length", b"%d" % len(body)
        return fields
