"""Three-valued logic as one graph of *and* and *not*, in which what is said twice is there once.

A *literal* is a node and whether it is negated, packed into one number: twice the node, plus one if negated, as in the
AIGER format (A. Biere, K. Heljanko and S. Wieringa, *AIGER 1.9 and beyond*, 2011).  Only what Kleene's logic allows is
simplified: an unknown together with its own negation stays unknown, so `x and not x` is kept.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from safebelt.rooms.rulebook.model import FactType

TRUE, FALSE, UNKNOWN = 0, 1, 2
"""Literals of the two nodes every graph begins with: what is true, and what nobody can know."""

Constant = None | frozenset[str] | int | float | date


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one fact; unknown exactly where the fact is.

    Attributes:
        fact: The fact's id.
        type: Its type, which says what values count as known.
        kind: `yes`; `among` these values; `includes` any of these; at least (`ge`); more than (`gt`).
        constant: What it is compared with; None for `yes`.
        is_claim: Silence answers it with no.
    """

    fact: str
    type: FactType
    kind: Literal["yes", "among", "includes", "ge", "gt"]
    constant: Constant = None
    is_claim: bool = False


Node = None | Question | tuple[int, ...]
"""The two fixed nodes, a test of a fact, or the literals that must all hold."""


def negated(literal: int) -> int:
    """Return Kleene's *not*; unknown stays unknown."""
    return literal if literal == UNKNOWN else literal ^ 1


class Graph:
    """Grows as conditions are read into it; a node's parts always come before it.

    Attributes:
        nodes: Every node, in an order in which they can be worked out.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = [None, None]
        self._known: dict[Node, int] = {}

    def question(self, question: Question) -> int:
        """Return the literal of a question."""
        return self._literal(question)

    def every(self, *literals: int) -> int:
        """Return Kleene's *and*."""
        parts = sorted(set(literals) - {TRUE})
        if FALSE in parts:
            return FALSE
        if not parts:
            return TRUE
        return parts[0] if len(parts) == 1 else self._literal(tuple(parts))

    def some(self, *literals: int) -> int:
        """Return Kleene's *or*."""
        return negated(self.every(*map(negated, literals)))

    def agreed(self, when: int, then: int, otherwise: int) -> int:
        """Return one of two by a condition; while it is unknown, what both agree on."""
        return self.every(self.some(negated(when), then), self.some(when, otherwise), self.some(then, otherwise))

    def settled(self, when: int, then: int, otherwise: int) -> int:
        """Return one of two by a condition; while it is unknown, unknown."""
        is_known = self.some(when, negated(when))
        chosen = self.some(self.every(when, then), self.every(negated(when), otherwise))
        return self.some(self.every(chosen, is_known), negated(is_known))

    def _literal(self, node: Node) -> int:
        if node not in self._known:
            self._known[node] = 2 * len(self.nodes)
            self.nodes.append(node)
        return self._known[node]
