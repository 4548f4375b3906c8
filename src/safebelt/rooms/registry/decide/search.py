"""Judgments of search: what a question asks for, how like it a word is, and which of the best comes first."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat

from safebelt.kernel.text import Text
from safebelt.rooms.registry.model.search_terms import (
    clean,
    edits_forgiven,
    is_run,
    pairs,
    parts,
    runs,
    words,
)

MOST_PARTS = 12
"""Words and runs of a question that are looked up; a longer question is cut, and the answer says so."""
MOST_RUN = 24
"""Characters of one run without spaces that are looked up as one; a longer one is cut into several."""
QUERY_LIMIT = 400
"""Characters of a question that are read."""

EXACT, PREFIX, NEAR, WITHIN = 6, 5, 2, 1
"""How like a part of the question what was found is: the part itself, its beginning, mistyped, inside a longer word."""
IN_NAME = 3
"""What it adds that a part stands in the name: less than being exact rather than near, more than any order of words."""
INFIX_FROM = 5
"""Letters from which a part is looked for inside longer words."""
RUN_TOLERANT_FROM = 4
"""Characters from which one may be wrong in a run without spaces."""


ID_LENGTH = 30
"""Characters of a system's id."""
_ID = "sys_"


def is_id(text: str) -> bool:
    """Whether a text is a system's id, or the beginning of one."""
    rest = text.removeprefix(_ID)
    return text.startswith(_ID) and len(text) <= ID_LENGTH and rest.isascii() and (not rest or rest.isalnum())


