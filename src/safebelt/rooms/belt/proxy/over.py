"""What stands over several texts that their reader puts together: parts of one message, blocks of one answer.

Each text is judged by itself elsewhere; here only what begins in one and ends in another is found, and cut into what
of it stands in each, so that the same rules mask or refuse it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from safebelt.rooms.belt.decide import RawHit, mask, placeholder
from safebelt.rooms.belt.model import Action, Hit
from safebelt.rooms.belt.proxy.leaves import Keys
from safebelt.rooms.belt.scanner.engine import KEYWORD
from safebelt.rooms.belt.scanner.stream import Released

Text = tuple[Keys, str]
Over = Mapping[Keys, list[RawHit]]
"""What stands over several texts: by the way to a text, what of it stands there."""
NOTHING: Over = {}
_LISTS = frozenset({"content", "system", "parts"})
"""Fields whose lists may hold texts bare."""
_BETWEEN = "", " "
"""How readers join parts: as they are, or with a blank; a line break counts as one."""
_REACH = 256
"""So many characters on each side of a border are read: longer is no word and no number."""
_AWAY = "\n\n\n"
"""Stands for what is left out of a long text: nothing is found over it."""


def in_request(strings: Iterable[tuple[Keys, str, bool]]) -> list[list[Text]]:
    """Return the texts of a request that stand in one list, two or more: `(keys, text, is a name)` of each string."""
    lists: dict[Keys, list[Text]] = {}
    for keys, text, is_field in strings:
        if is_field or len(keys) < 2 or not text:
            continue
        if keys[-1] == "text" and isinstance(keys[-2], int):
            lists.setdefault(keys[:-2], []).append((keys, text))
        elif isinstance(keys[-1], int) and keys[-2] in _LISTS:
            lists.setdefault(keys[:-1], []).append((keys, text))
    return [texts for texts in lists.values() if len(texts) > 1]


def in_answer(body: Any) -> list[list[Text]]:
    """Return the texts of an answer made of items, by the kind of their place: a reader joins all that it says."""
    kinds: dict[Keys, list[Text]] = {}
    for keys, text in _texts(body, ()):
        kinds.setdefault(kind_of(keys), []).append((keys, text))
    return [texts for texts in kinds.values() if len(texts) > 1]


def kind_of(keys: Keys) -> Keys:
    """Return of what kind a place is: the names on the way to it."""
    return tuple(key for key in keys if isinstance(key, str))


def in_choices(choices: Sequence[Any]) -> list[list[Text]]:
    """Return the parts of each choice's message, two or more, by their way from the choice's index."""
    found = []
    for at, choice in enumerate(choices):
        message = choice.get("message") if isinstance(choice, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and len(content) > 1:
            found.append(list(_texts(content, (at, "message", "content"))))
    return found


def _texts(node: Any, keys: Keys) -> Iterator[Text]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "text" and isinstance(value, str) and value:
                yield (*keys, name), value
            elif isinstance(value, list | dict):
                yield from _texts(value, (*keys, name))
    elif isinstance(node, list):
        for at, item in enumerate(node):
            yield from _texts(item, (*keys, at))


def found_over(scan: Callable[[str], Iterable[RawHit]], lists: Iterable[Sequence[Text]]) -> Over:
    """Return what stands over several texts of one list."""
    found: dict[Keys, list[RawHit]] = {}
    for texts in lists:
        for between in _BETWEEN:
            joined, pieces = _joined(texts, between)
            for hit in scan(joined):
                for keys, cut in _cut(hit, pieces):
                    if cut not in found.setdefault(keys, []):
                        found[keys].append(cut)
    return found


_Piece = tuple[Keys, int, int, int]
"""The way to a text; where in it a piece begins; where in the joined text it begins, and ends."""


def _joined(texts: Sequence[Text], between: str) -> tuple[str, list[_Piece]]:
    parts, pieces, place = list[str](), list[_Piece](), 0
    for keys, text in texts:
        ends = [(0, text)] if len(text) <= 2 * _REACH else [(0, text[:_REACH]), (len(text) - _REACH, text[-_REACH:])]
        for number, (begin, piece) in enumerate(ends):
            gap = _AWAY if number else between if place else ""
            parts += gap, piece
            pieces.append((keys, begin, place + len(gap), place + len(gap) + len(piece)))
            place = pieces[-1][-1]
    return "".join(parts), pieces


def _cut(hit: RawHit, pieces: Sequence[_Piece]) -> Iterator[tuple[Keys, RawHit]]:
    """Yield what of a finding stands in each text, where it stands in several."""
    within = [piece for piece in pieces if piece[2] < hit.end and hit.start < piece[3]]
    if len({piece[0] for piece in within}) < 2:
        return
    for keys, begin, first, last in within:
        start, end = max(hit.start, first), min(hit.end, last)
        yield keys, RawHit(hit.rule, hit.detector, begin + start - first, begin + end - first)


def unspelled(text: str, over: Iterable[RawHit]) -> str:
    """Return a text as a record keeps it: what of personal data over several texts stands in it is masked."""
    return mask(text, [hit for hit in over if hit.detector != KEYWORD])


class Border:
    """The border between a streamed text and the one before, whose unfinished end the screen was given first.

    What had waited there has left: a text that ends must not wait for the next.  But what it began to spell ends here.

    Args:
        before: How many characters the screen was given that belong to the text before.

    Attributes:
        is_crossed: A rule acted on something that began before the border.
    """

    def __init__(self, before: int) -> None:
        self._before, self._at = before, 0
        self.is_crossed = False

    def behind(self, released: Released, path: str, until: int) -> Released:
        """Return what of a release belongs to the text behind the border.

        Args:
            released: As the screen gives it.
            path: The text's.
            until: How many characters of the text are over; fewer than none where the text before is not.
        """
        acting = [hit for hit in released.hits if hit.done is Action.MASK]
        text, begin = released.text, self._at
        self._at = until + self._before
        if begin < self._before:
            over = [hit for hit in acting if hit.start < self._before < hit.end]
            self.is_crossed |= bool(over) or released.is_refused
            text = "".join(placeholder(hit.detector) for hit in over[:1]) + text[_width(acting, begin, self._before) :]
        hits = tuple(self._moved(hit, path) for hit in released.hits if hit.end > self._before)
        return Released(text=text, hits=hits, is_refused=released.is_refused)

    def _moved(self, hit: Hit, path: str) -> Hit:
        return replace(hit, part=path, start=max(0, hit.start - self._before), end=hit.end - self._before)


def _width(acting: Iterable[Hit], begin: int, end: int) -> int:
    """Return how many characters stand for a stretch of the original in what was released."""
    width, here = 0, begin
    for hit in acting:
        if here <= hit.start < end:
            width += hit.start - here + len(placeholder(hit.detector))
            here = hit.end
    return width + max(0, end - here)
