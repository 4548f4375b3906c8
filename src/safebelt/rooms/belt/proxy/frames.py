"""The frame in which a stream's tokens come: found once, so that of the events to follow only the text is read.

Nearly all events of a stream differ in one string.  An event is known by its bytes before that string and behind it:
the same bytes around another string are, to a reader of JSON, the same event with another string in that place.  The
bytes that leave are those that reading and writing anew would give.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from safebelt.rooms.belt.scanner.stream import StreamScreen

try:
    from safebelt.rooms.belt.proxy import _pieces

    AVAILABLE = True
except ImportError:  # installed without a compiler
    AVAILABLE = False

MOST_TRIES = 16
"""How often a stream's frame is looked for: one whose events differ in more than their text is read event by event."""
_PROBE = "\ufdd1"
"""Stands for the text; a noncharacter, never in real text."""
_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_LINE_END = re.compile(rb"[\r\n]")
_decoded = msgspec.json.Decoder(str).decode
_encoded = msgspec.json.Encoder().encode


class Frame(NamedTuple):
    """What stands around the text of an event.

    Attributes:
        head, tail: As it comes.
        before, after: As it leaves, with how events are written.
    """

    head: bytes
    tail: bytes
    before: bytes
    after: bytes

    def text(self, data: bytes) -> str | None:
        """Return the text of an event in this frame; None where it is another event."""
        head, tail = self.head, self.tail
        is_one = data.startswith(head) and data.endswith(tail) and len(data) > len(head) + len(tail)
        if not is_one:
            return None
        try:
            return _decoded(data[len(head) : len(data) - len(tail)])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None  # as much as two strings with something between, or none at all

    def written(self, text: str) -> bytes:
        """Return the event with a text."""
        return self.before + _encoded(text) + self.after


class Lane:
    """A frame as it stands in the stream's bytes, and whose text it carries: events in it need no reader of events.

    INVARIANT: a piece it takes is one whole event.  A piece of it begins and ends as such an event does, and between is
    one JSON string, in which no line can end.

    Args:
        lead: What stands before the data of such an event, as it comes.
        frame: The frame of its data.
        calmly: Takes a text in which nothing is found; gives None where it must be looked at closer.
        said: Notes what the model said.
        passed: Notes what left, if anybody asks.

    Attributes:
        in_c: As `chunk`, in one call; gives None more often.  Only where it was compiled, see `quicken`.
    """

    __slots__ = (
        "_after",
        "_before",
        "_begin",
        "_calmly",
        "_end",
        "_head",
        "_least",
        "_passed",
        "_said",
        "_tail",
        "in_c",
    )

    def __init__(
        self,
        lead: bytes,
        frame: Frame,
        calmly: Callable[[str], str | None],
        said: Callable[[str], None],
        passed: Callable[[str], None] | None = None,
    ) -> None:
        self._head, self._tail = lead + frame.head, frame.tail + b"\n\n"
        self._before, self._after = frame.before, frame.after
        self._begin, self._end = len(self._head), -len(self._tail)
        self._least = len(self._head) + len(self._tail)
        self._calmly, self._said, self._passed = calmly, said, passed
        self.in_c: Callable[[bytes], bytes | None] | None = None

    def quicken(self, screen: StreamScreen, said: list[str]) -> None:
        """Have chunks taken in C: by that screen, noted in that list."""
        if AVAILABLE:
            head, tail, before, after = self._head, self._tail, self._before, self._after
            folded, glances, loud, kept, most = screen.remembered()
            lane = _pieces.Lane(head, tail, before, after, screen, said, _encoded, folded, glances, loud, kept, most)
            self.in_c = lane.chunk

    def take(self, piece: bytes) -> bytes | None:
        """Return what of a piece may leave; None where it is another event or asks for care: nothing has been done."""
        is_one = piece.startswith(self._head) and piece.endswith(self._tail)
        if not is_one or len(piece) <= self._least:
            return None
        try:
            said = _decoded(piece[self._begin : self._end])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        text = self._calmly(said) if said else None
        if text is None:
            return None
        self._said(said)
        if self._passed is not None:
            self._passed(text)
        return self._before + _encoded(text) + self._after if text else b""

    def chunk(self, data: bytes) -> bytes | None:
        """Take one whole chunk of HTTP whose piece `take` takes; return what may leave, framed as one."""
        size = chunked(data)
        if not data.startswith(b"%x\r\n" % size) or not data.endswith(b"\r\n"):
            return None
        passed = self.take(data[-2 - size : -2])
        return b"%x\r\n%b\r\n" % (len(passed), passed) if passed else passed


def chunked(data: bytes) -> int:
    """Return how much a chunk of up to 4095 bytes holds, if data are one, its size in no more digits than it needs."""
    size = len(data)
    return size - (7 if size > 261 else 6 if size > 20 else 5)


def lane_of(lead: bytes, frame: Frame, *words: Any) -> Lane | None:
    """Return the lane of a frame, as `Lane` takes it; None where its data stand on several lines."""
    return None if _LINE_END.search(frame.head + frame.tail) else Lane(lead, frame, *words)


def frame_of(data: bytes, name: bytes, filled: Callable[[str], Any], write: Callable[[Any], bytes]) -> Frame | None:
    """Return the frame of an event; None where the place of its text is not clear.

    Args:
        data: The event as it came.
        name: Field of its text.
        filled: Text → the event with it in the place of its own.
        write: Event → the bytes that leave.
    """
    begins = list(re.finditer(rb'"%b"\s*:\s*' % name, data))
    if len(begins) != 1:
        return None
    begin = begins[0].end()
    literal = _LITERAL.match(data, begin)
    if literal is None:
        return None
    probe = _encoded(_PROBE)
    head, tail = data[:begin], data[literal.end() :]
    if msgspec.json.decode(head + probe + tail) != filled(_PROBE):
        return None
    before, found, after = write(filled(_PROBE)).partition(probe)
    return Frame(head, tail, before, after) if found and probe not in before + after else None
