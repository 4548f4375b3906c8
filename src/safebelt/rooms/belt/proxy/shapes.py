"""Bodies by their shape: what is left of a body when its texts are taken out is nearly always the same.

Callers send the same settings around other words, and models answer in the same form.  So what a reading of a body
comes to, but for its texts and its counts, is worked out once a shape: which names and settings are clean, where each
text stands, what is sent on, what is recorded and shown around the texts.  Then a body costs one pass that takes its
texts out (`_shapes.c`), one look-up, and the reading of the texts.  Without a compiler every body is read by `plain`.

INVARIANT: a shape is known only if a probe of it, with words of our own in the place of each text and numbers of our
own in the place of each count, was JSON, was read by `plain` and found clean, and each word and number came out exactly
once, where it belongs.  Another body of that shape differs in nothing but one whole string, or number, for another.
"""

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from safebelt.rooms.belt.proxy.notices import NoticeFor, noticed
from safebelt.rooms.belt.records.line import encode

try:
    from safebelt.rooms.belt.proxy._shapes import part

    AVAILABLE = True
except ImportError:  # installed without a compiler
    AVAILABLE = False

Cuts = tuple[bytes, ...]
"""Strings and numbers that were taken out of a body, as they stood there, in order."""
_Parted = tuple[bytes, list[str], Cuts]
"""What is left of a body, the texts that were taken out, and all cuts."""
Read = Callable[[dict[str, Any]], Mapping[str, str] | None]
"""Body → its texts by path, where nothing is found in it; None where it must be looked at more closely."""
_Shape = TypeVar("_Shape")
_ASKED = (b"content",)
_SAID = (b"content", b"text", b"id")
_MOST_BYTES = 4096
"""Longest shape that is remembered: a talk of some hundred turns."""
_MOST = 256
"""Shapes that are remembered, of requests and of answers each: some 50 KB as a rule, 5 MB if all are so long."""
_FIRST_COUNT = 10**14
"""Counts of a probe begin somewhere above it: they have as many digits as any that is taken out."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NUMBER_HOLE = b"\x02"
_HOLES = re.compile(b"[\x01\x02]")
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode
_encode = msgspec.json.Encoder().encode
_SORTED = msgspec.json.Encoder(order="sorted").encode


class Fill:
    """Bytes with holes, and which cut of a body belongs in which.

    Args:
        written: The bytes, with the words and numbers of a probe in them.
        marks: How each of them is written there, in order of the cuts.

    Raises:
        LookupError: One stands in it twice.
    """

    __slots__ = ("count", "pattern", "places")

    def __init__(self, written: bytes, marks: Iterable[bytes]) -> None:
        found = {written.find(mark): (place, mark) for place, mark in enumerate(marks)}
        found.pop(-1, None)
        pattern, behind = b"", 0
        for at, (_, mark) in sorted(found.items()):
            if written.count(mark) > 1 or at < behind:
                raise LookupError(mark)
            pattern += written[behind:at].replace(b"%", b"%%") + b"%b"
            behind = at + len(mark)
        self.pattern = pattern + written[behind:].replace(b"%", b"%%")
        self.places = _taker([place for _, (place, _) in sorted(found.items())])
        self.count = len(found)

    def of(self, cuts: Cuts) -> bytes:
        """Return the bytes with the cuts of another body."""
        return self.pattern % self.places(cuts)


def _taker(places: list[int]) -> Callable[[Cuts], Cuts]:
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1) if places else slice(0))


class Asked:
    """A known shape of requests.

    Args:
        paths: Where each text stands.
        settings: The body without its messages.
        passed: What is sent on.
        content: What is recorded of the texts.
    """

    __slots__ = ("content", "passed", "paths", "settings")

    def __init__(self, paths: tuple[str, ...], settings: dict[str, Any], passed: Fill, content: Fill) -> None:
        self.paths, self.settings, self.passed, self.content = paths, settings, passed, content


class Said:
    """A known shape of answers.

    Args:
        paths: Where each string that was taken out stands; empty for the answer's id, which nobody said.
        shown: What the client is shown, but for the notice.
        noticed: Which texts may end with the notice, each with its place among the cuts.
        usage: What the upstream says it used, as it is recorded.
        content: What is recorded of the texts.

    Attributes:
        is_silent: Whether the model said nothing.
    """

    __slots__ = ("content", "is_silent", "noticed", "paths", "shown", "usage")

    def __init__(
        self, paths: tuple[str, ...], shown: Fill, noticed: list[tuple[int, int]], usage: Fill, content: Fill
    ) -> None:
        self.paths, self.shown, self.noticed, self.usage, self.content = paths, shown, noticed, usage, content
        self.is_silent = not any(paths)

    def show(self, texts: list[str], cuts: Cuts, notice: NoticeFor) -> bytes:
        """Return what the client is shown, with the notice."""
        for text, place in self.noticed:
            if more := notice(texts[text]):
                cuts = (*cuts[:place], cuts[place][:-1] + _written(more)[1:], *cuts[place + 1 :])
        return self.shown.of(cuts)


@lru_cache(maxsize=64)
def _written(notice: str) -> bytes:
    return _encode(notice)


class Known(dict[bytes, _Shape | None]):
    """Shapes, as they were learned; None for one that cannot be known.

    A shape is learned when it comes for the second time: one that never comes again costs nothing but this.
    """

    def __init__(self, learn: Callable[[bytes], _Shape | None]) -> None:
        super().__init__()
        self._learn = learn
        self._seen: set[bytes] = set()

    def __missing__(self, shape: bytes) -> _Shape | None:
        """Learn a shape."""
        if len(shape) > _MOST_BYTES:
            return None
        if shape not in self._seen:
            if len(self._seen) >= _MOST:
                self._seen.clear()
            self._seen.add(shape)
            return None
        self._seen.discard(shape)
        if len(self) >= _MOST:
            self.clear()
        try:
            found = self._learn(shape)
        except (LookupError, msgspec.MsgspecError, UnicodeError, RecursionError):
            found = None
        self[shape] = found
        return found


class Shapes:
    """The shapes of one policy's requests and answers.

    Args:
        request, answer: Read a body.
        usage: Answer → what the upstream says it used.
    """

    def __init__(self, request: Read, answer: Read, usage: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._read_request, self._read_answer, self._usage = request, answer, usage
        self._requests: Known[Asked] = Known(self._learn_request)
        self._answers: Known[Said] = Known(self._learn_answer)

    def request(self, body: bytes) -> tuple[Asked, list[str], Cuts] | None:
        """Return the shape of a request, its texts and its cuts; None where its shape is not known."""
        parted: _Parted | None = part(body, _ASKED, False) if AVAILABLE else None
        if parted is None:
            return None
        left, said, cuts = parted
        shape = self._requests[left]
        return None if shape is None or "" in said else (shape, said, cuts)

    def answer(self, body: bytes) -> tuple[Said, list[str], Cuts] | None:
        """Return the shape of an answer, its texts and its cuts; None where its shape is not known."""
        parted: _Parted | None = part(body, _SAID, True) if AVAILABLE else None
        if parted is None:
            return None
        left, said, cuts = parted
        shape = self._answers[left]
        return None if shape is None or "" in said else (shape, said, cuts)

    def _learn_request(self, shape: bytes) -> Asked | None:
        probe = Probe(shape)
        body = _decode_object(probe.body)
        texts = self._read_request(body)
        if texts is None or sorted(texts.values()) != sorted(probe.words):
            return None
        passed, content = Fill(_encode(body), probe.marks), Fill(encode({"texts": texts}), probe.marks)
        if not passed.count == content.count == len(probe.marks):
            return None
        settings = {name: value for name, value in body.items() if name != "messages"}
        return Asked(probe.paths(texts), settings, passed, content)

    def _learn_answer(self, shape: bytes) -> Said | None:
        probe = Probe(shape)
        body = _decode_object(probe.body)
        texts = self._read_answer(body)
        if texts is None:
            return None
        others = [word for word in probe.words if word not in texts.values()]
        if others not in ([], [body.get("id")]) or len(texts) + len(others) != len(probe.words):
            return None
        written = _encode(noticed(body, lambda _: probe.end))
        places = [at for at, word in enumerate(probe.words) if word + probe.end in written.decode()]
        shown = Fill(written.replace(probe.end.encode(), b""), probe.marks)
        if shown.count != len(probe.marks):
            return None
        usage, content = Fill(_SORTED(self._usage(body)), probe.marks), Fill(encode({"texts": texts}), probe.marks)
        return Said(probe.paths(texts), shown, [(at, probe.texts_at[at]) for at in places], usage, content)


class Probe:
    """A body of a shape, with words and numbers of our own that nobody can foresee.

    Args:
        shape: The shape.

    Attributes:
        body: The body.
        words: What stands in the place of each text.
        marks: How each word and number is written, in order.
        texts_at: Which of the marks each word is.
        end: What stands for a notice.
    """

    def __init__(self, shape: bytes) -> None:
        self._begin, self._first = _word(), _FIRST_COUNT + secrets.randbelow(8 * _FIRST_COUNT)
        self.end = _word()
        self.words = list[str]()
        self.marks = list[bytes]()
        self.texts_at = list[int]()
        self.body = _HOLES.sub(self._filled, shape)

    def _filled(self, hole: re.Match[bytes]) -> bytes:
        at = len(self.marks)
        if hole[0] == _NUMBER_HOLE:
            mark = b"%d" % (self._first + at)
        else:
            word = f"{self._begin} {_in_letters(at)} {self._begin}"
            self.words.append(word)
            self.texts_at.append(at)
            mark = b'"%b"' % word.encode()
        self.marks.append(mark)
        return mark

    def paths(self, texts: Mapping[str, str]) -> tuple[str, ...]:
        """Return where each text stands; empty for one that is none of these."""
        where = {text: path for path, text in texts.items()}
        return tuple(where.get(word, "") for word in self.words)


def _word() -> str:
    """Return 56 bits in letters: nothing but chance finds a term or a secret in them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(12))


def _in_letters(number: int) -> str:
    return "".join(_LETTERS[int(digit)] for digit in str(number))
