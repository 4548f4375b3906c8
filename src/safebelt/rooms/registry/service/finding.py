"""How a question is answered: words meant, postings gathered, parts counted, the best put first.

Everything is read in an order in which a merge in between can only show an entry twice, never hide it: what is gone,
then what is fresh, then the shelves.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from safebelt.rooms.registry.decide import search as judge
from safebelt.rooms.registry.decide.search import EXACT, IN_NAME, NEAR, PREFIX, WITHIN, Part
from safebelt.rooms.registry.model.search_terms import SHORT_PREFIXES, edits_forgiven, pairs, spelling
from safebelt.rooms.registry.store import published, segments, shelves
from safebelt.rooms.registry.store.segments import CHUNK_BITS, GONE, HOUSE, LOW, PUBLIC, Shelves

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.uint8]
    Numbers = NDArray[np.int64]

Postings = Sequence[tuple[bytes, bytes]]
Waiting = Sequence[tuple[int, str, str]]
"""Entries on no shelf yet: number, cleaned names, the rest of the cleaned text."""

MOST_MEANT = 64
"""Words a mistyped part may have meant, and as many that may hold it inside; the likest are taken."""
MOST_BEGUN = 128
"""Words that may begin with a part of four letters and more; shorter beginnings are looked up as such, all of them."""
MOST_WEIGHED = 2_000
"""Words whose spelling is compared letter by letter."""
_EDIT_BREAKS = 3
"""Pairs of letters that one mistake breaks at most: a swap breaks three."""
_SCORE_BITS = 40
"""Bits of an entry's number beside its score."""
_NUMBER = (1 << _SCORE_BITS) - 1
_SIMILAR = 3
"""Words offered in place of one nobody wrote."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A part of a question, and the terms that answer it.

    Attributes:
        part: The part.
        text: Terms of the whole text and what each is worth.
        name: The same in names.
    """

    part: Part
    text: Mapping[bytes, int]
    name: Mapping[bytes, int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question found.

    Attributes:
        numbers: Entries, best first; of equals, the latest entered first.
        total: How many there are, those beyond `numbers` counted.
    """

    numbers: Sequence[int]
    total: int
    scores: Sequence[int] = field(default=(), repr=False)


@lru_cache(1 << 15)
def likeness(part: str, word: str) -> int:
    """`decide.search.likeness` with a memory: the same words are weighed again and again."""
    return judge.likeness(part, word)


# ---- what was meant


def meant(tx: sa.Connection, parts: Sequence[Part], on: Shelves = HOUSE) -> list[Meant]:
    """Return for each part the terms that answer it on some shelves."""
    like = _like_words(tx, [part.text for part in parts if not part.is_run], on)
    return [_run_meant(part, on) if part.is_run else _word_meant(part, like[part.text], on) for part in parts]


def _run_meant(part: Part, on: Shelves) -> Meant:
    texts = (*part.pairs, *(part.characters if part.may_be_near else ()))
    return Meant(part, *({segments.term(shelf, one): EXACT for one in texts} for shelf in (on.text, on.name)))


def _word_meant(part: Part, like: Mapping[str, int], on: Shelves) -> Meant:
    both = []
    for shelf, short in on.words:
        values = {segments.term(shelf, word): value for word, value in like.items()}
        if len(part.text) in SHORT_PREFIXES:
            values[segments.term(short, part.text)] = PREFIX
        both.append(values | {segments.term(shelf, part.text): EXACT})
    return Meant(part, *both)


def _like_words(tx: sa.Connection, words: Sequence[str], on: Shelves) -> dict[str, dict[str, int]]:
    """Return the words of the index that are like each word, with their likeness."""
    spelled = [word for word in words if len(word) >= judge.INFIX_FROM]
    grams = {segments.term(on.spelling, pair) for word in spelled for pair in spelling(word)}
    found = shelves.postings(tx, grams) if grams else {}
    like: dict[str, dict[str, int]] = {}
    for word in words:
        begun = shelves.words_beginning(tx, word, MOST_BEGUN, on) if len(word) > max(SHORT_PREFIXES) else []
        candidates = shelves.words_numbered(tx, _spelled_alike(word, found, on), on) if word in spelled else []
        like[word] = _likest(word, {*begun, *candidates})
    return like


def _spelled_alike(word: str, found: Mapping[int, Postings], on: Shelves) -> list[int]:
    """Return numbers of words that share enough pairs of letters with a word, or hold all of its own."""
    import numpy as np  # noqa: PLC0415

    whole = frozenset(segments.term(on.spelling, pair) for pair in spelling(word))
    inner = frozenset(segments.term(on.spelling, pair) for pair in pairs(word))
    forgiven = edits_forgiven(word)
    needed = max(1, len(whole) - _EDIT_BREAKS * forgiven) if forgiven else len(whole) + 1
    shared: list[tuple[int, int]] = []
    for chunk, postings in found.items():
        counts, within = segments.counted(postings, whole), segments.counted(postings, inner)
        local = np.flatnonzero((counts >= needed) | (within >= len(inner)))
        shared += [(-int(counts[one]), chunk << CHUNK_BITS | int(one)) for one in local]
    shared.sort()
    return [number for _, number in shared[:MOST_WEIGHED]]


def _likest(word: str, candidates: Iterable[str]) -> dict[str, int]:
    ranked = sorted(
        ((value, each) for each in candidates if (value := likeness(word, each))),
        key=lambda found: (abs(len(found[1]) - len(word)), found[1]),
    )
    kept: dict[str, int] = {}
    for kind, most in ((WITHIN, MOST_MEANT), (NEAR, MOST_MEANT), (PREFIX, MOST_BEGUN), (EXACT, 1)):
        kept |= dict([(each, value) for value, each in ranked if value == kind][:most])
    return kept


# ---- who answers


def answer(
    tx: sa.Connection,
    parts: Sequence[Part],
    *,
    limit: int | None,
    only: "Numbers | None" = None,
    upto: int | None = None,
) -> Answer:
    """Return the entries that answer every part.

    Args:
        tx: A transaction.
        parts: What is asked; at least one.
        limit: How many are put in order; None puts all.
        only: Entries among which to look; None looks among all.
        upto: The last entry that counts; None counts all.
    """
    hidden = set(shelves.gone_numbers(tx))
    waiting = shelves.fresh(tx)
    hidden |= {number for number, _, _ in waiting}
    return _best(_keys(tx, parts, HOUSE, waiting, hidden), limit, only, upto)


def public_answer(
    tx: sa.Connection,
    parts: Sequence[Part],
    today: date,
    *,
    limit: int | None,
    only: "Numbers | None" = None,
    upto: int | None = None,
) -> Answer:
    """Return the entries that answer every part by what is published on a day; otherwise as `answer`."""
    hidden = set(shelves.gone_numbers(tx)) | set(published.embargoed_numbers(tx, today))
    waiting = published.fresh(tx, today)
    hidden |= {number for number, _, _ in waiting}
    return _best(_keys(tx, parts, PUBLIC, waiting, hidden), limit, only, upto)


def _keys(tx: sa.Connection, parts: Sequence[Part], on: Shelves, waiting: Waiting, hidden: set[int]) -> "Numbers":
    """Return score and number, in one, of every entry that answers; `hidden` is what the shelves must not tell."""
    import numpy as np  # noqa: PLC0415

    wanted = meant(tx, parts, on)
    terms = {GONE}.union(*(each.text for each in wanted), *(each.name for each in wanted))
    found = [_weighed(chunk, rows, wanted, hidden, on) for chunk, rows in shelves.postings(tx, terms).items()]
    read = [(number, judge_fresh(parts, head, body)) for number, head, body in waiting]
    found.append(np.array([value << _SCORE_BITS | number for number, value in read if value], np.int64))
    return np.concatenate(found)


def _best(keys: "Numbers", limit: int | None, only: "Numbers | None", upto: int | None) -> Answer:
    import numpy as np  # noqa: PLC0415

    if upto is not None:
        keys = keys[keys & _NUMBER <= upto]
    if only is not None:
        keys = keys[np.isin(keys & _NUMBER, only)]
    cut = 0 if limit is None else max(0, len(keys) - limit)
    best = np.sort(np.partition(keys, cut)[cut:] if cut else keys)[::-1]
    return Answer((best & _NUMBER).tolist(), len(keys), (best >> _SCORE_BITS).tolist())


def judge_fresh(parts: Sequence[Part], head: str, body: str) -> int:
    """Return what an entry on no shelf comes to, by the same judgment that the shelves are cut to."""
    return judge.score(parts, head, body, likeness)


def _weighed(chunk: int, rows: Postings, wanted: Sequence[Meant], hidden: Iterable[int], on: Shelves) -> "Numbers":
    """Return score and number of the entries of a chunk that answer every part."""
    import numpy as np  # noqa: PLC0415

    is_in = np.ones(segments.CHUNK, bool)
    total = np.zeros(segments.CHUNK, np.uint16)
    for each in wanted:
        held = _held(rows, each.part, each.text, on.text)
        is_in &= held > 0
        if not is_in.any():
            return np.zeros(0, np.int64)
        total += held
        total += (_held(rows, each.part, each.name, on.name) > 0) * np.uint16(IN_NAME)
    for name, data in rows:
        if name == GONE:
            is_in[segments.unpack(data)] = False
    is_in[[number & LOW for number in hidden if number >> CHUNK_BITS == chunk]] = False
    local = np.flatnonzero(is_in)
    scores: NDArray[np.int64] = total[local].astype(np.int64) << _SCORE_BITS
    return scores | (chunk << CHUNK_BITS) | local


def _held(rows: Postings, part: Part, values: Mapping[bytes, int], shelf: bytes) -> "Bits":
    """Return how well each entry of a chunk holds a part."""
    import numpy as np  # noqa: PLC0415

    if not part.is_run:
        return segments.marked(rows, values)
    pairs_held = segments.counted(rows, frozenset(segments.term(shelf, pair) for pair in part.pairs))
    marks = np.where(pairs_held == len(part.pairs), np.uint8(EXACT), np.uint8(0))
    if part.may_be_near:
        letters = segments.counted(rows, frozenset(segments.term(shelf, one) for one in part.characters))
        is_near = (pairs_held >= part.pairs_needed) & (letters >= part.characters_needed)
        marks = np.maximum(marks, is_near * np.uint8(NEAR))
    return marks


def similar(tx: sa.Connection, part: Part) -> list[str]:
    """Return what may have been meant by a part that nothing answers: the words spelled most alike, or its pairs."""
    if part.is_run:
        return [pair for pair in part.pairs if len(part.text) > len(pair)]
    found = shelves.postings(tx, [segments.term(HOUSE.spelling, pair) for pair in spelling(part.text)])
    words = shelves.words_numbered(tx, _spelled_most_alike(part.text, found))
    return sorted(words, key=lambda word: (judge.edits(part.text, word, len(part.text)), word))[:_SIMILAR]


def _spelled_most_alike(word: str, found: Mapping[int, Postings]) -> list[int]:
    import numpy as np  # noqa: PLC0415

    whole = frozenset(segments.term(HOUSE.spelling, pair) for pair in spelling(word))
    shared: list[tuple[int, int]] = []
    for chunk, postings in found.items():
        counts = segments.counted(postings, whole)
        local = np.flatnonzero(counts * 2 >= len(whole))
        shared += [(-int(counts[one]), chunk << CHUNK_BITS | int(one)) for one in local]
    return [number for _, number in sorted(shared)[:MOST_MEANT]]
