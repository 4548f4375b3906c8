"""Postings: for each term and each chunk of 65,536 entries, which entries hold it.

A posting is a sorted array of 16-bit numbers, or, from 4,096 entries on, a bitmap of 8 KiB (the idea of Roaring
bitmaps, Chambi et al. 2016).  Postings of one run are written once; runs of a chunk are united as they grow alike, so
that a question meets few of them.  Entries that are gone are kept in a bitmap of their own.
"""

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from safebelt.rooms.registry.model.search_terms import (
    LEXICON_FROM,
    SHORT_PREFIXES,
    runs,
    spelling,
    words,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Local = NDArray[np.uint16]
    Bits = NDArray[np.uint8]

CHUNK_BITS = 16
CHUNK = 1 << CHUNK_BITS
BITMAP_BYTES = CHUNK // 8
_ARRAY_BELOW = BITMAP_BYTES // 2

GONE = b"g"
"""The shelf of what is gone."""


@dataclass(frozen=True, slots=True)
class Shelves:
    """Where the terms of one kind of reader stand, apart from those of any other.

    Attributes:
        text, name: Terms of the whole text and of the names.
        text_prefix, name_prefix: Short beginnings of words of either.
        spelling: Pairs of letters of words (whose entries are words, not documents).
        lexicon: What the words of these readers begin with where words are kept.
    """

    text: bytes
    name: bytes
    text_prefix: bytes
    name_prefix: bytes
    spelling: bytes
    lexicon: bytes

    @property
    def words(self) -> tuple[tuple[bytes, bytes], ...]:
        """The shelves of words, each with that of their short beginnings."""
        return (self.text, self.text_prefix), (self.name, self.name_prefix)


HOUSE = Shelves(b"t", b"n", b"p", b"q", b"s", b"")
"""What the house finds systems by."""
PUBLIC = Shelves(b"T", b"N", b"P", b"Q", b"S", b"\0")
"""What the public finds systems by: made of published texts alone, the words a mistyped one may mean included."""
_PAIR_SHIFT = 21  # bits of a code point
LOW, _MASK = CHUNK - 1, (1 << _PAIR_SHIFT) - 1


def term(shelf: bytes, text: str) -> bytes:
    """Return a term's key."""
    return shelf + text.encode()


def pack(local: "Local") -> bytes:
    """Write sorted distinct numbers below 65,536."""
    import numpy as np  # noqa: PLC0415  a tenth of a second that most processes never need

    if len(local) < _ARRAY_BELOW:
        return local.astype("<u2").tobytes()
    bits = np.zeros(CHUNK, np.uint8)
    bits[local] = 1
    return np.packbits(bits).tobytes()


def unpack(data: bytes) -> "Local":
    """Read what `pack` wrote."""
    import numpy as np  # noqa: PLC0415

    if len(data) != BITMAP_BYTES:
        return np.frombuffer(data, "<u2")
    return np.flatnonzero(np.unpackbits(np.frombuffer(data, np.uint8))).astype(np.uint16)


def raise_to(marks: "Bits", data: bytes, value: int) -> None:
    """Mark a posting's entries with at least `value`."""
    import numpy as np  # noqa: PLC0415

    if len(data) == BITMAP_BYTES:
        bits = np.unpackbits(np.frombuffer(data, np.uint8))
        np.maximum(marks, bits * np.uint8(value), out=marks)
    else:
        local = np.frombuffer(data, "<u2")
        marks[local] = np.maximum(marks[local], value)


def count_in(counts: "Bits", data: bytes) -> None:
    """Count one more for a posting's entries."""
    import numpy as np  # noqa: PLC0415

    if len(data) == BITMAP_BYTES:
        counts += np.unpackbits(np.frombuffer(data, np.uint8))
    else:
        counts[np.frombuffer(data, "<u2")] += 1


def united(one: bytes, other: bytes) -> bytes:
    """Return a posting of what is in either."""
    import numpy as np  # noqa: PLC0415

    if len(one) == len(other) == BITMAP_BYTES:
        return bytes(np.bitwise_or(np.frombuffer(one, np.uint8), np.frombuffer(other, np.uint8)).tobytes())
    return pack(np.union1d(unpack(one), unpack(other)))


# ---- building


def build(entries: Sequence[tuple[int, str, str]], shelves: Shelves = HOUSE) -> tuple[dict[bytes, bytes], set[str]]:
    """Return the postings of documents of one chunk, and their words.

    Args:
        entries: Number of the entry, its cleaned names, and the rest of its cleaned text.
        shelves: Whose.
    """
    found: dict[bytes, bytes] = {}
    local = [number & LOW for number, _, _ in entries]
    heads = [head for _, head, _ in entries]
    whole = [f"{head}\n{body}" for _, head, body in entries]
    all_words: set[str] = set()
    for (shelf, short), texts in zip(shelves.words, (whole, heads), strict=True):
        by_word = _by_word(local, texts)
        all_words |= set(by_word)
        found |= {term(shelf, word): _packed(numbers) for word, numbers in by_word.items()}
        found |= _beginnings(short, by_word)
        found |= _paired(shelf, local, texts)
    return found, all_words


def build_spelling(lexicon: Iterable[tuple[int, str]], shelves: Shelves = HOUSE) -> dict[bytes, bytes]:
    """Return the postings of words of one chunk by their pairs of letters."""
    by_pair: dict[str, list[int]] = {}
    for number, word in lexicon:
        for pair in spelling(word):
            by_pair.setdefault(pair, []).append(number & LOW)
    return {term(shelves.spelling, pair): _packed(sorted(numbers)) for pair, numbers in by_pair.items()}


def in_lexicon(word: str) -> bool:
    """Whether a word can be what a mistyped one meant."""
    return len(word) >= LEXICON_FROM


def _packed(numbers: Sequence[int]) -> bytes:
    """Write sorted distinct numbers; most lists are short, and for those an array of Python's own is quickest."""
    if len(numbers) < _ARRAY_BELOW and sys.byteorder == "little":
        return array("H", numbers).tobytes()
    import numpy as np  # noqa: PLC0415

    return pack(np.array(numbers, np.uint16))


def _by_word(local: Sequence[int], texts: Sequence[str]) -> dict[str, list[int]]:
    """Return each word with the sorted numbers of the texts it stands in."""
    by_word: dict[str, list[int]] = {}
    for number, text in zip(local, texts, strict=True):
        for word in set(words(text)):
            by_word.setdefault(word, []).append(number)
    return by_word


def _beginnings(shelf: bytes, by_word: Mapping[str, list[int]]) -> dict[bytes, bytes]:
    found: dict[str, set[int]] = {}
    for word, numbers in by_word.items():
        for length in SHORT_PREFIXES:
            if len(word) >= length:
                found.setdefault(word[:length], set()).update(numbers)
    return {term(shelf, beginning): _packed(sorted(numbers)) for beginning, numbers in found.items()}


def _paired(shelf: bytes, local: Sequence[int], texts: Sequence[str]) -> dict[bytes, bytes]:
    """Postings of single characters and of pairs, all documents at once: sorting numbers is what arrays do best."""
    import numpy as np  # noqa: PLC0415

    stretches = [(number, run) for number, text in zip(local, texts, strict=True) for run in runs(text)]
    if not stretches:
        return {}
    lengths = np.fromiter((len(run) + 1 for _, run in stretches), np.int64, len(stretches))
    points = np.frombuffer("\n".join([*(run for _, run in stretches), ""]).encode("utf-32-le"), "<u4").astype(np.int64)
    owners = np.repeat(np.fromiter((number for number, _ in stretches), np.int64, len(stretches)), lengths)
    is_here = points != ord("\n")
    has_next = is_here[:-1] & is_here[1:]
    singles = points[is_here] << CHUNK_BITS | owners[is_here]
    doubles = (points[:-1] << _PAIR_SHIFT | points[1:])[has_next] << CHUNK_BITS | owners[:-1][has_next]
    codes = np.sort(np.concatenate((singles, doubles)))  # np.unique hashes first, which is slower here
    codes = codes[np.concatenate(([True], codes[1:] != codes[:-1]))]
    keys, entries = codes >> CHUNK_BITS, (codes & LOW).astype(np.uint16)
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    edges = [*starts.tolist(), len(keys)]
    names = (_name(key) for key in keys[starts].tolist())
    return {term(shelf, name): pack(entries[edges[at] : edges[at + 1]]) for at, name in enumerate(names)}


def _name(key: int) -> str:
    first, second = key >> _PAIR_SHIFT, key & _MASK
    return chr(first) + chr(second) if first else chr(second)


# ---- asking


def by_chunk(rows: Iterable[Any]) -> dict[int, list[tuple[bytes, bytes]]]:
    """Return rows `(chunk, term, data)` in order of their chunks as chunk to `(term, data)` pairs."""
    ordered = sorted(rows, key=lambda row: row[0])
    groups = groupby(ordered, key=lambda row: row[0])
    return {chunk: [(bytes(name), bytes(data)) for _, name, data in group] for chunk, group in groups}


def empty() -> "Bits":
    """Return marks of a chunk in which nothing is marked."""
    import numpy as np  # noqa: PLC0415

    return np.zeros(CHUNK, np.uint8)


def marked(postings: Iterable[tuple[bytes, bytes]], values: Mapping[bytes, int]) -> "Bits":
    """Return the greatest value that one of its terms gives each entry."""
    marks = empty()
    for name, data in postings:
        value = values.get(name, 0)
        if value:
            raise_to(marks, data, value)
    return marks


def counted(postings: Iterable[tuple[bytes, bytes]], wanted: frozenset[bytes]) -> "Bits":
    """Return how many of the terms each entry holds."""
    counts = empty()
    for name, data in postings:
        if name in wanted:
            count_in(counts, data)
    return counts


def numbers_packed(numbers: Iterable[int]) -> bytes:
    """Write numbers below 65,536 in any order."""
    return _packed(sorted(set(numbers)))
