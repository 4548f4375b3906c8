"""Three ways to read a folded text for words, each the same for a whole text and for a stream's window.

- *plain*: as it stands, but `*` is nothing and a run of blanks is one blank;
- *spelled*: letters that each stand alone between other signs (`红 色 按 钮`, `w.h.a.l.e`);
- *leet*: signs written for letters (`wh4l3`).

A reading looks only at words that begin at or after a place, reports those whose right neighbour is known, and says how
much of the end may still become a word: from there on a stream must wait.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from safebelt.rooms.belt.scanner.terms import LEET, is_leet_for, leet_view
from safebelt.rooms.belt.scanner.words import WORD_CHARS, Words, stands_alone

MAX_GAP = 8
"""Most signs between two letters of a word that is spelled out, and most `*` and blanks that count as one blank."""
_RUN = re.compile(r"[ \n\t*]{2,}|[*\n\t]")
_BLANKS_AND_STARS = re.compile(rb"[ \n\t*]*")
_BREAK = b"\0"
_SHOWN = {"": b"", " ": b" ", "\n": _BREAK}
_SPELLED = re.compile(rb"(?:h|(?<!w)w)(?:[spo]{1,8}(?:h|w(?!w)))+")
_ALONE = re.compile(rb"h|(?<!w)w(?!w)")
_SIGNS = frozenset(LEET)
_GLUED = re.compile(r" ?\n|([^\n,;:!?/()\[\]{}\"'<>、。“”‘’《》〈〉【】「」『』—…|&])\1{0,2}")
"""What may part two ideographs that touch others on both sides: one line break, or one sign up to
three times, but no punctuation of prose.
`颜色，情绪` is two words; `色 情` is not."""
_MAX_LETTERS = 64


class WordHit(NamedTuple):
    """A word of a rule in folded text."""

    rule: str
    start: int
    end: int


class Waits:
    """How much of the end of a text must wait, for each bit that asks."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._places: dict[int, int] = {}

    def note(self, bits: int, place: int) -> None:
        """Let those who ask for `bits` wait from `place` on."""
        if bits and place < self._places.get(bits, self._end):
            self._places[bits] = place

    def of(self, bit: int) -> int:
        """Return from where on one who asks for `bit` must wait; the end of the text where nothing is unfinished."""
        first = self._end
        if not self._places:
            return first
        for bits, place in self._places.items():
            if bits & bit and place < first:
                first = place
        return first


class Reading(NamedTuple):
    """What is read, and how.

    Attributes:
        text: Folded text.
        begin: Words are looked for from here on.
        known: Words that end before here were reported before.
        is_last: Nothing follows.
        waits: Where to note what is unfinished; None for whole texts.
    """

    text: str
    begin: int = 0
    known: int = 0
    is_last: bool = True
    waits: Waits | None = None

    def is_new(self, end: int) -> bool:
        """Whether a word that ends here is to be reported now: its right neighbour has just become known."""
        return end >= self.known and (self.is_last or end < len(self.text))


def is_starred(text: str) -> bool:
    """Whether the plain view of a text differs from it in more than the kind of its blanks; a cheap look."""
    return "*" in text or "  " in text or " \n" in text or "\n " in text or "\t" in text


def plain_view(text: str, begin: int = 0) -> tuple[str, list[int]]:
    """Return the plain view of the text from `begin` on, and the place in the text that each character came from."""
    view: list[str] = []
    places: list[int] = []
    here = begin
    for match in _RUN.finditer(text, begin):
        view.append(text[here : match.start()])
        places.extend(range(here, match.start()))
        shown = _shown(match.group())
        view.append(shown)
        places.extend([match.start()] * len(shown))
        here = match.end()
    view.append(text[here:])
    places.extend(range(here, len(text)))
    return "".join(view), places


