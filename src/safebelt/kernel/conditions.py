"""Three-valued conditions: true, false, and *unknown, ask for this fact*.

A condition is a tree of `all` / `any` / `not` over one fact, one operator and one constant.
Kleene's strong logic (S. C. Kleene, *Introduction to Metamathematics*, 1952, section 64):
an unknown never becomes true or false by default.

    >>> Condition.parse({"all": [{"fact": "age", "at_least": 18}]}).judge({}).missing
    ('age',)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Self


class Truth(StrEnum):
    """True, false or unknown."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @property
    def mark(self) -> str:
        """A one-character mark for plain text: `+`, `-`, `?`."""
        return {"true": "+", "false": "-", "unknown": "?"}[self.value]

    @classmethod
    def of(cls, value: bool | None) -> "Truth":
        """Lift `True`, `False` or `None` (unknown)."""
        return cls.UNKNOWN if value is None else cls.TRUE if value else cls.FALSE


def negate(truth: Truth) -> Truth:
    """Kleene negation: unknown stays unknown."""
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(truth, Truth.UNKNOWN)


def conjunction(truths: tuple[Truth, ...]) -> Truth:
    """Kleene `all`: one false decides, else one unknown leaves it open."""
    if Truth.FALSE in truths:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in truths else Truth.TRUE


def disjunction(truths: tuple[Truth, ...]) -> Truth:
    """Kleene `any`: one true decides, else one unknown leaves it open."""
    return negate(conjunction(tuple(negate(t) for t in truths)))


_COMBINE: Mapping[str, Callable[[tuple[Truth, ...]], Truth]] = {
    "all": conjunction,
    "any": disjunction,
    "not": lambda truths: negate(truths[0]),
}


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool | None]:
    """A comparison that is unknown, not wrong, where the two cannot be ordered."""

    def judged(fact: Any, constant: Any) -> bool | None:
        try:
            return compare(fact, constant)
        except TypeError:
            return None

    return judged


def _same(fact: Any, constant: Any) -> bool:
    """Equality in which yes and no are not the numbers 1 and 0, as they are to Python."""
    return isinstance(fact, bool) is isinstance(constant, bool) and bool(fact == constant)


OPERATORS: Mapping[str, Callable[[Any, Any], bool | None]] = {
    "is": _same,
    "one_of": lambda fact, constant: any(_same(fact, one) for one in constant),
    "includes": lambda fact, constant: (
        any(_same(one, constant) for one in fact) if isinstance(fact, list | tuple | set | frozenset) else None
    ),
    "at_least": _ordered(lambda fact, constant: fact >= constant),
    "more_than": _ordered(lambda fact, constant: fact > constant),
    "at_most": _ordered(lambda fact, constant: fact <= constant),
    "less_than": _ordered(lambda fact, constant: fact < constant),
}


def _fits(operator: str, constant: Any) -> bool:
    """Whether the operator can ever come to a result with this constant (text is no list of its letters)."""
    return isinstance(constant, list) and bool(constant) if operator == "one_of" else constant is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a condition came to.

    Attributes:
        holds: True, false or unknown.
        missing: Facts that could still change an unknown result, in order of first mention.  None that could is
            left out; where a fact is mentioned more than once, one that could not may be asked for.
        because: The parts' judgments.
        of: The condition judged.
    """

    holds: Truth
    of: "Condition"
    missing: tuple[str, ...] = ()
    because: tuple["Judged", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A node of the tree: `all`, `any`, `not`, or one comparison (`fact`)."""

    form: Literal["all", "any", "not", "fact"]
    parts: tuple["Condition", ...] = ()
    fact: str = ""
    operator: str = ""
    constant: Any = None

    @classmethod
    def parse(cls, tree: Any) -> Self:
        """Read a condition from plain data, as YAML gives it.

        Raises:
            ValueError: The data is not a condition; the message says where and what is allowed.
        """
        match tree:
            case {"all": list(parts), **rest} if not rest and parts:
                return cls(form="all", parts=tuple(cls.parse(p) for p in parts))
            case {"any": list(parts), **rest} if not rest and parts:
                return cls(form="any", parts=tuple(cls.parse(p) for p in parts))
            case {"not": part, **rest} if not rest:
                return cls(form="not", parts=(cls.parse(part),))
            case {"fact": str(fact), **rest} if len(rest) == 1:
                operator, constant = next((str(name), value) for name, value in rest.items())
                if operator in OPERATORS and _fits(operator, constant):
                    return cls(form="fact", fact=fact, operator=operator, constant=constant)
        allowed = ", ".join(OPERATORS)
        raise ValueError(
            f"not a condition: {tree!r}; write all, any (of at least one part), not, or a fact with one of: {allowed}; "
            "one_of takes a list that is not empty, no operator takes nothing"
        )

    def judge(self, facts: Mapping[str, Any]) -> Judged:
        """Judge against known facts; a fact that is absent or None is unknown."""
        if self.form == "fact":
            value = facts.get(self.fact)
            truth = Truth.of(None if value is None else OPERATORS[self.operator](value, self.constant))
            return Judged(holds=truth, of=self, missing=(self.fact,) if truth is Truth.UNKNOWN else ())
        because = tuple(part.judge(facts) for part in self.parts)
        truths = tuple(part.holds for part in because)
        holds = _COMBINE[self.form](truths)
        open_parts = (part for part in because if part.holds is Truth.UNKNOWN) if holds is Truth.UNKNOWN else ()
        missing = tuple(dict.fromkeys(fact for part in open_parts for fact in part.missing))
        return Judged(holds=holds, of=self, missing=missing, because=because)
