"""Three-valued conditions: true, false, and *unknown, ask for this fact*.

A condition is a tree of `all` / `any` / `not` over one fact, one operator and one constant.  Where its reader allows
it, a constant may be a named *parameter* and a leaf may name another condition (`term`) or a rule (`applies`); what
those names stand for is handed to `judge` as `References`.
Kleene's strong logic (S. C. Kleene, *Introduction to Metamathematics*, 1952, section 64):
an unknown never becomes true or false by default.

    >>> Condition.parse({"all": [{"fact": "age", "at_least": 18}]}).judge({}).missing
    ('age',)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol, Self


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
    "term": conjunction,
    "applies": disjunction,
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


_SETS = (list, tuple, set, frozenset)

OPERATORS: Mapping[str, Callable[[Any, Any], bool | None]] = {
    "is": _same,
    "one_of": lambda fact, constant: any(_same(fact, one) for one in constant),
    "includes": lambda fact, constant: any(_same(one, constant) for one in fact) if isinstance(fact, _SETS) else None,
    "includes_any": lambda fact, constant: (
        any(_same(one, wanted) for one in fact for wanted in constant) if isinstance(fact, _SETS) else None
    ),
    "at_least": _ordered(lambda fact, constant: fact >= constant),
    "more_than": _ordered(lambda fact, constant: fact > constant),
    "at_most": _ordered(lambda fact, constant: fact <= constant),
    "less_than": _ordered(lambda fact, constant: fact < constant),
}


TAKES_A_LIST = frozenset({"one_of", "includes_any"})


def _fits(operator: str, constant: Any) -> bool:
    """Whether the operator can ever come to a result with this constant (text is no list of its letters)."""
    return isinstance(constant, list) and bool(constant) if operator in TAKES_A_LIST else constant is not None


def _names(value: Any) -> tuple[str, ...]:
    """One name, or a list of names that is not empty; nothing where it is neither."""
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(listed) if all(isinstance(one, str) and one for one in listed) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a condition came to.

    Attributes:
        holds: True, false or unknown.
        of: The condition judged.
        missing: Facts that could still change an unknown result, in order of first mention.  None that could is
            left out; where a fact is mentioned more than once, one that could not may be asked for.
        because: The judgments of the parts, or of the conditions named.
    """

    holds: Truth
    of: "Condition"
    missing: tuple[str, ...] = ()
    because: tuple["Judged", ...] = ()


class References(Protocol):
    """What the names in a condition stand for, on the day and for the facts that are being judged."""

    def parameter(self, name: str) -> Any:
        """Return the parameter's value; None where it has none, which makes the comparison unknown."""

    def term(self, name: str) -> Judged:
        """Return what the named condition came to."""

    def applies(self, name: str) -> Judged:
        """Return what the named rule came to."""


