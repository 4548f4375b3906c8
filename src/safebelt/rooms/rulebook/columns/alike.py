"""Which systems a law cannot tell apart: what its questions can learn of some facts, as a key.

Two systems with the same key are judged alike, whatever else is known of them: a number counts only by the limits it
lies between, a set only by the options somebody asks about, and a fact that nobody asks about not at all.  So whoever
judges many judges each kind once.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from safebelt.rooms.rulebook.columns.layout import Layout, Slot
from safebelt.rooms.rulebook.model import FactType

Key = frozenset[tuple[int, Hashable]]
"""For each slot of the layout whose fact is known: the slot's place, and what it can learn."""

_REMEMBERED = 4096
"""Values of one slot that are remembered: registers repeat themselves."""


class Alike:
    """Tells by their keys which systems are judged alike.

    Args:
        layout: Of the table that the law is judged from: its slots are what the law asks.
    """

    def __init__(self, layout: Layout) -> None:
        self._learning: dict[str, list[tuple[int, Callable[[Any], Hashable]]]] = {}
        for place, slot in enumerate(layout.slots.values()):
            self._learning.setdefault(slot.fact, []).append((place, _learns(slot)))

    def key(self, facts: Mapping[str, Any]) -> Key:
        """Return what the law can learn of these facts (fact id to value)."""
        found = []
        for fact, value in facts.items():
            for place, learns in self._learning.get(fact, ()):
                learned = learns(value)
                if learned is not None:
                    found.append((place, learned))
        return frozenset(found)


def _learns(slot: Slot) -> Callable[[Any], Hashable]:
    """Return what turns a value into what a slot can learn of it, None where it learns nothing."""
    return _Limits(slot).of if slot.type is FactType.NUMBER else _Remembered(slot).of


class _Remembered:
    """What one slot learned of the values it saw."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._seen: dict[tuple[type, Any], Hashable] = {}

    def of(self, value: Any) -> Hashable:
        """Return bits, a code, a Boolean or a date; None for a value that such a fact cannot have."""
        key = (value.__class__, value)  # with its class: 1 and True are equal, and only one of them is a *yes*
        learned: Hashable
        try:
            return self._seen[key]
        except KeyError:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            learned = self._seen[key] = _encoded(self._slot, value)
        except TypeError:  # a list cannot be looked up
            learned = _encoded(self._slot, value)
        return learned


class _Limits:
    """The limits that numbers of one slot are compared with."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._limits = sorted(map(float, slot.constants))

    def of(self, value: Any) -> Hashable:
        """Return how many limits a number exceeds and how many it reaches: all that *more than* and *at least* ask."""
        number = _encoded(self._slot, value)
        return None if number is None else (bisect_left(self._limits, number), bisect_right(self._limits, number))


def _encoded(slot: Slot, value: Any) -> Any:
    (found,) = slot.encoded([value])
    return found
