"""Whether letters that stand alone can spell any word at all: a look at every two that follow each other.

Chinese between blanks is full of such letters (`服务 运行 稳定`), and none of them spells anything.  Reading each run
of them letter by letter costs forty times what everything else does; two letters that begin no word end it at once.
"""

from collections.abc import Iterable

import numpy as np

from safebelt.rooms.belt.scanner.arrays import codes_of
from safebelt.rooms.belt.scanner.chars import IDEOGRAPH, WORD
from safebelt.rooms.belt.scanner.fold import Whole

_SIZE = 1 << 16
_IDEOGRAPH, _WORD = 1, 2
_KINDS = bytes({IDEOGRAPH[0]: _IDEOGRAPH, WORD[0]: _WORD}.get(code, 0) for code in range(256))


class Pairs:
    """The first two letters of some words.

    Args:
        pairs: The pairs.
        gap: Most signs between two letters of a word that is spelled out.
    """

    def __init__(self, pairs: Iterable[str], gap: int) -> None:
        self._pairs = frozenset(pair for pair in pairs if len(pair) > 1)
        self._gap = gap
        self._may_be = np.zeros(_SIZE, dtype=np.bool_)  # by a number of each pair: what is not here is none
        for pair in self._pairs:
            self._may_be[(ord(pair[0]) * 31 + ord(pair[1])) % _SIZE] = True

    def are_in(self, whole: Whole) -> bool:
        """Whether any two letters that stand alone in a folded text, with only signs between, begin a word."""
        text, classes, codes = whole.text, whole.classes, codes_of(whole.text)
        kinds = np.frombuffer(classes.translate(_KINDS), np.uint8)
        is_alone = kinds != 0
        touch = (kinds[1:] & kinds[:-1]) == _WORD
        is_alone[1:] &= ~touch
        is_alone[:-1] &= ~touch
        places = is_alone.nonzero()[0]
        first, second = places[:-1], places[1:]
        gaps = second - first
        are_near = (gaps > 1) & (gaps <= self._gap + 1)
        first, second = first[are_near], second[are_near]
        may_be = self._may_be[(codes[first] * 31 + codes[second]) % _SIZE]
        return any(
            text[one] + text[other] in self._pairs
            for one, other in zip(first[may_be].tolist(), second[may_be].tolist(), strict=True)
        )
