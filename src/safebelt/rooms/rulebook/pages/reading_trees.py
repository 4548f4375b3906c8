"""A condition as people read it: a tree of sentences, definitions unfolded, every name a link."""

from dataclasses import dataclass
from datetime import date

from safebelt.kernel.conditions import TAKES_A_LIST, Condition
from safebelt.kernel.text import Text
from safebelt.rooms.rulebook.decide import saying
from safebelt.rooms.rulebook.decide.showing import sentence
from safebelt.rooms.rulebook.model import LawText, Term

UNFOLD = 2
"""How many definitions deep a tree is unfolded in place; deeper ones are a link, or a page would hold the whole law."""

_TERM = Text(zh="符合定义：", en="meets the definition: ")
_APPLIES = Text(zh="此规则已生效并适用：", en="this norm is in force and applies: ")
_EXCEPT = Text(zh="但以下除外", en="except where")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A name that leads somewhere.

    Attributes:
        path: Of its page, after `/{lang}/`.
    """

    title: Text
    path: str
    is_unverified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One line of the tree.

    Attributes:
        says: The sentence; what comes before the links where there are any.
        links: Definitions or norms named.
        values: All values of a list that the sentence cuts short.
        parts: What it is made of.
        folded: What its definition is made of, shown when asked for.
    """

    says: Text
    links: tuple[Leaf, ...] = ()
    values: tuple[Text, ...] = ()
    parts: tuple["Node", ...] = ()
    folded: tuple["Node", ...] = ()


def tree(condition: Condition | None, text: LawText, on: date, unfold: int = UNFOLD) -> Node | None:
    """Return a condition as a tree; None where there is none."""
    return _node(condition, text, on, unfold) if condition else None


def of_term(term: Term, text: LawText, on: date, unfold: int = UNFOLD) -> tuple[Node, ...]:
    """Return what a definition is made of."""
    when = _node(term.when, text, on, unfold)
    if term.unless is None:
        return (when,)
    return when, Node(says=_EXCEPT, parts=(_node(term.unless, text, on, unfold),))


def _node(one: Condition, text: LawText, on: date, unfold: int) -> Node:
    if one.form == "fact":
        return Node(says=sentence(one, text, on), values=_values(one, text))
    if one.form == "term":
        return _term(one, text, on, unfold)
    if one.form == "applies":
        norms = (text.norms.get(name) for name in one.names)
        return Node(
            says=_APPLIES,
            links=tuple(
                Leaf(title=norm.title, path=f"rulebook/norms/{norm.id}", is_unverified=norm.status == "unverified")
                for norm in norms
                if norm
            ),
        )
    return Node(says=sentence(one, text, on), parts=tuple(_node(part, text, on, unfold) for part in one.parts))


def _term(one: Condition, text: LawText, on: date, unfold: int) -> Node:
    found = [text.terms[name] for name in one.names if name in text.terms]
    if not found:  # a definition that a later or earlier text no longer has
        return Node(says=sentence(one, text, on))
    return Node(
        says=_TERM,
        links=tuple(
            Leaf(title=term.title, path=f"rulebook/terms/{term.id}", is_unverified=term.status == "unverified")
            for term in found
        ),
        folded=tuple(node for term in found for node in of_term(term, text, on, unfold - 1)) if unfold else (),
    )


def _values(one: Condition, text: LawText) -> tuple[Text, ...]:
    """Every value of a list that is cut short in the sentence."""
    if one.operator not in TAKES_A_LIST or len(one.constant) <= saying._MOST_NAMED:
        return ()
    fact = saying.declared(text, one.fact)
    return tuple(saying.value_of(fact, value) for value in one.constant)
