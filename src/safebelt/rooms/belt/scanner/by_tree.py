"""Words found by trees of their letters (`_words.c`), in all three views; `by_hyperscan` does so without a compiler."""

from collections.abc import Callable, Iterator

from safebelt.rooms.belt.scanner import native
from safebelt.rooms.belt.scanner.fold import Whole
from safebelt.rooms.belt.scanner.terms import LEET_BYTES
from safebelt.rooms.belt.scanner.views import MAX_GAP, Reading, WordHit, leet_hits, runs_at, spelled_words
from safebelt.rooms.belt.scanner.words import Words


class ByTree:
    """The words of a policy as trees.

    Args:
        plain, spelled, leet: The words, by view.
    """

    def __init__(self, plain: Words[str], spelled: Words[str], leet: Words[tuple[str, str]]) -> None:
        self._spelled = spelled
        self._plain_names, self._leet_names = plain.names, leet.names
        plain_tree, spelled_tree = native.tree(plain.words, MAX_GAP), native.tree(spelled.words, MAX_GAP)
        self._find_plain, self._find_spelled = plain_tree.find, spelled_tree.spelled
        self.glance: Callable[[str], bytes | None] = native.glance(plain_tree, spelled_tree)
        self._find_leet = native.tree(leet.words, MAX_GAP, LEET_BYTES).find

    def found_in(self, whole: Whole, _data: bytes) -> list[WordHit]:
        """Return the words that a folded text shows, or spells."""
        shown = (whole.data, True) if whole.entries is None else (whole.entries, False)
        found, runs = self._find_plain(*shown), self._find_spelled(*shown)
        if not found and not runs:
            return []
        names = self._plain_names
        hits = [WordHit(rule, start, end) for number, start, end in found for rule in names[number]]
        if runs:
            classes = whole.classes
            hits += spelled_words(self._spelled, Reading(whole.text), classes, runs_at(classes, runs))
        return hits

    def leet_in(self, whole: Whole) -> Iterator[WordHit]:
        """Yield the words written with signs for letters."""
        for number, start, end in self._find_leet(whole.entries or whole.data, whole.entries is None):
            yield from leet_hits(self._leet_names[number], whole.text, start, end)