_ALLOWED = (
    "write all, any (of at least one part), not, or a fact with one of: "
    + ", ".join(OPERATORS)
    + "; one_of and includes_any take a list that is not empty, no operator takes nothing"
)
_ALLOWED_NAMES = "; or term with a name, or applies with a name or a list of names; a constant may be {param: name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A node of the tree: `all`, `any`, `not`, one comparison (`fact`), or a name (`term`, `applies`).

    Attributes:
        form: Which of them.
        parts: The parts of `all`, `any` and `not` (one).
        fact: What a comparison looks at.
        operator: How it compares: a key of `OPERATORS`.
        constant: What it compares with; nothing where a parameter stands in its place.
        parameter: The parameter whose value is the constant.
        names: The condition a `term` names (one); the rules an `applies` names, any of which will do.
    """

    form: Literal["all", "any", "not", "fact", "term", "applies"]
    parts: tuple["Condition", ...] = ()
    fact: str = ""
    operator: str = ""
    constant: Any = None
    parameter: str = ""
    names: tuple[str, ...] = ()

    @classmethod
    def parse(cls, tree: Any, *, has_names: bool = False) -> Self:
        """Read a condition from plain data, as YAML gives it.

        Args:
            tree: The data.
            has_names: Whether it may name terms, rules and parameters; then `judge` needs `References`.

        Raises:
            ValueError: The data is not a condition; the message says where and what is allowed.
        """
        match tree:
            case {"all": list(parts), **rest} if not rest and parts:
                return cls(form="all", parts=tuple(cls.parse(p, has_names=has_names) for p in parts))
            case {"any": list(parts), **rest} if not rest and parts:
                return cls(form="any", parts=tuple(cls.parse(p, has_names=has_names) for p in parts))
            case {"not": part, **rest} if not rest:
                return cls(form="not", parts=(cls.parse(part, has_names=has_names),))
        leaf = cls._comparison(tree, has_names) or (cls._reference(tree) if has_names else None)
        if leaf is None:
            raise ValueError(f"not a condition: {tree!r}; {_ALLOWED}{_ALLOWED_NAMES if has_names else ''}")
        return leaf

    @classmethod
    def _comparison(cls, tree: Any, has_names: bool) -> Self | None:
        """Read one comparison, if this is one."""
        match tree:
            case {"fact": str(fact), **rest} if len(rest) == 1:
                operator, constant = next((str(name), value) for name, value in rest.items())
            case _:
                return None
        match constant:
            case {"param": str(parameter), **more} if has_names and not more and operator in OPERATORS:
                return cls(form="fact", fact=fact, operator=operator, parameter=parameter)
        if operator not in OPERATORS or not _fits(operator, constant) or (has_names and isinstance(constant, dict)):
            return None
        return cls(form="fact", fact=fact, operator=operator, constant=constant)

    @classmethod
    def _reference(cls, tree: Any) -> Self | None:
        """Read a name, if this is one."""
        match tree:
            case {"term": str(name), **rest} if not rest and name:
                return cls(form="term", names=(name,))
            case {"applies": value, **rest} if not rest and _names(value):
                return cls(form="applies", names=_names(value))
        return None

    def judge(self, facts: Mapping[str, Any], references: References | None = None) -> Judged:
        """Judge against known facts; a fact that is absent or None is unknown.

        Args:
            facts: Fact id to value.
            references: What the names in it stand for; needed only if it has any.

        Raises:
            ValueError: It has names, and nothing says what they stand for.
        """
        if self.form == "fact":
            return self._compare(facts, references)
        because = self._because(facts, references)
        holds = _COMBINE[self.form](tuple(part.holds for part in because))
        open_parts = (part for part in because if part.holds is Truth.UNKNOWN) if holds is Truth.UNKNOWN else ()
        missing = tuple(dict.fromkeys(fact for part in open_parts for fact in part.missing))
        return Judged(holds=holds, of=self, missing=missing, because=because)

    def _because(self, facts: Mapping[str, Any], references: References | None) -> tuple[Judged, ...]:
        """What the parts, or the conditions named, came to."""
        if self.form == "term":
            return tuple(_known(references, name).term(name) for name in self.names)
        if self.form == "applies":
            return tuple(_known(references, name).applies(name) for name in self.names)
        return tuple(part.judge(facts, references) for part in self.parts)

    def _compare(self, facts: Mapping[str, Any], references: References | None) -> Judged:
        """One comparison; unknown where the fact or the constant is."""
        value, constant = facts.get(self.fact), self.constant
        if self.parameter:
            constant = _known(references, self.parameter).parameter(self.parameter)
        truth = Truth.of(None if value is None or constant is None else OPERATORS[self.operator](value, constant))
        return Judged(holds=truth, of=self, missing=(self.fact,) if truth is Truth.UNKNOWN else ())


def _known(references: References | None, name: str) -> References:
    """The references, which a condition with names cannot be judged without."""
    if references is None:
        raise ValueError(f"the condition names {name!r}; give judge the references that say what it stands for")
    return references