def starred_view(data: bytes, flat: bytes, reach: int) -> tuple[bytes, list[int], list[int]]:
    """Return the plain view of a whole text in UTF-8, as an engine is to read it, and the way back.

    Args:
        data: The text.
        flat: The same with every blank a space.
        reach: What is further than this from every run is left out.

    Returns:
        The view; where in it each stretch begins that is shown as it stands; how much further on in the text it stands.
    """
    view: list[bytes] = []
    begins, shifts = [0], [0]
    here = size = 0
    for start, end in _starred_runs(data, flat):
        if start - here > 2 * reach:
            view += data[here : here + reach], _BREAK
            size += reach + 1
            here = start - reach
            begins.append(size)
            shifts.append(here - size)
        shown = _SHOWN[_shown(data[start:end].decode("ascii"))]
        view += data[here:start], shown
        size += start - here + len(shown)
        begins.append(size)
        shifts.append(end - size)
        here = end
    view.append(data[here : here + reach])
    return b"".join(view).replace(b"\n", b" ").replace(b"\t", b" "), begins, shifts


def _starred_runs(data: bytes, flat: bytes) -> Iterator[tuple[int, int]]:
    """Yield the runs that are more, or less, than a blank of another kind."""
    star, blanks = flat.find(b"*"), flat.find(b"  ")
    while star >= 0 or blanks >= 0:
        start = min(place for place in (star, blanks) if place >= 0)
        if start == star and flat[start - 1 : start] == b" ":
            start -= 1
        run = _BLANKS_AND_STARS.match(data, start)
        end = run.end() if run else start
        yield start, end
        star = flat.find(b"*", end) if 0 <= star < end else star
        blanks = flat.find(b"  ", end) if 0 <= blanks < end else blanks


def _shown(run: str) -> str:
    """Return what a run of blanks and `*` counts for: nothing, a blank, or a break that no word spans."""
    if len(run) > MAX_GAP or run.count("\n") > 1:
        return "\n"
    return " " if run.strip("*") else ""


def may_hold_leet(reading: Reading) -> bool:
    """Whether a text has signs written for letters; a cheap look."""
    return not _SIGNS.isdisjoint(reading.text[reading.begin :])


def may_hold_spelled(reading: Reading, classes: bytes) -> bool:
    """Whether a text has letters that stand alone beside other signs; a cheap look."""
    kinds = classes[reading.begin :]
    return bool(kinds.translate(None, b"hw")) and _ALONE.search(classes, reading.begin) is not None


def plain_words(words: Words[str], reading: Reading) -> list[WordHit]:
    """Return the words of the plain view."""
    text, begin = reading.text, reading.begin
    hits: list[WordHit] = []
    view, places = plain_view(text, begin) if _RUN.search(text, begin) else (text[begin:], range(begin, len(text)))
    for at in words.begins(view):
        place = places[at]
        if text[place] in WORD_CHARS and place and text[place - 1] in WORD_CHARS:
            continue
        found, bits = words.at(view, at)
        _note(reading, bits, place)
        for one in found:
            end = places[at + len(words.words[one]) - 1] + 1
            _note(reading, words.waits[one] if end == len(text) else 0, place)
            if reading.is_new(end) and stands_alone(text, place, end):
                hits += [WordHit(rule, place, end) for rule in words.names[one]]
    return hits


def _note(reading: Reading, bits: int, place: int) -> None:
    if bits and reading.waits:
        reading.waits.note(bits, place)


def spelled_words(
    words: Words[str], reading: Reading, classes: bytes, runs: Iterable[re.Match[bytes]] | None = None
) -> Iterator[WordHit]:
    """Yield the words that are spelled out.

    Args:
        words: Spelled forms.
        reading: What is read.
        classes: The class of each character of its text.
        runs: The runs of letters that stand alone that matter; all where it is not said which.
    """
    if reading.waits:
        _wait_for_spelled(words, reading, classes)
    for run in _SPELLED.finditer(classes, reading.begin) if runs is None else runs:
        if _is_mere_punctuation(
            run.group(), classes[run.start() - 1 : run.start()], classes[run.end() : run.end() + 1]
        ):
            continue
        places = [i for i in range(run.start(), run.end()) if classes[i] in b"hw"]
        letters = "".join(reading.text[i] for i in places)
        for at, start in enumerate(places):
            for one in words.at(letters, at)[0]:
                last = at + len(words.words[one]) - 1
                end = places[last] + 1
                if last > at and reading.is_new(end) and _is_spelled(reading.text, classes, start, end, last - at + 1):
                    for rule in words.names[one]:
                        yield WordHit(rule, start, end)


def runs_at(classes: bytes, starts: Iterable[int]) -> Iterator[re.Match[bytes]]:
    """Yield the runs of letters that stand alone that begin at some places."""
    return filter(None, (_SPELLED.match(classes, start) for start in starts))