@dataclass(frozen=True, slots=True)
class Part:
    """One thing a question asks for.

    Attributes:
        text: A word, or a run of characters written without spaces.
        is_run: Which of the two.
    """

    text: str
    is_run: bool

    @property
    def pairs(self) -> tuple[str, ...]:
        """The distinct pairs of a run; a single character stands for itself."""
        return tuple(dict.fromkeys(pairs(self.text) or [self.text]))

    @property
    def characters(self) -> tuple[str, ...]:
        """The distinct characters of a run."""
        return tuple(dict.fromkeys(self.text))

    @property
    def may_be_near(self) -> bool:
        """Whether a mistake in it is forgiven."""
        return len(self.text) >= RUN_TOLERANT_FROM if self.is_run else edits_forgiven(self.text) > 0

    @property
    def characters_needed(self) -> int:
        """How many distinct characters of a run must be there for it to be near."""
        return len(self.characters) - max(1, len(self.text) // RUN_TOLERANT_FROM // 2)

    @property
    def pairs_needed(self) -> int:
        """How many distinct pairs of a run must be there for it to be near: a mistake breaks two."""
        return max(1, len(self.pairs) - 2 * max(1, len(self.text) // RUN_TOLERANT_FROM // 2))


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, read.

    Attributes:
        parts: All must be found.
        was_cut: Whether some of it was too long to be looked up.
    """

    parts: tuple[Part, ...]
    was_cut: bool = False


def asked(query: str) -> Asked:
    """Read a question: distinct words and runs in order, bounded."""
    text = clean(query[: QUERY_LIMIT + 1])
    found: list[Part] = []
    for part in parts(text):
        pieces = [part[at : at + MOST_RUN] for at in range(0, len(part), MOST_RUN)] if is_run(part) else [part]
        found += [Part(piece, is_run(piece)) for piece in pieces]
    distinct = tuple(dict.fromkeys(found))
    return Asked(distinct[:MOST_PARTS], was_cut=len(query) > QUERY_LIMIT or len(distinct) > MOST_PARTS)


def likeness(part: str, word: str) -> int:
    """Return how like a part of the question a word is; 0 where it is not."""
    if word == part:
        return EXACT
    if word.startswith(part) and len(part) > 1:
        return PREFIX
    if is_near(part, word):
        return NEAR
    return WITHIN if len(part) >= INFIX_FROM and part in word else 0


def is_near(part: str, word: str) -> bool:
    """Whether a word is a part with the mistakes that are forgiven: letters wrong, missing, extra, or swapped."""
    forgiven = edits_forgiven(part)
    return bool(forgiven) and abs(len(part) - len(word)) <= forgiven and edits(part, word, forgiven) <= forgiven


def edits(one: str, other: str, limit: int) -> int:
    """Return the edits between two words (optimal string alignment), or any number above `limit`.

    A whole column of the table of distances is one number, a bit a letter (Hyyrö 2003, for swaps too).

    Example:
        >>> edits("fraud", "fruad", 2)
        1
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    if not one or not other:
        return len(one) + len(other)
    places, full, last = _places(one), (1 << len(one)) - 1, 1 << (len(one) - 1)
    rises, falls, same, older, distance = full, 0, 0, 0, len(one)
    for letter in other:
        here = places.get(letter, 0)
        swapped = ((~same & here) << 1) & older
        same = (((here & rises) + rises) ^ rises) | here | falls | swapped
        right, back = falls | (full & ~(same | rises)), same & rises
        distance += bool(right & last) - bool(back & last)
        right, back = right << 1 | 1, back << 1
        rises, falls, older = full & (back | ~(same | right)), full & right & same, here
    return distance


@lru_cache(1 << 8)
def _places(word: str) -> dict[str, int]:
    """Return at which places each letter of a word stands, a bit a place."""
    found: dict[str, int] = {}
    for at, letter in enumerate(word):
        found[letter] = found.get(letter, 0) | 1 << at
    return found


Likeness = Callable[[str, str], int]
"""`likeness`, or the same with a memory."""


def found_in(part: Part, text: str, its_words: Iterable[str], like: Likeness = likeness) -> int:
    """Return how well a part is found in a cleaned text; 0 where it is not."""
    if not part.is_run:
        return max(map(like, repeat(part.text), its_words), default=0)
    held = sum(pair in text for pair in part.pairs)
    if held == len(part.pairs):
        return EXACT
    if not part.may_be_near or held < part.pairs_needed:
        return 0
    return NEAR if sum(one in text for one in part.characters) >= part.characters_needed else 0


def score(asked: Sequence[Part], head: str, body: str, like: Likeness = likeness) -> int:
    """Return what a document comes to: 0 where a part is missing.

    Args:
        asked: The parts of the question.
        head: Cleaned names.
        body: The rest, cleaned.
        like: How like a part a word is.
    """
    in_head, everywhere = words(head), words(f"{head}\n{body}")
    total = 0
    for part in asked:
        held = found_in(part, f"{head}\n{body}", everywhere, like)
        if not held:
            return 0
        named = found_in(part, head, in_head, like)
        total += held + (IN_NAME if named else 0)
    return total


@dataclass(frozen=True, slots=True)
class Telling:
    """What of a text a part of the question met.

    Attributes:
        part: As it was asked.
        met: What stands in the text; the same where it was met exactly.
        likeness: `EXACT`, `PREFIX`, `NEAR` or `WITHIN`.
        in_name: Whether it stands in the name.
    """

    part: str
    met: str
    likeness: int
    in_name: bool

    @property
    def is_near(self) -> bool:
        """Whether it was met only with a mistake forgiven."""
        return self.likeness == NEAR


def tell(asked: Sequence[Part], head: str, body: str, like: Likeness = likeness) -> tuple[Telling, ...]:
    """Say what each part met; of places alike, the name.

    Args:
        asked: The parts of the question.
        head: Cleaned names.
        body: The rest, cleaned.
        like: How like a part a word is.
    """
    places = ((head, set(words(head)), True), (body, set(words(body)), False))
    told = []
    for part in asked:
        found = [_told(part, text, its_words, in_name, like) for text, its_words, in_name in places]
        if not any(found):  # a run whose pairs are scattered over both
            found = [_told(part, f"{head}\n{body}", (), False, like)]
        best = max((one for one in found if one), key=lambda one: (one.likeness, one.in_name), default=None)
        if best is not None:
            told.append(best)
    return tuple(told)


def _told(part: Part, text: str, its_words: Collection[str], in_name: bool, like: Likeness) -> Telling | None:
    if part.is_run:
        if not found_in(part, text, ()):
            return None
        is_whole = part.text in text
        met = part.text if is_whole else _nearest_run(part, text)
        return Telling(part.text, met, EXACT if is_whole else NEAR, in_name)
    value = max(map(like, repeat(part.text), its_words), default=0)
    if not value:
        return None
    _, met = max((-len(word), word) for word in its_words if like(part.text, word) == value)
    return Telling(part.text, met, value, in_name)


def _nearest_run(part: Part, text: str) -> str:
    """Return the stretch of the text that shares most with a run."""
    length = len(part.text)
    stretches = [run[at : at + length] for run in runs(text) for at in range(max(1, len(run) - length + 1))]
    return max(stretches, key=lambda one: sum(letter in one for letter in part.characters), default="")


def rank(
    asked: Sequence[Part], wanted: str, names: Sequence[str], body: str, told: Sequence[Telling]
) -> tuple[int, ...]:
    """Return by what a document among the best is ordered, greater first.

    Fewer mistakes first; then a name that is the question, begins with it or holds it as it was written; then the text
    that does; then parts in the name.

    Args:
        asked: The parts of the question.
        wanted: The question, cleaned, with single spaces.
        names: Cleaned.
        body: The rest, cleaned.
        told: What `tell` says of it.
    """
    shape = max((_shape(wanted, name) for name in names), default=0)
    mistakes = sum(one.is_near for one in told) + (len(asked) - len(told))
    return (-mistakes, shape, int(wanted in body), sum(one.in_name for one in told), sum(one.likeness for one in told))


def _shape(wanted: str, name: str) -> int:
    """3: the name is the question; 2: begins with it; 1: holds it."""
    if not wanted or wanted not in name:
        return 0
    return 3 if name == wanted else 2 if name.startswith(wanted) else 1


def why(told: Sequence[Telling]) -> Text:
    """Say in a line why something was found."""
    return Text(zh="；".join(_why_zh(one) for one in told), en="; ".join(_why_en(one) for one in told))


def _why_zh(one: Telling) -> str:
    place = "名称" if one.in_name else "用途或其他文字"
    if one.likeness == EXACT or one.part == one.met:
        return f"{place}中有“{one.part}”"
    if one.likeness == NEAR:
        return f"{place}中的“{one.met}”与“{one.part}”相近"
    return f"{place}中的“{one.met}”含有“{one.part}”"


def _why_en(one: Telling) -> str:
    place = "name" if one.in_name else "purpose or other text"
    if one.likeness == EXACT or one.part == one.met:
        return f"“{one.part}” in the {place}"
    if one.likeness == NEAR:
        return f"“{one.met}” in the {place} is close to “{one.part}”"
    return f"“{one.met}” in the {place} contains “{one.part}”"
