"""Walk conditions: what they mention, directly and through the names in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from safebelt.kernel.conditions import Condition
from safebelt.rooms.rulebook.model import Derived, LawText, Norm, Parameter, Status, Term


def leaves(*conditions: Condition | None) -> Iterator[Condition]:
    """Yield comparisons and names, in order of mention; None is a condition that is not there."""
    for condition in conditions:
        if condition is None:
            continue
        if condition.form in ("all", "any", "not"):
            yield from leaves(*condition.parts)
        else:
            yield condition


def conditions_of(entry: Term | Norm | Derived) -> tuple[Condition | None, ...]:
    """Return the conditions that decide whether a term holds or a norm applies, or what a derived fact is.

    The starts of a norm are apart (`norm.starts`), and so is `upon`: they decide when, not whether.
    """
    if isinstance(entry, Derived):
        return tuple(row.when for row in entry.rows)
    return (entry.when, entry.unless)


def overriders(text: LawText) -> dict[str, tuple[str, ...]]:
    """Return norm id to the norms that override it, in the order of their ids, so that no file order matters."""
    found: dict[str, list[str]] = {}
    for norm in text.norms.values():
        for overridden in norm.overrides:
            found.setdefault(overridden, []).append(norm.id)
    return {overridden: tuple(sorted(by)) for overridden, by in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Everything conditions mention, directly or through names, in order of first mention (the keys are the order).

    Attributes:
        facts: Facts that can be asked for; derived ones are followed to what they are computed from.
        norms: Norms mentioned by `applies`, and those that override them.
    """

    facts: dict[str, None] = field(default_factory=dict)
    terms: dict[str, None] = field(default_factory=dict)
    norms: dict[str, None] = field(default_factory=dict)
    parameters: dict[str, None] = field(default_factory=dict)
    derived: dict[str, None] = field(default_factory=dict)

    def is_shaky(self, text: LawText) -> bool:
        """Whether anything in it is unverified."""
        entries: tuple[Term | Norm | Parameter | Derived, ...] = (
            *(text.terms[one] for one in self.terms),
            *(text.norms[one] for one in self.norms),
            *(text.parameters[one] for one in self.parameters),
            *(text.derived[one] for one in self.derived),
        )
        return any(entry.status is Status.UNVERIFIED for entry in entries)


class Walker:
    """Collects what conditions reach in one text; the names in it must exist."""

    def __init__(self, text: LawText) -> None:
        self._text = text
        self._overriders = overriders(text)

    def from_conditions(self, *conditions: Condition | None) -> Reach:
        """Return what these reach."""
        reach = Reach()
        self._follow(reach, conditions)
        return reach

    def from_norm(self, norm: str) -> Reach:
        """Return what decides whether a norm applies, its overriders with them, and not itself."""
        reach = Reach()
        self._follow(reach, conditions_of(self._text.norms[norm]))
        for start in self._text.norms[norm].starts:
            self._follow(reach, (start.when,))
        for overrider in self._overriders.get(norm, ()):
            self._norm(reach, overrider)
        return reach

    def _follow(self, reach: Reach, conditions: tuple[Condition | None, ...]) -> None:
        for leaf in leaves(*conditions):
            if leaf.form == "term":
                self._term(reach, leaf.names[0])
            elif leaf.form == "applies":
                for name in leaf.names:
                    self._norm(reach, name)
            else:
                self._fact(reach, leaf)

    def _fact(self, reach: Reach, leaf: Condition) -> None:
        if leaf.parameter:
            reach.parameters[leaf.parameter] = None
        if leaf.fact not in self._text.derived:
            reach.facts[leaf.fact] = None
        elif leaf.fact not in reach.derived:
            reach.derived[leaf.fact] = None
            self._follow(reach, conditions_of(self._text.derived[leaf.fact]))

    def _term(self, reach: Reach, name: str) -> None:
        if name not in reach.terms:
            reach.terms[name] = None
            self._follow(reach, conditions_of(self._text.terms[name]))

    def _norm(self, reach: Reach, name: str) -> None:
        if name in reach.norms:
            return
        reach.norms[name] = None
        norm = self._text.norms[name]
        self._follow(reach, (*conditions_of(norm), *(start.when for start in norm.starts)))
        for overrider in self._overriders.get(name, ()):
            self._norm(reach, overrider)
