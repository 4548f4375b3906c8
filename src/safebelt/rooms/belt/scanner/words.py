"""Many words at once, in one pass over the text (A. Aho, M. Corasick, CACM 18(6), 1975), and how much must wait.

Words are matched in folded text.  Chinese has no word boundaries, so none are asked for; where a term begins or ends
with an ASCII letter or digit, the neighbour must not be one, so "ass" is not found in "class".
"""

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

WORD_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_SPACES = {"\n": " ", "\t": " "}

Name = TypeVar("Name", bound=Hashable)


class Lexicon(Generic[Name]):
    """An automaton over folded terms.

    Args:
        terms: Name → folded terms; a term may stand under several names.
        waits: Kind of wait → names whose unfinished terms must be waited for.  See `depth`.
    """

    def __init__(self, terms: Mapping[Name, Sequence[str]], waits: Mapping[str, Iterable[Name]]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._fail: list[int] = [0]
        self._found: list[tuple[tuple[Name, str], ...]] = [()]
        wanted = {kind: frozenset(names) for kind, names in waits.items()}
        self._depth: dict[str, list[int]] = {kind: [0] for kind in wanted}
        for name, words in terms.items():
            for word in words:
                self._add(name, word, wanted)
        self._link()

    def _add(self, name: Name, word: str, wanted: Mapping[str, frozenset[Name]]) -> None:
        node = 0
        for depth, char in enumerate(word, start=1):
            if char not in self._next[node]:
                self._next[node][char] = len(self._next)
                self._next.append({})
                self._fail.append(0)
                self._found.append(())
                for depths in self._depth.values():
                    depths.append(0)
            node = self._next[node][char]
            for kind, names in wanted.items():
                if name in names:
                    self._depth[kind][node] = depth
        self._found[node] += ((name, word),)

    def _link(self) -> None:
        queue = deque(self._next[0].values())
        while queue:
            node = queue.popleft()
            for char, child in self._next[node].items():
                fail = self._fail[node]
                while fail and char not in self._next[fail]:
                    fail = self._fail[fail]
                self._fail[child] = fail = self._next[fail].get(char, 0)
                self._found[child] += self._found[fail]
                queue.append(child)
            for depths in self._depth.values():
                depths[node] = depths[node] or depths[self._fail[node]]

    def step(self, node: int, char: str) -> int:
        """Return the node after one more folded character; a line break counts as a space."""
        char = _SPACES.get(char, char)
        following = self._next
        while char not in following[node]:
            if not node:
                return 0
            node = self._fail[node]
        return following[node][char]

    def found(self, node: int) -> tuple[tuple[Name, str], ...]:
        """Return the terms that end at a node, boundaries not yet judged."""
        return self._found[node]

    def depth(self, node: int, kind: str) -> int:
        """Return how many of the last characters may still become, or are, a term of this kind of wait."""
        return self._depth[kind][node]


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether a span of folded text keeps to word boundaries where it begins or ends with a word character."""
    left = text[start - 1] if start else ""
    right = text[end] if end < len(text) else ""
    cuts_left = text[start] in WORD_CHARS and left in WORD_CHARS
    return not cuts_left and not (text[end - 1] in WORD_CHARS and right in WORD_CHARS)