def runs_near(classes: bytes, near: Sequence[int]) -> Iterator[re.Match[bytes]]:
    """Yield the runs of letters that stand alone whose first letters end at some places, or one before, in order."""
    done = 0
    for place in near:
        if place <= done:
            continue
        # Three letters and the signs between them; two more places for what stands beside them.
        run = _SPELLED.search(classes, max(done, place - 2 * MAX_GAP - 5))
        while run and run.start() < place:
            yield run
            done = run.end()
            run = _SPELLED.search(classes, done) if done < place else None


def _is_mere_punctuation(run: bytes, left: bytes, right: bytes) -> bool:
    """Whether a run is but the last letter of a word and the first of the next, parted by punctuation of prose."""
    return run[1:-1].translate(None, b"spo") == b"" and b"p" in run and (left == b"h" or right == b"h")


def _is_spelled(text: str, classes: bytes, start: int, end: int, letters: int) -> bool:
    """Whether letters in a run are a word spelled out: two that touch others may just end and begin words."""
    left, right = classes[start - 1 : start] if start else b"", classes[end : end + 1]
    if right == b"w" and classes[end - 1 : end] == b"w":
        return False
    if letters > 2 or (left != b"h" and right != b"h"):
        return True
    return bool(_GLUED.fullmatch(text, start + 1, end - 1))


def wait_for_letter(words: Words[str], reading: Reading, classes: bytes) -> None:
    """Note the last letter of a text, where nothing but a word that begins with it may be spelled out there."""
    is_alone = classes[-1:] == b"h" or (classes[-1:] == b"w" and classes[-2:-1] != b"w")
    if is_alone and len(classes) > reading.begin:
        _note(reading, words.waits_for(reading.text[-1]), len(classes) - 1)


def _wait_for_spelled(words: Words[str], reading: Reading, classes: bytes) -> None:
    """Note from where on the end of the text may still become a word spelled out."""
    places = _spelled_tail(classes, reading.begin)
    letters = "".join(reading.text[i] for i in places)
    for at, place in enumerate(places):
        found, bits = words.at(letters, at)
        _note(reading, bits, place)
        for one in found:
            if places[at + len(words.words[one]) - 1] + 1 == len(classes):
                _note(reading, words.waits[one], place)


def _spelled_tail(classes: bytes, begin: int) -> list[int]:
    """Return the places of the letters that stand alone at the end of a text, with what parts them."""
    places: list[int] = []
    here = len(classes)
    while here > begin and len(places) < _MAX_LETTERS:
        letter = len(classes[begin:here].rstrip(b"spo")) - 1 + begin
        gap = here - letter - 1
        if letter < begin or gap > MAX_GAP or (places and not gap):
            break
        left = classes[letter - 1 : letter] if letter else b""
        if classes[letter] == ord("w") and left == b"w":
            break
        places.append(letter)
        here = letter
    return places[::-1]


def leet_words(words: Words[tuple[str, str]], reading: Reading) -> Iterator[WordHit]:
    """Yield the words written with signs for letters."""
    text, begin = reading.text, reading.begin
    view = leet_view(text[begin:])
    for at in words.begins(view):
        place = begin + at
        if view[at] in WORD_CHARS and not (place and text[place] in WORD_CHARS and text[place - 1] in WORD_CHARS):
            yield from _leet_at(words, reading, view, at)


def _leet_at(words: Words[tuple[str, str]], reading: Reading, view: str, at: int) -> Iterator[WordHit]:
    text, place = reading.text, reading.begin + at
    found, bits = words.at(view, at)
    _note(reading, bits if bits and not _SIGNS.isdisjoint(text[place:]) else 0, place)
    for one in found:
        end = place + len(words.words[one])
        _note(reading, words.waits[one] if end == len(text) else 0, place)
        if reading.is_new(end):
            yield from leet_hits(words.names[one], text, place, end)


def leet_hits(names: tuple[tuple[str, str], ...], text: str, start: int, end: int) -> Iterator[WordHit]:
    """Yield the terms that a span really writes, of those that look like it."""
    if stands_alone(text, start, end):
        for rule, term in names:
            if is_leet_for(text[start:end], term):
                yield WordHit(rule, start, end)
